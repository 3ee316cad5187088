"""What a pull request changes in every stack, as one comment that GitHub takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .compare import Report

LONGEST = 65_536
"""Characters that GitHub takes in a comment's body; a longer one is refused."""
_MARGIN = 256
"""Room for the line that says what was left out, in each stack's part and at the end."""


def comment(base: str, reports: Sequence[Report], longest: int = LONGEST) -> str:
    """The comment, at most `longest` characters: the table first, whole; details share what is left."""
    head = "\n".join(_head(base, reports))
    left = longest - len(head) - _MARGIN
    parts = [head]
    for index, report in enumerate(reports):
        if report.lines:
            share = left // (len(reports) - index)
            part = _details(base, report, share)
            left -= len(part) + 1
            parts.append(part)
    return "\n".join(parts)[:longest] + ("" if left <= 0 else "\n")


def _head(base: str, reports: Sequence[Report]) -> Iterator[str]:
    yield f"### What changes since `{base}`"
    yield ""
    yield "| stack | objects | nodes at most, a month | policies: new, solved, left | data |"
    yield "|---|---|---|---|---|"
    for report in reports:
        found = report.policies
        lost = f"**{len(report.losses)} would be lost**" if report.losses else "?" if report.unplanned else "kept"
        counts = ", ".join(_count(lines) for lines in (found.new, found.solved, found.left))
        yield f"| {report.stack} | {report.summary} | {report.cost} | {counts} | {lost} |"
    yield ""
    for report in reports:
        if report.unplanned:
            yield f"- **{report.stack}: base can't be planned** {_inline(report.unplanned)}"
        yield from (f"- **{report.stack}**: new: {_inline(line)}" for line in report.policies.new or ())
        yield from (f"- {report.stack}: solved: {_inline(line)}" for line in report.policies.solved or ())
        for loss in report.losses:
            words = f"{loss.where}: {loss.what}. {loss.why}. {loss.fix}"
            yield f"- **{report.stack}: REFUSED** {_inline(words)}"
    yield ""


def _count(lines: Sequence[str] | None) -> str:
    return "?" if lines is None else str(len(lines))


def _details(base: str, report: Report, room: int) -> str:
    """The stack's lines in a fold, as many as there is room for."""
    longest = max((len(run) for line in report.lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    opening = f"<details><summary>{report.stack}: manifests</summary>\n\n{fence}diff\n"
    closing = f"{fence}\n\n</details>\n"
    room -= len(opening) + len(closing) + _MARGIN
    kept: list[str] = []
    for line in report.lines:
        room -= len(line) + 1
        if room < 0:
            more = len(report.lines) - len(kept)
            kept.append(f"… and {more} more lines: make plan-diff BASE={base}")
            break
        kept.append(line)
    return opening + "".join(f"{line}\n" for line in kept) + closing


def _inline(text: str) -> str:
    """Text that Markdown leaves alone: a name in it calls nobody, and a tag is no tag."""
    return re.sub(r"([\\`*_{}\[\]<>#|@~])", r"\\\1", text.replace("\n", " ")).replace("\\@", "@\u200b")
