"""Every committed stack's plan is sound: schemas, references, requests, secrets, and nothing unresolved."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from components.hub.values import hub_values
from planning import checks, schemas
from planning.manifests import REDACTED, manifests
from planning.pods import missing_resources, pod_templates
from planning.recording import STACK_REFERENCE, strings_in
from planning.snapshot import snapshot
from stackfile.loader import load_stack
from tests.harness.stacks import PROJECT, STACKS, plan, recorded


@pytest.mark.parametrize("stack", STACKS)
def test_no_finding_is_an_error(stack: str) -> None:
    """Schemas of the oldest and newest Kubernetes, the reference graph, selectors, leaks: all are findings."""
    assert [finding for finding in plan(stack).findings if finding.level == "error"] == []


@pytest.mark.parametrize("version", schemas.SUPPORTED)
@pytest.mark.parametrize("stack", STACKS)
def test_every_kind_of_object_is_known_to_every_supported_kubernetes(stack: str, version: str) -> None:
    known = [manifest for manifest in plan(stack).manifests if not schemas.is_custom(manifest)]
    assert len(known) > 40
    assert [violation for manifest in known for violation in schemas.violations(manifest, version)] == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_container_has_all_four_of_requests_and_limits(stack: str) -> None:
    found = plan(stack)
    templates = [*pod_templates(found.manifests), *pod_templates(found.people.manifests)]
    assert templates
    assert {template.owner: lacking for template in templates if (lacking := missing_resources(template))} == {}


@pytest.mark.parametrize("stack", STACKS)
def test_no_secret_stands_in_clear_anywhere_in_the_plan(stack: str) -> None:
    found = plan(stack)
    secrets = {secret for secret in found.recording.secrets if len(secret) >= 8}
    assert len(secrets) >= 5
    shown = "\n".join(
        [
            *(manifest.yaml() for manifest in found.manifests),
            json.dumps([dict(entry.inputs) for entry in snapshot(found.recording).entries]),
            *_outputs(stack),
        ]
    )
    assert {secret for secret in secrets if secret in shown} == set()
    assert REDACTED in shown


def _outputs(stack: str) -> Iterator[str]:
    recording = plan(stack).recording
    for name, value in recording.outputs.items():
        if name not in recording.secret_outputs:
            yield from strings_in(value)


@pytest.mark.parametrize("stack", STACKS)
def test_all_objects_belong_to_the_one_explicit_provider(stack: str) -> None:
    recording = plan(stack).recording
    (provider,) = recording.of_type("pulumi:providers:kubernetes")
    assert {resource.provider.rpartition("::")[0] for resource in recording.kubernetes()} == {provider.urn}
    assert provider.inputs["context"]
    assert provider.inputs["clusterIdentifier"]
    assert provider.inputs["enableConfigMapMutable"] == "true"
    assert provider.inputs["enableSecretMutable"] == "true"


@pytest.mark.parametrize("stack", STACKS)
def test_no_resource_uses_a_default_provider(stack: str) -> None:
    recording = plan(stack).recording
    own = ("pulumi:providers:", STACK_REFERENCE)
    custom = [one for one in recording.resources if one.custom and not one.type.startswith(own)]
    assert [one.urn for one in custom if not one.provider] == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_has_a_component_above_it(stack: str) -> None:
    recording = plan(stack).recording
    roots = {one.type for one in recording.resources if one.parent.endswith(f"elab-{stack}") and one.custom}
    assert all(kind.startswith(("pulumi:providers:", STACK_REFERENCE)) for kind in roots), roots


def test_data_is_protected_in_prod_and_free_in_dev() -> None:
    for stack, guarded in (("prod", True), ("dev", False)):
        entries = snapshot(plan(stack).recording).entries
        holders = [
            entry for entry in entries if entry.kind in ("PersistentVolumeClaim", "RandomBytes", "RandomPassword")
        ]
        people = next(entry for entry in entries if entry.identity.endswith("-users") and entry.kind == "Namespace")
        assert {(entry.protect, entry.retain) for entry in (*holders, people)} == {(guarded, guarded)}, stack


def test_two_instances_in_one_cluster_share_no_object() -> None:
    storage = json.loads(load_stack(PROJECT, "dev").config["elab:storage"])
    other = recorded("dev", {"instance": "second", "storage": {**storage, "class_name": "second-rbd"}})
    first = {manifest.key for manifest in plan("dev").manifests}
    second = {manifest.key for manifest in manifests(other)}
    assert len(first) == len(second)
    assert first & second == set()


@pytest.mark.parametrize("stack", STACKS)
def test_selectors_hold_no_version_and_separate_instances(stack: str) -> None:
    for manifest in plan(stack).manifests:
        if manifest.kind in ("Deployment", "StatefulSet", "DaemonSet"):
            labels = manifest.body["spec"]["selector"]["matchLabels"]
            assert "app.kubernetes.io/instance" in labels, manifest.key
            assert "app.kubernetes.io/version" not in labels, manifest.key


@pytest.mark.parametrize("stack", ["local", "openshift-prod", "prod"])
def test_a_second_run_of_the_program_plans_the_same(stack: str) -> None:
    assert snapshot(recorded(stack, {})) == snapshot(plan(stack).recording)


@pytest.mark.parametrize("stack", STACKS)
def test_images_are_never_latest(stack: str) -> None:
    found = checks.images((*plan(stack).manifests, *plan(stack).people.manifests))
    assert found
    assert [image for image in found if ":" not in image.rpartition("/")[2] or image.endswith(":latest")] == []


@pytest.mark.parametrize("stack", STACKS)
def test_written_manifests_are_plain_yaml(stack: str) -> None:
    for manifest in plan(stack).manifests:
        assert yaml.load(manifest.yaml(), yaml.CSafeLoader) == manifest.body


@pytest.mark.parametrize("stack", STACKS)
def test_people_are_planned_by_the_very_values_that_the_hub_reads(stack: str) -> None:
    found = plan(stack)
    (values,) = (manifest for manifest in found.manifests if manifest.name == "hub-values")
    planned = json.loads(json.dumps(hub_values(found.subject.settings.values_args)))
    assert planned == json.loads(values.body["data"]["values.json"])


@pytest.mark.parametrize("stack", STACKS)
def test_the_puller_has_exactly_the_images_that_people_can_choose_in_its_pool(stack: str) -> None:
    found = plan(stack)
    pods = {manifest.name: manifest.body for manifest in found.people.manifests if manifest.kind == "Pod"}
    for pool in found.pools:
        (daemon,) = (manifest for manifest in found.manifests if manifest.name == f"puller-{pool.name}")
        pulled = {one["image"] for one in daemon.body["spec"]["template"]["spec"]["initContainers"]}
        chosen = {
            pods[f"a-person-with-{profile.name}-and-{key}"]["spec"]["containers"][0]["image"]
            for profile in found.subject.settings.users.profiles
            if pool.name in profile.pools
            for key in profile.images
        }
        assert pulled == chosen, pool.name
