"""Priorities, the packing scheduler and its rights, placeholders' pods, and which nodes each pod may run on."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from components.hub.scheduling import Priorities, PrioritiesArgs, PriorityNames
from planning.recorder import record
from planning.recording import Recording
from tests.harness.platform import CLOUDS, container, objects, platform, pod, settings, unmonitored

WATCH = ["get", "list", "watch"]
EVENTS = (["", "events.k8s.io"], ["events"], ["create", "patch", "update"])
GENERAL = {"matchExpressions": [{"key": "elab.dev/pool", "operator": "In", "values": ["general"]}]}
MEMORY = {"matchExpressions": [{"key": "elab.dev/pool", "operator": "In", "values": ["memory"]}]}
DEDICATED = {"key": "elab.dev/dedicated", "operator": "Equal", "value": "users", "effect": "NoSchedule"}
UNPACKED = {"scheduling": {"user_scheduler": {"enabled": False}}}


def values(recording: Recording) -> dict[str, Any]:
    return json.loads(objects(recording, "ConfigMap")["elab-hub/hub-values"]["data"]["values.json"])


def schedulers(recording: Recording) -> set[str | None]:
    """Which scheduler each profile's servers are given to."""
    return {profile["scheduler_name"] for profile in values(recording)["profiles"]}


def test_the_platform_goes_before_people_and_people_before_placeholders() -> None:
    found = {name: body["value"] for name, body in objects(unmonitored(), "PriorityClass").items()}
    assert found["elab-platform"] > found["elab-users"] > found["elab-placeholders"]
    assert {body.get("globalDefault", False) for body in objects(unmonitored(), "PriorityClass").values()} == {False}


def test_placeholders_call_for_nodes_by_the_clouds_own_cut_off() -> None:
    args = PrioritiesArgs(names=PriorityNames(instance="elab"), placeholder_priority=-5)

    def program() -> None:
        Priorities("priorities", args)

    assert objects(record(program), "PriorityClass")["elab-placeholders"]["value"] == -5


def test_people_have_their_own_priority_and_the_packing_scheduler() -> None:
    assert values(unmonitored())["spawner"]["priority_class"] == "elab-users"
    assert schedulers(unmonitored()) == {"elab-user-scheduler"}


RIGHTS = {
    "ClusterRole elab-user-scheduler": [
        (
            [""],
            [
                "namespaces",
                "nodes",
                "persistentvolumeclaims",
                "persistentvolumes",
                "pods",
                "replicationcontrollers",
                "services",
            ],
            WATCH,
        ),
        ([""], ["persistentvolumes"], ["patch", "update"]),
        (["apps"], ["replicasets", "statefulsets"], WATCH),
        (["policy"], ["poddisruptionbudgets"], WATCH),
        (
            ["storage.k8s.io"],
            ["csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"],
            WATCH,
        ),
        (["resource.k8s.io"], ["deviceclasses", "resourceclaims", "resourceslices"], WATCH),
    ],
    "Role elab-hub/user-scheduler": [
        (["coordination.k8s.io"], ["leases"], ["create"]),
        (["coordination.k8s.io"], ["leases"], ["get", "update", "patch"], ["elab-user-scheduler"]),
        EVENTS,
    ],
    **{
        f"Role elab-{room}/user-scheduler": [
            ([""], ["pods"], ["delete"]),
            ([""], ["pods/binding"], ["create"]),
            ([""], ["pods/status"], ["patch", "update"]),
            ([""], ["persistentvolumeclaims"], ["patch", "update"]),
            EVENTS,
        ]
        for room in ("users", "placeholders")
    },
}


def test_the_user_scheduler_sees_the_cluster_and_binds_only_where_servers_and_placeholders_are() -> None:
    found = {
        f"{kind} {identity}": [
            (rule["apiGroups"], rule["resources"], rule["verbs"], *filter(None, [rule.get("resourceNames")]))
            for rule in body["rules"]
        ]
        for kind in ("Role", "ClusterRole")
        for identity, body in objects(unmonitored(), kind).items()
        if identity.endswith("user-scheduler")
    }
    assert found == RIGHTS


def test_the_user_schedulers_rights_are_bound_to_its_account_alone() -> None:
    subject = {"kind": "ServiceAccount", "name": "user-scheduler", "namespace": "elab-hub"}
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for identity, body in objects(unmonitored(), kind).items():
            if identity.endswith("user-scheduler"):
                assert body["subjects"] == [subject], identity
                assert body["roleRef"]["name"] == identity.rpartition("/")[2]


def test_two_instances_lead_by_leases_of_their_own() -> None:
    for instance in ("elab", "second"):
        recording = unmonitored({"instance": instance, "storage": {"class_name": f"{instance}-disk"}})
        text = objects(recording, "ConfigMap")[f"{instance}-hub/user-scheduler"]["data"]["scheduler.yaml"]
        found = yaml.safe_load(text)
        assert found["leaderElection"]["resourceName"] == f"{instance}-user-scheduler"
        assert found["leaderElection"]["resourceNamespace"] == f"{instance}-hub"
        assert [profile["schedulerName"] for profile in found["profiles"]] == [f"{instance}-user-scheduler"]
        hub = objects(recording, "ConfigMap")[f"{instance}-hub/hub-values"]["data"]["values.json"]
        assert {one["scheduler_name"] for one in json.loads(hub)["profiles"]} == {f"{instance}-user-scheduler"}


def test_the_user_scheduler_fills_nodes_up() -> None:
    text = objects(unmonitored(), "ConfigMap")["elab-hub/user-scheduler"]["data"]["scheduler.yaml"]
    (profile,) = yaml.safe_load(text)["profiles"]
    (fit,) = [one["args"] for one in profile["pluginConfig"] if one["name"] == "NodeResourcesFit"]
    assert fit["scoringStrategy"]["type"] == "MostAllocated"
    spreading = {one["name"] for one in profile["plugins"]["score"]["disabled"]}
    assert spreading >= {"NodeResourcesBalancedAllocation", "PodTopologySpread"}


@pytest.mark.parametrize(("replicas", "budgets"), [(1, 0), (2, 1)])
def test_a_drained_node_takes_one_scheduler_of_several(replicas: int, budgets: int) -> None:
    recording = unmonitored({"scheduling": {"user_scheduler": {"replicas": replicas}}})
    assert objects(recording, "Deployment")["elab-hub/user-scheduler"]["spec"]["replicas"] == replicas
    assert len(objects(recording, "PodDisruptionBudget")) == budgets


def without_packing(recording: Recording) -> None:
    named = [urn for urn in (one.urn for one in recording.resources) if "cheduler" in urn]
    assert named == []
    assert schedulers(recording) == {None}
    assert "schedulerName" not in pod(recording, "deployment-placeholder-general").spec


def test_where_the_cloud_packs_there_is_no_user_scheduler() -> None:
    without_packing(platform(CLOUDS["gcp"]))


def test_a_stack_can_do_without_the_user_scheduler() -> None:
    without_packing(unmonitored(UNPACKED))


def test_a_stack_can_have_it_where_the_cloud_packs() -> None:
    changes = CLOUDS["gcp"]
    assert not settings(changes).packs
    assert settings({**changes, "scheduling": {"user_scheduler": {"enabled": True}}}).packs


def test_each_pool_has_the_placeholders_that_it_asks_for() -> None:
    found = {
        name: body["spec"]["replicas"]
        for name, body in objects(unmonitored(), "Deployment").items()
        if name.startswith("elab-placeholders/")
    }
    assert found == {"elab-placeholders/placeholder-general": 2}


def test_a_placeholder_is_as_large_as_the_default_profile_and_is_scheduled_as_a_server_is() -> None:
    spec = pod(unmonitored(), "deployment-placeholder-general").spec
    assert spec["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "2Gi"}
    assert spec["schedulerName"] == "elab-user-scheduler"
    assert required(spec) == [GENERAL]
    assert spec["tolerations"] == [DEDICATED]
    assert spec["terminationGracePeriodSeconds"] == 0


def test_a_placeholder_has_the_size_that_the_stack_gives_it() -> None:
    size = {"cpu": {"request": "1", "limit": "1"}, "memory": {"request": "8Gi", "limit": "8Gi"}}
    found = container(unmonitored({"scheduling": {"placeholder": size}}), "deployment-placeholder-general")
    assert found["resources"]["requests"] == {"cpu": "1", "memory": "8Gi"}


def test_nobody_waits_for_placeholders_whose_nodes_are_not_there_yet() -> None:
    found = objects(unmonitored(), "Deployment")["elab-placeholders/placeholder-general"]
    assert found["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"


def required(spec: dict[str, Any] | Any) -> list[Any]:  # noqa: ANN401
    affinity = spec["affinity"]["nodeAffinity"]
    return affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]


def test_a_profile_runs_on_its_pools_alone_and_tries_them_in_its_order() -> None:
    small, large = values(unmonitored())["profiles"]
    assert small["node_selector_terms"] == [GENERAL, MEMORY]
    weights = {json.dumps(one["preference"]): one["weight"] for one in small["preferred"]}
    assert weights[json.dumps(GENERAL)] > weights[json.dumps(MEMORY)] > 0
    assert large["node_selector_terms"] == [MEMORY]
    assert large["preferred"] == []


def test_a_profile_tolerates_the_taints_of_its_pools_alone() -> None:
    small, large = values(unmonitored())["profiles"]
    assert small["tolerations"] == [DEDICATED]
    assert large["tolerations"] == []
