"""Every stack at a base commit against the same stack now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stackfile.problems import Problem, StackError

from .commits import checked_out, snapshots_at, stacks_in
from .diff import difference, lines
from .losses import Loss, losses
from .snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Report:
    """One stack: what changes, and what of that would lose data."""

    text: str
    losses: tuple[Loss, ...]


def compare(project: Path, base: str, stack: str) -> Iterator[Report]:
    """Compares one stack, or all, with a base commit.

    Raises StackError when the commit or the stack is unknown, or one of the two can't be planned.
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
                ]
            )
        wanted = names if stack == "all" else [stack]
        in_both = [name for name in wanted if name in then and name in now]
        before = snapshots_at(folder, in_both) if in_both else {}
        after = snapshots_at(project, in_both) if in_both else {}
        for name in wanted:
            if name not in then:
                yield Report(text=f"stack {name}: new since {base}", losses=())
            elif name not in now:
                words = "its file is gone; what it made stays in the cluster until it is destroyed"
                yield Report(text=f"stack {name}: {words}", losses=())
            else:
                yield _report(base, before[name], after[name])


def _report(base: str, before: Snapshot, after: Snapshot) -> Report:
    stack, changes = after.stack, difference(before, after)
    lost = tuple(losses(before, after))
    text = [f"stack {stack}: no change since {base}" if changes.empty else f"stack {stack}, since {base}:"]
    text += [f"  {line}" for line in lines(changes)]
    for loss in lost:
        text += [f"  REFUSED {loss.where}: {loss.what}", f"      why: {loss.why}", f"      fix: {loss.fix}"]
    return Report(text="\n".join(text), losses=lost)
