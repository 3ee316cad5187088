"""What the pipelines make of lines as the real programs write them, and what Kibana's pages ask of it."""

import json
import logging
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.log import CoroutineLogFormatter, log_request
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.log import LogFormatter

from tests.harness.elastic import ingest, mapping
from tests.unit.logging.bootstrapping import DOCUMENTS

PIPELINES = {path.stem: json.loads(path.read_text()) for path in (DOCUMENTS / "pipelines").glob("*.json")}
MAPPINGS = json.loads((DOCUMENTS / "component-template.json").read_text())["template"]["mappings"]
FIELDS = dict(mapping.leaves(MAPPINGS["properties"]))


def _through(pipeline: str, message: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  any field
    """The fields of the document by their dotted names; it fits its mapping."""
    source = {"@timestamp": "2026-11-24T22:10:01Z", "message": message, **fields}
    made = ingest.run(PIPELINES[pipeline], source, PIPELINES)
    assert made is not None
    mapping.check(made, MAPPINGS, ignore_malformed=False)
    found = dict(_leaves(made))
    assert set(found) <= set(FIELDS), "a field that no template maps"
    assert found.get("event.kind") != "pipeline_error", found
    return found


def _leaves(document: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _hub_line(message: str, *args: object, level: int = logging.INFO, name: str = "JupyterHub") -> str:
    """A line as JupyterHub's own formatter writes it."""
    hub = JupyterHub()
    record = logging.LogRecord(name, level, "base.py", 988, message, args, None)
    return CoroutineLogFormatter(fmt=hub.log_format, datefmt=hub.log_datefmt, color=False).format(record)


@pytest.mark.parametrize(
    ("message", "args", "action", "outcome", "person"),
    [
        # As JupyterHub 5.5, the idle culler and elab's own modules have them.
        ("User logged in: %s", ("ada",), "login", "success", "ada"),
        ("User logged in: %s", ("ada@example.org",), "login", "success", "ada@example.org"),
        ("User logged out: %s", ("ada",), "logout", "success", "ada"),
        ("Failed login for %r", ("ada",), "login", "failure", "ada"),
        ("Failed login for %r", ("o'brien",), "login", "failure", "o'brien"),
        ("Login of %r refused: in none of the allowed groups", ("ada",), "login", "failure", "ada"),
        ("%s is a leaver: ending sessions, tokens and servers; the disk stays", ("ada",), "leaver", "success", "ada"),
        ("User %s took %.3f seconds to start", ("ada", 3.2), "server-start", "success", "ada"),
        ("User %s took %.3f seconds to start", ("ada:second", 3.2), "server-start", "success", "ada"),
        ("User %s server took %.3f seconds to stop", ("ada", 1.0), "server-stop", "success", "ada"),
        ("%s has no server: %s", ("ada", "image pull failed"), "server-start", "failure", "ada"),
        ("User %s server stopped, with exit code: %s", ("ada", 1), "server-end", "failure", "ada"),
        ("User %s is slow to start (timeout=%s)", ("ada", 10), "server-slow", "unknown", "ada"),
        ("User %s is slow to become responsive (timeout=%s)", ("ada", 10), "server-slow", "unknown", "ada"),
        ("Culling server ada (inactive for 01:00:00)", (), "server-cull", "success", "ada"),
    ],
)
def test_who_logs_in_and_whose_server_starts_is_told(
    message: str, args: tuple[object, ...], action: str, outcome: str, person: str
) -> None:
    found = _through("elab-hub", _hub_line(message, *args))
    assert (found["event.action"], found["event.outcome"], found["user.name"]) == (action, outcome, person)
    assert found["event.category"]
    assert (found["log.logger"], found["log.origin.file.name"], found["log.origin.file.line"]) == (
        "JupyterHub",
        "base",
        988,
    )


def test_a_start_tells_how_long_it_took_and_a_failure_why() -> None:
    assert (
        _through("elab-hub", _hub_line("User %s took %.3f seconds to start", "ada", 3.25))["elab.server.seconds"]
        == 3.25
    )
    assert _through("elab-hub", _hub_line("%s has no server: %s", "ada", "no node has room"))["event.reason"] == (
        "no node has room"
    )


@pytest.mark.parametrize(
    ("level", "word"),
    [
        (logging.DEBUG, "debug"), (logging.INFO, "info"), (logging.WARNING, "warning"), (logging.ERROR, "error"),
        (logging.CRITICAL, "critical"),
    ],
)  # fmt: skip
def test_levels_are_words(level: int, word: str) -> None:
    assert _through("elab-hub", _hub_line("x", level=level))["log.level"] == word


def test_another_message_of_the_hub_is_no_event() -> None:
    for message in ("Hub API listening on http://:8081/hub/", "User ada is idle", "x has a server: y"):
        found = _through("elab-hub", _hub_line(message))
        assert not {"event.action", "event.outcome", "user.name"} & set(found)


def test_the_cullers_own_format_is_known() -> None:
    record = logging.LogRecord(
        "tornado.application", logging.INFO, "__init__.py", 252, "Culling server ada (inactive for 01:00:00)", (), None
    )
    found = _through("elab-hub", LogFormatter(color=False).format(record))
    assert (found["event.action"], found["user.name"], found["log.level"]) == ("server-cull", "ada", "info")


def _request_line(uri: str, status: int, user: str | None, name: str = "JupyterHub") -> str:
    """A request as JupyterHub's own function logs it."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    connection: Any = SimpleNamespace(context=SimpleNamespace(remote_ip="10.1.2.3", protocol="http"))
    request = HTTPServerRequest(
        headers=HTTPHeaders({"Host": "hub"}), connection=connection, start_line=RequestStartLine("GET", uri, "HTTP/1.1")
    )
    handler: Any = SimpleNamespace(
        get_status=lambda: status, request=request, current_user=SimpleNamespace(name=user) if user else None,
        _headers={"Location": "/hub/home"}, settings={"log_function": None},
    )  # fmt: skip
    log, kept = logging.getLogger("tornado.access"), Kept()
    hub = JupyterHub()
    kept.setFormatter(CoroutineLogFormatter(fmt=hub.log_format, datefmt=hub.log_datefmt, color=False))
    log.addHandler(kept)
    before, log.level = log.level, logging.DEBUG
    try:
        log_request(handler)
    except AttributeError:
        # The figures that it counts afterwards want a whole handler.
        assert lines
    finally:
        log.removeHandler(kept)
        log.level = before
    return lines[-1]


@pytest.mark.parametrize(
    ("uri", "status", "user"),
    [("/hub/home", 200, "ada"), ("/hub/login", 302, None), ("/hub/api/users?token=abc", 403, "elab-culler")],
)
def test_a_request_is_told_apart(uri: str, status: int, user: str | None) -> None:
    found = _through("elab-hub", _request_line(uri, status, user))
    assert (found["http.response.status_code"], found["http.request.method"]) == (status, "GET")
    assert found["url.original"].startswith(uri.split("=")[0])
    assert found["source.ip"] == "10.1.2.3"
    assert found.get("user.name") == user


def test_a_line_of_a_persons_server_stays_its_owners() -> None:
    line = _request_line("/user/ada/api/contents/a.ipynb", 200, "operator")
    found = _through("elab-people", line, user={"name": "ada"})
    assert (found["user.name"], found["http.response.status_code"]) == ("ada", 200)
    record = logging.LogRecord("ServerApp", logging.WARNING, "x.py", 1, "Kernel died", (), None)
    server = LogFormatter(
        fmt="[%(levelname)1.1s %(asctime)s.%(msecs).03d %(name)s] %(message)s", datefmt="%Y-%m-%d %H:%M:%S", color=False
    ).format(record)
    found = _through("elab-people", server + "\n  a traceback", user={"name": "ada"})
    assert (found["log.logger"], found["log.level"]) == ("ServerApp", "warning")


_PROXY = (
    ("2026-11-24T22:55:50.142Z [ConfigProxy] \x1b[32minfo\x1b[39m: Adding route /user/ada/ -> http://10.0.0.5:8888",
     {"log.level": "info", "event.action": "route-add", "user.name": "ada", "url.original": "/user/ada/"}),
    ("2026-11-24T22:55:50.146Z [ConfigProxy] \x1b[31merror\x1b[39m: 503 GET /user/ada/api connect ECONNREFUSED "
     "10.0.0.5:8888",
     {"log.level": "error", "http.response.status_code": 503, "user.name": "ada",
      "error.message": "connect ECONNREFUSED 10.0.0.5:8888"}),
    ("2026-11-24T22:55:50.146Z [ConfigProxy] info: 201 POST /api/routes/user/ada ",
     {"log.level": "info", "http.request.method": "POST", "url.original": "/api/routes/user/ada"}),
    ("2026-11-24T22:55:50.146Z [ConfigProxy] warn: Removing route /base/user/ada",
     {"log.level": "warning", "event.action": "route-remove", "user.name": "ada"}),
)  # fmt: skip


@pytest.mark.parametrize(("line", "wanted"), _PROXY)
def test_lines_of_the_proxy(line: str, wanted: dict[str, object]) -> None:
    """As its own logger wrote them (configurable-http-proxy 5.2.0, run in the lab's image)."""
    found = _through("elab-proxy", line)
    assert {name: found.get(name) for name in wanted} == wanted


_PLATFORM = (
    ("elasticsearch",
     {"@timestamp": "2026-11-24T22:10:01.000Z", "log.level": "WARN", "message": "high disk watermark exceeded",
      "ecs.version": "1.2.0", "service.name": "ES_ECS", "event.dataset": "elasticsearch.server",
      "process.thread.name": "elasticsearch[0][generic][T#1]", "log.logger": "org.elasticsearch.cluster.DiskMonitor",
      "elasticsearch.cluster.name": "elab", "error.type": "java.io.IOException", "error.message": "no space",
      "error.stack_trace": "java.io.IOException: no space\n\tat x"},
     {"log.level": "warning", "message": "high disk watermark exceeded", "error.type": "java.io.IOException",
      "log.logger": "org.elasticsearch.cluster.DiskMonitor", "process.thread.name": "elasticsearch[0][generic][T#1]"}),
    ("kibana",
     {"ecs": {"version": "9.0.0"}, "@timestamp": "2026-11-24T22:10:01.000+00:00", "message": "Kibana is now available",
      "log": {"level": "INFO", "logger": "status"}, "process": {"pid": 7, "uptime": 12.5}},
     {"log.level": "info", "message": "Kibana is now available", "log.logger": "status"}),
)  # fmt: skip


@pytest.mark.parametrize(("service", "line", "wanted"), _PLATFORM)
def test_elastics_own_lines_come_apart(service: str, line: dict[str, object], wanted: dict[str, object]) -> None:
    found = _through("elab-platform", json.dumps(line), service={"name": service}, log={"level": "info"})
    assert {name: found.get(name) for name in wanted} == wanted
    assert found["service.name"] == service
    assert found["@timestamp"] == "2026-11-24T22:10:01Z"


@pytest.mark.parametrize("pipeline", sorted(PIPELINES))
@pytest.mark.parametrize("line", ["", "{", '{"message": {"x": 1}}', "[I 2026-11-24", "\x00\ufffd", "x" * 100_000])
def test_a_line_that_nobody_expected_is_kept_as_it_is(pipeline: str, line: str) -> None:
    found = _through(pipeline, line, service={"name": "prometheus"})
    assert found["message"] == line


@pytest.mark.parametrize("line", ['{"message": {"x": 1}}', '{"error": "x", "message": "m"}', '{"log": 1}', "{}", "{"])
def test_json_of_another_form_is_no_failure(line: str) -> None:
    assert isinstance(_through("elab-platform", line, service={"name": "elasticsearch"})["message"], str)


def test_a_pipeline_that_fails_keeps_the_document_and_says_so() -> None:
    broken = {**PIPELINES, "elab-jupyter": {"processors": [{"set": {"field": "message.x", "value": 1}}]}}
    made = ingest.run(broken["elab-hub"], {"message": "x"}, broken)
    assert made is not None
    assert made["event"]["kind"] == "pipeline_error"
    assert made["message"] == "x"
    assert all(one.get("on_failure") for one in PIPELINES.values())


def test_patterns_mean_the_same_to_elasticsearch() -> None:
    """Oniguruma's `^` and `$` are of each line, `\\Z` and named groups differ: none of them is used."""
    text = json.dumps(PIPELINES)
    assert not re.search(r"(?<![\[\\])[\^](?!\w*\])|\\\\Z|\(\?P?<|\(\?[a-z]", re.sub(r"\[\^[^\]]*\]", "", text))


def _objects(space: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DOCUMENTS / "kibana" / f"{space}.ndjson").read_text().splitlines()]


@pytest.mark.parametrize("space", ["platform", "people"])
def test_pages_ask_for_fields_that_templates_map(space: str) -> None:
    for one in _objects(space):
        attributes = one["attributes"]
        asked = set(attributes.get("columns", []))
        text = json.dumps(attributes)
        asked |= set(re.findall(r'\\*"sourceField\\*": ?\\*"([\w.@]+)\\*"', text))
        for query in re.findall(r'\\*"query\\*": ?\\*"(.*?)\\*"', text):
            asked |= set(re.findall(r"([\w.]+)(?:: | >= )", query))
        assert asked - {"___records___"} <= set(FIELDS), one["id"]


def test_pages_show_what_the_pipelines_make() -> None:
    text = json.dumps(_objects("platform"))
    made = {
        item["set"]["value"]
        for item in PIPELINES["elab-hub"]["processors"]
        if item.get("set", {}).get("field") == "event.action"
    }
    asked = set(re.findall(r"[a-z]+(?:-[a-z]+)?", " ".join(re.findall(r"event\.action: \(?([a-z -]+)\)?", text)))) - {
        "or",
        "and",
    }
    assert asked
    assert asked <= made
    levels = set(re.findall(r"log\.level: \((\w+) or (\w+)\)", text))
    assert levels == {("error", "critical")}


@pytest.mark.parametrize("space", ["platform", "people"])
def test_pages_refer_to_objects_of_their_own_space(space: str) -> None:
    objects = _objects(space)
    there = {(one["type"], one["id"]) for one in objects}
    assert len(there) == len(objects)
    for one in objects:
        assert {(ref["type"], ref["id"]) for ref in one["references"]} <= there, one["id"]
        for panel in json.loads(one["attributes"].get("panelsJSON", "[]")):
            named = f"{panel['panelIndex']}:{panel['panelRefName']}"
            assert named in {ref["name"] for ref in one["references"]}
