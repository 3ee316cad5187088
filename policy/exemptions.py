"""Exemptions from rules: written down in policy/exemptions.yaml with reason and expiry, or refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from stackfile.problems import Problem, StackError

from .files import document, name_of
from .rules import RULES

FILE = Path(__file__).with_name("exemptions.yaml")
LONGEST = timedelta(days=366)
"""An exemption is looked at again at least once a year."""
_FIELDS = ("rule", "resource", "stacks", "reason", "expires")


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """Resources of some stacks that a rule does not hold for, until a day."""

    index: int
    rule: str
    resource: str
    """A pattern of keys, `namespace/kind-name`."""
    stacks: str
    """A pattern of stacks' names."""
    reason: str
    expires: date

    def covers(self, rule: str, key: str, stack: str) -> bool:
        """Whether it excuses this."""
        return rule == self.rule and fnmatchcase(key, self.resource) and fnmatchcase(stack, self.stacks)


def load(today: date | None, file: Path = FILE) -> tuple[Exemption, ...]:
    """The exemptions of a file; without a day they hold whatever their last.

    Raises:
        StackError: with every entry that is expired, not complete, or for a rule that does not exist.
    """
    entries, name = document(file) or [], name_of(file)
    if not isinstance(entries, list):
        raise StackError([_shape(name, entries, "a list of exemptions", "begin each with `- rule: `")], of=name)
    problems = [problem for index, entry in enumerate(entries) for problem in _problems(file, index, entry, today)]
    if problems:
        raise StackError(problems, of=name)
    return tuple(Exemption(index=index, **entry) for index, entry in enumerate(entries))


def _shape(where: str, found: object, allowed: str, fix: str) -> Problem:
    return Problem(
        where=where, found="a mapping" if isinstance(found, Mapping) else f'"{found}"', allowed=allowed, fix=fix
    )


def _problems(file: Path, index: int, entry: object, today: date | None) -> Iterator[Problem]:
    where = f"{name_of(file)} {index}"
    if isinstance(entry, Mapping):
        yield from _incomplete(where, entry, today)
    else:
        yield _shape(where, entry, "a mapping of " + ", ".join(_FIELDS), "write it as the entries beside it")


def _incomplete(where: str, entry: Mapping[str, Any], today: date | None) -> Iterator[Problem]:
    for field in _FIELDS:
        if not entry.get(field):
            yield Problem(
                where=f"{where}.{field}", found="nothing", allowed="all of " + ", ".join(_FIELDS), fix="state it"
            )
        elif field != "expires" and not isinstance(entry[field], str):
            yield Problem(
                where=f"{where}.{field}", found=f'"{entry[field]}"', allowed="text", fix="quote it, or write it out"
            )
    for field in entry.keys() - set(_FIELDS):
        yield Problem(where=f"{where}.{field}", found="it", allowed=", ".join(_FIELDS), fix="remove it")
    names = [rule.name for rule in RULES]
    if entry.get("rule") and entry["rule"] not in names:
        yield Problem(
            where=f"{where}.rule", found=f'"{entry["rule"]}"', allowed=", ".join(names), fix="name one of these rules"
        )
    expires = entry.get("expires")
    # A datetime is a date to Python, and does not compare with one.
    if expires and (isinstance(expires, datetime) or not isinstance(expires, date)):
        yield Problem(where=f"{where}.expires", found=f'"{expires}"', allowed="a day", fix="write it as 2027-06-30")
    elif expires and today and expires < today:
        yield Problem(
            where=f"{where}.expires",
            found=f"{expires}, which is past",
            allowed=f"a day from {today} on",
            fix=f"mend what it excuses and remove it, or give {entry.get('rule')} a new reason and day",
        )
    elif expires and today and expires > today + LONGEST:
        yield Problem(
            where=f"{where}.expires",
            found=str(expires),
            allowed=f"at most {today + LONGEST}, a year from now",
            fix="choose an earlier day",
        )


def unused(exemptions: Collection[Exemption], used: Collection[int]) -> tuple[Problem, ...]:
    """What to say to exemptions that excuse nothing any more in any stack."""
    return tuple(
        Problem(
            where=f"{name_of(FILE)} {one.index}",
            found=f"{one.rule} for {one.resource}, which excuses nothing in any stack {one.stacks}",
            allowed="exemptions that are needed",
            fix="remove it",
        )
        for one in exemptions
        if one.index not in used
    )
