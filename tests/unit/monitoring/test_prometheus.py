"""Prometheus: thirty days on a disk that holds them, started so that it survives, read-only to everybody else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.monitoring.jobs import jobs_of
from components.monitoring.jobs import series as series_of
from components.monitoring.prometheus import arguments
from components.monitoring.recording import settings_rules_text
from components.monitoring.sizing import volume
from planning.recording import Recording
from stackfile.problems import StackError
from stackfile.quantities import Bytes
from tests.harness.platform import CLOUDS, container, data, objects, platform, pod, resource, settings

GIVEN = {"monitoring.prometheus": {"volume": "500Gi"}}
LONGER = {"monitoring.retention": "90d"}
MAPS = ("prometheus-config", "prometheus-scrape", "prometheus-rules")


def disk(changes: dict[str, Any]) -> Bytes:
    args = settings(changes).monitoring_args
    return volume(args.jobs, args.size)


def flags(changes: dict[str, Any]) -> list[str]:
    return arguments(settings(changes).monitoring_args.settings, disk(changes))


def rules_of(changes: dict[str, Any]) -> str:
    args = settings(changes).monitoring_args
    return settings_rules_text(args.jobs, args.size, args.pools)


def argument(changes: dict[str, Any], flag: str) -> str:
    (found,) = (one for one in flags(changes) if one.startswith(f"{flag}="))
    return found.partition("=")[2]


@pytest.mark.parametrize("changes", [*CLOUDS.values(), GIVEN, LONGER], ids=[*CLOUDS, "given", "longer"])
def test_it_has_the_disk_the_flags_and_the_rules_that_are_reckoned(changes: dict[str, Any]) -> None:
    recording = platform(changes)
    claim = objects(recording, "PersistentVolumeClaim")["elab-monitoring/prometheus-data"]
    assert claim["spec"]["resources"]["requests"]["storage"] == str(disk(changes))
    assert container(recording, "deployment-prometheus")["args"] == flags(changes)
    given = objects(recording, "ConfigMap")["elab-monitoring/prometheus-rules"]["data"]
    assert given["settings.yaml"] == rules_of(changes)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_metrics_are_kept_for_thirty_days_unless_the_stack_says_otherwise(cloud: str) -> None:
    assert argument(CLOUDS[cloud], "--storage.tsdb.retention.time") == "30d"
    assert argument({**CLOUDS[cloud], "monitoring.retention": "7d"}, "--storage.tsdb.retention.time") == "7d"


@pytest.mark.parametrize("changes", [{}, GIVEN, LONGER], ids=["30d", "given", "90d"])
def test_metrics_go_before_they_fill_more_than_four_fifths_of_the_disk(changes: dict[str, Any]) -> None:
    cap = argument(changes, "--storage.tsdb.retention.size")
    assert cap.endswith("MB")
    assert 0.79 * disk(changes).bytes < int(cap.removesuffix("MB")) * 2**20 <= 0.8 * disk(changes).bytes


def needed(changes: dict[str, Any]) -> float:
    """Seconds x samples a second x 2 bytes: Prometheus' own rule of thumb, before any allowance."""
    found = settings(changes).monitoring_args
    rules = yaml.load(rules_of(changes), yaml.CSafeLoader)["groups"][0]["rules"]
    series = sum(
        float(rule["expr"].removeprefix("vector(").removesuffix(")"))
        for rule in rules
        if rule["record"] == "elab_job_series_budget"
    )
    return found.settings.retention.seconds * series / found.settings.scrape_interval.seconds * 2


@pytest.mark.parametrize(
    "changes",
    [
        {},
        LONGER,
        {"monitoring.scrape_interval": "15s"},
        {"monitoring.other_nodes": 200},
        {"pools": [{"name": "general", "selector": {"a": "b"}, "nodes": {"min": 1, "max": 90},
                    "allocatable": {"cpu": "16", "memory": "64Gi"}}],
         "users.profiles": [{"name": "small", "title": "Small", "default": True, "pools": ["general"],
                             "resources": {"cpu": {"request": "1", "limit": "1"},
                                           "memory": {"request": "1Gi", "limit": "1Gi"}}}]},
    ],
    ids=["default", "longer", "denser", "nodes", "pool"],
)  # fmt: skip
def test_the_disk_holds_what_the_retention_needs_and_not_several_times_that(changes: dict[str, Any]) -> None:
    assert needed(changes) < 0.8 * disk(changes).bytes < 1.5 * needed(changes) + 2**30


def test_the_disk_grows_with_the_retention_the_cluster_and_how_often_it_is_asked() -> None:
    plain = disk({}).bytes
    for changes in ({"monitoring.retention": "60d"}, {"monitoring.scrape_interval": "15s"}):
        assert 1.8 * plain < disk(changes).bytes < 2.2 * plain, changes


def test_no_claim_shrinks_when_a_stack_states_how_many_disks_its_nodes_take() -> None:
    """A claim can only grow; these are three nodes with room for 14 people each, and disks for 10."""
    pools = data({})["pools"]
    pools[0]["allocatable"]["disks"] = 10
    assert settings({"pools": pools}).monitoring_args.size == settings({}).monitoring_args.size


def test_a_disk_that_is_too_small_is_refused_and_the_shorter_retention_that_is_offered_fits() -> None:
    with pytest.raises(StackError) as refused:
        settings({"monitoring.prometheus": {"volume": "4Gi"}})
    (problem,) = refused.value.problems
    offered = problem.fix.rpartition(" ")[2]
    assert settings({"monitoring.prometheus": {"volume": "4Gi"}, "monitoring.retention": offered})


def memory(size: str) -> dict[str, Any]:
    amounts = {"cpu": {"request": "250m", "limit": "2"}, "memory": {"request": size, "limit": size}}
    return {"monitoring.prometheus": {"resources": amounts}}


def test_memory_that_the_series_do_not_fit_into_is_refused_and_what_is_offered_fits() -> None:
    found = settings({"monitoring.other_nodes": 200}).monitoring_args
    series = sum(series_of(job, found.jobs, found.size) for job in jobs_of(found.jobs))
    assert series > 300_000
    with pytest.raises(StackError) as refused:
        settings({"monitoring.other_nodes": 200, **memory("2Gi")})
    (problem,) = refused.value.problems
    assert problem.where == "monitoring.prometheus.resources.memory.limit"
    assert f"{series} series" in problem.allowed
    (offered,) = (word for word in problem.fix.replace(",", "").split() if word.endswith("Mi"))
    assert Bytes(offered).bytes > series * 8 * 1024
    assert settings({"monitoring.other_nodes": 200, **memory(offered)})
    less = f"{Bytes(offered).bytes // 2**20 - 256}Mi"
    with pytest.raises(StackError):
        settings({"monitoring.other_nodes": 200, **memory(less)})


def test_what_replays_its_log_has_all_its_memory_set_aside_and_ten_minutes() -> None:
    found = container(platform(), "deployment-prometheus")
    assert found["resources"]["requests"]["memory"] == found["resources"]["limits"]["memory"]
    probe = found["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 600
    assert probe["httpGet"]["path"] == "/-/ready"
    assert pod(platform(), "deployment-prometheus").spec["terminationGracePeriodSeconds"] >= 300


@pytest.mark.parametrize(
    "flag", ["--web.enable-lifecycle", "--web.enable-admin-api", "--web.enable-remote-write-receiver"]
)
def test_nobody_can_end_or_change_or_feed_it_over_http(flag: str) -> None:
    """It has no login of its own."""
    assert [one for one in container(platform(), "deployment-prometheus")["args"] if one.startswith(flag)] == []


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"monitoring.annotated_namespaces": ["science"]}, {"prometheus-scrape", "prometheus-rules"}),
        ({"monitoring.scrape_interval": "20s"}, {"prometheus-config", "prometheus-scrape"}),
        ({"scheduling": {"user_scheduler": {"replicas": 3}}}, set()),
    ],
    ids=["job", "interval", "another-room"],
)
def test_a_change_of_jobs_or_rules_is_read_and_does_not_roll_it(changes: dict[str, Any], changed: set[str]) -> None:
    before, after = platform(GIVEN), platform({**GIVEN, **changes})
    pods = [objects(found, "Deployment")["elab-monitoring/prometheus"]["spec"]["template"] for found in (before, after)]
    assert pods[0]["metadata"] == pods[1]["metadata"]
    # A new file is a new mount: a stack that gains a whole job pays for it with one start.
    assert (pods[0] == pods[1]) is ("monitoring.annotated_namespaces" not in changes)
    maps = [objects(found, "ConfigMap") for found in (before, after)]
    assert {
        name for name in MAPS if maps[0][f"elab-monitoring/{name}"] != maps[1][f"elab-monitoring/{name}"]
    } == changed


def rules(recording: Recording, kind: str, identity: str) -> list[tuple[str, ...]]:
    body = objects(recording, kind)[identity]
    return [
        (*rule.get("apiGroups", []), *rule.get("resources", rule.get("nonResourceURLs", [])), *rule["verbs"])
        for rule in body["rules"]
    ]


def test_it_sees_nodes_and_the_pods_of_its_own_namespaces_and_no_more_of_kubernetes() -> None:
    recording = platform({"entry.tls": {"kind": "secret", "name": "tls"}})
    assert rules(recording, "ClusterRole", "elab-prometheus") == [
        ("", "nodes", "get", "list", "watch"),
        ("", "nodes/metrics", "get"),
        ("/metrics", "get"),
    ]
    mine = {"kind": "ServiceAccount", "name": "prometheus", "namespace": "elab-monitoring"}
    bound = {
        (kind, identity)
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for identity, body in objects(recording, kind).items()
        if mine in body["subjects"]
    }
    assert bound == {
        ("ClusterRoleBinding", "elab-prometheus"),
        *(("RoleBinding", f"elab-{room}/prometheus") for room in ("hub", "monitoring", "node")),
    }
    for room in ("hub", "monitoring", "node"):
        assert rules(recording, "Role", f"elab-{room}/prometheus") == [("", "pods", "get", "list", "watch")]


def test_in_a_foreign_namespace_it_sees_what_its_jobs_need_under_the_instances_name() -> None:
    ceph = {"monitoring.storage_class": "local-nvme", "monitoring.ceph": {"namespace": "rook"}}
    recording = platform({**ceph, "monitoring.annotated_namespaces": ["science"]})
    assert rules(recording, "Role", "science/elab-prometheus") == [
        ("", "pods", "services", "get", "list", "watch"),
        ("discovery.k8s.io", "endpointslices", "get", "list", "watch"),
    ]
    assert rules(recording, "Role", "rook/elab-prometheus") == [("", "pods", "get", "list", "watch")]


def test_tokens_are_files_from_a_secret_and_stand_in_no_config_map() -> None:
    recording = platform({"monitoring.remote_write": {
        "url": "https://store.example.org/push", "username": "elab", "cidrs": ["192.0.2.9/32"],
    }})  # fmt: skip
    secret = objects(recording, "Secret")["elab-monitoring/scrape-credentials"]["stringData"]
    assert set(secret) == {"hub", "grafana", "remote-write"}
    hubs = objects(recording, "Secret")["elab-hub/hub-token-metrics"]["stringData"]["value"]
    assert secret["hub"] == hubs
    texts = [text for body in objects(recording, "ConfigMap").values() for text in body["data"].values()]
    assert [value for value in secret.values() for text in texts if value in text] == []
    config = yaml.safe_load(
        objects(recording, "ConfigMap")["elab-monitoring/prometheus-config"]["data"]["prometheus.yml"]
    )
    (store,) = config["remote_write"]
    assert store["basic_auth"] == {"username": "elab", "password_file": "/etc/elab/credentials/remote-write"}


def test_its_disk_is_a_claim_of_its_own_in_the_class_that_the_stack_names() -> None:
    recording = platform({"monitoring.storage_class": "local-nvme"})
    for name in ("prometheus", "alertmanager", "pushgateway"):
        claim = resource(recording, "PersistentVolumeClaim", f"elab-monitoring/{name}-data").inputs
        assert claim["spec"]["storageClassName"] == "local-nvme"
        volumes = pod(recording, f"deployment-{name}").spec["volumes"]
        assert {"claimName": f"{name}-data"} in [one.get("persistentVolumeClaim") for one in volumes]
        strategy = objects(recording, "Deployment")[f"elab-monitoring/{name}"]["spec"]["strategy"]
        assert strategy == {"type": "Recreate"}, "two pods can't mount one disk"


def test_a_stack_can_do_without_monitoring() -> None:
    recording = platform({"monitoring": {"enabled": False}})
    left = [one.inputs["kind"] for one in recording.kubernetes()
            if one.inputs["metadata"].get("namespace") in ("elab-monitoring", "elab-node")]  # fmt: skip
    assert set(left) == {"NetworkPolicy"}
