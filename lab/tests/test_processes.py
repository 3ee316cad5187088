"""What is recorded of a daemon, and whether it is still the same process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab.labkit import processes, settings


@pytest.fixture
def dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A daemon that ended before its record was written."""
    monkeypatch.setattr(settings, "PIDS", tmp_path)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    record = {"pid": ended.pid, "start_ticks": None, "started": "2026-11-25T00:00:00+00:00"}
    (tmp_path / "etcd.json").write_text(json.dumps(record))
    return "etcd"


def test_a_daemon_that_ended_before_its_record_was_written_does_not_run_and_can_be_stopped(dead: str) -> None:
    assert processes.pid_of(dead) is None
    assert processes.running() == []
    processes.stop(dead)
    assert not (settings.PIDS / f"{dead}.json").exists()


def test_one_that_ends_between_the_look_and_the_signal_is_no_error(dead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = json.loads((settings.PIDS / f"{dead}.json").read_text())["pid"]
    seen = iter([pid])
    monkeypatch.setattr(processes, "pid_of", lambda _name: next(seen, None))
    processes.stop(dead)
