"""A real Filebeat takes the platform's configuration, and loses and repeats no line whatever Elasticsearch does."""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from components.logging.filebeat import USER
from tests.harness.elastic.certificates import Certificates, certificates
from tests.harness.elastic.faults import Fault
from tests.harness.elastic.server import Elastic, serve
from tests.logging.filebeat import PASSWORD, PROGRAM, STREAMS, Node, wait_for
from tests.unit.logging.bootstrapped import bootstrapped

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no Filebeat: lab/lab build --shippers")

SYSLOG = f"logs-system.syslog-{STREAMS}"


@pytest.fixture
def elastic(tmp_path: Path) -> Elastic:
    """A server after its bootstrap."""
    folder = tmp_path / "bootstrap"
    folder.mkdir()
    return bootstrapped(folder, {USER: PASSWORD})


Server = Callable[[int], AbstractContextManager[int]]


@pytest.fixture
def room(tmp_path: Path) -> Certificates:
    """The room's authority, and its server's certificate."""
    return certificates(tmp_path)


@pytest.fixture
def authority(room: Certificates) -> str:
    """What a shipper is given to know Elasticsearch by."""
    return room.authority.read_text()


@pytest.fixture
def server(elastic: Elastic, room: Certificates) -> Server:
    """Starts the server, at any port or at one that it had."""
    return lambda port: serve(elastic, tls=room.server, port=port)


@pytest.fixture
def node(server: Server, authority: str, tmp_path: Path) -> Generator[Node]:
    """A node, whose Elasticsearch answers."""
    with server(0) as port:
        made = Node(tmp_path / "node", port, authority, output={"timeout": "2s"})
        yield made
        made.kill()


def lines(first: int, count: int) -> list[str]:
    """Lines of a system's log, each unlike every other."""
    return [f"Nov 24 22:10:01 node-7 kubelet[812]: line {number}" for number in range(first, first + count)]


def stored(elastic: Elastic, stream: str = SYSLOG) -> list[str]:
    return [document["message"] for document in elastic.documents(stream)]


def bulks(elastic: Elastic) -> list[bytes]:
    return [request.body for request in elastic.requests if request.path.endswith("/_bulk")]


def sent(elastic: Elastic) -> Counter[str]:
    """How often each line was sent."""
    bodies = [json.loads(line) for body in bulks(elastic) for line in body.splitlines()]
    return Counter(body["message"] for body in bodies if "message" in body)


def arrived(elastic: Elastic, wanted: list[str], stream: str = SYSLOG) -> None:
    """All of these lines and no others, each once, in their order."""
    wait_for(lambda: len(stored(elastic, stream)) >= len(wanted), f"{len(wanted)} lines in {stream}")
    assert sorted(stored(elastic, stream)) == sorted(wanted)


def test_the_platforms_configuration_is_one_that_filebeat_takes(node: Node) -> None:
    done = node.call("test", "config")
    assert (done.returncode, done.stdout) == (0, "Config OK\n")


def test_another_configuration_is_not(authority: str, tmp_path: Path) -> None:
    wrong = Node(tmp_path, 9200, authority, processors=[{"fingerprint": {"fields": ["x"], "method": "crc"}}])
    done = wrong.call("test", "config")
    assert done.returncode == 1
    assert "crc" in done.stderr


def test_it_speaks_to_the_server_of_the_rooms_authority_and_to_no_other(
    node: Node, elastic: Elastic, authority: str, tmp_path: Path
) -> None:
    right = node.call("test", "output")
    assert right.returncode == 0, right.stdout
    other, elsewhere = certificates(tmp_path, "other"), certificates(tmp_path, "elsewhere", address="127.0.0.2")
    # Another authority's server; a server of the authority that is trusted, at an address that it does not name.
    for shown, trusted in ((other, authority), (elsewhere, elsewhere.authority.read_text())):
        with serve(elastic, tls=shown.server) as port:
            done = Node(tmp_path / str(port), port, trusted).call("test", "output")
        assert done.returncode == 1
        assert "x509" in done.stdout + done.stderr


def test_each_file_goes_to_its_stream_in_the_words_of_the_schema_and_without_secrets(
    node: Node, elastic: Elastic
) -> None:
    node.append("syslog", *lines(0, 3), "Nov 24 22:10:02 node-7 app: login with password=hunter2 done")
    node.append("auth.log", *lines(10, 4))
    node.append("kern.log", *lines(20, 4))
    node.append("containers.log", *lines(30, 4))
    node.start()
    arrived(elastic, [*lines(0, 3), "Nov 24 22:10:02 node-7 app: login with password=[masked] done"])
    arrived(elastic, lines(10, 4), f"logs-system.auth-{STREAMS}")
    arrived(elastic, lines(20, 4), f"logs-system.kernel-{STREAMS}")
    assert sum(sent(elastic).values()) == 12
    (first, *_) = elastic.documents(f"logs-system.auth-{STREAMS}")
    assert first["event"] == {"dataset": "system.auth", "kind": "event"}
    assert first["data_stream"] == {"type": "logs", "dataset": "system.auth", "namespace": STREAMS}
    assert first["host"] == {"name": "node-7"}
    assert first["cluster"] == {"name": "campus"}


FAULTS = {
    "too many requests": Fault(kind="status", status=429, times=2),
    "unavailable": Fault(kind="status", status=503, times=2),
    "some rejected": Fault(kind="items", status=429, times=2),
    "connections reset": Fault(kind="reset", times=2),
    "no answer": Fault(kind="hang", seconds=30, times=1),
    "restarted half way": Fault(kind="half", times=2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_loses_no_line_and_repeats_none(node: Node, elastic: Elastic, name: str) -> None:
    elastic.faults.add(FAULTS[name])
    node.append("syslog", *lines(0, 300))
    node.start()
    arrived(elastic, lines(0, 300))
    assert elastic.faults.left == 0
    # 300 lines are one bulk; each fault makes one more.
    assert len(bulks(elastic)) <= 4
    node.append("syslog", *lines(300, 10))
    arrived(elastic, lines(0, 310))


def test_a_line_that_does_not_fit_takes_no_other_with_it_and_is_not_sent_again(node: Node, elastic: Elastic) -> None:
    elastic.faults.add(Fault(kind="mapping"))
    node.append("syslog", *lines(0, 100))
    node.start()
    arrived(elastic, lines(0, 100)[::2])
    node.append("syslog", *lines(100, 10))
    arrived(elastic, [*lines(0, 100)[::2], *lines(100, 10)])
    assert set(sent(elastic).values()) == {1}


def test_refusals_are_answered_slower_each_time(node: Node, elastic: Elastic) -> None:
    elastic.faults.add(Fault(kind="status", status=429, times=1000))
    node.append("syslog", *lines(0, 100))
    node.start()
    wait_for(lambda: len(bulks(elastic)) > 0, "the first try")
    time.sleep(10)
    # After 1, 2 and 4 s, each time half as long again at most or at least.
    assert 2 <= len(bulks(elastic)) <= 7
    elastic.faults.clear()
    arrived(elastic, lines(0, 100))


def test_a_shipper_that_dies_half_way_goes_on_where_it_was(node: Node, elastic: Elastic) -> None:
    elastic.faults.add(Fault(kind="half"), Fault(kind="status", status=503, times=1000))
    node.append("syslog", *lines(0, 200))
    node.start()
    wait_for(lambda: len(bulks(elastic)) >= 2, "half of the lines, and a refusal")
    node.kill()
    elastic.faults.clear()
    assert len(stored(elastic)) == 100
    node.append("syslog", *lines(200, 10))
    node.start()
    arrived(elastic, lines(0, 210))


def test_elasticsearch_may_start_later_and_restart(
    server: Server, elastic: Elastic, authority: str, tmp_path: Path
) -> None:
    with server(0) as port:
        pass
    late = Node(tmp_path / "late", port, authority)
    try:
        late.append("syslog", *lines(0, 50))
        late.start()
        time.sleep(2)
        with server(port):
            arrived(elastic, lines(0, 50))
        late.append("syslog", *lines(50, 50))
        time.sleep(2)
        with server(port):
            arrived(elastic, lines(0, 100))
    finally:
        late.kill()


def test_a_file_that_is_rotated_is_read_to_its_end_and_once(node: Node, elastic: Elastic) -> None:
    node.append("syslog", *lines(0, 50))
    node.start()
    arrived(elastic, lines(0, 50))
    node.append("syslog", *lines(50, 50))
    (node.logs / "syslog").rename(node.logs / "syslog.1")
    node.append("syslog", *lines(1000, 50))
    arrived(elastic, [*lines(0, 100), *lines(1000, 50)])
    # A restart finds both files known.
    node.stop()
    node.append("syslog", *lines(2000, 10))
    node.start()
    arrived(elastic, [*lines(0, 100), *lines(1000, 50), *lines(2000, 10)])
    assert set(sent(elastic).values()) == {1}


def _entry(microsecond: int, message: str, **fields: Any) -> str:  # noqa: ANN401  fields of an entry
    """An entry of the journal with the fields that the input of version 9 gives it."""
    return json.dumps({"@timestamp": f"2026-11-24T22:10:01.{microsecond:06d}Z", "message": message, **fields})


def test_entries_of_the_journal_go_where_they_belong_and_are_kept_once(
    server: Server, elastic: Elastic, authority: str, tmp_path: Path
) -> None:
    """By the platform's processors; another input brings the entries, without a place in a file."""
    source = {
        "type": "filestream",
        "id": "journal",
        "paths": [str(tmp_path / "node/var/log/journal.ndjson")],
        "parsers": [{"ndjson": {"target": "", "overwrite_keys": True}}],
        "processors": [{"drop_fields": {"fields": ["log.offset", "log.file"]}}],
    }
    entries = [
        _entry(1, "x", systemd={"transport": "kernel"}, log={"syslog": {"priority": 3}}, process={"cmd": "a -p b"}),
        _entry(2, "session opened", log={"syslog": {"facility": {"code": 10}, "priority": 6, "appname": "sshd"}}),
        _entry(3, "the same text", systemd={"transport": "stdout", "unit": "kubelet.service"}),
        _entry(4, "the same text", systemd={"transport": "stdout", "unit": "kubelet.service"}),
    ]
    with server(0) as port:
        node = Node(tmp_path / "node", port, authority, **{"filebeat.inputs": [source]})
        try:
            for times in (1, 2):
                node.append("journal.ndjson", *entries)
                node.start()
                wait_for(lambda times=times: sum(sent(elastic).values()) >= 4 * times, "every entry sent")
                node.stop()
        finally:
            node.kill()
    (kernel,) = elastic.documents(f"logs-system.kernel-{STREAMS}")
    assert kernel["log"]["level"] == "error"
    assert "process" not in kernel or "cmd" not in kernel["process"]
    (login,) = elastic.documents(f"logs-system.auth-{STREAMS}")
    assert (login["service"], login["log"]["level"]) == ({"name": "sshd"}, "info")
    # A microsecond apart they are two; read again they are none.
    assert stored(elastic) == ["the same text"] * 2


def test_another_password_ships_nothing(elastic: Elastic, server: Server, authority: str, tmp_path: Path) -> None:
    elastic.users[USER] = dataclasses.replace(elastic.users[USER], password="another")
    with server(0) as port:
        done = Node(tmp_path / "stranger", port, authority).call("test", "output")
    assert done.returncode == 1
    assert "401" in done.stdout + done.stderr
