"""`make image`: by whichever program works here, told as each wants it, and checked before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import operate.image
from components.notebook_image import ReadyImage
from operate.image import main
from tests.unit.notebook_image.folders import add

DIGEST = "sha256:" + "5" * 64
RECORD = """#!/bin/sh
echo "$0 $*" >> "{log}"
while [ $# -gt 0 ]; do
    case "$1" in
        --digestfile) printf '%s' "{digest}" > "$2" ;;
        --metadata-file)
            printf '{{"containerimage.config.digest": "sha256:0", "containerimage.digest": "{digest}"}}' > "$2" ;;
    esac
    case "$1" in inspect | images) asked=yes ;; esac
    shift
done
"""
"""A builder that says what it has pushed as the real ones do."""


class Machine:
    """A machine with some programs that build images, which only write down how they are called."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"

    def has(self, name: str, *, works: bool = True, size: str = "1073741824", digest: str = DIGEST) -> None:
        answer = f'[ -z "$asked" ] || echo {size}\n' if works else "echo no daemon >&2; exit 1\n"
        program = self.folder / name
        program.write_text(RECORD.format(log=self.log, digest=digest) + answer)
        program.chmod(0o755)

    def has_docker_without_a_daemon(self) -> None:
        """`docker buildx inspect` succeeds all the same."""
        self.has("docker")
        program = self.folder / "docker"
        head, rest = program.read_text().split("\n", 1)
        program.write_text(f'{head}\ncase "$1" in info) echo no daemon >&2; exit 1 ;; esac\n{rest}')

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


def test_a_size_that_the_builder_has_written_for_people_is_told_as_it_is(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.has("buildah", size="1.22 GB")
    assert main([]) == 0
    assert ", 1.22 GB; " in capfd.readouterr().out


def test_docker_without_a_daemon_is_passed_over(machine: Machine) -> None:
    machine.has_docker_without_a_daemon()
    machine.has("buildah")
    assert main([]) == 0
    assert machine.builds()[0].startswith("buildah build")


def test_docker_attests_what_it_pushes(machine: Machine) -> None:
    machine.has("docker")
    assert main(["--tag", "registry.example.org/notebook:1", "--push", "1"]) == 0
    (build,) = machine.builds()
    assert " --push --sbom=true --provenance=mode=max " in build
    assert " --tag registry.example.org/notebook:1 " in build


@pytest.mark.parametrize("name", ["docker", "podman", "buildah"])
def test_what_was_pushed_is_told_as_a_stack_file_takes_it(
    name: str, machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.has(name)
    assert main(["--tag", "registry.example.org/notebook:1", "--push", "1"]) == 0
    said = yaml.safe_load(capfd.readouterr().out.partition("in its file:\n")[2])
    found = ReadyImage(**said["elab:notebook_image"])
    assert str(found.image) == f"registry.example.org/notebook:1@{DIGEST}"
    assert found.applications == "notebook-image"


@pytest.mark.parametrize("name", ["docker", "buildah"])
def test_a_builder_that_does_not_say_what_it_pushed_is_no_success(
    name: str, machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.has(name, digest="")
    assert main(["--tag", "registry.example.org/notebook:1", "--push", "1"]) == 1
    assert "docker://registry.example.org/notebook:1" in capfd.readouterr().err


def test_what_is_not_pushed_has_no_digest_to_tell(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("buildah")
    assert main([]) == 0
    assert "sha256:" not in capfd.readouterr().out


def test_one_builder_can_be_chosen_where_several_work(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("docker")
    machine.has("buildah")
    assert main(["--builder", "buildah"]) == 0
    assert machine.builds()[0].startswith("buildah build")
    assert main(["--builder", "podman"]) == 1
    said = capfd.readouterr().err
    assert "BUILDER=podman does not work here" in said
    assert "podman: no daemon" in said


def test_a_faulty_application_is_told_before_any_builder_is_asked(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.has("buildah")
    monkeypatch.setattr(operate.image, "ROOT", tmp_path)
    add(tmp_path / "notebook-image", colour="red")
    assert main([]) == 1
    said = capfd.readouterr().err
    assert "nothing was built" in said
    assert "notebook-image/apps/hello/app.yaml: colour" in said
    assert not machine.log.exists()


def test_buildah_pushes_what_it_has_built(machine: Machine) -> None:
    machine.has("buildah")
    assert main(["--tag", "registry.example.org/notebook:1", "--push", "1"]) == 0
    assert re.fullmatch(r"buildah push --digestfile \S+ registry.example.org/notebook:1", machine.builds()[-1])


def test_base_and_downloads_are_arguments_of_the_build(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("docker")
    assert main(["--base", "example.org/base:1"]) == 0
    assert "--build-arg BASE_IMAGE=example.org/base:1" in machine.builds()[0]
    assert main(["--downloads", "absent.yaml"]) == 1
    assert "correct the argument DOWNLOADS" in capfd.readouterr().err
    assert main(["--downloads", "../mirror.yaml"]) == 1
    assert "leads out of notebook-image/" in capfd.readouterr().err
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
