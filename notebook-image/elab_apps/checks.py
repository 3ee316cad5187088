"""What a schema can't see: contradictions within an application, and between two of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .problems import Problem

RESERVED = {
    *("api", "consoles", "doc", "edit", "files", "hub", "kernelspecs", "lab", "login", "logout", "lsp", "metrics"),
    *("nbclassic", "nbconvert", "nbextensions", "notebooks", "oauth_callback", "proxy", "resource-usage"),
    *("server-proxy", "services", "settings", "static", "terminals", "tree", "user", "view", "voila"),
}
"""Paths that belong to Jupyter itself."""
JUPYTER_PORT = 8888
_FILLED_IN = {"port", "unix_socket", "base_url"}
_OF_COMMANDS = ("port", "unix_socket", "absolute_url", "environment", "headers")
"""Fields that go with `command`; an entry point's package decides them itself."""


def within(found: Mapping[str, Any], folder: Path, file: str) -> Iterator[Problem]:
    """Contradictions in one application, whose fields are each of the right form."""
    name = found["name"]
    if name != folder.name:
        yield Problem(f"{file}: name", f'"{name}"', f'"{folder.name}", its folder', "rename one of the two")
    if name in RESERVED:
        yield Problem(f"{file}: name", f'"{name}", a path of Jupyter\'s own', "any other name", "rename it")
    if not (folder / "icon.svg").is_file():
        yield Problem(f"{file.rpartition('/')[0]}/icon.svg", "nothing", "an SVG file for the launcher", "draw one")
    faults = list(_start(found, file))
    yield from faults
    yield from _templates(found, file)
    if not faults and "command" in found:
        yield from _untold(found, file)
    for index, pattern in enumerate(found.get("idle_requests", ())):
        try:
            re.compile(pattern)
        except re.error as error:
            yield Problem(
                f"{file}: idle_requests.{index}", f'"{pattern}": {error}', "a regular expression", "correct it"
            )
    if found.get("downloads") and not (folder / "install.sh").is_file():
        yield Problem(
            f"{file}: downloads", "releases that nothing installs", "an install.sh in the same folder", "write one"
        )
    if any("{version}" in one["url"] for one in found.get("downloads", ())) and "version" not in found:
        yield Problem(f"{file}: version", "nothing, but {version} in downloads", "the release's version", "add version")


def _start(found: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """Exactly one way to start it, and one place where it listens."""
    if ("command" in found) == ("entry_point" in found):
        what = "both command and entry_point" if "command" in found else "neither command nor entry_point"
        yield Problem(f"{file}: command", what, "exactly one of the two", "say how it is started, once")
    elif "entry_point" in found:
        for key in _OF_COMMANDS:
            if key in found:
                yield Problem(
                    f"{file}: {key}", "a value beside entry_point", "nothing: its package decides it", "remove it"
                )
        if not found.get("packages", {}).get("jupyter"):
            yield Problem(
                f"{file}: packages.jupyter", "nothing", "the package that brings the entry point", "add it, pinned"
            )
    elif ("port" in found) == ("unix_socket" in found):
        what = "both port and unix_socket" if "port" in found else "neither port nor unix_socket"
        yield Problem(f"{file}: port", what, "exactly one of the two", "say where it listens, once")
    if found.get("port") == JUPYTER_PORT:
        yield Problem(f"{file}: port", str(JUPYTER_PORT), "any but the Jupyter server's own", "take port: any")


def _templates(found: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """What stands in braces must be something that can be filled in."""
    texts = {f"command.{index}": text for index, text in enumerate(found.get("command", ()))}
    for key in ("environment", "headers"):
        texts.update({f"{key}.{name}": text for name, text in found.get(key, {}).items()})
    for where, text in texts.items():
        rest = text
        for known in _FILLED_IN:
            rest = rest.replace(f"{{{known}}}", "")
        if "{" in rest.replace("{{", "") or "}" in rest.replace("}}", ""):
            yield Problem(
                f"{file}: {where}",
                f'"{text}"',
                "{port}, {unix_socket}, {base_url}; {{ and }} for braces",
                "correct what stands in braces",
            )


def _untold(found: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """A program that isn't told where to listen will listen elsewhere."""
    given = " ".join([*found["command"], *found.get("environment", {}).values()])
    needed = "unix_socket" if "unix_socket" in found else "port" if found["port"] == "any" else None
    if needed and f"{{{needed}}}" not in given:
        yield Problem(
            f"{file}: command",
            f"no {{{needed}}}",
            f"a command, or an environment, that holds {{{needed}}}",
            "tell the program where to listen",
        )


def across(found: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """What two applications may not share, by file."""
    for key in ("name", "title", "port", "entry_point"):
        first: dict[object, str] = {}
        for file, application in found.items():
            value = application.get(key)
            if value is None or value == "any":
                continue
            if value in first:
                yield Problem(
                    f"{file}: {key}", f"{value!r}, as in {first[value]}", f"a {key} of its own", "change one of the two"
                )
            first.setdefault(value, file)
