"""Snapshots of another commit's stacks, each made by that commit's own code."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stackfile.problems import Problem, StackError

from .figures import Figures
from .snapshot import FORMAT, Entry, Snapshot

_SECONDS = 120
"""A plan takes a few seconds; a program that hangs at the other commit must not hang this one."""
UNDATED = "ELAB_UNDATED_EXEMPTIONS"
"""Tells a base commit's own `snapshot` that exemptions hold whatever their day; older code ignores a variable."""
_LONGEST = 600
"""Characters of why a base can't be planned: it stands in a table's comment, once for each stack."""


@dataclass(frozen=True, kw_only=True)
class Unplanned:
    """A stack that its commit's own code can't plan."""

    why: str

    @property
    def short(self) -> str:
        """The reason in one line; of a traceback, what it ends with."""
        words = self.why.splitlines()[-1] if "Traceback (most recent call last)" in self.why else self.why
        line = " ".join(words.split())
        return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def to_json(found: Sequence[Snapshot]) -> str:
    """Snapshots for another process to read."""
    stacks = {one.stack: [asdict(entry) for entry in one.entries] for one in found}
    figures = {one.stack: asdict(one.figures) for one in found if one.figures}
    return json.dumps({"format": FORMAT, "stacks": stacks, "figures": figures})


def from_json(text: str) -> dict[str, Snapshot]:
    """The snapshots in a text by `to_json`, by stack. Raises ValueError or KeyError when it is none."""
    data = json.loads(text)
    if data.get("format") != FORMAT:
        raise ValueError(f"a snapshot of format {data.get('format')}; this code reads {FORMAT}")
    figures = data.get("figures", {})
    return {stack: _snapshot(stack, entries, figures.get(stack)) for stack, entries in data["stacks"].items()}


def _snapshot(stack: str, entries: list[dict[str, Any]], figures: dict[str, Any] | None) -> Snapshot:
    made = (Entry(former=tuple(entry.pop("former")), **entry) for entry in entries)
    read = None
    if figures:
        read = Figures(monthly_cost=figures["monthly_cost"], violations=tuple(figures["violations"]))
    return Snapshot(stack=stack, entries=tuple(made), figures=read)


@contextmanager
def checked_out(project: Path, commit: str) -> Generator[Path]:
    """The project's files as they were at a commit, in a temporary folder; the work tree is left alone.

    Raises StackError when there is no such commit.
    """
    if shutil.which("git") is None:
        problem = Problem(where="git", found="not installed", allowed="git on PATH", fix="install git")
        raise StackError([problem], of="this machine")
    archive = subprocess.run(["git", "archive", "--format=tar", commit], cwd=project, capture_output=True, check=False)
    if archive.returncode:
        raise StackError(
            [
                Problem(
                    where="--base",
                    found=f'"{commit}"',
                    allowed="a commit, branch or tag of this repository",
                    fix=f"git said: {archive.stderr.decode(errors='replace').strip()}; fetch it, or name another",
                )
            ],
            of="the option --base",
        )
    with tempfile.TemporaryDirectory(prefix="elab-base-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        yield Path(folder)


def snapshots_at(folder: Path, stacks: Sequence[str]) -> dict[str, Snapshot]:
    """Plans stacks with the code in a folder, in a process of its own.

    Raises StackError with that process's own words when one of them can't be planned there.
    """
    try:
        return _planned(folder, stacks, {})
    except _UnplannedError as error:
        raise StackError([_unplannable(folder, stacks, str(error))], of="the work tree") from None


def snapshots_of_base(folder: Path, stacks: Sequence[str]) -> dict[str, Snapshot | Unplanned]:
    """The same of a base commit: what can't be planned there says why, and the others are planned all the same.

    Exemptions hold there whatever their last day: otherwise a change that renews one that has expired could never pass.
    """
    try:
        return {**_planned(folder, stacks, {UNDATED: "1"})}
    except _UnplannedError as error:
        if error.hung or len(stacks) == 1:
            return dict.fromkeys(stacks, Unplanned(why=str(error)))
    return {name: found for stack in stacks for name, found in snapshots_of_base(folder, [stack]).items()}


def _planned(folder: Path, stacks: Sequence[str], told: dict[str, str]) -> dict[str, Snapshot]:
    if not stacks:
        return {}
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", UNDATED)}
    command = [sys.executable, "-m", "planning", "snapshot", *(f"--stack={stack}" for stack in stacks)]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"} | told,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _UnplannedError(f"no plan within {_SECONDS} s", hung=True) from None
    if done.returncode:
        raise _UnplannedError(done.stderr.strip() or done.stdout.strip() or "nothing")
    try:
        return from_json(done.stdout)
    except (KeyError, ValueError) as error:
        raise _UnplannedError(str(error)) from error


class _UnplannedError(Exception):
    def __init__(self, words: str, *, hung: bool = False) -> None:
        super().__init__(words)
        self.hung = hung


def _unplannable(folder: Path, stacks: Sequence[str], words: str) -> Problem:
    return Problem(
        where=f"planning {', '.join(stacks)} by the code in {folder}",
        found=words,
        allowed="code whose own `python -m planning snapshot` succeeds",
        fix="mend the stack here",
    )


def stacks_in(folder: Path) -> list[str]:
    """The stacks that a project has files for, by name."""
    names = (path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in folder.glob("Pulumi.*.yaml"))
    return sorted(name for name in names if name)
