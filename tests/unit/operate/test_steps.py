"""Steps and commands: each step says how long it took, and a failure is one message."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from operate.steps import OperationError, Steps, output, run, wait_for

ABSENT = "a-program-that-no-machine-has"
ORDERLY = """trap 'sleep 0.5; echo released > "$0"; exit 1' INT
echo $$ > "$0.pid"
for turn in $(seq 500); do sleep 0.02; done"""
"""As the engine does: at a Ctrl-C it ends what it is about, and gives the stack's lock back. Untold, it ends too."""


@pytest.fixture
def foreground() -> Iterator[None]:
    """As a terminal starts a program; one started with `&` ignores Ctrl-C, and so would all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_step_says_what_it_does_before_and_how_long_it_took_after(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps().step("the cluster"):
        assert capsys.readouterr().out == "==> the cluster\n"
    assert re.fullmatch(r"    the cluster: \d+\.\d s\n", capsys.readouterr().out)


def test_a_step_that_fails_says_how_long_it_took_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OperationError), Steps().step("the cluster"):
        raise OperationError("no")
    assert re.search(r"the cluster: \d+\.\d s", capsys.readouterr().out)


@pytest.mark.parametrize("start", [run, output])
def test_a_program_that_is_not_there_is_named(start: object) -> None:
    assert callable(start)
    with pytest.raises(OperationError, match=f"{ABSENT} is not installed"):
        start([ABSENT, "--version"])


@pytest.mark.parametrize("start", [run, output])
def test_a_program_that_can_not_be_run_is_named(start: object, tmp_path: Path) -> None:
    assert callable(start)
    (tmp_path / "pulumi").write_text("not a program")
    with pytest.raises(OperationError, match=r"pulumi can't be run: .*Permission denied"):
        start([tmp_path / "pulumi", "--version"])


@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize("start", [run, output])
def test_at_a_ctrl_c_the_program_ends_by_its_own_rules(start: object, tmp_path: Path) -> None:
    assert callable(start)
    lock, pid = tmp_path / "lock", tmp_path / "lock.pid"

    def ctrl_c() -> None:
        """A terminal tells all of its foreground programs."""
        while not (pid.exists() and pid.read_text().strip()):
            time.sleep(0.01)
        os.kill(int(pid.read_text()), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=ctrl_c).start()
    with pytest.raises(KeyboardInterrupt):
        start(["sh", "-c", ORDERLY, lock])
    assert lock.read_text() == "released\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_failed_command_says_what_it_said() -> None:
    with pytest.raises(OperationError, match=r"ended with 3: out of memory"):
        output([sys.executable, "-c", "import sys; sys.stderr.write('out of memory'); sys.exit(3)"])


def test_a_failed_command_that_shows_its_own_output_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OperationError, match="ended with 3; what it said stands above"):
        run([sys.executable, "-c", "import sys; print('broken'); sys.exit(3)"])
    assert capfd.readouterr().out == "broken\n"


@pytest.mark.parametrize("start", [run, output])
def test_a_failed_script_is_named_and_not_its_python(start: object, tmp_path: Path) -> None:
    assert callable(start)
    with pytest.raises(OperationError, match=r"^`(\S*/)?lab( up …)?` ended with 2"):
        start([sys.executable, tmp_path / "lab", "up"])


def test_what_a_command_is_told_reaches_it_by_standard_input(tmp_path: Path) -> None:
    assert output([sys.executable, "-c", "print(input()[::-1])"], text="word") == "drow\n"


def test_waiting_ends_when_it_has_come_true_and_says_so_when_it_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter([False, True])
    assert wait_for("it", lambda: next(answers), seconds=5, every=0)
    assert capsys.readouterr().err == ""
    assert not wait_for("the hub", lambda: False, seconds=0.01, every=0.001)
    assert "the hub: not within" in capsys.readouterr().err
