"""Stack files with one slip each: a good one, and how to spoil it."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from stackfile.problems import Problem

FOLDER: Final = Path(__file__).parent
ROOT: Final = FOLDER.parent.parent
GOOD: Final = FOLDER / "good.yaml"
STACK: Final = "faulty"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A problem that must be told: at which path, and with which words in the problem or its fix."""

    where: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """A slip: what is written in place of what, and what elab must say to it."""

    name: str
    text: str
    problems: tuple[Expected, ...]
    when: str
    """`read`: refused while the file is read. `up`: a finding in a plan, refused by the CLI's route."""
    cli: str | None
    """What the CLI itself says, where it can't read the file either."""


@functools.cache
def cases() -> tuple[Case, ...]:
    """All slips of cases.yaml."""
    return tuple(_case(entry) for entry in yaml.load((FOLDER / "cases.yaml").read_text(), yaml.CSafeLoader))


def _case(entry: dict[str, Any]) -> Case:
    text = GOOD.read_text()
    for old, new in entry["write"].items():
        if text.count(old) != 1:
            raise ValueError(f"{entry['name']}: {old!r} stands {text.count(old)} times in the good file")
        text = text.replace(old, new)
    problems = tuple(Expected(**problem) for problem in entry["problems"])
    return Case(name=entry["name"], text=text, problems=problems, when=entry.get("when", "read"), cli=entry.get("cli"))


def write(folder: Path, text: str) -> Path:
    """A project directory with the project's own Pulumi.yaml and the stack's file."""
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (folder / f"Pulumi.{STACK}.yaml").write_text(text)
    return folder


def path_of(problem: Problem) -> str:
    """The dotted path without file and line."""
    return problem.where.rpartition(" ")[2]


def line_of(problem: Problem) -> int | None:
    """The line in the stack's file, if the problem names one."""
    found = re.match(rf"Pulumi\.{STACK}\.yaml:(\d+) ", problem.where)
    return int(found[1]) if found else None
