"""A day simulated: people come, wait, work and are culled; nodes come when they must and go when they may.

The same day is run twice and the second is told, so that it begins with what the evening before has left: servers that
are not culled yet, nodes that are not given back. It runs on after midnight, where the next day's people come already,
until everybody who came before has a server or has given up.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..pods import Requests
from .arrivals import DAY, Visit
from .cluster import Cluster, Node, Pool, Resident, Size

UNNEEDED = 600
"""Seconds for which a node must be empty before it is given back: cluster-autoscaler's default."""
_TICK = 60
"""Seconds between two looks for empty nodes."""
_BEGIN, _END = DAY, 2 * DAY
"""The day that is told."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a day is simulated with."""

    pools: tuple[Pool, ...]
    sizes: Mapping[str, Size]
    """By profile."""
    residents: tuple[Resident, ...] = ()
    """The platform's own pods that may run in these pools, in the order in which they are placed."""
    start_timeout: int
    """Seconds that a server may take to start."""
    culled_after: int | None
    """Seconds without activity; None: servers never end, so everybody's runs since an earlier day."""
    looked_every: int = 0
    """Seconds between two looks for servers that are idle for so long."""
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
    """The outcome. Every step follows from the one before: the same day twice gives the same figures."""
    return _Day(situation).run(visits)


class _Day:
    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.pools = {pool.name: pool for pool in situation.pools}
        self.cluster = Cluster(pools=self.pools)
        self.leaving: list[tuple[int, int, Node, Requests]] = []
        self.pods = 0
        self.queue: deque[Visit] = deque()
        self.waits: list[int] = []
        self.gave_up = 0
        self.hours: list[int] = []
        self.peak = dict.fromkeys(self.pools, 0)

    def run(self, visits: Sequence[Visit]) -> Outcome:
        self.cluster.begin(self.situation.residents)
        coming, now = deque(self._coming(visits)), 0
        look: int | None = 0
        while now < _END or any(self._is_told(visit) for visit in self.queue):
            moved = self._leave(now)
            while coming and coming[0].at <= now:
                self.queue.append(coming.popleft())
            if moved or self.queue or (look is not None and now >= look):
                self._turn(now)
                look = self.cluster.next_idle(now, UNNEEDED)
            if _BEGIN <= now < _END and now % 3600 == 0:
                self.hours.append(len(self.cluster.nodes))
                self._count()
            now += _TICK
        return self._outcome()

    def _coming(self, visits: Sequence[Visit]) -> list[Visit]:
        # Servers that never end are there since an earlier day; a day that began empty would cost too little.
        if self.situation.culled_after is None:
            return [replace(visit, at=0) for visit in visits]
        return [replace(visit, at=visit.at + day * DAY) for day in range(3) for visit in visits]

    def _is_told(self, visit: Visit) -> bool:
        return self.situation.culled_after is None or _BEGIN <= visit.at < _END

    def _turn(self, now: int) -> None:
        self._seat(now)
        self.cluster.keep_reserve(now)
        if _BEGIN <= now < _END:
            self._count()
        self.cluster.give_back(now, UNNEEDED)

    def _count(self) -> None:
        for pool in self.pools.values():
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
                self._give_up(visit)
                continue
            size = self.situation.sizes[visit.profile]
            node = None if visit.profile in full else self.cluster.place(size, now)
            if node is None:
                full.add(visit.profile)
                waiting.append(visit)
            else:
                self._work(visit, node, size.asked, now)
        self.queue = waiting

    def _give_up(self, visit: Visit) -> None:
        self.gave_up += self._is_told(visit)

    def _work(self, visit: Visit, node: Node, asked: Requests, now: int) -> None:
        began, until = max(now, node.ready_at), visit.at + self.situation.start_timeout
        if began > until:
            # The server's pod has its place on the node until the hub gives it up.
            self._give_up(visit)
            self._until(until, node, asked)
            return
        if self._is_told(visit):
            # Within a tick nobody waited: the tick is the simulation's, not the cluster's.
            self.waits.append(began - visit.at if began - visit.at > _TICK else 0)
        culled, oldest = self.situation.culled_after, self.situation.max_age
        if culled is not None:
            ends = began + visit.active + culled
            self._until(ends if oldest is None else min(ends, began + oldest), node, asked)

    def _until(self, end: int, node: Node, asked: Requests) -> None:
        # Numbered, since nodes can't be compared.
        self.pods += 1
        heapq.heappush(self.leaving, (end, self.pods, node, asked))

    def _outcome(self) -> Outcome:
        hours = dict.fromkeys(self.peak, 0.0)
        for node in (*self.cluster.past, *self.cluster.nodes):
            there = min(_END, _END if node.gone_at is None else node.gone_at) - max(_BEGIN, node.called_at)
            hours[node.pool.name] += max(0, there) / 3600
        unpriced = [name for name, spent in hours.items() if spent and self.pools[name].price_per_hour is None]
        cost = (
            None if unpriced else sum(spent * (self.pools[name].price_per_hour or 0) for name, spent in hours.items())
        )
        return Outcome(
            waits=tuple(sorted(self.waits)),
            gave_up=self.gave_up,
            nodes=tuple(self.hours),
            peak=self.peak,
            node_hours=hours,
            cost=cost,
        )
