"""One day simulated: people come, wait, work and are culled; nodes come when they must and go when they may."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..pods import Requests
from .arrivals import DAY, Visit
from .cluster import Cluster, Node, Pool, Size

UNNEEDED = 600
"""Seconds for which a node must be empty before it is given back: cluster-autoscaler's default."""
_TICK = 60
"""Seconds between two looks for empty nodes."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a day is simulated with."""

    pools: tuple[Pool, ...]
    sizes: Mapping[str, Size]
    """By profile."""
    start_timeout: int
    """Seconds that a server may take to start."""
    culled_after: int | None
    """Seconds without activity; None: servers never end, so everybody's runs since an earlier day."""
    max_age: int | None = None

    def unculled(self) -> Situation:
        """The same where nobody's server is ever culled."""
        return replace(self, culled_after=None, max_age=None)

    def pool(self, name: str, **changes: object) -> Situation:
        """The same with another figure of one pool."""
        pools = tuple(replace(pool, **changes) if pool.name == name else pool for pool in self.pools)
        return replace(self, pools=pools)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a day."""

    waits: tuple[int, ...]
    """Seconds that each person who got a server waited for room on a node that is ready, shortest first."""
    gave_up: int
    """People whose server had no room on a ready node within `start_timeout`: the hub told them that it failed."""
    nodes: tuple[int, ...]
    """Nodes at each full hour, those on their way included."""
    peak: Mapping[str, int]
    """The most nodes of each pool."""
    node_hours: Mapping[str, float]
    cost: float | None
    """None where a pool that was used has no price."""

    def wait(self, share: float) -> int:
        """The waiting time that this share of people did not exceed."""
        return self.waits[min(len(self.waits) - 1, int(share * len(self.waits)))] if self.waits else 0


def simulate(situation: Situation, visits: Sequence[Visit]) -> Outcome:
    """Runs a day. Every step follows from the one before: the same day twice gives the same figures."""
    return _Day(situation).run(visits)


class _Day:
    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        pools = {pool.name: pool for pool in situation.pools}
        self.cluster = Cluster(pools=pools)
        self.leaving: list[tuple[int, int, Node, Requests]] = []
        self.queue: deque[Visit] = deque()
        self.waits: list[int] = []
        self.gave_up = 0
        self.hours: list[int] = []
        self.peak = dict.fromkeys(pools, 0)

    def run(self, visits: Sequence[Visit]) -> Outcome:
        self.cluster.begin()
        self._count()
        # Servers that never end are there at midnight already; a day that began empty would cost too little.
        forever = self.situation.culled_after is None
        coming = deque(replace(visit, at=0) for visit in visits) if forever else deque(visits)
        for now in range(0, DAY, _TICK):
            moved = self._leave(now)
            while coming and coming[0].at <= now:
                self.queue.append(coming.popleft())
            if moved or self.queue or self.cluster.may_shrink():
                self._turn(now)
            if now % 3600 == 0:
                self.hours.append(len(self.cluster.nodes))
        return self._outcome()

    def _turn(self, now: int) -> None:
        self._seat(now)
        self.cluster.keep_reserve(now)
        self._count()
        self.cluster.give_back(now, UNNEEDED)

    def _count(self) -> None:
        for pool in self.cluster.pools.values():
            self.peak[pool.name] = max(self.peak[pool.name], len(self.cluster.of(pool)))

    def _leave(self, now: int) -> bool:
        """Whether anybody's server went."""
        before = len(self.leaving)
        while self.leaving and self.leaving[0][0] <= now:
            _, _, node, asked = heapq.heappop(self.leaving)
            node.give_back(asked, now)
        return len(self.leaving) < before

    def _seat(self, now: int) -> None:
        """In the order in which they came, but nobody waits behind somebody of another profile who finds no room."""
        waiting: deque[Visit] = deque()
        full: set[str] = set()
        for visit in self.queue:
            if now - visit.at > self.situation.start_timeout:
                self.gave_up += 1
                continue
            size = self.situation.sizes[visit.profile]
            node = None if visit.profile in full else self.cluster.place(size, now)
            if node is None:
                full.add(visit.profile)
                waiting.append(visit)
            else:
                self._work(visit, node, size.asked, now)
        self.queue = waiting

    def _work(self, visit: Visit, node: Node, asked: Requests, now: int) -> None:
        began, until = max(now, node.ready_at), visit.at + self.situation.start_timeout
        if began > until:
            # The server's pod has its place on the node until the hub gives it up.
            self.gave_up += 1
            self._until(until, node, asked)
            return
        # Within a tick nobody waited: the tick is the simulation's, not the cluster's.
        self.waits.append(began - visit.at if began - visit.at > _TICK else 0)
        culled, oldest = self.situation.culled_after, self.situation.max_age
        ends = began + visit.active + culled if culled is not None else DAY
        ends = min(ends, began + oldest) if oldest is not None else ends
        self._until(ends, node, asked)

    def _until(self, end: int, node: Node, asked: Requests) -> None:
        # Numbered, since nodes can't be compared.
        heapq.heappush(self.leaving, (end, len(self.waits) + self.gave_up, node, asked))

    def _outcome(self) -> Outcome:
        hours = dict.fromkeys(self.peak, 0.0)
        for node in (*self.cluster.past, *self.cluster.nodes):
            hours[node.pool.name] += ((DAY if node.gone_at is None else node.gone_at) - node.called_at) / 3600
        prices = {pool.name: pool.price_per_hour for pool in self.situation.pools}
        unpriced = [name for name, spent in hours.items() if spent and prices[name] is None]
        cost = None if unpriced else sum(spent * (prices[name] or 0) for name, spent in hours.items())
        return Outcome(
            waits=tuple(sorted(self.waits)),
            gave_up=self.gave_up + len(self.queue),
            nodes=tuple(self.hours),
            peak=self.peak,
            node_hours=hours,
            cost=cost,
        )
