"""The namespaces: what each admits, the bounds of the one where people work, and data that deleting one would take."""

from __future__ import annotations

from typing import Any

import pytest

from stackfile.quantities import Bytes, Cpu
from tests.harness.platform import CLOUDS, objects, platform, resource, waits_for

ADMITS = {
    "elab-hub": "restricted",
    "elab-users": "restricted",
    "elab-placeholders": "restricted",
    "elab-monitoring": "restricted",
    "elab-logging": "restricted",
    "elab-node": "privileged",
}
HOLD_CLAIMS = {"elab-hub", "elab-users", "elab-monitoring", "elab-logging"}
CLAIMS = {"hub-db", "prometheus-data", "alertmanager-data", "pushgateway-data"}
PROTECTED = {"protection": {"protect": True}}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_only_the_agents_namespace_admits_more_than_restricted(cloud: str) -> None:
    found = objects(platform(CLOUDS[cloud]), "Namespace")
    label = "pod-security.kubernetes.io"
    assert {name: body["metadata"]["labels"][f"{label}/enforce"] for name, body in found.items()} == ADMITS
    assert {body["metadata"]["labels"][f"{label}/audit"] for body in found.values()} == {"restricted"}


def test_every_object_lies_in_a_namespace_of_the_platform_or_is_named_for_it() -> None:
    for one in platform().kubernetes():
        metadata = one.inputs["metadata"]
        assert any(name.startswith("elab-") for name in (metadata.get("namespace", ""), metadata["name"])), one.urn


def test_the_quota_stands_above_all_that_the_pools_can_hold() -> None:
    """Quota refuses before scheduling: a quota that binds first would keep the autoscaler from ever adding a node."""
    hard = objects(platform(), "ResourceQuota")["elab-users/backstop"]["spec"]["hard"]
    cpu, memory = 3 * 7500 + 2 * 15500, (3 * 28 + 2 * 250) * 2**30
    assert cpu < Cpu(hard["requests.cpu"]).millicores <= 1.2 * cpu
    assert memory < Bytes(hard["requests.memory"]).bytes <= 1.2 * memory
    assert 5 * 110 < int(hard["count/pods"]) <= 1.2 * 5 * 110


def test_no_service_can_be_made_where_people_work() -> None:
    hard = objects(platform(), "ResourceQuota")["elab-users/backstop"]["spec"]["hard"]
    assert hard["count/services"] == "0"


def test_quota_bounds_the_users_namespace_alone() -> None:
    assert set(objects(platform(), "ResourceQuota")) == {"elab-users/backstop"}


def test_no_container_of_a_person_exceeds_the_largest_profile_on_each_count() -> None:
    (limits,) = objects(platform(), "LimitRange")["elab-users/servers"]["spec"]["limits"]
    assert limits["max"] == {"cpu": "4", "memory": "32Gi"}
    assert limits["type"] == "Container"


def test_a_container_that_states_nothing_gets_the_default_profile() -> None:
    (limits,) = objects(platform(), "LimitRange")["elab-users/servers"]["spec"]["limits"]
    assert limits["defaultRequest"] == {"cpu": "500m", "memory": "2Gi"}
    assert limits["default"] == {"cpu": "4", "memory": "4Gi"}


def guarded(changes: dict[str, Any]) -> dict[str, set[str]]:
    """What is protected and retained, by kind; both or neither."""
    found: dict[str, set[str]] = {}
    for one in platform(changes).resources:
        assert one.protect == one.retain_on_delete, one.urn
        if one.protect:
            kind = one.type.rpartition(":")[2]
            found.setdefault(kind, set()).add(str(one.inputs.get("metadata", {}).get("name", one.name)))
    return found


@pytest.mark.parametrize("changes", [{"environment": "prod"}, PROTECTED], ids=["prod", "dev-protects"])
def test_claims_keys_and_the_namespaces_that_hold_claims_are_protected(changes: dict[str, Any]) -> None:
    """Deleting a namespace would delete people's disks in it, which the program never registered."""
    found = guarded(changes)
    assert found.pop("Namespace") == HOLD_CLAIMS
    assert found.pop("PersistentVolumeClaim") == CLAIMS
    assert len(found.pop("RandomBytes")) == len(platform(changes).of_type("random:index/randomBytes:RandomBytes")) > 5
    assert found == {}


@pytest.mark.parametrize(
    "changes", [{}, {"environment": "prod", "protection": {"protect": False}}], ids=["dev", "prod-lets-go"]
)
def test_where_nothing_is_protected_everything_goes(changes: dict[str, Any]) -> None:
    assert guarded(changes) == {}


def test_adopting_takes_over_what_an_earlier_stack_left_and_nothing_else() -> None:
    adopted = {one.import_id: one for one in platform({"protection": {"adopt": True}}).resources if one.import_id}
    claims = {f"elab-{'hub' if name == 'hub-db' else 'monitoring'}/{name}" for name in CLAIMS}
    assert set(adopted) == HOLD_CLAIMS | claims
    for import_id, one in adopted.items():
        metadata = one.inputs["metadata"]
        assert import_id.rpartition("/") == (
            metadata.get("namespace", ""),
            "/" * ("namespace" in metadata),
            metadata["name"],
        )


def test_without_adopting_nothing_is_imported() -> None:
    assert [one.urn for one in platform().resources if one.import_id] == []


def test_a_database_elsewhere_leaves_no_claim_to_protect() -> None:
    changes = {**PROTECTED, "hub.database": {"kind": "postgresql"}}
    assert guarded(changes)["PersistentVolumeClaim"] == CLAIMS - {"hub-db"}


def test_every_object_waits_for_its_namespace() -> None:
    recording = platform()
    urns = {name: resource(recording, "Namespace", name).urn for name in objects(recording, "Namespace")}
    inside = [one for one in recording.kubernetes() if one.inputs["metadata"].get("namespace") in urns]
    assert len(inside) > 40
    for one in inside:
        assert urns[one.inputs["metadata"]["namespace"]] in waits_for(recording, one.urn), one.urn
