"""The resource tree by component, and what each room of the platform asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clouds.pools import NodePool

from .capacity import daemons
from .manifests import Manifest
from .pods import Requests, pod_template, storage_bytes
from .recording import STACK_TYPE, Recorded, Recording

NO_ROOM = "stack"
"""Where resources are counted that belong to no component."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A component (or the stack) with what it holds."""

    name: str
    type: str
    resources: tuple[tuple[str, int], ...]
    """How many resources of each kind it holds directly."""
    children: tuple[Node, ...]

    @property
    def total(self) -> int:
        """Resources below it, components not counted."""
        return sum(count for _, count in self.resources) + sum(child.total for child in self.children)


def tree(recording: Recording) -> Node:
    """The stack's components, nested as they are, by name."""
    stack = recording.of_type(STACK_TYPE)[0]
    return _node(recording, stack)


def _node(recording: Recording, resource: Recorded) -> Node:
    children = sorted(recording.children(resource.urn), key=lambda child: child.name)
    kinds = Counter(child.type.rpartition(":")[2] for child in children if child.custom)
    return Node(
        name=resource.name,
        type=resource.type,
        resources=tuple(sorted(kinds.items())),
        children=tuple(_node(recording, child) for child in children if not child.custom),
    )


def room_of(urn: str) -> str:
    """The room that a resource belongs to: the middle of its outermost component's type, `elab:<room>:<Class>`."""
    outermost, _, below = urn.split("::")[2].partition("$")
    return outermost.split(":")[1] if below else NO_ROOM


@dataclass(frozen=True, kw_only=True)
class RoomTotal:
    """What one room asks for, people's servers and DaemonSets not counted."""

    room: str
    pods: int
    requests: Requests
    storage: int
    """Bytes of claims that the program registers."""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What the platform itself asks for."""

    rooms: tuple[RoomTotal, ...]
    reserve: RoomTotal
    """Placeholders: pods of negative priority, which make way for people."""
    per_node: tuple[tuple[str, Requests], ...]
    """What DaemonSets take of each node, by pool."""

    @property
    def all_rooms(self) -> RoomTotal:
        """The sum of the rooms, without the reserve."""
        return _sum("all", self.rooms)


def reserve_owners(plan: Iterable[Manifest]) -> frozenset[str]:
    """Keys of the workloads whose pods have a negative priority."""
    plan = tuple(plan)
    negative = {
        manifest.name for manifest in plan if manifest.kind == "PriorityClass" and manifest.body.get("value", 0) < 0
    }
    found = set()
    for manifest in plan:
        template = pod_template(manifest)
        if template and template.spec.get("priorityClassName") in negative:
            found.add(manifest.key)
    return frozenset(found)


def totals(plan: Sequence[Manifest], pools: Iterable[NodePool]) -> Totals:
    """What the platform asks for by room, as a reserve, and on each node of each pool."""
    reserve = reserve_owners(plan)
    by_room: dict[str, list[RoomTotal]] = {}
    held_back: list[RoomTotal] = []
    templates = []
    for manifest in plan:
        template = pod_template(manifest)
        count = template.replicas if template else 0
        share = RoomTotal(
            room=room_of(manifest.urn),
            pods=count,
            requests=template.requests * count if template else Requests(),
            storage=storage_bytes(manifest),
        )
        if template:
            templates.append(template)
        if manifest.key in reserve:
            held_back.append(share)
        elif share.pods or share.storage:
            by_room.setdefault(share.room, []).append(share)
    return Totals(
        rooms=tuple(_sum(room, shares) for room, shares in by_room.items()),
        reserve=_sum("reserve", held_back),
        per_node=tuple((str(pool.name), daemons(templates, pool)) for pool in pools),
    )


def _sum(room: str, shares: Iterable[RoomTotal]) -> RoomTotal:
    total = RoomTotal(room=room, pods=0, requests=Requests(), storage=0)
    for share in shares:
        total = RoomTotal(
            room=room,
            pods=total.pods + share.pods,
            requests=total.requests + share.requests,
            storage=total.storage + share.storage,
        )
    return total
