"""The pools of a simulated day: their nodes, what is free on each, and when they come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..capacity import Room
from ..pods import Requests


@dataclass(frozen=True, kw_only=True)
class Pool:
    """A pool as the simulation needs it."""

    name: str
    room: Room
    """Of a node without people, the platform's DaemonSets already taken off."""
    least: int
    most: int
    placeholders: int
    placeholder: Requests
    """What one of them asks for."""
    node_start: int
    """Seconds from the call for a node until it runs a server."""
    price_per_hour: float | None
    adds_nodes: bool = True
    """Whether something adds nodes; else the pool has one size."""
    by_arrivals: bool = False
    """Whether its placeholders are as many as the stack's rate of arrivals asks for."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """A profile as the simulation needs it."""

    pools: tuple[str, ...]
    """In the order that its strategy gives."""
    asked: Requests
    prefers_pools: bool
    """Whether a free node of an earlier pool is better than a fuller one of a later pool."""
    packs: bool
    """Whether the fullest node is taken, or the emptiest."""


@dataclass(frozen=True, kw_only=True)
class Resident:
    """A pod of the platform's own, which stays on its node."""

    pools: tuple[str, ...]
    """Those that may run it."""
    asked: Requests


@dataclass(eq=False)
class Node:
    """One node, from the call for it until it is given back."""

    pool: Pool
    called_at: int
    ready_at: int
    room: Room
    empty_since: int
    """When the last person went, or when it was ready if none has been there since."""
    people: int = 0
    residents: int = 0
    """The platform's own pods: a node that has some stays."""
    gone_at: int | None = None

    @property
    def is_empty(self) -> bool:
        return not self.people and not self.residents

    def take(self, asked: Requests) -> None:
        """A server comes."""
        self.room = self.room.less(asked)
        self.people += 1

    def give_back(self, asked: Requests, now: int) -> None:
        """A server goes."""
        self.room = self.room.more(asked)
        self.people -= 1
        if not self.people:
            self.empty_since = max(now, self.ready_at)


@dataclass
class Cluster:
    """All nodes of a day."""

    pools: Mapping[str, Pool]
    nodes: list[Node] = field(default_factory=list)
    past: list[Node] = field(default_factory=list)

    def begin(self, residents: Sequence[Resident] = ()) -> None:
        """Every pool at its smallest; then what the platform itself and the placeholders need besides."""
        for pool in self.pools.values():
            for _ in range(pool.least):
                self._add(pool, ready_at=0)
        for resident in residents:
            self._settle(resident)
        for pool in self.pools.values():
            while self.lacks_reserve(pool) and self.can_grow(pool):
                self._add(pool, ready_at=0)

    def _settle(self, resident: Resident) -> None:
        """On the first node that holds it; what no node of these pools holds is elsewhere."""
        there = (node for node in self.nodes if node.pool.name in resident.pools and node.room.holds(resident.asked))
        node, pool = next(there, None), self._growing(resident)
        if node is None and pool is not None:
            node = self._add(pool, ready_at=0)
        if node is not None:
            node.room = node.room.less(resident.asked)
            node.residents += 1

    def of(self, pool: Pool) -> list[Node]:
        """The pool's nodes, those on their way included."""
        return [node for node in self.nodes if node.pool is pool]

    def can_grow(self, pool: Pool) -> bool:
        """Whether the pool may have one more node."""
        return len(self.of(pool)) < pool.most

    def _add(self, pool: Pool, ready_at: int) -> Node:
        called_at = max(0, ready_at - pool.node_start)
        node = Node(pool=pool, called_at=called_at, ready_at=ready_at, room=pool.room, empty_since=ready_at)
        self.nodes.append(node)
        return node

    def place(self, size: Size, now: int) -> Node | None:
        """The node for one more server: one that is ready, else the next that will be, else a new one."""
        found = self._best(size, [node for node in self.nodes if node.ready_at <= now])
        if found is None:
            coming = [node for node in self.nodes if node.ready_at > now and self._takes(node, size)]
            found = min(coming, key=lambda node: node.ready_at, default=None)
        pool = None if found else self._growing(size)
        if pool is not None:
            found = self._add(pool, now + pool.node_start)
        if found is not None:
            found.take(size.asked)
        return found

    def _takes(self, node: Node, size: Size) -> bool:
        return node.pool.name in size.pools and node.room.holds(size.asked)

    def _best(self, size: Size, nodes: Sequence[Node]) -> Node | None:
        """As the scheduler scores: the pool's place first where the strategy has one, then how full the node is."""

        def score(node: Node) -> tuple[int, float]:
            place = size.pools.index(node.pool.name) if size.prefers_pools else 0
            whole = node.pool.room
            free = node.room.cpu / max(1, whole.cpu) + node.room.memory / max(1, whole.memory)
            return place, free if size.packs else -free

        return min((node for node in nodes if self._takes(node, size)), key=score, default=None)

    def _growing(self, pod: Size | Resident) -> Pool | None:
        """The pool that gets a node for a pod that no node holds."""
        pools = (self.pools[name] for name in pod.pools)
        return next((pool for pool in pools if self.can_grow(pool) and pool.room.holds(pod.asked)), None)

    def lacks_reserve(self, pool: Pool) -> bool:
        """Whether the pool's placeholders have no room beside the people. They have no disks: on a node whose disks are
        all taken they find room, as the scheduler sees it, though nobody can follow them there.
        """
        held = sum(node.room.times(pool.placeholder)[0] for node in self.of(pool)) if pool.placeholders else 0
        return held < pool.placeholders

    def keep_reserve(self, now: int) -> None:
        """Placeholders that gave way call for nodes."""
        for pool in self.pools.values():
            while self.lacks_reserve(pool) and self.can_grow(pool):
                self._add(pool, now + pool.node_start)

    def next_idle(self, now: int, unneeded: int) -> int | None:
        """When the next node will have been empty for so long. Those that have been, and are there all the same, stay
        until somebody comes or goes.
        """
        due = (node.empty_since + unneeded for node in self.nodes if node.is_empty)
        return min((at for at in due if at > now), default=None)

    def give_back(self, now: int, unneeded: int) -> None:
        """Nodes that have been empty for so long go, down to the pool's smallest and the placeholders' room."""
        for node in list(self.nodes):
            pool = node.pool
            idle = node.is_empty and now - node.empty_since >= unneeded
            if idle and len(self.of(pool)) > pool.least:
                self.nodes.remove(node)
                if self.lacks_reserve(pool):
                    self.nodes.append(node)
                else:
                    node.gone_at = now
                    self.past.append(node)
