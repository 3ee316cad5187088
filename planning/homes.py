"""What a plan knows of the stack where people log in: stand-ins for its outputs, and its file beside this one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.entry_settings import public_url
from components.hub.places import PLACE_SECRETS, HomeLogin
from settings import Settings
from stackfile.loader import StackFile, load_stack
from stackfile.problems import StackError

from .findings import Finding


def references(config: Mapping[str, str], project: str = "elab") -> dict[str, dict[str, Any]]:
    """The outputs that a home stack would have for a stack of this configuration, by the home stack's name.

    Every value follows from the two names alone, as with all that `planning.fakes` makes up.
    """
    login = json.loads(config.get(f"{project}:login") or "{}")
    stack, place = login.get("stack"), login.get("place")
    if not stack:
        return {}
    return {stack: {"url": "https://home.invalid", PLACE_SECRETS: {place: f"the key of {place} in {stack}"}}}


def findings(project: Path, file: StackFile, settings: Settings) -> Iterator[Finding]:
    """What the home stack's file says otherwise, where it lies beside this one."""
    login = settings.login
    if not isinstance(login, HomeLogin) or login.stack is None or login.stack.project != file.project:
        return
    if login.stack.stack == file.stack or not (project / f"Pulumi.{login.stack.stack}.yaml").is_file():
        return
    places = {place.get("name"): place for place in _places(project, login.stack.stack)}
    own = public_url(settings.entry)
    if login.place not in places:
        named = ", ".join(map(str, places)) or "no place"
        yield Finding(
            level="error",
            where="login.place",
            what=f'found "{login.place}", and stack {login.stack.stack} names {named}',
            fix=f'add {{name: {login.place}, title: …, url: "{own}"}} to places there, and bring that stack up first',
        )
    elif str(places[login.place].get("url")).rstrip("/") != own:
        yield Finding(
            level="error",
            where="login.place",
            what=f"stack {login.stack.stack} leads to {places[login.place].get('url')}, and this stack is at {own}",
            fix=f'set url of place {login.place} there to "{own}", and bring that stack up first',
        )


def _places(project: Path, stack: str) -> list[dict[str, Any]]:
    """Another stack's places as they stand; none of one that can't be read, which its own plan tells of."""
    try:
        file = load_stack(project, stack)
        found = json.loads(file.config.get(f"{file.project}:places") or "[]")
    except (StackError, json.JSONDecodeError):
        return []
    return [place for place in found if isinstance(place, dict)] if isinstance(found, list) else []
