"""What people must see to, since no object of elab's can: doors, node pools, and what makes NetworkPolicies hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from components.entry import duties
from settings import Settings

from .findings import Finding


def findings(settings: Settings, today: date) -> Iterator[Finding]:
    """One for each duty, with the command where there is one; a warning for what has grown old."""
    for problem in settings.facts.outdated(today):
        what = f"found {problem.found}, allowed: {problem.allowed}"
        yield Finding(level="warning", where=problem.where, what=what, fix=problem.fix)
    yield from _adoption(settings)
    yield from _network_policies(settings)
    yield from _idle_placeholders(settings)
    for command in settings.scaling.commands:
        yield Finding(level="info", where=f"pool {command.pool}", what=command.why, fix=command.command)
    for duty in duties(settings.entry):
        yield Finding(level="info", where="entry", what="no object of elab's can see to this", fix=duty)


def _adoption(settings: Settings) -> Iterator[Finding]:
    if settings.protection.adopt:
        what = "found true: claims and namespaces keep their sizes and labels, and objects of others are taken over"
        fix = "remove it after the one `up` that takes over what an earlier stack left"
        yield Finding(level="warning", where="protection.adopt", what=what, fix=fix)


def _network_policies(settings: Settings) -> Iterator[Finding]:
    engine = settings.facts.about.network_policies
    if not engine.by_default:
        what = (
            f"NetworkPolicies hold only where something enforces them, and a plan can't tell; here {engine.name} does"
        )
        fix = f"{engine.turn_on} ({engine.remarks}); `make verify` proves that they hold, and `make up` ends with it"
        yield Finding(level="info", where="cloud", what=what, fix=fix)


def _idle_placeholders(settings: Settings) -> Iterator[Finding]:
    if settings.facts.autoscaler.kind != "none":
        return
    for index, pool in enumerate(settings.pools):
        if pool.placeholders or pool.arrivals:
            where = f"pools.{index}.{'arrivals' if pool.arrivals else 'placeholders'}"
            what = f"nothing adds nodes to pool {pool.name}, so placeholders keep no room: they give way, and wait"
            yield Finding(level="warning", where=where, what=what, fix="remove it, or set cloud.autoscaler")
