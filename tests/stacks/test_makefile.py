"""What `make` itself prints on a machine where nothing is installed yet, beside what its programs print."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from operate import rig
from tests.harness.stacks import PROJECT

PYTHON = """\
#!/bin/sh
case "$*" in
  "-m venv --clear .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo environment ;;
  "-m pip install "*) echo chatter ;;
  "-m planning plan "*) echo findings; exit 1 ;;
  "-m planning diff "*) echo comment ;;
esac
"""
"""A stand-in that says something wherever Python may."""


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """A folder with the Makefile and no environment; the scanner is there."""
    shutil.copy(PROJECT / "Makefile", tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).touch()
    python, checkov = tmp_path / "python", tmp_path / "build" / "checkov" / "bin" / "checkov"
    checkov.parent.mkdir(parents=True)
    checkov.touch()
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", f"PYTHON={folder / 'python'}", *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=30)


def test_a_comment_holds_nothing_of_the_installation_before_it(clean: Path) -> None:
    done = make(clean, "plan-diff", "MARKDOWN=1")
    assert (done.returncode, done.stdout) == (0, "comment\n")
    assert "chatter" in done.stderr


def test_an_environment_that_was_left_half_made_is_made_anew(clean: Path) -> None:
    """As Debian's Python leaves it without python3-venv: it has a Python, and no pip."""
    half = clean / ".venv/bin/python"
    half.parent.mkdir(parents=True)
    half.write_text("#!/bin/sh\nexit 1\n")
    half.chmod(0o755)
    done = make(clean, "plan-diff")
    assert (done.returncode, done.stdout) == (0, "comment\n")
    assert "environment" in done.stderr


def test_the_lab_is_run_by_the_python_that_has_pip(clean: Path) -> None:
    """The machine's own may have none, and the lab fetches Go by it where there is no Go."""
    assert make(clean, "--just-print", "programs").stdout.count(".venv/bin/python lab/lab build") == 2
    assert rig.LAB[0] == sys.executable


def test_a_scan_of_a_stack_with_errors_shows_them(clean: Path) -> None:
    done = make(clean, "scan")
    assert done.returncode != 0
    assert "findings" in done.stderr


@pytest.mark.parametrize("target", ["plan", "plan-diff", "images", "simulate", "up"])
def test_what_a_caller_names_is_text_and_never_a_command(clean: Path, target: str) -> None:
    named = "x'; touch oh \"; touch oh; #"
    make(clean, target, *(f"{name}={named}" for name in ("STACK", "BASE", "MIRROR", "ARRIVALS")))
    assert not (clean / "oh").exists()
