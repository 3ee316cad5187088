"""The bootstrap makes the store ready once and for all, through every fault, and says what it could not do."""

import copy
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.elastic.access import User
from tests.harness.elastic.faults import Fault
from tests.harness.elastic.server import Elastic
from tests.unit.logging.bootstrapping import HUB, PASSWORD, STREAMS, Bench, bench, write

SNAPSHOTS = {
    "name": "elab",
    "repository": {"type": "s3", "settings": {"bucket": "logs", "client": "elab"}},
    "policy": {
        "schedule": "0 30 1 * * ?",
        "name": "<elab-{now/d}>",
        "repository": "elab",
        "config": {"indices": ["logs-*"], "include_global_state": False},
        "retention": {"expire_after": "30d", "min_count": 1, "max_count": 60},
    },
}


@pytest.fixture
def ready(tmp_path: Path) -> Generator[Bench]:
    with bench(tmp_path) as made:
        yield made


def _state(elastic: Elastic) -> dict[str, Any]:
    """Everything that has been put."""
    held = elastic.streams
    return copy.deepcopy(
        {
            "settings": elastic.apis.settings,
            "kept": elastic.apis.kept,
            "components": held.component_templates,
            "templates": held.index_templates,
            "pipelines": held.pipelines,
            "streams": {name: vars(stream) for name, stream in held.streams.items()},
            "spaces": elastic.kibana.spaces,
            "roles": elastic.kibana.roles,
            "objects": elastic.kibana.objects,
        }
    )


def test_every_stream_has_a_template_with_the_retention_of_the_settings(ready: Bench) -> None:
    assert ready.run("store") == 0
    for dataset, pipeline in STREAMS.items():
        stream = ready.elastic.streams.create(f"logs-{dataset}-elab")
        assert stream.lifecycle == {"enabled": True, "data_retention": "30d"}
        assert stream.options["failure_store"]["lifecycle"]["data_retention"] == "30d"
        assert stream.settings.get("index.default_pipeline") == pipeline
        assert pipeline is None or pipeline in ready.elastic.streams.pipelines
    settings = ready.elastic.apis.settings
    assert {value for name, value in settings.items() if ".retention." in name} == {"30d"}
    assert settings["cluster.lifecycle.default.rollover"].startswith("max_age=1d,")


@pytest.mark.parametrize("task", ["store", "pages"])
def test_a_second_run_changes_nothing(ready: Bench, task: str) -> None:
    assert ready.run("store", snapshots=SNAPSHOTS) == 0
    write(ready.elastic)
    assert ready.run(task, snapshots=SNAPSHOTS) == 0
    before = _state(ready.elastic)
    assert ready.run(task, snapshots=SNAPSHOTS) == 0
    assert _state(ready.elastic) == before


def test_another_retention_reaches_the_streams_that_are_there(ready: Bench) -> None:
    ready.run("store")
    write(ready.elastic)
    assert ready.run("store", retention="7d") == 0
    stream = ready.elastic.streams.streams[HUB]
    assert stream.lifecycle == {"enabled": True, "data_retention": "7d"}
    assert stream.options["failure_store"]["lifecycle"]["data_retention"] == "7d"
    assert stream.generation == 1
    # Longer again: the cluster's greatest retention goes first.
    assert ready.run("store", retention="90d") == 0
    assert stream.lifecycle["data_retention"] == "90d"


def test_a_changed_template_begins_a_new_index(ready: Bench) -> None:
    ready.run("store")
    write(ready.elastic)
    assert ready.run("store", streams={**STREAMS, "kubernetes.hub": "elab-people"}) == 0
    stream = ready.elastic.streams.streams[HUB]
    assert (stream.generation, stream.settings["index.default_pipeline"]) == (2, "elab-people")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", status=503, path="_cluster/health", times=5),
        Fault(kind="status", status=429, path="_cluster/settings", times=3),
        Fault(kind="status", status=401, path="_cluster/health", times=3),
        Fault(kind="reset", path="_component_template/elab-logs", times=2),
        Fault(kind="reset", path="_ingest/pipeline/elab-hub"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.path}",
)
def test_what_passes_is_waited_for(ready: Bench, fault: Fault) -> None:
    ready.elastic.faults.add(fault)
    assert ready.run("store") == 0
    assert ready.elastic.faults.left == 0
    # Each wait is twice the one before: nothing is stormed.
    assert ready.time.waits == [0.5 * 2**n for n in range(len(ready.time.waits))]


def test_a_job_that_ended_half_way_is_made_good_by_the_next(ready: Bench) -> None:
    ready.elastic.faults.add(Fault(kind="status", status=400, path="_index_template/elab-kubernetes.people"))
    assert ready.run("store") == 1
    assert "elab-kubernetes.hub" in ready.elastic.streams.index_templates
    assert "elab-system.auth" not in ready.elastic.streams.index_templates
    assert ready.run("store") == 0
    assert set(ready.elastic.streams.index_templates) == {f"elab-{dataset}" for dataset in STREAMS}


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(kind="status", status=503, path="_cluster/health", times=1000), "answered 503"),
        (Fault(kind="reset", path="_cluster/health", times=1000), "Remote end closed"),
        (Fault(kind="status", status=401, path="_cluster/health", times=1000), "answered 401"),
        (Fault(kind="status", status=400, path="_cluster/settings"), "PUT /_cluster/settings: answered 400"),
    ],
    ids=["never-ready", "never-answers", "wrong-password", "refused"],
)
def test_what_does_not_pass_ends_in_time_with_one_line(
    ready: Bench, fault: Fault, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.elastic.faults.add(fault)
    assert ready.run("store") == 1
    assert ready.time.passed <= ready.values["patience_seconds"]
    told = capsys.readouterr()
    assert says in told.err
    assert len(told.err.splitlines()) == 1
    assert not ready.elastic.streams.index_templates


def test_a_server_that_is_not_there_is_given_up(ready: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert ready.run("store", elasticsearch="http://127.0.0.1:1") == 1
    assert "Gave up after" in capsys.readouterr().err


def test_wrong_values_are_told_before_anything_is_asked(ready: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert ready.run("store", retain="30d") == 2
    assert "values.json" in capsys.readouterr().err
    assert not ready.elastic.requests


def test_no_password_is_shown(ready: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    ready.elastic.faults.add(Fault(kind="status", status=400, path="_cluster/settings"))
    ready.run("store")
    ready.run("pages")
    ready.run("store", "--push", elasticsearch="http://127.0.0.1:1")
    told = capsys.readouterr()
    assert told.out
    assert told.err
    assert PASSWORD not in told.out + told.err
    assert PASSWORD not in "".join(f"{one.path}{one.query}{one.body!r}" for one in ready.elastic.requests)


def test_snapshots_are_made_and_deleted_as_the_settings_say(ready: Bench) -> None:
    assert ready.run("store", snapshots=SNAPSHOTS) == 0
    assert ready.elastic.apis.kept["snapshot"]["elab"] == SNAPSHOTS["repository"]
    assert ready.elastic.apis.kept["slm"]["elab"]["policy"] == SNAPSHOTS["policy"]


def test_kibana_gets_its_pages_once_it_is_there(ready: Bench) -> None:
    ready.elastic.faults.add(Fault(kind="status", status=503, path="/api/status", times=4))
    ready.elastic.faults.add(Fault(kind="reset", path="/api/spaces/space"))
    assert ready.run("pages") == 0
    kibana = ready.elastic.kibana
    assert set(kibana.spaces) == {"default", "platform", "people"}
    assert {key for key in kibana.objects if key[1] == "dashboard"} == {
        ("platform", "dashboard", "elab-platform-errors"),
        ("platform", "dashboard", "elab-people"),
    }


def test_who_looks_after_the_store_can_make_no_role(ready: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert ready.run("pages", users={"pages": ready.values["users"]["store"]}) == 1
    assert "/api/security/role" in capsys.readouterr().err


def test_nobody_but_support_reads_the_logs_of_peoples_servers(ready: Bench) -> None:
    ready.run("pages")
    roles = ready.elastic.kibana.roles
    assert set(roles) == {"elab-operator", "elab-support"}
    for name, role in roles.items():
        user = User.of("", role["elasticsearch"])
        for what in ("", "::failures"):
            assert user.may_index(f"logs-kubernetes.people-elab{what}", ["read"]) == (name == "elab-support")
            assert user.may_index(f"{HUB}{what}", ["read"])
        assert not user.may_index(HUB, ["write", "create_doc", "delete_index"])
        assert not role["elasticsearch"]["cluster"]
        spaces = {space for grant in role["kibana"] for space in grant["spaces"]}
        assert ("people" in spaces) == (name == "elab-support")


def test_a_line_that_fits_nowhere_is_kept_to_be_looked_at(ready: Bench) -> None:
    ready.run("store")
    answer = write(ready.elastic, user="no object")
    assert answer["status"] == 201
    assert len(ready.elastic.streams.streams[HUB].failures) == 1
