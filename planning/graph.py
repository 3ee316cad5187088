"""Whether everything that a plan refers to is there: in the plan, in every cluster, or where its owner must put it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from . import selectors
from .findings import Finding
from .manifests import Manifest
from .references import Reference, references

# What the API server or its controllers make in every cluster.
_IN_EVERY_CLUSTER = {
    "Namespace": {"default", "kube-system", "kube-public", "kube-node-lease"},
    "PriorityClass": {"system-cluster-critical", "system-node-critical"},
    "ClusterRole": {"cluster-admin", "admin", "edit", "view"},
    "ServiceAccount": {"default"},
    "ConfigMap": {"kube-root-ca.crt"},
}


def findings(
    plan: tuple[Manifest, ...], made_by_hub: tuple[Manifest, ...] = (), external: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """Every reference and selector of the plan that leads nowhere.

    `made_by_hub` are the pods and claims that KubeSpawner will make. `external` names what others must put into the
    cluster (`Kind/namespace/name`) with who does so: a note, not an error.
    """
    everything = (*plan, *made_by_hub)
    known = {(manifest.kind, manifest.namespace, manifest.name): manifest for manifest in everything}
    expected = dict(external or {})
    noted: dict[str, Finding] = {}
    for reference in references(everything):
        target = known.get((reference.kind, reference.namespace, reference.name))
        if target:
            yield from _keys(reference, target)
        elif _in_every_cluster(reference):
            continue
        elif reference.target in expected:
            noted[reference.target] = Finding(
                level="info",
                where=reference.target,
                what=f"must be in the cluster before an up; {reference.by} uses it",
                fix=expected[reference.target],
            )
        else:
            yield Finding(
                level="error",
                where=f"{reference.by}, {reference.at}",
                what=f"it refers to {reference.target}, which nothing in the plan makes",
                fix="register it, or correct the name",
            )
    yield from noted.values()
    yield from selectors.findings(everything)


def _in_every_cluster(reference: Reference) -> bool:
    built_in = reference.name in _IN_EVERY_CLUSTER.get(reference.kind, set())
    return built_in or (reference.kind in ("ClusterRole", "Role") and reference.name.startswith("system:"))


def _keys(reference: Reference, target: Manifest) -> Iterator[Finding]:
    held = {key for field in ("data", "stringData", "binaryData") for key in target.body.get(field) or {}}
    for key in reference.keys:
        if key not in held:
            yield Finding(
                level="error",
                where=f"{reference.by}, {reference.at}",
                what=f"{reference.target} has no key {key}; it has {', '.join(sorted(held)) or 'none'}",
                fix="correct the key",
            )
