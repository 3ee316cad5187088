"""What a pod asks for, as the scheduler counts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planning.pods import Requests, missing_resources, pod_template, pod_templates
from planning.rooms import reserve_owners, room_of, totals
from tests.harness.plans import changed, documents, plan

ROOM = documents(Path(__file__).parent / "room.yaml")
POD = "Deployment/hub:spec.template.spec"
GI = 2**30


def test_a_large_init_container_counts_instead_of_the_containers_that_follow() -> None:
    (template,) = pod_templates(plan(ROOM))
    assert template.requests == Requests(cpu=200, memory=GI, cpu_limit=2000, memory_limit=GI, disks=1)


def test_a_sidecar_counts_beside_the_containers() -> None:
    (template,) = pod_templates(plan(changed(ROOM, f"{POD}.initContainers.0.restartPolicy", "Always")))
    expected = Requests(cpu=250, memory=GI + GI // 2, cpu_limit=2050, memory_limit=2 * GI, disks=1)
    assert template.requests == expected


def test_disks_are_the_pods_own_claims_and_what_is_shared_to_be_read_is_none() -> None:
    shared = {"name": "data", "persistentVolumeClaim": {"claimName": "data", "readOnly": True}}
    volumes = [*ROOM["Deployment/hub"]["spec"]["template"]["spec"]["volumes"], shared]
    (template,) = pod_templates(plan(changed(ROOM, f"{POD}.volumes", volumes)))
    assert template.requests.disks == 1
    body = {**ROOM["Deployment/hub"], "kind": "StatefulSet"}
    body["spec"] = {**body["spec"], "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}
    (manifest,) = plan({"StatefulSet/hub": body})
    stateful = pod_template(manifest)
    assert stateful is not None
    assert stateful.requests.disks == 2


@pytest.mark.parametrize("side", ["requests", "limits"])
@pytest.mark.parametrize("what", ["cpu", "memory"])
@pytest.mark.parametrize("container", ["initContainers", "containers"])
def test_a_container_without_a_request_or_limit_is_named(container: str, what: str, side: str) -> None:
    (template,) = pod_templates(plan(changed(ROOM, f"{POD}.{container}.0.resources.{side}.{what}", None)))
    assert missing_resources(template) == ["prepare" if container == "initContainers" else "hub"]


def test_totals_count_replicas_and_disks_and_set_placeholders_apart() -> None:
    found: dict[str, Any] = changed(ROOM, "Deployment/hub:spec.replicas", 3)
    count = totals(plan(found), ())
    assert (count.all_rooms.pods, count.all_rooms.requests.cpu, count.all_rooms.storage) == (3, 600, 2 * GI)
    preemptible = changed(found, "PriorityClass/platform:value", -10)
    assert reserve_owners(plan(preemptible)) == {"rooms/deployment-hub"}
    count = totals(plan(preemptible), ())
    assert (count.all_rooms.pods, count.reserve.pods) == (0, 3)


def test_a_daemon_set_has_no_replicas_of_its_own() -> None:
    body = {**ROOM["Deployment/hub"], "kind": "DaemonSet"}
    (manifest,) = plan({"DaemonSet/hub": body})
    template = pod_template(manifest)
    assert template is not None
    assert template.replicas == 0


def test_the_room_is_the_outermost_component() -> None:
    assert room_of("urn:pulumi:s::elab::elab:hub:Hub$elab:other:Proxy$kubernetes:core/v1:Service::x") == "hub"
    assert room_of("urn:pulumi:s::elab::kubernetes:core/v1:Namespace::x") == "stack"
