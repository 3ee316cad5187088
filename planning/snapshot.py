"""A plan as plain JSON: what two commits are compared by, so that each is planned by its own code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .figures import Figures
from .manifests import REDACTED, Manifest, manifests
from .recording import STACK_TYPE, Recorded, Recording, strings_in

FORMAT = 1
"""Raised when a field changes its meaning: snapshots of different formats are not compared."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One managed resource: its options, and its inputs with secrets redacted."""

    urn: str
    former: tuple[str, ...]
    """URNs under which the engine would still know it, by its own aliases and its ancestors'."""
    type: str
    protect: bool
    retain: bool
    inputs: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """A Kubernetes kind, or the last part of another provider's type."""
        return str(self.inputs.get("kind") or self.type.rpartition(":")[2])

    @property
    def identity(self) -> str:
        """What it is in the world: kind, namespace and name of an object, or the URN of anything else."""
        if not self.type.startswith("kubernetes:"):
            return self.urn
        metadata = self.inputs["metadata"]
        return "/".join(part for part in (self.kind, metadata.get("namespace"), metadata["name"]) if part)

    @property
    def namespace(self) -> str | None:
        """An object's namespace."""
        return (self.inputs.get("metadata") or {}).get("namespace")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that a stack's program manages."""

    stack: str
    entries: tuple[Entry, ...]
    figures: Figures | None = None
    """None where the commit's own code has none."""


def snapshot(recording: Recording, figures: Figures | None = None) -> Snapshot:
    """What a recording manages by URN, secrets redacted; components are left out."""
    bodies = {manifest.urn: manifest for manifest in manifests(recording)}
    by_urn = {resource.urn: resource for resource in recording.resources}
    return Snapshot(
        stack=recording.stack,
        entries=tuple(
            _entry(resource, by_urn, bodies.get(resource.urn), recording.secrets)
            for resource in sorted(recording.resources, key=lambda resource: resource.urn)
            if resource.custom and not resource.read
        ),
        figures=figures,
    )


def _entry(
    resource: Recorded, by_urn: Mapping[str, Recorded], manifest: Manifest | None, secrets: frozenset[str]
) -> Entry:
    return Entry(
        urn=resource.urn,
        former=tuple(sorted(former_urns(resource, by_urn) - {resource.urn})),
        type=resource.type,
        protect=resource.protect,
        retain=resource.retain_on_delete,
        inputs=manifest.body if manifest else _redacted(resource.inputs, secrets),
    )


def _redacted(inputs: Mapping[str, Any], secrets: frozenset[str]) -> dict[str, Any]:
    return {
        name: REDACTED if any(text in secrets for text in strings_in(value)) else value
        for name, value in inputs.items()
    }


def former_urns(resource: Recorded, by_urn: Mapping[str, Recorded]) -> set[str]:
    """Every URN under which the engine finds the resource's old state: by its aliases, and by its ancestors'."""
    parent = by_urn.get(resource.parent)
    parents = [resource.parent]
    if parent and parent.type != STACK_TYPE:
        parents = [parent.urn, *former_urns(parent, by_urn)]
    names_and_types = [(resource.name, resource.type, parents)]
    found: set[str] = set()
    for alias in resource.aliases:
        if alias.startswith("urn:"):
            found.add(alias)
            continue
        parts = dict(part.split("=", 1) for part in alias.split(","))
        own = {"none": [""]}.get(parts["parent"], [parts["parent"]]) if "parent" in parts else parents
        names_and_types.append((parts.get("name", resource.name), parts.get("type", resource.type), own))
    prefix = "::".join(resource.urn.split("::")[:2])
    for name, type_token, owners in names_and_types:
        for owner in owners:
            found.add(_urn(prefix, owner, type_token, _renamed(name, parent, owner)))
    return found - {resource.urn}


def _urn(prefix: str, parent: str, type_token: str, name: str) -> str:
    above = parent.split("::")[2] if parent else ""
    chain = f"{above}${type_token}" if above and above != STACK_TYPE else type_token
    return f"{prefix}::{chain}::{name}"


def _renamed(name: str, parent: Recorded | None, owner: str) -> str:
    """The engine's rule: a child whose name starts with its parent's name was renamed along with its parent."""
    if parent and owner and name.startswith(parent.name):
        return owner.rpartition("::")[2] + name[len(parent.name) :]
    return name
