"""Simulated days as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..table import table
from .day import Outcome
from .situation import SimulatedDay

_FIRST, _LAST = 7, 22
"""The hours shown: those in which people come and go."""


def text(days: Sequence[SimulatedDay]) -> list[str]:
    """Lines for `make plan` and `make simulate`."""
    rows: list[tuple[str, ...]] = [
        ("day", "people", "most nodes", "wait: p50", "p95", "max", "gave up", "cost", "without culling")
    ]
    for day in days:
        outcome = day.outcome
        peak = ", ".join(f"{count} {name}" for name, count in outcome.peak.items() if count)
        waits = (_seconds(outcome.wait(share)) for share in (0.5, 0.95, 1))
        costs = (_cost(outcome), _without(day.without_culling))
        rows.append((day.shape, str(day.people), peak or "0", *waits, str(outcome.gave_up), *costs))
    hours = [("nodes at", *(f"{hour}:00" for hour in range(_FIRST, _LAST + 1)))]
    hours += [(day.shape, *(str(count) for count in day.outcome.nodes[_FIRST : _LAST + 1])) for day in days]
    return [
        f"A day, simulated (from the call for a node until it runs a server: {_starts(days[0].node_starts)})",
        *table(rows),
        *table(hours),
        *_given_up(days),
        *(_advice(day) for day in days),
    ]


def _given_up(days: Sequence[SimulatedDay]) -> list[str]:
    if not any(day.outcome.gave_up for day in days):
        return []
    timeout = _seconds(days[0].start_timeout)
    return [
        f"  gave up: no room on a ready node within users.start_timeout, {timeout}; to the hub their servers failed"
    ]


def _starts(node_starts: Mapping[str, int]) -> str:
    """One figure where all pools have it, else each pool's."""
    if len(set(node_starts.values())) == 1:
        return _seconds(next(iter(node_starts.values())))
    return ", ".join(f"{name} {_seconds(seconds)}" for name, seconds in node_starts.items())


def _advice(day: SimulatedDay) -> str:
    if day.advice is None:
        return f"  {day.shape}: no single setting would save a hundredth"
    p95, longest = (
        f"{_seconds(day.outcome.wait(share))} -> {_seconds(day.advice.outcome.wait(share))}" for share in (0.95, 1)
    )
    saved = f"{day.advice.setting} would save most, {day.advice.saved:.0%}"
    return f"  {day.shape}: {saved}; wait p95 {p95}, max {longest}"


def _seconds(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"


def _without(outcome: Outcome) -> str:
    """Where servers that never end fill the pools, the cost is that of those who have one."""
    return _cost(outcome) + (f", {outcome.gave_up} without room" if outcome.gave_up else "")


def _cost(outcome: Outcome) -> str:
    hours = sum(outcome.node_hours.values())
    return f"{hours:.0f} node hours, no price" if outcome.cost is None else f"{outcome.cost:.2f}"
