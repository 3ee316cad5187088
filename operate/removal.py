"""Taking a stack away: nobody works without isolation meanwhile, and where it fails half way data are still guarded."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.namespaces import ROOMS, NamespaceNames
from operate import rig
from operate.leftovers import Kubectl, free_volumes, stop_servers
from operate.release import guarded, released, resources
from operate.steps import OperationError, Steps

State = dict[str, Any]
"""An exported state."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack's engine and its cluster."""

    kubectl: Kubectl
    export: Callable[[], State]
    put: Callable[[State], None]
    destroy: Callable[..., None]
    """Takes options of `pulumi destroy`; asks nothing."""


def stack_in_lab(project: Path, stack: str) -> Stack:
    """A stack that the lab's engine keeps."""
    return Stack(
        kubectl=rig.kubectl,
        export=lambda: rig.pulumi_json(project, stack, "stack", "export"),
        put=lambda state: _put_in_lab(project, stack, state),
        destroy=lambda *options: rig.pulumi("destroy", project, stack, *options),
    )


def _put_in_lab(project: Path, stack: str, state: State) -> None:
    rig.pulumi_cli(project, stack, ["stack", "import", "--stack", stack], text=json.dumps(state))


def take_down(stack: Stack, names: NamespaceNames, steps: Steps) -> None:
    """Everything but what is protected.

    Raises:
        OperationError: a step failed; the same command goes on from there.
    """
    _quiet(stack, stack.export(), names, steps)
    with steps.step("pulumi destroy"):
        stack.destroy("--exclude-protected")


def purge(stack: Stack, names: NamespaceNames, steps: Steps) -> None:
    """Everything, data and retained volumes too. What a failure leaves is protected again.

    Raises:
        OperationError: a step failed; the same command goes on from there.
    """
    before = stack.export()
    owned = set(_namespaces(before, names))
    _quiet(stack, before, names, steps)
    with steps.step("pulumi destroy, protected objects too"):
        stack.put(released(stack.export()))
        try:
            stack.destroy()
        except (OperationError, KeyboardInterrupt):
            stack.put(guarded(stack.export(), before))
            raise
    with steps.step("retained volumes"):
        free_volumes(stack.kubectl, owned)


def _quiet(stack: Stack, state: State, names: NamespaceNames, steps: Steps) -> None:
    """Stop the hub, and then people's servers; of another stack of this name in the cluster, nothing.

    The hub would start servers for whoever is cut off. It goes by the engine, so that an `up` brings it back if what
    follows fails.
    """
    if names.users not in _namespaces(state, names):
        return
    with steps.step("the hub and people's servers"):
        if targets := [f"--target={urn}" for urn in _hub(state, names)]:
            stack.destroy(*targets)
        stop_servers(stack.kubectl, names.users)


def _namespaces(state: State, names: NamespaceNames) -> list[str]:
    """The instance's namespaces that the stack has made."""
    made = {_named(one) for one in resources(state) if one["type"] == "kubernetes:core/v1:Namespace"}
    return [name for name in map(names.of, ROOMS) if (None, name) in made]


def _hub(state: State, names: NamespaceNames) -> Iterator[str]:
    for one in resources(state):
        if one["type"] == "kubernetes:apps/v1:Deployment" and _named(one) == (names.hub, "hub"):
            yield one["urn"]


def _named(resource: dict[str, Any]) -> tuple[str | None, str | None]:
    metadata = resource.get("inputs", {}).get("metadata", {})
    return metadata.get("namespace"), metadata.get("name")
