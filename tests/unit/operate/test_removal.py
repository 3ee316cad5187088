"""The order in which a stack is taken away, and what a failure half way leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.namespaces import NamespaceNames
from operate.removal import Stack, purge, take_down
from operate.steps import OperationError, Steps
from tests.unit.operate.clusters import state

NAMES = NamespaceNames(instance="elab")
HUB = "urn:pulumi:prod::elab::elab:hub:Hub$kubernetes:apps/v1:Deployment::hub-hub-deployment"
VOLUMES = {
    "items": [
        {
            "metadata": {"name": name},
            "spec": {"claimRef": {"namespace": owner}, "persistentVolumeReclaimPolicy": policy},
        }
        for name, owner, policy in (
            ("theirs", "elab-users", "Retain"),
            ("goes-by-itself", "elab-users", "Delete"),
            ("foreign", "elab-dev-users", "Retain"),
        )
    ]
}


def _resource(kind: str, name: str, namespace: str | None = None, **flags: bool) -> dict[str, Any]:
    urn = HUB if kind == "kubernetes:apps/v1:Deployment" and name == "hub" else f"urn:pulumi:prod::elab::{kind}::{name}"
    return {"urn": urn, "type": kind, "inputs": {"metadata": {"name": name, "namespace": namespace}}, **flags}


class Running:
    """A stack that is up, and the log of what was asked of its engine and its cluster."""

    def __init__(self, *, fails: str = "nothing", made: bool = True) -> None:
        people = _resource("kubernetes:core/v1:Namespace", "elab-users", protect=True, retainOnDelete=True)
        hub = _resource("kubernetes:apps/v1:Deployment", "hub", "elab-hub")
        proxy = _resource("kubernetes:apps/v1:Deployment", "proxy", "elab-hub")
        self.state = state(people, hub, proxy) if made else state()
        self.log: list[str] = []
        self.fails = fails
        self.stack = Stack(kubectl=self._kubectl, export=lambda: self.state, put=self._put, destroy=self._destroy)

    def _kubectl(self, *arguments: str, text: str | None = None) -> str:
        self.log.append(" ".join(arguments))
        if arguments[0] == "patch" == self.fails:
            raise OperationError("it does not answer")
        return json.dumps(VOLUMES) if "persistentvolumes" in arguments else "namespace/elab-users"

    def _put(self, new: dict[str, Any]) -> None:
        self.state = new

    def _destroy(self, *options: str) -> None:
        guarded = [one["urn"] for one in self._resources() if one.get("protect")]
        self.log.append(f"destroy {' '.join(options)}".strip())
        if not options and self.fails == "destroy":
            raise OperationError("a finalizer hangs")
        gone = [option.removeprefix("--target=") for option in options if option.startswith("--target")]
        left = [one for one in self._resources() if one["urn"] not in gone] if gone else []
        if "--exclude-protected" in options:
            left = [one for one in self._resources() if one["urn"] in guarded]
        self.state = state(*left)

    def _resources(self) -> list[dict[str, Any]]:
        return self.state["deployment"]["resources"]


def test_the_hub_goes_before_servers_which_it_would_start_again_and_they_before_what_isolates_them() -> None:
    running = Running()
    take_down(running.stack, NAMES, Steps())
    asked = [line for line in running.log if not line.startswith("get")]
    assert asked[0] == f"destroy --target={HUB}"
    assert asked[1].startswith("-n elab-users delete pods --all --wait")
    assert asked[2:] == ["destroy --exclude-protected"]


@pytest.mark.parametrize("away", [take_down, purge])
def test_a_stack_that_made_nothing_leaves_people_and_volumes_of_its_namesake_alone(away: Any) -> None:  # noqa: ANN401
    running = Running(made=False)
    away(running.stack, NAMES, Steps())
    assert [line for line in running.log if "pods" in line or "patch" in line or "target" in line] == []


def test_a_purge_deletes_what_was_protected_and_then_the_volumes_that_are_left_of_it() -> None:
    running = Running()
    purge(running.stack, NAMES, Steps())
    assert running.state["deployment"]["resources"] == []
    (patched,) = [at for at, line in enumerate(running.log) if line.startswith("patch")]
    assert patched > running.log.index("destroy")
    assert "persistentvolume theirs " in running.log[patched]
    assert '"Delete"' in running.log[patched]


def test_a_purge_that_fails_leaves_data_protected_and_volumes_retained() -> None:
    running = Running(fails="destroy")
    with pytest.raises(OperationError, match="finalizer"):
        purge(running.stack, NAMES, Steps())
    people, proxy = running.state["deployment"]["resources"]
    assert people["protect"]
    assert people["retainOnDelete"]
    assert "protect" not in proxy
    assert [line for line in running.log if line.startswith("patch")] == []


def test_volumes_that_can_not_be_freed_are_told_with_the_command_since_the_stack_has_forgotten_them() -> None:
    with pytest.raises(OperationError, match=r"elab-users stay; for each of them: kubectl patch pv"):
        purge(Running(fails="patch").stack, NAMES, Steps())
