"""What Jupyter is told about the applications: checked against the image that was built, then written."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .applications import ICON, Application
from .problems import ApplicationsError, Problem

WRITTEN = "applications.json"
GROUP = "jupyter_serverproxy_servers"
"""Entry points of packages that bring an application."""


def write(applications: Iterable[Application], target: Path) -> None:
    """Write `applications.json` and the icons below `target`, where each application has its folder `apps/<name>`.

    Raises:
        ApplicationsError: a command or an entry point is not in the image.
    """
    applications = list(applications)
    problems = [problem for application in applications for problem in _missing(application, target)]
    if problems:
        raise ApplicationsError(problems)
    icons = target / "icons"
    icons.mkdir(parents=True, exist_ok=True)
    for application in applications:
        shutil.copyfile(application.folder / ICON, icons / f"{application.name}.svg")
    text = json.dumps([described(application, target) for application in applications], indent=2)
    (target / WRITTEN).write_text(text + "\n", encoding="utf-8")


def described(application: Application, target: Path) -> Mapping[str, Any]:
    """An application as the Jupyter server reads it."""
    program = _program(application, target)
    return {
        "name": application.name,
        "title": application.title,
        "category": application.category,
        "icon": str(target / "icons" / f"{application.name}.svg"),
        "entry_point": application.entry_point,
        "command": [program, *application.command[1:]] if program else [],
        "port": application.port,
        "unix_socket": application.unix_socket,
        "absolute_url": application.absolute_url,
        "ready": application.ready,
        "timeout": application.timeout,
        "environment": dict(application.environment),
        "headers": dict(application.headers),
        "idle_requests": list(application.idle_requests),
        "memory": application.memory,
    }


def _missing(application: Application, target: Path) -> Iterator[Problem]:
    if application.command and _program(application, target) is None:
        yield Problem(
            f"{application.file}: command.0",
            f'"{application.command[0]}", which is not in the image',
            f"a program on the PATH, in {target / 'apps' / application.name / 'bin'}, or an absolute path",
            "correct the name, or let packages or install.sh install it",
        )
    if application.entry_point and application.entry_point not in entry_points():
        yield Problem(
            f"{application.file}: entry_point",
            f'"{application.entry_point}", which no package of the image has',
            f"one of {', '.join(sorted(entry_points())) or 'none'}",
            "correct the name, or add its package to packages.jupyter",
        )


def _program(application: Application, target: Path) -> str | None:
    """The command's program: in the application's own folder first, then wherever the person's PATH finds it."""
    if not application.command:
        return None
    own = target / "apps" / application.name / "bin"
    return shutil.which(application.command[0], path=os.pathsep.join([str(own), os.environ.get("PATH", "")]))


def entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    """The applications that packages of this Python bring, by name."""
    found: Any = importlib.metadata.entry_points()
    group = found.select(group=GROUP) if hasattr(found, "select") else found.get(GROUP, ())
    return {one.name: one for one in group}
