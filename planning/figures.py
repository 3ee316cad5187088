"""A stack's figures beside its objects, for a comparison of two commits: its cost, and the policies it breaks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from policy.judge import Violation, nodes_cost
from settings import Settings

from .people import people
from .policies import violations
from .recording import Recording


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What two commits are compared by, besides objects."""

    monthly_cost: float | None
    """Of all pools at their largest, in the currency of their prices; None where one has no price."""
    violations: tuple[str, ...]
    """Each as `level rule: place: what`; what is exempted is left out."""


def figures(settings: Settings, recording: Recording, today: date) -> Figures:
    """The figures of a recorded stack."""
    servers = people(settings, recording.outputs["notebook_image"]).manifests
    cost = nodes_cost(settings)
    return Figures(
        monthly_cost=None if cost is None else float(round(cost, 2)),
        violations=tuple(sorted(_lines(violations(settings, recording, servers, today)))),
    )


def _lines(found: Iterable[Violation]) -> Iterable[str]:
    return (f"{one.level} {one.rule.name}: {one.where}: {one.what}" for one in found if not one.exempted)
