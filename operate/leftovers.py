"""What outlives a stack: servers that nobody would watch any more, protected objects, and retained volumes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from components.namespaces import ROOMS, NamespaceNames
from operate.steps import OperationError

Kubectl = Callable[..., str]
"""Runs kubectl on the stack's cluster with these arguments, `text` on its standard input, and gives what it prints."""


def stop_servers(kubectl: Kubectl, instance: str) -> None:
    """Stop people's servers; their disks stay.

    Without a hub nobody would stop them, and without the stack's policies they would reach what they should not.
    """
    namespace = NamespaceNames(instance=instance).users
    if kubectl("get", "namespace", namespace, "-o", "name", "--ignore-not-found").strip():
        kubectl("-n", namespace, "delete", "pods", "--all", "--wait", "--timeout=120s")


def stays(state: dict[str, Any], stack: str) -> str:
    """What the exported state says that `down` left, and how to delete it."""
    kept = [
        found["urn"]
        for found in (state.get("deployment") or {}).get("resources", [])
        if found.get("protect") and found.get("custom")
    ]
    if not kept:
        return "nothing of the stack stays"
    lines = [f"  {urn.rpartition('::')[2]:<32} {urn.split('::')[2].rpartition('$')[2]}" for urn in kept]
    head = f"{len(kept)} protected objects stay, with people's data:"
    return "\n".join([head, *lines, f"to delete them for good: make purge STACK={stack}"])


def free_volumes(kubectl: Kubectl, instance: str) -> None:
    """Let the claims of the instance take their volumes with them, even where the class retains them."""
    namespaces = {NamespaceNames(instance=instance).of(room) for room in ROOMS}
    for name in _volumes(json.loads(kubectl("get", "persistentvolumes", "-o", "json")), namespaces):
        kubectl("patch", "persistentvolume", name, "-p", '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}')


def _volumes(listing: dict[str, Any], namespaces: set[str]) -> Iterator[str]:
    for volume in listing["items"]:
        if (volume["spec"].get("claimRef") or {}).get("namespace") in namespaces:
            yield volume["metadata"]["name"]


def confirm(stack: str) -> None:
    """Have the stack's name typed before its data are deleted.

    Raises:
        OperationError: it was not.
    """
    if input(f"this deletes people's disks and the hub's database of {stack}; type {stack} to go on: ") != stack:
        raise OperationError("nothing was deleted")
