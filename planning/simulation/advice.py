"""Which one setting would save most on a simulated day, and what people would wait for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .arrivals import Visit
from .day import Outcome, Situation, simulate

_SHORTEST_CULL = 600
"""Below ten minutes a coffee break would end a server."""
_LEAST = 0.01
"""Of the day's cost: less is within what the made-up days leave open."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One changed setting."""

    setting: str
    """Path and value, as the stack file has them."""
    saved: float
    """Of the day's cost, or of its node hours where a pool has no price, from 0 to 1."""
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Change:
    """What the stack file would say instead."""

    pool: str | None
    """Whose setting it is; None: the stack's own."""
    key: str
    value: str
    """As YAML."""
    situation: Situation

    @property
    def setting(self) -> str:
        return f"{self.key}: {self.value}" + (f" of pool {self.pool}" if self.pool else "")


def best(situation: Situation, visits: Sequence[Visit], today: Outcome) -> Advice | None:
    """The change that saves most without making anybody more give up; None where none saves a hundredth."""
    found = []
    for change in changes(situation):
        outcome = simulate(change.situation, visits)
        saved = 1 - spent(outcome) / spent(today) if spent(today) else 0.0
        if saved >= _LEAST and outcome.gave_up <= today.gave_up:
            found.append(Advice(setting=change.setting, saved=saved, outcome=outcome))
    return max(found, key=lambda advice: advice.saved, default=None)


def spent(outcome: Outcome) -> float:
    """What the day cost, or its node hours where that is not known."""
    return sum(outcome.node_hours.values()) if outcome.cost is None else outcome.cost


def changes(situation: Situation) -> Iterator[Change]:
    """What could be advised: the settings accept each, and none goes below what the stack states as its need."""
    shortest = max(_SHORTEST_CULL, situation.looked_every)
    if situation.culled_after is not None and situation.culled_after // 2 >= shortest:
        minutes = -(-situation.culled_after // 120)
        changed = replace(situation, culled_after=minutes * 60)
        yield Change(pool=None, key="culling.timeout", value=f"{minutes}m", situation=changed)
    for pool in situation.pools:
        fewer = pool.least - 1
        if pool.adds_nodes and pool.least:
            changed = situation.pool(pool.name, least=fewer)
            yield Change(pool=pool.name, key="nodes.min", value=str(fewer), situation=changed)
        elif fewer > 0:
            changed = situation.pool(pool.name, least=fewer, most=fewer)
            yield Change(pool=pool.name, key="nodes", value=f"{{min: {fewer}, max: {fewer}}}", situation=changed)
        # Those that arrivals ask for are what the stack needs; on a pool of fixed size placeholders cost nothing.
        if pool.placeholders and pool.adds_nodes and not pool.by_arrivals:
            half = pool.placeholders // 2
            changed = situation.pool(pool.name, placeholders=half)
            yield Change(pool=pool.name, key="placeholders", value=str(half), situation=changed)
