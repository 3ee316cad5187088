"""Every stack at a base commit against the same stack now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stackfile.problems import Problem, StackError

from .commits import Unplanned, checked_out, snapshots_at, snapshots_of_base, stacks_in
from .diff import difference, lines
from .figures import Figures, Policies, cost, policies
from .losses import Loss, losses
from .snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Report:
    """One stack: what changes, and what of that would lose data."""

    stack: str
    summary: str
    """How many objects are added, removed and changed, in few words."""
    lines: tuple[str, ...]
    """Every change, `+` added, `-` removed, `~` changed."""
    losses: tuple[Loss, ...]
    before: Figures | None
    """None where the base commit knew no figures; those of a stack that is new break no policy."""
    after: Figures | None
    base: str
    unplanned: str = ""
    """Why the base commit's own code can't plan the stack, so that nothing is known of what changes."""

    @property
    def policies(self) -> Policies:
        """Violations that are new, solved and left."""
        return policies(self.before, self.after)

    @property
    def cost(self) -> str:
        """What all pools at their largest cost a month, before and now."""
        return cost(self.before, self.after)

    @property
    def text(self) -> str:
        """All of it, for a terminal."""
        found = [f"stack {self.stack}, since {self.base}: {self.summary}", *(f"  {line}" for line in self.lines)]
        found += [f"  base can't be planned: {self.unplanned}"] if self.unplanned else []
        found += [f"  nodes at most, a month: {self.cost}"]
        found += [f"  policy, new: {line}" for line in self.policies.new or ()]
        found += [f"  policy, solved: {line}" for line in self.policies.solved or ()]
        for loss in self.losses:
            found += [f"  REFUSED {loss.where}: {loss.what}", f"      why: {loss.why}", f"      fix: {loss.fix}"]
        return "\n".join(found)


def compare(project: Path, base: str, stack: str) -> Iterator[Report]:
    """Compares one stack, or all, with a base commit.

    Raises StackError when the commit or the stack is unknown, or a stack can't be planned now.
    """
    with checked_out(project, base) as folder:
        then, now = stacks_in(folder), stacks_in(project)
        names = sorted({*then, *now})
        if stack != "all" and stack not in names:
            raise StackError(
                [
                    Problem(
                        where="--stack", found=f'"{stack}"', allowed=", ".join(["all", *names]), fix="name one of these"
                    )
                ],
                of="the option --stack",
            )
        wanted = names if stack == "all" else [stack]
        before = snapshots_of_base(folder, [name for name in wanted if name in then])
        after = snapshots_at(project, [name for name in wanted if name in now])
        for name in wanted:
            yield _report(base, name, before.get(name), after.get(name))


def _report(base: str, stack: str, before: Snapshot | Unplanned | None, after: Snapshot | None) -> Report:
    if isinstance(before, Unplanned):
        return Report(
            stack=stack,
            summary="not known: base can't be planned" if after else "its file is gone; base can't be planned",
            lines=(),
            losses=(),
            before=None,
            after=after.figures if after else None,
            base=base,
            unplanned=before.short,
        )
    found: tuple[str, ...] = ()
    lost: tuple[Loss, ...] = ()
    figures = before.figures if before else Figures(monthly_cost=None, violations=())
    if before and after:
        changes = difference(before, after)
        found, lost = tuple(lines(changes)), tuple(losses(before, after))
        counts = f"+{len(changes.added)} -{len(changes.removed)} ~{len(changes.changed)}"
        summary = "no change" if changes.empty else counts
    elif after:
        summary = f"new, {len(after.entries)} objects"
    else:
        summary = "its file is gone; what it made stays in the cluster until it is destroyed"
    return Report(
        stack=stack,
        summary=summary,
        lines=found,
        losses=lost,
        before=figures,
        after=after.figures if after else None,
        base=base,
    )
