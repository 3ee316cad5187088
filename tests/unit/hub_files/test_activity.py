"""What counts as work in a server, tried with real processes."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from elab_activity import Process, Work, is_prompt, parse, processes

SPIN = "import time\nwhile True: sum(range(10000))"
IDLE = "import time\nwhile True: time.sleep(0.2)"
LOOKS = 20
COMMIT = "git init -q; git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m first"
SPAN = 0.6
"""Seconds between two looks."""


@contextmanager
def terminal(command: str) -> Generator[int]:
    """An interactive shell in a terminal of its own, as Jupyter makes it, that was told this command."""
    pid, channel = pty.fork()
    if pid == 0:
        os.execvp("sh", ["sh", "-i"])
    os.write(channel, command.encode() + b"\n")
    time.sleep(0.3)
    try:
        yield pid
    finally:
        for process in family(pid):
            # It may have ended since it was listed.
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        os.close(channel)
        os.waitpid(pid, 0)


@contextmanager
def background(code: str) -> Generator[int]:
    """A process without a terminal, such as a kernel or RStudio's R."""
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdin=subprocess.DEVNULL) as process:
        time.sleep(0.2)
        try:
            yield process.pid
        finally:
            process.kill()


def family(pid: int) -> list[int]:
    """A process and all below it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text(errors="replace").rpartition(") ")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return [one for one in found if one in parents]


def turns_out(pid: int, working: bool) -> bool:
    """Whether this process and those below it are found so, at work or not, between two looks.

    What starts is at work, and on a busy machine a program takes seconds to start: that is waited out.
    """
    work = Work(own=os.getpid())

    def look() -> bool:
        wanted = set(family(pid))
        return work.going_on((each for each in processes() if each.pid in wanted), time.monotonic())

    look()
    for _ in range(LOOKS):
        time.sleep(SPAN)
        if look() is working:
            return True
    return False


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("", False),
        ("sleep 60", True),
        ("sleep 60 &", True),
        ("sh", False),
        ("sh -c 'sleep 60; true'", True),
        ("while :; do :; done", True),
        ("python3 -q", False),
        ("python3 -c 'import time; time.sleep(60)'", True),
        ("echo 'import time; time.sleep(60)' > job.py; python3 job.py", True),
        ("echo 'import time; time.sleep(60)' > job.py; python3 < job.py", True),
        ("python3 -q -X dev", False),
        ("less /etc/passwd || more /etc/passwd", False),
        (f"{COMMIT}; LESS=R git -c core.pager=less log", False),
        (f"{COMMIT}; LESS=R git -c core.pager='less -i && sleep 60' log", False),
    ],
    ids=[
        *("waits", "job", "background job", "shell in a shell", "script", "shell that computes"),
        *("prompt", "text to run", "file to run", "file to read", "prompt with an option", "pager"),
        *("what waits for its pager", "what waits for a shell with a pager"),
    ],
)
def test_a_job_in_a_terminal_is_work_and_a_shell_that_waits_is_not(
    command: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with terminal(command) as pid:
        assert turns_out(pid, expected)


@pytest.mark.parametrize(("code", "expected"), [(SPIN, True), (IDLE, False)], ids=["computes", "idle"])
def test_a_process_without_a_terminal_is_work_only_while_it_computes(code: str, expected: bool) -> None:
    with background(code) as pid:
        assert turns_out(pid, expected)


@pytest.mark.parametrize(
    ("name", "command", "expected"),
    [
        ("ipython", ["/opt/conda/bin/python", "/opt/conda/bin/ipython"], True),
        ("ipython", ["/opt/conda/bin/python", "/opt/conda/bin/ipython", "train.py"], False),
        ("R", ["/usr/lib/R/bin/exec/R", "--no-save"], True),
        ("R", ["/usr/lib/R/bin/exec/R", "--no-echo", "--no-restore", "--file=job.R"], False),
        ("R", ["/usr/lib/R/bin/exec/R", "-e", "job()"], False),
        ("julia", ["julia", "-t", "4", "job.jl"], False),
        ("julia", ["julia", "-t", "4"], True),
        ("ipython", ["/opt/conda/bin/python", "/opt/conda/bin/ipython", "--profile", "own"], True),
        ("sqlite3", ["sqlite3", "data.db"], True),
        ("psql", ["psql", "-h", "db", "-U", "me", "study"], True),
        ("psql", ["psql", "-f", "job.sql", "study"], False),
        ("psql", ["psql", "--command=select 1"], False),
        ("python3.11", ["python3", "-m", "http.server"], False),
    ],
)
def test_an_interpreter_that_was_told_what_to_run_is_no_prompt(name: str, command: list[str], expected: bool) -> None:
    assert is_prompt(name, command) is expected


def test_a_stopped_job_is_no_work() -> None:
    with terminal("sleep 60") as pid:
        for process in family(pid)[1:]:
            os.kill(process, signal.SIGSTOP)
        assert turns_out(pid, working=False)


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, False), ({"foreground": False}, True), ({"state": "Z"}, True), ({"parent": 4}, True), ({"name": "cc"}, True)],
    ids=["pager", "in the background", "ended", "another's", "no pager"],
)
def test_a_job_waits_for_what_it_started_itself_and_what_waits_in_the_foreground(
    change: dict[str, Any], expected: bool
) -> None:
    job = Process(pid=5, parent=4, name="git", state="S", terminal=True, foreground=True, started=1, seconds=1.0)
    pager = job._replace(pid=6, parent=5, name="less")._replace(**change)
    assert Work(own=1).going_on(iter([job, pager]), time.monotonic()) is expected


def test_many_short_programs_are_work_by_what_their_parent_waited_for() -> None:
    parent = Process(pid=5, parent=1, name="make", state="S", terminal=False, foreground=False, started=1, seconds=1.0)
    work = Work(own=1)
    assert work.going_on(iter([parent]), work.looked + 10) is False
    assert work.going_on(iter([parent._replace(seconds=3.0)]), work.looked + 10) is True


@pytest.mark.parametrize(("seconds", "expected"), [(0.3, False), (0.8, True)], ids=["idle Java", "computes"])
def test_a_machine_that_ticks_over_is_no_work(seconds: float, expected: bool) -> None:
    java = Process(pid=5, parent=1, name="java", state="S", terminal=False, foreground=False, started=1, seconds=40.0)
    work = Work(own=1)
    work.going_on(iter([java]), work.looked + 10)
    assert work.going_on(iter([java._replace(seconds=40 + seconds)]), work.looked + 10) is expected


def test_a_new_process_with_an_old_number_does_not_inherit_its_time() -> None:
    old = Process(pid=5, parent=1, name="R", state="S", terminal=False, foreground=False, started=1, seconds=1.0)
    work = Work(own=1)
    work.going_on(iter([old]), work.looked + 10)
    assert work.going_on(iter([old._replace(started=900, seconds=8.0)]), work.looked + 10) is False


def test_the_server_itself_never_counts() -> None:
    work = Work(own=7)
    server = Process(
        pid=7, parent=1, name="jupyterhub-singl", state="R", terminal=True, foreground=True, started=1, seconds=0.0
    )
    work.going_on(iter([server]), work.looked + 1)
    assert work.going_on(iter([server._replace(seconds=9.0)]), work.looked + 1) is False


def test_a_programs_name_may_hold_anything() -> None:
    line = "42 (a) b (c) R 1 42 42 34816 42 4194304 1 2 3 4 150 50 20 30 20 0 4 0 9000 1 2 3"
    found = parse(line)
    assert (found.pid, found.parent, found.name, found.state, found.started) == (42, 1, "a) b (c", "R", 9000)
    assert (found.terminal, found.foreground) == (True, True)
    assert found.seconds == pytest.approx(250 / os.sysconf("SC_CLK_TCK"))


def test_the_extension_is_enabled_by_the_name_of_its_module() -> None:
    from .conftest import FILES

    enabled = json.loads((FILES / "notebook/jupyter_server_config.d/elab_activity.json").read_text())
    [name] = enabled["ServerApp"]["jpserver_extensions"]
    assert (FILES / "notebook" / f"{name}.py").exists()
