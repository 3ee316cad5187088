"""Going on after a run that was killed, or with a wiped cluster: the state says less, or more, than there is."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.labkit import files
from lab.labkit.processes import start_ticks
from operate import rig

_BACKENDS = rig.HOME / "pulumi"


@dataclass(frozen=True, kw_only=True)
class Pending:
    """An object whose making was begun, with unknown end."""

    urn: str
    kind: str
    namespace: str | None
    name: str

    @property
    def id(self) -> str:
        """What the kubernetes provider calls it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def mend(stack: str, backends: Path = _BACKENDS) -> None:
    """Remove what a kill left half written beside a stack's state.

    The state itself is replaced at once, but its attributes are written in place: where that file is empty no command
    reads the state, and where it is missing all do.
    """
    if any(_lives(holder) for holder in _holders(stack, backends)):
        return
    beside = (f"stacks/*/{stack}.json*.attrs", f"locks/organization/*/{stack}/*.attrs", f"backups/*/{stack}/*.attrs")
    for file in (found for pattern in beside for found in backends.glob(f"*/.pulumi/{pattern}")):
        if not file.stat().st_size:
            file.unlink()


def recover(project: Path, stack: str) -> None:
    """Make the stack fit for the next run; nothing to do after one that ended by itself."""
    holders = _holders(stack)
    if holders and not any(map(_lives, holders)):
        print("    an earlier run was killed: removing its lock", flush=True)
        rig.pulumi("cancel", project, stack)
    state = rig.pulumi_json(project, stack, "stack", "export")
    begun = (state.get("deployment") or {}).get("pending_operations") or []
    if not begun:
        return
    found = {pending.urn: pending for pending in _creations(begun) if _exists(pending)}
    print(f"    an earlier run was killed: {len(begun)} steps have an unknown end, {len(found)} were done", flush=True)
    rig.pulumi_cli(project, stack, ["stack", "import", "--stack", stack], text=json.dumps(completed(state, found)))
    if found:
        targets = [f"--target={urn}" for urn in found]
        rig.pulumi_cli(project, stack, ["refresh", "--yes", "--skip-preview", "--stack", stack, *targets])


def look_anew(project: Path, stack: str) -> None:
    """Have the state forget what went with a wiped cluster: an `up` does not ask for what has not changed."""
    seen, now = project / "cluster", rig.kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
    if seen.exists() and seen.read_text() != now:
        print("    the cluster is not the one of the last run: looking what it holds of the stack", flush=True)
        rig.pulumi("refresh", project, stack)
    files.write(seen, now)


def completed(state: dict[str, Any], found: Mapping[str, Pending]) -> dict[str, Any]:
    """The exported state with these creations done, and the rest never begun; a refresh then reads what they are."""
    deployment = state["deployment"]
    known = {resource["urn"] for resource in deployment["resources"]}
    begun = [operation["resource"] for operation in deployment["pending_operations"]]
    added = [
        {**resource, "id": found[resource["urn"]].id}
        for resource in begun
        if resource["urn"] in found and resource["urn"] not in known
    ]
    done = {**deployment, "resources": [*deployment["resources"], *added], "pending_operations": []}
    return {**state, "deployment": done}


@dataclass(frozen=True, kw_only=True)
class _Holder:
    """The process that holds a lock, and when it took it, in seconds since the epoch."""

    pid: int
    since: float


def _holders(stack: str, backends: Path = _BACKENDS) -> list[_Holder]:
    """The processes that hold the stack's locks."""
    found = []
    for file in backends.glob(f"*/.pulumi/locks/organization/*/{stack}/*.json"):
        # Another run may end just now.
        with suppress(FileNotFoundError):
            found.append(_Holder(pid=json.loads(file.read_text())["pid"], since=file.stat().st_mtime))
    return found


def _lives(holder: _Holder) -> bool:
    """Whether it runs. One that has ended and was not yet collected does not, nor does another of its number that
    began after the lock was taken: after a restart of the machine, say.
    """
    ticks = start_ticks(holder.pid)
    if ticks is None:
        return False
    (booted,) = (line.split()[1] for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    # Both clocks are whole seconds, or nearly.
    return int(booted) + ticks / os.sysconf("SC_CLK_TCK") <= holder.since + 2


def _creations(operations: list[dict[str, Any]]) -> Iterator[Pending]:
    for operation in operations:
        resource = operation["resource"]
        metadata = resource.get("inputs", {}).get("metadata", {})
        if operation["type"] == "creating" and resource["type"].startswith("kubernetes:") and "name" in metadata:
            group, _, version = resource["inputs"]["apiVersion"].rpartition("/")
            kind = f"{resource['inputs']['kind']}.{version}.{group}"
            yield Pending(urn=resource["urn"], kind=kind, namespace=metadata.get("namespace"), name=metadata["name"])


def _exists(pending: Pending) -> bool:
    place = ["-n", pending.namespace] if pending.namespace else []
    return bool(rig.kubectl(*place, "get", pending.kind, pending.name, "-o", "name", "--ignore-not-found").strip())
