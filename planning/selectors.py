"""Label selectors of a plan, and whether they select anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy.rules.selectors import matches

from .findings import Finding
from .manifests import Manifest
from .pods import PodTemplate, pod_templates

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label that the API server gives every namespace."""


_OTHERS = frozenset({"acme.cert-manager.io/http01-solver"})
"""Labels of pods that are no part of any plan: cert-manager's, while it proves that the host is the stack's."""


def selects_all(selector: Mapping[str, Any]) -> bool:
    """Whether it is the empty selector, which means every pod (there may be none)."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def findings(plan: tuple[Manifest, ...]) -> Iterator[Finding]:
    """An error for each selector that selects no pod of the plan, and for each port that no selected pod listens on.

    Selectors of namespaces that the plan doesn't make (the resolver's) are left alone: their pods are not known here.
    """
    pods = list(pod_templates(plan))
    namespaces = {
        manifest.name: {**(manifest.body["metadata"].get("labels") or {}), NAMESPACE_NAME: manifest.name}
        for manifest in plan
        if manifest.kind == "Namespace"
    }
    for manifest in plan:
        match manifest.kind:
            case "Service":
                yield from _service(manifest, pods)
            case "NetworkPolicy":
                yield from _policy(manifest, pods, namespaces)
            case "PodDisruptionBudget" | "Deployment" | "StatefulSet" | "DaemonSet":
                selected = _selected(manifest.body["spec"]["selector"], pods, {manifest.namespace})
                if not selected:
                    yield _nothing(manifest, "spec.selector")


def _selected(selector: Mapping[str, Any], pods: list[PodTemplate], namespaces: set[str | None]) -> list[PodTemplate]:
    return [pod for pod in pods if pod.namespace in namespaces and matches(selector, pod.labels)]


def _nothing(manifest: Manifest, at: str) -> Finding:
    return Finding(
        level="error",
        where=f"{manifest.key}, {at}",
        what="it selects no pod of the plan",
        fix="make selector and pod labels agree",
    )


def _service(manifest: Manifest, pods: list[PodTemplate]) -> Iterator[Finding]:
    spec = manifest.body["spec"]
    if not spec.get("selector"):
        return
    selected = _selected({"matchLabels": spec["selector"]}, pods, {manifest.namespace})
    if not selected:
        yield _nothing(manifest, "spec.selector")
        return
    for port in spec.get("ports", []):
        target = port.get("targetPort", port["port"])
        for pod in selected:
            if not listens(pod, target):
                yield Finding(
                    level="error",
                    where=f"{manifest.key}, port {port.get('name', port['port'])}",
                    what=f"no container of {pod.owner} has the port {target}",
                    fix="make the Service's targetPort and a container's port agree",
                )


def listens(pod: PodTemplate, port: str | int) -> bool:
    """Whether a container of the pod declares the port, by number or by name."""
    declared = [declared for container in pod.containers for declared in container.get("ports", [])]
    return any(port in (one.get("name"), one["containerPort"]) for one in declared)


def _policy(
    manifest: Manifest, pods: list[PodTemplate], namespaces: Mapping[str, Mapping[str, str]]
) -> Iterator[Finding]:
    spec = manifest.body["spec"]
    subject = spec.get("podSelector") or {}
    governed = _selected(subject, pods, {manifest.namespace})
    if not selects_all(subject) and not governed and not _made_by_others(subject):
        yield _nothing(manifest, "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or []):
            at = f"spec.{direction}.{index}"
            reached: list[PodTemplate] = []
            for peer in rule.get(peers) or []:
                if "ipBlock" in peer:
                    continue
                chosen = _namespaces(peer, manifest, namespaces)
                if not chosen:
                    continue
                wanted = peer.get("podSelector") or {}
                found = _selected(wanted, pods, set(chosen))
                if not found and not selects_all(wanted):
                    yield _nothing(manifest, at)
                # Where every pod of a namespace is meant, not every one listens.
                reached += [] if selects_all(wanted) else found
            for target in ([] if selects_all(subject) else governed) if direction == "ingress" else reached:
                yield from _ports(manifest, at, rule, target)


def _made_by_others(selector: Mapping[str, Any]) -> bool:
    """Whether it selects pods that a controller of the cluster makes in the platform's namespaces."""
    return bool(_OTHERS & (selector.get("matchLabels") or {}).keys())


def _namespaces(peer: Mapping[str, Any], manifest: Manifest, namespaces: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The plan's namespaces that a peer means; none if it means others alone."""
    if "namespaceSelector" not in peer:
        return [manifest.namespace or "default"]
    return [name for name, labels in namespaces.items() if matches(peer["namespaceSelector"], labels)]


def _ports(manifest: Manifest, at: str, rule: Mapping[str, Any], target: PodTemplate) -> Iterator[Finding]:
    open_ports = [port["port"] for port in rule.get("ports") or [] if "port" in port and "endPort" not in port]
    if open_ports and not any(listens(target, port) for port in open_ports):
        yield Finding(
            level="error",
            where=f"{manifest.key}, {at}",
            what=f"{target.owner} listens on none of the ports {', '.join(map(str, open_ports))}",
            fix="make the policy's ports and the containers' ports agree",
        )
