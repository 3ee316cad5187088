"""Custom resources are checked against elab's own schemas of their kinds, and one without a schema is told of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from planning import schemas
from planning.findings import Finding
from planning.manifests import Manifest, manifests
from tests.harness.plans import Documents, changed, documents, plan
from tests.harness.platform import ENTRIES, unmonitored
from tests.harness.stacks import plan as stack_plan

KINDS = documents(Path(__file__).with_name("custom.yaml"))
CRDS = sorted(Path(schemas.__file__).with_name("crds").glob("*.json"))
ROUTE = "HTTPRoute/hub:spec"
RULE = f"{ROUTE}.rules.0"
SNAPSHOTS = "VolumeSnapshotClass/disks"


def _found(documents: Documents) -> list[Finding]:
    return list(schemas.findings(plan(documents)))


def test_every_field_that_elab_may_use_passes() -> None:
    assert _found(KINDS) == []


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (f"{ROUTE}.hostname", "jupyter.example.org", "spec: "),
        (f"{ROUTE}.hostnames.0", "https://jupyter.example.org", "spec.hostnames.0: "),
        (f"{ROUTE}.parentRefs.0.gateway", "public", "spec.parentRefs.0: "),
        (f"{ROUTE}.rules", [], "spec.rules: "),
        (f"{RULE}.timeout", "1h", "spec.rules.0: "),
        (f"{RULE}.timeouts.request", "86400", "spec.rules.0.timeouts.request: "),
        (f"{RULE}.timeouts.request", "1.5h", "spec.rules.0.timeouts.request: "),
        (f"{RULE}.timeouts.request", "24hours", "spec.rules.0.timeouts.request: "),
        (f"{RULE}.timeouts.request", "100000s", "spec.rules.0.timeouts.request: "),
        (f"{RULE}.timeouts.connect", "1s", "spec.rules.0.timeouts: "),
        (f"{RULE}.matches.0.path.type", "Prefix", "spec.rules.0.matches.0.path.type: "),
        (f"{RULE}.matches.0.path.value", "grafana", "spec.rules.0.matches.0.path.value: "),
        (f"{RULE}.matches.0.path.value", "/a//b", "spec.rules.0.matches.0.path.value: "),
        (f"{RULE}.matches.0.header", "a", "spec.rules.0.matches.0: "),
        (f"{RULE}.backendRefs.0", {"name": "hub"}, "spec.rules.0.backendRefs.0: "),
        (f"{RULE}.backendRefs.0.port", "http", "spec.rules.0.backendRefs.0.port: "),
        ("HTTPRoute/hub:metadata.annotations", {"a": 600}, "metadata.annotations.a: "),
        (f"{SNAPSHOTS}:deletionPolicy", "Keep", "deletionPolicy: "),
        (f"{SNAPSHOTS}:parameters.pool", 3, "parameters.pool: "),
        (f"{SNAPSHOTS}:provisioner", "rbd.csi.ceph.com", "VolumeSnapshotClass: "),
        (f"{SNAPSHOTS}:metadata.namespace", "rooms", "metadata: "),
        ("Route/hub:spec.tls.certificate", "PEM", "spec.tls: "),
        ("Route/hub:spec.host", "https://jupyter.example.org", "spec.host: "),
        ("NodePool/elab-general:spec.disruption.consolidationPolicy", "WhenUnderutilized", "spec.disruption."),
        ("NodePool/elab-general:spec.disruption.expireAfter", "Never", "spec.disruption: "),
        ("NodePool/elab-general:spec.limits.cpu", "many", "spec.limits.cpu: "),
        ("EC2NodeClass/elab-people:spec.amiFamily", "AL2", "spec: "),
        ("EC2NodeClass/elab-people:spec.metadataOptions.httpTokens", "forbidden", "spec.metadataOptions."),
        ("ClusterAutoscaler/default:spec.podPriorityThreshold", "-10", "spec.podPriorityThreshold: "),
        ("ClusterAutoscaler/default:metadata.name", "elab", "metadata.name: "),
        ("MachineAutoscaler/elab-workers-a:spec.maxReplicas", 0, "spec.maxReplicas: "),
        ("SecurityContextConstraints/elab-node-exporter:runAsUser.type", "Anything", "runAsUser.type: "),
        ("SecurityContextConstraints/elab-node-exporter:spec", {}, "SecurityContextConstraints: "),
    ],
)
def test_what_the_cluster_would_refuse_or_drop_is_an_error_at_its_place(path: str, value: object, what: str) -> None:
    (found,) = _found(changed(KINDS, path, value))
    assert found.level == "error"
    assert found.what.startswith(what)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("HTTPRoute/hub:apiVersion", "gateway.networking.k8s.io/v1beta1"),
        (f"{SNAPSHOTS}:kind", "VolumeGroupSnapshotClass"),
    ],
    ids=["another version", "another kind"],
)
def test_a_custom_resource_without_a_schema_is_a_warning_that_says_what_to_write(path: str, value: str) -> None:
    (found,) = _found(changed(KINDS, path, value))
    assert found.level == "warning"
    assert value in found.what
    assert "planning/crds/" in found.fix


def _custom(plan: tuple[Manifest, ...], kind: str) -> tuple[Manifest, ...]:
    found = tuple(manifest for manifest in plan if schemas.is_custom(manifest))
    assert {manifest.kind for manifest in found} == {kind}
    return found


def test_the_snapshot_class_of_prod_passes() -> None:
    assert list(schemas.findings(_custom(stack_plan("prod").manifests, "VolumeSnapshotClass"))) == []


@pytest.mark.parametrize("listener", [{}, {"entry.listener": "https"}], ids=["any listener", "one listener"])
def test_the_routes_of_a_gateway_pass(listener: dict[str, Any]) -> None:
    recording = unmonitored({**ENTRIES["gateway"], **listener})
    assert list(schemas.findings(_custom(manifests(recording), "HTTPRoute"))) == []


def _objects(schema: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 (JSON)
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from _objects(part)


@pytest.mark.parametrize("file", CRDS, ids=[file.stem for file in CRDS])
def test_no_schema_lets_an_unknown_field_through_and_each_names_its_version(file: Path) -> None:
    schema = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert [one for one in _objects(schema) if "additionalProperties" not in one] == []
    assert schema["properties"]["kind"]["const"] == file.stem
    assert any(digit in schema["description"] for digit in "0123456789")
