"""The audit tells when each stream begins and ends, and when certificates do; and no server passes for another."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.harness.elastic.access import User
from tests.harness.elastic.certificates import certificates
from tests.harness.elastic.server import serve
from tests.unit.logging.bootstrapping import Bench, bench

WRITER = User(password="", indices=[{"names": ["*"], "privileges": ["all"]}])
HUB = "logs-kubernetes.hub-elab"


@pytest.fixture
def ready(tmp_path: Path) -> Generator[Bench]:
    with bench(tmp_path) as made:
        yield made


@contextmanager
def pushgateway() -> Generator[tuple[str, dict[str, str]]]:
    """A Pushgateway that takes anything: its URL, and what was pushed by path."""
    pushed: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            pushed[self.path] = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", pushed
        server.shutdown()


def test_what_streams_reach_over_and_when_certificates_end_is_told(ready: Bench) -> None:
    held = certificates(ready.folder)
    ready.run("store")
    for second in ("03", "01", "02"):
        source = {"@timestamp": f"2026-11-24T22:10:{second}Z", "message": second}
        assert ready.elastic.streams.store(HUB, None, source, WRITER)["status"] == 201
    with serve(ready.elastic, tls=held.server) as port, pushgateway() as (url, pushed):
        assert ready.run("store", "--push", elasticsearch=f"https://127.0.0.1:{port}", pushgateway=url) == 0
    (text,) = pushed.values()
    assert list(pushed) == ["/metrics/job/elab-logs-audit"]
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert values["elab_logs_streams_without_lifecycle"] == "0"
    assert values[f'elab_logs_oldest_timestamp_seconds{{stream="{HUB}"}}'] == "1795558201"
    assert values[f'elab_logs_newest_timestamp_seconds{{stream="{HUB}"}}'] == "1795558203"
    ends = f"{held.ends.timestamp():.0f}"
    assert values['elab_logs_certificate_expiry_timestamp_seconds{certificate="elasticsearch"}'] == ends
    assert 'elab_logs_certificate_expiry_timestamp_seconds{certificate="authority-0"}' in values


def test_what_nothing_deletes_is_counted(ready: Bench) -> None:
    ready.run("store")
    ready.elastic.apis.indices.append("somebodys")
    with pushgateway() as (url, pushed):
        assert ready.run("store", "--push", pushgateway=url) == 3
    assert "elab_logs_streams_without_lifecycle 1\n" in next(iter(pushed.values()))


def test_what_was_refused_is_counted_though_its_sender_was_told_that_it_is_stored(ready: Bench) -> None:
    ready.run("store")
    source = {"@timestamp": "2026-11-24T22:10:01Z", "user": "no object"}
    assert ready.elastic.streams.store(HUB, None, source, WRITER)["status"] == 201
    with pushgateway() as (url, pushed):
        assert ready.run("store", "--push", pushgateway=url) == 0
    (text,) = pushed.values()
    assert f'elab_logs_failed_documents{{stream="{HUB}"}} 1\n' in text


def test_when_each_node_spoke_last_is_told(ready: Bench) -> None:
    ready.run("store")
    for node, hour in (("n1", "22"), ("n1", "20"), ("n2", "20")):
        source = {"@timestamp": f"2026-11-24T{hour}:10:01Z", "message": hour, "host": {"name": node}}
        assert ready.elastic.streams.store("logs-system.auth-elab", None, source, WRITER)["status"] == 201
    with pushgateway() as (url, pushed):
        assert ready.run("store", "--push", pushgateway=url) == 0
    (text,) = pushed.values()
    assert 'elab_logs_node_newest_timestamp_seconds{node="n1"} 1795558201\n' in text
    assert 'elab_logs_node_newest_timestamp_seconds{node="n2"} 1795551001\n' in text


def test_the_last_snapshot_is_told_and_that_there_was_none_yet(ready: Bench) -> None:
    policy = {"schedule": "0 30 1 * * ?", "name": "<elab-{now/d}>", "repository": "elab"}
    repository = {"type": "s3", "settings": {"bucket": "logs"}}
    told = []
    with pushgateway() as (url, pushed):
        for snapshots in (None, {"name": "elab", "repository": repository, "policy": policy}):
            for done in ({}, {"last_success": {"snapshot_name": "elab-1", "time": 1795558201000}}):
                ready.elastic.apis.kept["slm"]["elab"] = done
                assert ready.run("store", "--push", pushgateway=url, snapshots=snapshots) == 0
                (text,) = pushed.values()
                told.append([line for line in text.splitlines() if line.startswith("elab_logs_snapshot_")])
    name = "elab_logs_snapshot_timestamp_seconds"
    assert told == [[], [], [f"{name} 0"], [f"{name} 1795558201"]]


def test_an_audit_that_reaches_nothing_tells_nothing(ready: Bench) -> None:
    with pushgateway() as (url, pushed):
        assert ready.run("store", "--push", elasticsearch="http://127.0.0.1:1", pushgateway=url) == 1
    assert not pushed


def test_no_password_goes_to_a_server_of_another_authority(ready: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    certificates(ready.folder)
    other = certificates(ready.folder, "other")
    with serve(ready.elastic, tls=other.server) as port:
        assert ready.run("store", elasticsearch=f"https://127.0.0.1:{port}") == 1
    assert "certificate verify failed" in capsys.readouterr().err
    assert not ready.elastic.requests
