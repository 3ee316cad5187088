"""What outlives a stack: servers that nobody would watch any more, protected objects, and retained volumes."""

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from operate.release import resources
from operate.steps import OperationError

Kubectl = Callable[..., str]
"""Runs kubectl on the stack's cluster with these arguments, `text` on its standard input, and gives what it prints."""


def stop_servers(kubectl: Kubectl, namespace: str) -> None:
    """Stop people's servers, which are all that is in this namespace; their disks stay.

    Without a hub nobody would stop them, and without the stack's policies they would reach what they should not.
    """
    if kubectl("get", "namespace", namespace, "-o", "name", "--ignore-not-found").strip():
        kubectl("-n", namespace, "delete", "pods", "--all", "--wait", "--timeout=120s")


def stays(state: dict[str, Any], stack: str) -> str:
    """What the exported state says that `down` left, and how to delete it."""
    kept = [found["urn"] for found in resources(state) if found.get("protect") and found.get("custom")]
    if not kept:
        return "nothing of the stack stays"
    lines = [f"  {urn.rpartition('::')[2]:<32} {urn.split('::')[2].rpartition('$')[2]}" for urn in kept]
    head = f"{len(kept)} protected objects stay, with people's data:"
    return "\n".join([head, *lines, f"to delete them for good: make purge STACK={stack}"])


def free_volumes(kubectl: Kubectl, namespaces: Collection[str]) -> None:
    """Have the volumes deleted that the claims of these namespaces left behind, since their class retains them.

    Raises:
        OperationError: with the command that does it by hand: the stack knows nothing of them any more.
    """
    patch = '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'
    try:
        for name in _retained(json.loads(kubectl("get", "persistentvolumes", "-o", "json")), namespaces):
            kubectl("patch", "persistentvolume", name, "-p", patch)
    except OperationError as error:
        raise OperationError(
            f"{error}\nall but the volumes was deleted; those whose CLAIM `kubectl get pv` shows in "
            f"{', '.join(sorted(namespaces))} stay; for each of them: kubectl patch pv <name> -p '{patch}'"
        ) from None


def _retained(listing: dict[str, Any], namespaces: Collection[str]) -> Iterator[str]:
    for volume in listing["items"]:
        spec = volume["spec"]
        theirs = (spec.get("claimRef") or {}).get("namespace") in namespaces
        if theirs and spec.get("persistentVolumeReclaimPolicy") == "Retain":
            yield volume["metadata"]["name"]


def confirm(stack: str, loses: str) -> None:
    """Have the stack's name typed before something is lost.

    Raises:
        OperationError: it was not.
    """
    if input(f"this {loses}; type {stack} to go on: ") != stack:
        raise OperationError("nothing was deleted")
