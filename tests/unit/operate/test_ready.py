"""Whether things are there: asked of this machine's loopback only."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from operate.ready import hub_answers, pullers, require_cluster
from operate.steps import OperationError


@pytest.fixture
def closed() -> int:
    """A loopback port where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def kubectl(folder: Path, script: str) -> Path:
    """A stand-in for kubectl, which not every machine has."""
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


REFUSED = 'echo "The connection to the server 127.0.0.1:6443 was refused" >&2; exit 1'


def test_a_cluster_that_does_not_answer_is_one_message_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(OperationError) as refused:
        require_cluster("prod", "~/.kube/config", kubectl(tmp_path, REFUSED))
    message = str(refused.value)
    assert "the cluster of context prod does not answer" in message
    assert "connection to the server 127.0.0.1:6443 was refused" in message
    assert "fix: correct elab:cluster in the stack file" in message
    assert "nothing was changed" in message


def test_a_cluster_that_is_not_ready_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="not ready: etcd failed"):
        require_cluster("prod", "~/.kube/config", kubectl(tmp_path, "echo etcd failed"))


def test_a_missing_kubectl_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="not installed"):
        require_cluster("prod", "~/.kube/config", tmp_path / "kubectl")


def test_the_cluster_asked_is_the_stacks_and_not_the_shells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "/another/cluster")
    asked = tmp_path / "asked"
    require_cluster("prod", "~/config", kubectl(tmp_path, f'echo "$@" > {asked}; echo ok'))
    words = asked.read_text().split()
    assert {f"--kubeconfig={tmp_path}/config", "--context=prod", "/readyz"} <= set(words)
    assert any(word.startswith("--request-timeout=") for word in words)


class Hub(http.server.BaseHTTPRequestHandler):
    """Answers the health page, or half of an answer."""

    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    def handle_one_request(self) -> None:
        self.rfile.readline()
        self.wfile.write(type(self).reply)
        self.close_connection = True


@pytest.fixture
def hub() -> Generator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_hub_that_answers_does(hub: str) -> None:
    assert hub_answers(hub)


def test_a_corporate_proxy_of_the_shell_is_not_asked_for_this_machine(
    hub: str, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert hub_answers(hub)


@pytest.mark.parametrize("reply", [b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", b"garbage\r\n\r\n", b""])
def test_a_hub_that_is_still_starting_does_not(hub: str, reply: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hub, "reply", reply)
    assert not hub_answers(hub)


def test_an_address_where_nobody_listens_does_not(closed: int) -> None:
    assert not hub_answers(f"http://127.0.0.1:{closed}")


def test_pullers_are_counted_by_pool_even_before_they_report() -> None:
    items = [
        {"metadata": {"name": "puller-general"}, "status": {"numberReady": 2, "desiredNumberScheduled": 3}},
        {"metadata": {"name": "puller-memory"}, "status": {"desiredNumberScheduled": 0}},
        {"metadata": {"name": "puller-new"}, "status": {}},
    ]
    assert pullers(json.dumps({"items": items})) == {
        "puller-general": (2, 3),
        "puller-memory": (0, 0),
        "puller-new": (0, 0),
    }
