"""Streams that elab's own templates did not make: what nothing deletes is found, and what is elab's is taken over."""

import copy
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.elastic.faults import Fault
from tests.harness.elastic.server import Elastic
from tests.harness.elastic.streams import Stream
from tests.unit.logging.bootstrapping import HUB, Bench, bench, write


@pytest.fixture
def ready(tmp_path: Path) -> Generator[Bench]:
    with bench(tmp_path) as made:
        yield made


def _elastics_template(elastic: Elastic, policy: str | None) -> None:
    """A template such as Elasticsearch brings, for whatever no other matches; its policy `logs` deletes nothing."""
    elastic.apis.kept["ilm"] = {
        "logs": {"policy": {"phases": {"hot": {}}}},
        "deleting": {"policy": {"phases": {"hot": {}, "delete": {"min_age": "90d"}}}},
    }
    elastic.streams.index_templates["logs"] = {
        "index_patterns": ["logs-*-*", ".kibana-*"],
        "priority": 100,
        "data_stream": {},
        "allow_auto_create": True,
        "template": {"settings": {"index": {"lifecycle": {"name": policy}}} if policy else {}},
    }


def _foreign(name: str, lifecycle: dict[str, Any] | None = None, ilm_policy: str | None = None) -> Stream:
    return Stream(name=name, settings={}, mappings={}, options={}, lifecycle=lifecycle, ilm_policy=ilm_policy)


def _state(elastic: Elastic) -> tuple[Any, ...]:
    """What the store is made ready by, Elastic's own template aside."""
    held = elastic.streams
    templates = {name: one for name, one in held.index_templates.items() if name != "logs"}
    return copy.deepcopy((elastic.apis.settings, templates, held.pipelines))


def test_a_store_that_was_lost_is_made_ready_again(ready: Bench) -> None:
    ready.run("store")
    lost = _state(ready.elastic)
    ready.elastic.streams.index_templates.clear()
    ready.elastic.streams.pipelines.clear()
    ready.elastic.apis.settings = {}
    # A shipper was there first.
    _elastics_template(ready.elastic, "logs")
    write(ready.elastic)
    assert ready.elastic.streams.streams[HUB].ilm_policy == "logs"
    assert ready.run("store", "--push") == 0
    assert _state(ready.elastic) == lost
    stream = ready.elastic.streams.streams[HUB]
    assert stream.settings["index.default_pipeline"] == "elab-hub"
    # What had come by then goes too, and with the next run nothing begins anew.
    assert [one.prefer_ilm for one in stream.older] == [False]
    assert ready.run("store", "--push") == 0
    assert ready.elastic.streams.streams[HUB].generation == 2


@pytest.mark.parametrize("cut", ["_rollover", "_settings"])
def test_a_stream_of_elastics_template_is_taken_over_by_the_run_after_one_that_ended_half_way(
    ready: Bench, cut: str
) -> None:
    _elastics_template(ready.elastic, "logs")
    write(ready.elastic)
    ready.elastic.faults.add(Fault(kind="status", status=400, path=f"/{HUB}/{cut}"))
    assert ready.run("store") == 1
    assert ready.run("store") == 0
    stream = ready.elastic.streams.streams[HUB]
    assert stream.settings["index.default_pipeline"] == "elab-hub"
    assert not any(one.prefer_ilm for one in stream.older)


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (_foreign("logs-x-y"), 3),
        (_foreign("logs-x-y", lifecycle={"enabled": False, "data_retention": "30d"}), 3),
        (_foreign("logs-x-y", lifecycle={"enabled": True}), 0),
        (_foreign("logs-x-y", ilm_policy="logs"), 3),
        (_foreign("logs-x-y", ilm_policy="deleting"), 0),
        (_foreign(HUB), 0),
        (_foreign(HUB, ilm_policy="logs"), 0),
        (_foreign(".kibana-reporting", ilm_policy="logs"), 0),
    ],
    ids=[
        "none",
        "off",
        "by-default",
        "policy-for-ever",
        "policy-that-deletes",
        "made-good",
        "of-elastics-template",
        "of-kibana-itself",
    ],
)
def test_what_nothing_deletes_is_found(
    ready: Bench, stream: Stream, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    _elastics_template(ready.elastic, stream.ilm_policy)
    ready.elastic.streams.streams[stream.name] = stream
    assert ready.run("store") == code
    assert (stream.name in capsys.readouterr().err) == (code == 3)


def test_an_index_of_no_stream_is_found(ready: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    ready.elastic.apis.indices += ["filebeat-2026", ".security-7"]
    assert ready.run("store") == 3
    told = capsys.readouterr().err
    assert "filebeat-2026" in told
    assert ".security" not in told


def test_what_was_restored_from_a_snapshot_is_kept_as_long_as_the_rest(ready: Bench) -> None:
    """As docs/operations.md has it named; its lifecycle comes with it, its template does not."""
    _elastics_template(ready.elastic, "logs")
    restored = _foreign(f"{HUB}_restored", lifecycle={"enabled": True, "data_retention": "30d"})
    ready.elastic.streams.streams[restored.name] = restored
    assert ready.run("store") == 0
    # Its next index, which has no line, is no policy's either.
    assert ready.elastic.streams.create(restored.name).ilm_policy is None
