"""What Fluent Bit makes of the lines that hub, servers and proxy write."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.log import CoroutineLogFormatter
from tornado.log import LogFormatter

from tests.unit.logging.shippers import CONTAINER, Lua, joined

HUB_POD = f"kube.hub.var.log.containers.hub-6d5f-x2x_elab-hub_hub-{CONTAINER}.log"
PERSONS_POD = f"kube.people.var.log.containers.jupyter-ada---1f2e3d4c_elab-users_notebook-{CONTAINER}.log"


def _nested() -> None:
    try:
        raise KeyError("first")
    except KeyError as first:
        raise ValueError("second:\n  with a second line") from first


def _written(formatter: logging.Formatter, fail: Callable[[], None] | None = None) -> list[str]:
    """The lines of one record, with the traceback of what failed."""
    error: Any = None
    if fail:
        try:
            fail()
        except Exception:
            error = sys.exc_info()
    record = logging.LogRecord("JupyterHub", logging.ERROR, "user.py", 884, "Unhandled error", (), error)
    return formatter.format(record).split("\n")


def _hub() -> logging.Formatter:
    hub = JupyterHub()
    return CoroutineLogFormatter(fmt=hub.log_format, datefmt=hub.log_datefmt, color=False)


def _server() -> logging.Formatter:
    # Jupyter Server's own format, on Tornado's formatter.
    return LogFormatter(
        fmt="[%(levelname)1.1s %(asctime)s.%(msecs).03d %(name)s] %(message)s", datefmt="%Y-%m-%d %H:%M:%S", color=False
    )


@pytest.mark.parametrize("formatter", [_hub(), _server()], ids=["hub", "server"])
def test_a_record_and_its_traceback_are_one_line_of_the_log(formatter: logging.Formatter) -> None:
    failed, next_ = _written(formatter, _nested), _written(formatter)
    assert len(failed) > 8
    assert list(joined([*failed, *next_, *next_])) == ["\n".join(failed), next_[0], next_[0]]


def test_a_bare_traceback_with_its_cause_is_one_line_of_the_log() -> None:
    lines = logging.Formatter("%(message)s").formatException(_raised(_nested)).split("\n")
    assert any(line.startswith("The above exception") for line in lines)
    assert lines[-1] == "  with a second line"
    assert list(joined(["before", *lines, "after it, something else"])) == [
        "before",
        "\n".join(lines),
        "after it, something else",
    ]


def _raised(fail: Callable[[], None]) -> Any:  # noqa: ANN401  what sys.exc_info gives
    try:
        fail()
    except Exception:
        return sys.exc_info()
    raise AssertionError("it did not fail")


def test_two_tracebacks_are_two_lines_of_the_log() -> None:
    one = [
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in <module>',
        "    1 / 0",
        "ZeroDivisionError: x",
    ]
    assert list(joined([*one, *one])) in (["\n".join(one)] * 2, ["\n".join([*one, *one])])


def test_lines_of_other_programs_stay_apart() -> None:
    lines = [
        "2026-11-24T22:10:01.123Z [ConfigProxy] info: Adding route / -> http://hub:8081",
        "    indented, after nothing",
        '{"@timestamp":"2026-11-24T22:10:01.000Z", "log.level": "INFO"}',
        "",
        "I1124 22:10:01.000000       1 main.go:10] started",
    ]
    assert list(joined(lines)) == lines


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Lua:
    """Fluent Bit's filter, on a node."""
    for name, value in (("ELAB_STREAMS", "elab"), ("ELAB_CLUSTER", "campus"), ("ELAB_NODE", "node-7")):
        monkeypatch.setenv(name, value)
    return Lua("ecs.lua")


def _record(line: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  fields of a record
    return {"log": line, "stream": "stderr", "offset": 120, "path": "/var/log/containers/x.log", "_p": "F", **fields}


def test_a_line_of_a_persons_server_tells_whose_it_is(ecs: Lua) -> None:
    kubernetes = {
        "pod_id": "1-2-3",
        "host": "node-7",
        "container_image": "registry/notebook:1",
        "labels": {"app.kubernetes.io/component": "singleuser-server", "hub.jupyter.org/username": "ada---1f2e3d4c"},
        "annotations": {"hub.jupyter.org/username": "ada@example.org", "secret": "x"},
    }
    made = ecs.filter("to_ecs", PERSONS_POD, (1764022201, 5), _record("[W 2026-11-24 x", kubernetes=kubernetes))
    assert made == {
        "message": "[W 2026-11-24 x",
        "stream": "stderr",
        "ecs": {"version": "9.0.0"},
        "event": {"id": made["event"]["id"], "dataset": "kubernetes.people", "kind": "event"},
        "data_stream": {"type": "logs", "dataset": "kubernetes.people", "namespace": "elab"},
        "log": {"level": "warning", "offset": 120, "file": {"path": "/var/log/containers/x.log"}},
        "service": {"name": "singleuser-server"},
        "user": {"name": "ada@example.org"},
        "host": {"name": "node-7"},
        "cluster": {"name": "campus"},
        "container": {"id": CONTAINER, "name": "notebook", "image": {"name": "registry/notebook:1"}},
        "kubernetes": {
            "namespace": "elab-users",
            "pod": {"name": "jupyter-ada---1f2e3d4c", "uid": "1-2-3"},
            "node": {"name": "node-7"},
            "container": {"name": "notebook"},
            "labels": {"app.kubernetes.io/component": "singleuser-server"},
        },
    }


def test_a_line_is_told_apart_without_the_api_server(ecs: Lua) -> None:
    made = ecs.filter("to_ecs", HUB_POD, (1, 0), _record("x"))
    assert made["kubernetes"]["pod"] == {"name": "hub-6d5f-x2x"}
    assert made["service"] == {"name": "hub"}
    assert "user" not in made


def test_a_line_that_would_be_kept_long_beyond_its_time_is_left_out(ecs: Lua) -> None:
    """Where logging is switched on for a platform that has run for long, whole files are read."""
    for age in (40 * 86400, 3 * 86400 + 1):
        assert ecs.drops("to_ecs", HUB_POD, _record("x"), age=age), age
    for age in (3 * 86400, 0, -60):
        assert not ecs.drops("to_ecs", HUB_POD, _record("x"), age=age), age


def test_a_line_has_the_same_id_each_time_and_another_line_another(ecs: Lua) -> None:
    def identity(line: str = "x", time: tuple[int, int] = (1764022201, 999999999), **fields: Any) -> str:  # noqa: ANN401
        return ecs.filter("to_ecs", HUB_POD, time, _record(line, **fields))["event"]["id"]

    assert identity() == identity()
    others = [identity("y"), identity(time=(1764022201, 1)), identity(offset=121), identity(stream="stdout")]
    assert len({identity(), *others}) == 5
    # Elasticsearch refuses ids of more than 512 bytes.
    assert len(identity("x" * 1_000_000)) < 80


def test_the_hash_is_the_published_one(ecs: Lua) -> None:
    # FNV-1a's own test vectors.
    for text, value in (("", "811c9dc5"), ("a", "e40c292c"), ("foobar", "bf9cf968")):
        assert ecs.filter("to_ecs", HUB_POD, (1, 0), _record(text))["event"]["id"].endswith(f"-{value}")


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("[I 2026-11-24 22:10:01.123 JupyterHub app:1] x", "info"),
        ("[C 2026-11-24 22:10:01.123 JupyterHub app:1] x", "critical"),
        ("2026-11-24T22:10:01.123Z [ConfigProxy] \x1b[32minfo\x1b[39m: x", "info"),
        ("2026-11-24T22:10:01.123Z [ConfigProxy] info: x", "info"),
        ("2026-11-24T22:10:01.123Z [ConfigProxy] error: 503 GET /user/ada/ connect ECONNREFUSED", "error"),
        ("E1124 22:10:01.000000       1 main.go:10] x", "error"),
        ('time=2026-11-24T22:10:01Z level=WARN source=main.go:1 msg="x"', "warning"),
        ('{"@timestamp":"2026-11-24T22:10:01Z", "log.level": "ERROR", "message":"x"}', "error"),
        ('{"log":{"level":"INFO"},"message":"x"}', "info"),
        ("Traceback (most recent call last):\n  x", "error"),
        ("nothing of a level here", None),
    ],
)
def test_the_level_that_a_line_states_is_found(ecs: Lua, line: str, level: str | None) -> None:
    record = Lua("mask.lua").filter("mask_record", HUB_POD, (1, 0), _record(line))
    assert ecs.filter("to_ecs", HUB_POD, (1, 0), record)["log"].get("level") == level
