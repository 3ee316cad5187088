"""Everything that a plan refers to is found, and each kind of dangling reference is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from planning import graph, schemas
from planning.findings import Finding
from planning.manifests import Manifest
from tests.harness.plans import Documents, changed, documents, plan

ROOM = documents(Path(__file__).parent / "room.yaml")
EXTERNAL = {"Secret/ceph/csi": "install ceph-csi"}


def _errors(found: Documents, made_by_hub: tuple[Manifest, ...] = ()) -> list[Finding]:
    return [finding for finding in graph.findings(plan(found), made_by_hub, EXTERNAL) if finding.level == "error"]


def test_a_sound_plan_has_no_errors() -> None:
    assert _errors(ROOM) == []


def test_a_sound_plan_passes_the_schemas_of_every_supported_version() -> None:
    assert list(schemas.findings(plan(ROOM))) == []


def test_what_others_must_provide_is_a_note_with_who_does() -> None:
    notes = [finding for finding in graph.findings(plan(ROOM), (), EXTERNAL) if finding.level == "info"]
    assert [(note.where, note.fix) for note in notes] == [("Secret/ceph/csi", "install ceph-csi")]


POD = "Deployment/hub:spec.template.spec"


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("Namespace/rooms", None, "Namespace/rooms"),
        ("ServiceAccount/hub", None, "ServiceAccount/rooms/hub"),
        ("ConfigMap/values", None, "ConfigMap/rooms/values"),
        ("ConfigMap/values:data.values~yaml", None, "no key values.yaml"),
        ("Secret/keys", None, "Secret/rooms/keys"),
        ("Secret/keys:stringData.token", None, "no key token"),
        ("PersistentVolumeClaim/db", None, "PersistentVolumeClaim/rooms/db"),
        ("StorageClass/disks", None, "StorageClass/disks"),
        ("StorageClass/disks:parameters.csi~storage~k8s~io/provisioner-secret-name", "cis", "Secret/ceph/cis"),
        ("PriorityClass/platform", None, "PriorityClass/platform"),
        ("Role/hub", None, "Role/rooms/hub"),
        ("RoleBinding/hub:subjects.0.name", "hob", "ServiceAccount/rooms/hob"),
        ("Service/hub", None, "Service/rooms/hub"),
        ("Service/hub:spec.selector", {"app": "hob"}, "selects no pod"),
        ("Service/hub:spec.ports.0.targetPort", "https", "has the port https"),
        ("Service/hub:spec.ports.0.targetPort", 8082, "has the port 8082"),
        ("PodDisruptionBudget/hub:spec.selector.matchLabels", {"app": "hob"}, "selects no pod"),
        ("NetworkPolicy/hub:spec.podSelector.matchLabels", {"app": "hob"}, "selects no pod"),
        ("NetworkPolicy/hub:spec.ingress.0.ports", [{"port": 8082}], "listens on none of the ports 8082"),
        ("NetworkPolicy/hub:spec.ingress.0.from.0.podSelector.matchLabels", {"app": "hob"}, "selects no pod"),
        ("Deployment/hub:spec.selector.matchLabels", {"app": "hob"}, "selects no pod"),
        (f"{POD}.serviceAccountName", "hob", "ServiceAccount/rooms/hob"),
        (f"{POD}.imagePullSecrets", [{"name": "pull"}], "Secret/rooms/pull"),
        (
            f"{POD}.volumes.0",
            {"name": "all", "projected": {"sources": [{"secret": {"name": "tls"}}]}},
            "Secret/rooms/tls",
        ),
        (f"{POD}.containers.0.envFrom", [{"configMapRef": {"name": "env"}}], "ConfigMap/rooms/env"),
        ("Ingress/entry:spec.tls", [{"secretName": "certificate"}], "Secret/rooms/certificate"),
    ],
)
def test_what_leads_nowhere_is_an_error_that_names_it(path: str, value: object, named: str) -> None:
    found = _errors(changed(ROOM, path, value))
    assert any(named in finding.what for finding in found), found


def test_an_optional_reference_may_lead_nowhere() -> None:
    volume = {"name": "extra", "configMap": {"name": "absent", "optional": True}}
    assert _errors(changed(ROOM, f"{POD}.volumes.0", volume)) == []


def test_the_pods_that_the_hub_will_make_are_part_of_the_graph() -> None:
    pod = Manifest(
        urn="",
        body={
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "person", "namespace": "rooms"},
            "spec": {"containers": [], "priorityClassName": "people"},
        },
    )
    assert [finding.what for finding in _errors(ROOM, (pod,))] == [
        "it refers to PriorityClass/people, which nothing in the plan makes"
    ]


@pytest.mark.parametrize(
    ("path", "value", "versions"),
    [
        (f"{POD}.containers.0.imagePulPolicy", "Always", ["1.32", "1.37"]),
        ("Service/hub:spec.ports.0.port", "eighty", ["1.32", "1.37"]),
        ("PodDisruptionBudget/hub:apiVersion", "policy/v1beta1", ["1.32", "1.37"]),
        # A field that came with 1.37: an older API server would drop it without a word.
        (f"{POD}.evictionResponders", [], ["1.32"]),
    ],
)
def test_what_a_supported_kubernetes_would_refuse_is_an_error(path: str, value: object, versions: list[str]) -> None:
    found = list(schemas.findings(plan(changed(ROOM, path, value))))
    assert [finding.where.rsplit(" ", 1)[1] for finding in found] == versions
