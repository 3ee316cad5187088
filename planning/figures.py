"""A stack's figures beside its objects, for a comparison of two commits: its cost, and the policies it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


@dataclass(frozen=True, kw_only=True)
class Policies:
    """What two commits break, as `Figures.violations` has it; None where a commit knew no policies."""

    new: Sequence[str] | None
    solved: Sequence[str] | None
    left: Sequence[str] | None

    @property
    def refused(self) -> bool:
        """Whether a mandatory rule holds no longer."""
        return any(one.startswith("mandatory ") for one in self.new or ())


def policies(before: Figures | None, after: Figures | None) -> Policies:
    """Violations that are new, solved and left between two commits."""
    now = after.violations if after else None
    if before is None or now is None:
        return Policies(new=None, solved=None, left=now)
    then = set(before.violations)
    return Policies(
        new=[one for one in now if one not in then],
        solved=sorted(then - set(now)),
        left=[one for one in now if one in then],
    )


def cost(before: Figures | None, after: Figures | None) -> str:
    """What all pools at their largest cost a month, before and now."""
    costs = (one.monthly_cost if one else None for one in (before, after))
    old, new = ("not known" if cost is None else f"{cost:,.0f}" for cost in costs)
    return new if old == new else f"{old} → {new}"


def figures(settings: Settings, recording: Recording, today: date | None) -> Figures:
    """The figures of a recorded stack."""
    servers = people(settings, recording.outputs["notebook_image"]).manifests
    cost = nodes_cost(settings)
    return Figures(
        monthly_cost=None if cost is None else float(round(cost, 2)),
        violations=tuple(sorted(_lines(violations(settings, recording, servers, today)))),
    )


def _lines(found: Iterable[Violation]) -> Iterable[str]:
    return (f"{one.level} {one.rule.name}: {one.where}: {one.what}" for one in found if not one.exempted)
