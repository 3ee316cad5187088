"""The namespaces of one elab, and what each admits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from components.kit import DataPolicy, Labels

Level = Literal["restricted", "privileged"]

ROOMS: Mapping[str, Level] = {
    "hub": "restricted",
    "users": "restricted",
    "placeholders": "restricted",
    "monitoring": "restricted",
    "logging": "restricted",
    # Agents that read the host's files and its journal; nothing else lives there.
    "node": "privileged",
}
"""Every namespace by its room, with the Pod Security level that it enforces."""

ROOMS_WITH_DATA = ("hub", "users", "monitoring", "logging")
"""Rooms whose namespaces hold claims: deleting the namespace would delete the disks with it."""


@dataclass(frozen=True, kw_only=True)
class NamespaceNames:
    """The namespaces' names; every room of one instance finds its own here."""

    instance: str

    def of(self, room: str) -> str:
        """The namespace of a room."""
        if room not in ROOMS:
            raise KeyError(room)
        return f"{self.instance}-{room}"

    @property
    def hub(self) -> str:
        """Where hub, proxy and user scheduler live."""
        return self.of("hub")

    @property
    def users(self) -> str:
        """Where people's servers and disks live, and nothing else."""
        return self.of("users")

    @property
    def placeholders(self) -> str:
        """Where placeholders wait, apart from people's quota."""
        return self.of("placeholders")


@dataclass(frozen=True, kw_only=True)
class NamespacesArgs:
    """What the namespaces are made of."""

    names: NamespaceNames
    data: DataPolicy


def namespace(names: NamespaceNames, room: str) -> core.NamespaceInitArgs:
    """A room's namespace; the audit log goes by `restricted` everywhere."""
    labels = Labels(instance=names.instance, room=room, component="namespace")
    security = {
        "pod-security.kubernetes.io/enforce": ROOMS[room],
        "pod-security.kubernetes.io/warn": ROOMS[room],
        "pod-security.kubernetes.io/audit": "restricted",
    }
    return core.NamespaceInitArgs(
        metadata=meta.ObjectMetaArgs(name=names.of(room), labels={**labels.all(), **security})
    )


class Namespaces(pulumi.ComponentResource):
    """The platform's namespaces."""

    names: dict[str, pulumi.Output[str]]
    """Each room's namespace, known once it is there."""

    def __init__(self, name: str, args: NamespacesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:isolation:Namespaces", name, None, opts)
        plain = pulumi.ResourceOptions(parent=self)
        self.names = {}
        for room in ROOMS:
            holds_data = room in ROOMS_WITH_DATA
            options = args.data.options(self, args.names.of(room)) if holds_data else plain
            made = core.Namespace(f"{name}-{room}", namespace(args.names, room), options)
            self.names[room] = made.metadata.name  # type: ignore[assignment]  the SDK types it as optional
        self.register_outputs({"names": self.names})
