"""Which one setting would save most on a simulated day, and what people would wait for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .arrivals import Visit
from .day import Outcome, Situation, simulate

_SHORTEST_CULL = 600
"""Below ten minutes a coffee break would end a server."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One changed setting."""

    setting: str
    """Path and value, as the stack file has them."""
    saved: float
    """Of the day's cost, or of its node hours where a pool has no price, from 0 to 1."""
    outcome: Outcome


def best(situation: Situation, visits: Sequence[Visit], today: Outcome) -> Advice | None:
    """The change that saves most without making anybody more give up; None where none saves anything."""
    found = []
    for setting, changed in _changes(situation):
        outcome = simulate(changed, visits)
        saved = 1 - spent(outcome) / spent(today) if spent(today) else 0.0
        if saved > 0 and outcome.gave_up <= today.gave_up:
            found.append(Advice(setting=setting, saved=saved, outcome=outcome))
    return max(found, key=lambda advice: advice.saved, default=None)


def spent(outcome: Outcome) -> float:
    """What the day cost, or its node hours where that is not known."""
    return sum(outcome.node_hours.values()) if outcome.cost is None else outcome.cost


def _changes(situation: Situation) -> Iterator[tuple[str, Situation]]:
    if situation.culled_after is not None and situation.culled_after // 2 >= _SHORTEST_CULL:
        half = situation.culled_after // 2
        yield f"culling.timeout: {half // 60}m", replace(situation, culled_after=half)
    for pool in situation.pools:
        if pool.least:
            yield f"nodes.min: {pool.least - 1} of pool {pool.name}", situation.pool(pool.name, least=pool.least - 1)
        if pool.placeholders:
            fewer = pool.placeholders // 2
            yield f"placeholders: {fewer} of pool {pool.name}", situation.pool(pool.name, placeholders=fewer)
