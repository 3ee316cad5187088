"""What is half done, or in the way: one message with its fix, and nothing lost."""

import errno
import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.labkit import build, cli, files, pki, processes, settings
from lab.labkit.pulumi import _passphrase


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are made, and nothing can be written to them."""

    def refuse(_handle: int, mode: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), mode)

    monkeypatch.setattr(os, "fdopen", refuse)


@pytest.mark.parametrize(
    ("raised", "ends", "says"),
    [
        (KeyboardInterrupt(), 130, r"lab: stopped\n"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            1,
            r"No space left[\s\S]*fix: make room there, or .*LAB_HOME",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "/lab"), 1, r"Permission denied: '/lab'[\s\S]*LAB_HOME"),
        (FileNotFoundError(errno.ENOENT, "No such file", "ip"), 1, r"No such file: 'ip'\nfix: `lab build`"),
        (
            subprocess.CalledProcessError(2, ["ip", "link"], stderr="not permitted"),
            1,
            r"`ip link …` ended with 2:\nnot",
        ),
    ],
)
def test_whatever_goes_wrong_is_one_message(
    raised: BaseException,
    ends: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise raised

    monkeypatch.setattr(build, "build", fail)
    if ends == 130:
        assert cli.main(["build"]) == ends
        message = capsys.readouterr().err
    else:
        with pytest.raises(SystemExit) as refused:
            cli.main(["build"])
        message = str(refused.value)
    assert re.search(says, message)


def _never(*_arguments: object) -> None:
    pytest.fail("it was done all the same")


@pytest.mark.parametrize("command", ["kubectl", "ctr", "nsenter"])
def test_without_a_cluster_of_this_home_no_other_is_asked(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BIN", "CONF", "PIDS"):
        monkeypatch.setattr(settings, name, tmp_path / name)
    for name in ("execv", "execvp"):
        monkeypatch.setattr(os, name, _never)
    with pytest.raises(SystemExit, match=r"`lab up`"):
        cli.main([command, "get", "nodes"])


@pytest.mark.parametrize(
    "given", ["abc", "1,2", "1,2,3,4", "6443,12379,x", "6443,6443,1", "0,1,2", "1,2,65536", "1,2,3,"]
)
def test_ports_that_can_not_be_used_are_refused(given: str) -> None:
    with pytest.raises(SystemExit, match=r"LAB_PORTS=.*\nallowed: three different ports"):
        settings._ports(given)
    assert settings._ports("6444,12381,12382") == (6444, 12381, 12382)


@pytest.mark.usefixtures("full_disk")
def test_on_a_full_disk_a_file_is_as_it_was_and_no_half_one_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("before")
    for write in (files.write, files.keep):
        for name in ("kept", "new"):
            with pytest.raises(OSError, match="No space left"):
                write(tmp_path / name, "after")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("kept", "before")]


def test_a_passphrase_that_two_make_at_once_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setattr(Path, "exists", lambda _file: False)
    first = _passphrase().read_text()
    assert _passphrase().read_text() == first
    assert len(first) == 48
    assert (tmp_path / "pulumi/passphrase").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "pulumi").iterdir()] == ["passphrase"]


@pytest.mark.usefixtures("full_disk")
def test_a_daemon_that_can_not_be_recorded_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PIDS", tmp_path / "pids")
    monkeypatch.setattr(settings, "LOGS", tmp_path / "logs")
    killed = []

    class Process:
        pid = 1

        def __init__(self, *_arguments: object, **_options: object) -> None:
            pass

        def kill(self) -> None:
            killed.append(self.pid)

    monkeypatch.setattr(subprocess, "Popen", Process)
    with pytest.raises(OSError, match="No space left"):
        processes.start("etcd", ["etcd"])
    assert killed == [1]
    assert list((tmp_path / "pids").iterdir()) == []


def test_a_certificate_whose_making_was_broken_off_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PKI", tmp_path)

    def killed(command: list[str], **_options: object) -> None:
        Path(command[-1]).write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        pki.ensure()
    assert not (tmp_path / "ca.key").exists()
    assert not (tmp_path / "ca.crt").exists()


def test_a_daemon_that_dies_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PIDS", tmp_path)
    monkeypatch.setattr(settings, "LOGS", tmp_path)
    (tmp_path / "etcd.log").write_text("listen tcp 127.0.0.1:12379: bind: address already in use\n")
    with pytest.raises(SystemExit, match=r"etcd died while waiting for it; see .*\n.*address already in use"):
        processes.wait_until("it", lambda: False, 5, needs=["etcd"])
