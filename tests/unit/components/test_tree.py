"""The tree of resources: everything below a component, by an explicit provider, under names that tell where it is."""

from __future__ import annotations

import re

import pytest

from planning.recording import STACK_TYPE, Recording
from tests.harness.platform import BUILT, CLOUDS, ENTRIES, platform, resource, waits_for

COMPONENT = re.compile(r"elab:[a-z]+:[A-Z][A-Za-z]+")


@pytest.fixture(
    params=[
        *({**CLOUDS[cloud], **ENTRIES["ingress"]} for cloud in CLOUDS),
        *(ENTRIES[entry] for entry in ENTRIES if entry != "ingress"),
        BUILT,
    ],
    ids=[*CLOUDS, *(entry for entry in ENTRIES if entry != "ingress"), "built"],
)
def recording(request: pytest.FixtureRequest) -> Recording:
    return platform(request.param)


def test_whatever_a_provider_manages_lies_below_a_component(recording: Recording) -> None:
    components = {one.urn for one in recording.resources if not one.custom and one.type != STACK_TYPE}
    managed = [one for one in recording.resources if one.custom and not one.type.startswith("pulumi:providers:")]
    assert len(managed) > 40
    assert [one.urn for one in managed if one.parent not in components] == []


def test_every_component_has_a_type_of_its_own_room_and_reports_its_end(recording: Recording) -> None:
    for one in recording.resources:
        if not one.custom and one.type != STACK_TYPE:
            assert COMPONENT.fullmatch(one.type), one.urn
            assert one.urn in recording.registered_outputs, one.urn


def test_a_childs_name_begins_with_its_parents(recording: Recording) -> None:
    names = {one.urn: one.name for one in recording.resources if one.type != STACK_TYPE}
    for one in recording.resources:
        if one.parent in names:
            assert one.name.startswith(f"{names[one.parent]}-"), one.urn


def test_every_resource_names_its_provider(recording: Recording) -> None:
    """None is made for want of one: it would take whatever cluster the shell happens to point at."""
    providers = {one.urn for one in recording.resources if one.type.startswith("pulumi:providers:")}
    for one in recording.resources:
        if one.custom and one.urn not in providers:
            assert one.provider.rpartition("::")[0] in providers, one.urn
            package = one.type.partition(":")[0]
            assert f"pulumi:providers:{package}::" in one.provider, one.urn


def test_docker_is_no_provider_of_a_stack_that_builds_nothing() -> None:
    assert platform().of_type("pulumi:providers:docker-build") == []
    assert len(platform(BUILT).of_type("pulumi:providers:docker-build")) == 1


def test_the_hub_never_waits_for_the_puller() -> None:
    """One slow node, or an image that is missing, would hold a security fix of the hub back."""
    found = platform()
    waited = waits_for(found, resource(found, "Deployment", "elab-hub/hub").urn)
    # Their namespace, policies and priorities come first; what waits for a node does not.
    workloads = [urn for urn in waited if "::kubernetes:apps" in urn or "$kubernetes:apps" in urn]
    assert [urn for urn in workloads if "puller" in urn.lower() or "placeholder" in urn.lower()] == []


@pytest.mark.parametrize(
    ("kind", "identity"),
    [
        ("Deployment", "elab-hub/hub"),
        ("Deployment", "elab-hub/proxy"),
        ("Deployment", "elab-hub/user-scheduler"),
        ("Deployment", "elab-placeholders/placeholder-general"),
        ("DaemonSet", "elab-placeholders/puller-general"),
    ],
)
def test_a_workload_waits_for_its_priority_class(kind: str, identity: str) -> None:
    """Admission refuses a pod whose class is not there."""
    found = platform()
    workload = resource(found, kind, identity)
    wanted = workload.inputs["spec"]["template"]["spec"]["priorityClassName"]
    assert resource(found, "PriorityClass", wanted).urn in waits_for(found, workload.urn)
