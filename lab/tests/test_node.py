"""The node: there is one on a machine."""

import os
import socket
from pathlib import Path

import pytest

from lab.labkit import cluster, node, settings


def _never(*_arguments: object) -> None:
    pytest.fail("something was started")


def test_a_lab_of_another_home_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PIDS", tmp_path)
    monkeypatch.setattr(settings, "CONTAINERD_SOCKET", tmp_path / "s")
    monkeypatch.setattr(
        node, "_arguments", lambda _pid: ["containerd", "--config", "/other/state/conf/containerd.toml"]
    )
    node.refuse_another()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        node.refuse_another()  # what a killed containerd has left
        listener.listen()
        with pytest.raises(SystemExit, match=rf"pid {os.getpid()}\)[\s\S]*fix: .*`LAB_HOME=/other lab/lab down`"):
            node.refuse_another()
        monkeypatch.setattr(cluster.prerequisites, "for_cluster", lambda _with_node: None)
        monkeypatch.setattr(cluster, "MODE", tmp_path / "mode")
        monkeypatch.setattr(cluster, "Steps", _never)  # what comes first of all that is done
        with pytest.raises(SystemExit, match="another lab runs"):
            cluster.up()
