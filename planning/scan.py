"""`python -m planning.scan`: what a static scanner says of a stack's manifests, less what is excused with a reason."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import Field

from policy.files import document, shaped
from stackfile.problems import StackError
from stackfile.section import Section

EXCUSES = Path(__file__).parents[1] / "policy" / "scan.yaml"
_SECONDS = 900


class Excuse(Section):
    """A check that does not hold for some resources, and why."""

    check: str
    resources: tuple[str, ...] = Field(min_length=1)
    """Patterns of `Kind.namespace.name`."""
    reason: str = Field(min_length=1)


class Excuses(Section):
    """What policy/scan.yaml holds."""

    excuses: tuple[Excuse, ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One check that failed at one resource."""

    check: str
    title: str
    resource: str
    """`Kind.namespace.name`, as the scanner names it."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is left of a scan."""

    passed: int
    open: tuple[Failure, ...]
    excused: tuple[Failure, ...]
    needless: tuple[str, ...]
    """Excuses that excuse nothing."""


def excuses_in(file: Path = EXCUSES) -> tuple[Excuse, ...]:
    """The excuses of a file. Raises StackError where it is no YAML, or one of them is not whole."""
    return shaped(file, Excuses, document(file), "excuses").excuses


def outcome(report: Mapping[str, Any], excuses: Collection[Excuse]) -> Outcome:
    """Sorts a scanner's report by the excuses: each names a check, patterns of resources, and a reason."""
    failures = [
        Failure(check=one["check_id"], title=one["check_name"], resource=one["resource"])
        for one in report["results"]["failed_checks"]
    ]
    used: set[str] = set()
    left, excused = [], []
    for failure in failures:
        names = list(_excuses(failure, excuses))
        used.update(names)
        (excused if names else left).append(failure)
    needless = [name for one in excuses for name in _names(one) if name not in used]
    return Outcome(
        passed=report["summary"]["passed"], open=tuple(left), excused=tuple(excused), needless=tuple(needless)
    )


def _names(excuse: Excuse) -> list[str]:
    return [f"{excuse.check} for {pattern}" for pattern in excuse.resources]


def _excuses(failure: Failure, excuses: Collection[Excuse]) -> Iterator[str]:
    for one in excuses:
        for pattern, name in zip(one.resources, _names(one), strict=True):
            if failure.check == one.check and fnmatchcase(failure.resource, pattern):
                yield name


def main(arguments: Sequence[str]) -> int:
    """Scans the manifests that `make plan` wrote. 1 where something is neither passed nor excused."""
    parser = argparse.ArgumentParser(prog="python -m planning.scan", description=__doc__)
    parser.add_argument("--checkov", default="checkov", help="the scanner's program")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        excuses = excuses_in()
    except StackError as error:
        print(error, file=sys.stderr)
        return 2
    program = shutil.which(options.checkov)
    if program is None or not options.folder.is_dir():
        lacking = f"the program {options.checkov}" if program is None else f"the folder {options.folder}"
        print(f"error: {lacking} is not there; `make scan STACK=prod` makes it", file=sys.stderr)
        return 2
    command = [program, "--skip-download", "--framework", "kubernetes", "--compact", "-o", "json"]
    command += ["-d", str(options.folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        print(f"error: checkov gave no report: {done.stderr.strip() or done.stdout.strip()}", file=sys.stderr)
        return 2
    found = outcome(report, excuses)
    for failure in found.open:
        print(f"{failure.resource}: {failure.check}: {failure.title}")
        print(f"    mend it, or excuse it with a reason in policy/{EXCUSES.name}")
    for name in found.needless:
        print(f"policy/{EXCUSES.name}: {name} excuses nothing\n    remove it")
    print(f"checks passed: {found.passed}; excused with a reason: {len(found.excused)}; open: {len(found.open)}")
    return 1 if found.open or found.needless else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
