"""Who comes when, for how long and for what size: built-in shapes of a day, or a file of the institution's own."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stackfile.problems import Problem, StackError

DAY = 24 * 3600
_MINUTE = 60
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z", re.ASCII)
_MINUTES = re.compile(r"\d{1,4}\Z", re.ASCII)
_SHOWN = 40
_OF = "the file of arrivals"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One person who asks for a server and works for a while."""

    at: int
    """Seconds after midnight."""
    active: int
    """Seconds of work; the server stays until it is culled."""
    profile: str


def _evenly(people: int, first: int, last: int, active: int, profiles: Sequence[str]) -> Iterator[Visit]:
    """People at even distances, taking the profiles in turn."""
    for index in range(people):
        at = first + (last - first) * index // max(1, people - 1)
        yield Visit(at=at, active=active, profile=profiles[index % len(profiles)])


def class_of_60(default: str, _others: Sequence[str]) -> tuple[Visit, ...]:
    """A class of 60 at 9:00: all within ten minutes, an hour and a half of work each."""
    nine = 9 * 3600
    return tuple(_evenly(60, nine - 5 * _MINUTE, nine + 5 * _MINUTE, 90 * _MINUTE, [default]))


def research_group(default: str, others: Sequence[str]) -> tuple[Visit, ...]:
    """A research group of 40: from 8:00 to 11:00, six hours of work; every fourth on another profile."""
    turns = [default, default, default, others[0] if others else default]
    return tuple(_evenly(40, 8 * 3600, 11 * 3600, 6 * 3600, turns))


def mixed(default: str, others: Sequence[str]) -> tuple[Visit, ...]:
    """Both, and a second class of 60 in the afternoon."""
    morning = class_of_60(default, others)
    afternoon = tuple(Visit(at=one.at + 5 * 3600, active=one.active, profile=one.profile) for one in morning)
    return in_order((*morning, *afternoon, *research_group(default, others)))


Shape = Callable[[str, Sequence[str]], tuple[Visit, ...]]
SHAPES: Mapping[str, Shape] = {
    "class of 60 at 9:00": class_of_60,
    "research group of 40": research_group,
    "mixed": mixed,
}
"""Days to plan by, where the institution has no figures of its own: made up, each of a kind that hubs see."""


def in_order(visits: Sequence[Visit]) -> tuple[Visit, ...]:
    """Visits as they come; who comes at the same moment keeps their order."""
    return tuple(sorted(visits, key=lambda visit: visit.at))


def from_csv(path: Path, profiles: Sequence[str], default: str) -> tuple[Visit, ...]:
    """Visits of a file with the columns `time` (HH:MM), `minutes` of work and, if wished, `profile`.

    Raises:
        StackError: with every line that can't be used.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(
            where=str(path), found=str(error), allowed="a CSV file in UTF-8", fix="correct ARRIVALS=<path>"
        )
        raise StackError([problem], of=_OF) from None
    reader = csv.DictReader(text.splitlines())
    try:
        columns, rows = reader.fieldnames or [], [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        # The line that can't be read is the one after the last that was.
        where = f"{path}:{reader.line_num + 1}"
        allowed = f"fields of at most {csv.field_size_limit()} characters"
        problem = Problem(where=where, found=str(error), allowed=allowed, fix="write one line for each person")
        raise StackError([problem], of=_OF) from None
    if not {"time", "minutes"} <= set(columns) or set(columns) - {"time", "minutes", "profile"}:
        problem = Problem(
            where=f"{path}:1",
            found=_shown(", ".join(columns)) if columns else "nothing",
            allowed="the columns time, minutes and, if wished, profile",
            fix="write `time,minutes,profile` as the first line",
        )
        raise StackError([problem], of=_OF)
    visits: list[Visit] = []
    problems: list[Problem] = []
    for line, row in rows:
        where = f"{path}:{line}"
        found = list(_row_problems(row, where, profiles))
        problems += found
        if not found:
            hours, minutes = row["time"].strip().split(":")
            visits.append(
                Visit(
                    at=int(hours) * 3600 + int(minutes) * _MINUTE,
                    active=int(row["minutes"]) * _MINUTE,
                    profile=(row.get("profile") or "").strip() or default,
                )
            )
    if not visits and not problems:
        fix = "add a line for each person, for example 09:00,90"
        problems.append(Problem(where=str(path), found="nobody", allowed="at least one visit", fix=fix))
    if problems:
        raise StackError(problems, of=_OF)
    return in_order(visits)


def _row_problems(row: Mapping[str, str | None], where: str, profiles: Sequence[str]) -> Iterator[Problem]:
    time, minutes = (row["time"] or "").strip(), (row["minutes"] or "").strip()
    if not _TIME.match(time):
        yield Problem(where=f"{where} time", found=_shown(time), allowed="HH:MM", fix="write for example 09:00")
    if not _MINUTES.match(minutes) or not 1 <= int(minutes) <= DAY // _MINUTE:
        allowed = f"whole minutes, from 1 to {DAY // _MINUTE}"
        yield Problem(where=f"{where} minutes", found=_shown(minutes), allowed=allowed, fix="write for example 90")
    profile = (row.get("profile") or "").strip()
    if profile and profile not in profiles:
        allowed, fix = ", ".join(profiles), "name one of these, or none"
        yield Problem(where=f"{where} profile", found=_shown(profile), allowed=allowed, fix=fix)
    if None in row:
        yield Problem(where=where, found="more fields than columns", allowed="one field a column", fix="remove them")


def _shown(text: str) -> str:
    return f'"{text}"' if len(text) <= _SHOWN else f'"{text[:_SHOWN]}…", {len(text)} characters'
