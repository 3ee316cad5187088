"""`make image`: by whichever program works here, told as each wants it, and checked before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from operate.image import main

RECORD = '#!/bin/sh\necho "$0 $*" >> "{log}"\n'


class Machine:
    """A machine with some programs that build images, which only write down how they are called."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"

    def has(self, name: str, *, works: bool = True, size: str = "1073741824") -> None:
        answer = f'case "$*" in *inspect*) echo {size} ;; esac\n' if works else "echo no daemon >&2; exit 1\n"
        program = self.folder / name
        program.write_text(RECORD.format(log=self.log) + answer)
        program.chmod(0o755)

    def has_docker_without_a_daemon(self) -> None:
        """`docker buildx inspect` succeeds all the same."""
        self.has("docker")
        program = self.folder / "docker"
        program.write_text(program.read_text() + 'case "$1" in info) echo no daemon >&2; exit 1 ;; esac\n')

    def builds(self) -> list[str]:
        """The builds and pushes, without the folder that the program lies in."""
        lines = self.log.read_text().replace(f"{self.folder}/", "").splitlines()
        return [line for line in lines if " build " in line or " push " in line]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = Machine(tmp_path)
    for name in ("docker", "podman", "buildah"):
        found.has(name, works=False)
    return found


def test_the_first_that_works_builds_it_and_its_size_is_told(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.has("podman")
    machine.has("buildah")
    assert main([]) == 0
    (build,) = machine.builds()
    assert build.startswith("podman build --format docker --layers=false --tag elab-notebook:")
    assert build.endswith("/notebook-image")
    said = capfd.readouterr().out
    assert "with marimo, OpenRefine, RStudio, by podman" in said
    assert re.search(r"elab-notebook:[0-9a-f]{16}, 1 GiB; \d+ s\n$", said)


def test_docker_without_a_daemon_is_passed_over(machine: Machine) -> None:
    machine.has_docker_without_a_daemon()
    machine.has("buildah")
    assert main([]) == 0
    assert machine.builds()[0].startswith("buildah build")


def test_docker_attests_what_it_pushes(machine: Machine) -> None:
    machine.has("docker")
    assert main(["--tag", "registry.example.org/notebook:1", "--push", "1"]) == 0
    (build,) = machine.builds()
    assert "--push --sbom=true --provenance=mode=max --tag registry.example.org/notebook:1" in build


def test_buildah_pushes_what_it_has_built(machine: Machine) -> None:
    machine.has("buildah")
    assert main(["--tag", "registry.example.org/notebook:1", "--push", "1"]) == 0
    assert machine.builds()[-1] == "buildah push registry.example.org/notebook:1"


def test_base_and_downloads_are_arguments_of_the_build(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("docker")
    assert main(["--base", "example.org/base:1"]) == 0
    assert "--build-arg BASE_IMAGE=example.org/base:1" in machine.builds()[0]
    assert main(["--downloads", "absent.yaml"]) == 1
    assert "correct the argument DOWNLOADS" in capfd.readouterr().err
    assert len(machine.builds()) == 1


def test_another_base_gives_another_name(machine: Machine) -> None:
    machine.has("buildah")
    assert main([]) == main(["--base", "example.org/base:1"]) == 0
    names = [re.search(r"--tag (\S+)", build) for build in machine.builds()]
    assert len({name[1] for name in names if name}) == 2


def test_only_an_explicit_one_pushes(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("buildah")
    assert main(["--tag", "registry.example.org/notebook:1", "--push", "0"]) == 0
    assert len(machine.builds()) == 1
    with pytest.raises(SystemExit):
        main(["--push", "no"])
    assert "--push: invalid choice: 'no'" in capfd.readouterr().err


def test_where_none_works_each_says_why(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    said = capfd.readouterr().err
    assert "install docker with buildx, podman or buildah" in said
    assert "docker: no daemon" in said
    assert "Traceback" not in said


def test_a_push_to_nowhere_is_refused_before_anything_is_built(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.has("docker")
    assert main(["--push", "1"]) == 1
    assert "set IMAGE_TAG=registry.example.org/notebook:1" in capfd.readouterr().err
    assert not machine.log.exists()
