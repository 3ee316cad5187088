"""How many people's servers each node pool holds, beside what the platform itself puts on its nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from clouds.pools import NodePool, Taint

from .pods import PodTemplate, Requests

Bound = Literal["cpu", "memory", "pods", "disks", "gpus"]


@dataclass(frozen=True, kw_only=True)
class Person:
    """The pod that a person gets who chooses this profile."""

    profile: str
    pools: tuple[str, ...]
    """Pools that run it, the preferred one first."""
    pod: PodTemplate


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How many people of one profile a pool holds when nobody of another profile is there."""

    pool: str
    profile: str
    per_node: int
    """On a node that runs the platform's DaemonSets and nothing else of it."""
    at_min: int
    """In the whole pool at its smallest, beside the platform's own pods where they may run there."""
    at_max: int
    """In the whole pool at its largest, likewise."""
    bound: Bound
    """What runs out first."""
    shared: bool
    """Whether the platform's own pods may run in the pool; then they are all counted here."""
    price_per_person_hour: float | None
    """The node's price divided by `per_node`; None without a price or without room for anybody."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """What is left on a node."""

    cpu: int
    memory: int
    pods: int
    disks: int | None = None
    """Volumes that can still be attached; None: no bound."""
    gpus: int = 0

    def less(self, asked: Requests) -> Room:
        """A pod comes."""
        return Room(
            cpu=self.cpu - asked.cpu,
            memory=self.memory - asked.memory,
            pods=self.pods - 1,
            disks=None if self.disks is None else self.disks - asked.disks,
            gpus=self.gpus - asked.gpus,
        )

    def more(self, asked: Requests) -> Room:
        """A pod goes."""
        return Room(
            cpu=self.cpu + asked.cpu,
            memory=self.memory + asked.memory,
            pods=self.pods + 1,
            disks=None if self.disks is None else self.disks + asked.disks,
            gpus=self.gpus + asked.gpus,
        )

    def holds(self, asked: Requests) -> bool:
        disks = self.disks is None or self.disks >= asked.disks
        gpus = self.gpus >= asked.gpus
        return self.cpu >= asked.cpu and self.memory >= asked.memory and self.pods >= 1 and disks and gpus

    def times(self, asked: Requests) -> tuple[int, Bound]:
        """How often a pod fits, and what ends it."""
        counts: dict[Bound, int] = {"pods": self.pods}
        if asked.cpu:
            counts["cpu"] = self.cpu // asked.cpu
        if asked.memory:
            counts["memory"] = self.memory // asked.memory
        if asked.disks and self.disks is not None:
            counts["disks"] = self.disks // asked.disks
        if asked.gpus:
            counts["gpus"] = self.gpus // asked.gpus
        bound = min(counts, key=lambda name: counts[name])
        return max(0, counts[bound]), bound


def daemons(pods: Iterable[PodTemplate], pool: NodePool) -> Requests:
    """What the platform's DaemonSets take of every node of a pool."""
    total = Requests()
    for pod in pods:
        if pod.kind == "DaemonSet" and may_run_on(pod.spec, pool):
            total += pod.requests
    return total


def empty_node(pods: Iterable[PodTemplate], pool: NodePool) -> Room:
    """What a node of a pool has left beside the platform's DaemonSets."""
    whole = pool.allocatable
    room = Room(
        cpu=whole.cpu.millicores, memory=whole.memory.bytes, pods=whole.pods, disks=whole.disks, gpus=whole.gpus
    )
    for pod in pods:
        if pod.kind == "DaemonSet" and may_run_on(pod.spec, pool):
            room = room.less(pod.requests)
    return room


def fits(
    pools: Sequence[NodePool],
    people: Sequence[Person],
    pods: Sequence[PodTemplate],
    reserve: frozenset[str] = frozenset(),
) -> list[Fit]:
    """How many people each pool holds, per profile that runs there.

    `pods` is everything that the platform runs; pods of the owners in `reserve` (placeholders) make way for people and
    do not count. Allocatable is taken from the settings: what the cluster's own DaemonSets ask for is not known here.
    """
    found = []
    staying = residents(pods, reserve)
    for pool in pools:
        here = [pod.requests for pod in staying if may_run_on(pod.spec, pool)]
        empty = empty_node(pods, pool)
        for person in people:
            if pool.name not in person.pools:
                continue
            asked = person.pod.requests
            per_node, bound = empty.times(asked)
            priced = pool.price_per_hour is not None and per_node > 0
            found.append(
                Fit(
                    pool=pool.name,
                    profile=person.profile,
                    per_node=per_node,
                    at_min=_in_pool(empty, pool.nodes.min, here, asked),
                    at_max=_in_pool(empty, pool.nodes.max, here, asked),
                    bound=bound,
                    shared=bool(here),
                    price_per_person_hour=(pool.price_per_hour or 0) / per_node if priced else None,
                )
            )
    return found


def residents(pods: Iterable[PodTemplate], reserve: frozenset[str] = frozenset()) -> list[PodTemplate]:
    """The platform's pods that stay on some node, each as often as it has replicas, the largest first."""
    staying = [pod for pod in pods if pod.kind != "DaemonSet" and pod.owner not in reserve for _ in range(pod.replicas)]
    return sorted(staying, key=lambda pod: (pod.requests.memory, pod.requests.cpu), reverse=True)


def _in_pool(empty: Room, nodes: int, here: Sequence[Requests], person: Requests) -> int:
    rooms = [empty] * nodes
    for resident in here:
        for index, room in enumerate(rooms):
            if room.holds(resident):
                rooms[index] = room.less(resident)
                break
    return sum(room.times(person)[0] for room in rooms)


def may_run_on(spec: Mapping[str, Any], pool: NodePool) -> bool:
    """Whether a pod may be scheduled to a pool's nodes, as far as the pool's labels and taints tell.

    Labels that the settings do not mention are taken to be there: what might run on a node counts as if it did.
    """
    chosen = spec.get("nodeSelector") or {}
    if any(pool.selector.get(key, value) != value for key, value in chosen.items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    if terms and not any(_term_holds(term, pool) for term in terms):
        return False
    return all(_tolerated(taint, spec.get("tolerations") or []) for taint in pool.taints)


def _term_holds(term: Mapping[str, Any], pool: NodePool) -> bool:
    return all(_expression_holds(expression, pool) for expression in term.get("matchExpressions") or [])


def _expression_holds(expression: Mapping[str, Any], pool: NodePool) -> bool:
    value = pool.selector.get(expression["key"])
    if value is None:
        return True
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "DoesNotExist":
            return False
        case _:
            return True


def _tolerated(taint: Taint, tolerations: Iterable[Mapping[str, Any]]) -> bool:
    if taint.effect == "PreferNoSchedule":
        return True
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Taint) -> bool:
    if toleration.get("effect") not in (None, "", taint.effect):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint.key)
    return toleration.get("key") == taint.key and (toleration.get("value") or "") == taint.value
