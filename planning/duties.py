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
    yield from _network_policies(settings)
    for command in settings.scaling.commands:
        yield Finding(level="info", where=f"pool {command.pool}", what=command.why, fix=command.command)
    for duty in duties(settings.entry):
        yield Finding(level="info", where="entry", what="no object of elab's can see to this", fix=duty)


def _network_policies(settings: Settings) -> Iterator[Finding]:
    engine = settings.facts.about.network_policies
    if not engine.by_default:
        what = (
            f"NetworkPolicies hold only where something enforces them, and a plan can't tell; here {engine.name} does"
        )
        fix = f"{engine.turn_on} ({engine.remarks}); `make verify` proves that they hold, and `make up` ends with it"
        yield Finding(level="info", where="cloud", what=what, fix=fix)
