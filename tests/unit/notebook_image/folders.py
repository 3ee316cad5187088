"""Folders of applications, made by tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

IMAGE = Path(__file__).parents[3] / "notebook-image"

HELLO: Mapping[str, Any] = {
    "name": "hello",
    "title": "Hello",
    "description": "Says hello.",
    "memory": "64Mi",
    "timeout": 20,
    "command": ["hello", "--port={port}"],
    "port": "any",
}
"""An application without a fault."""


def add(context: Path, place: str = "hello", *, remove: tuple[str, ...] = (), **fields: object) -> Path:
    """Add an application to an image's folder: `HELLO` with other fields."""
    folder = context / "apps" / place
    folder.mkdir(parents=True)
    (folder / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    found = {**HELLO, "name": place, "title": place.capitalize(), **fields}
    for field in remove:
        del found[field]
    (folder / "app.yaml").write_text(yaml.safe_dump(found, sort_keys=False))
    return folder


def release(**fields: object) -> dict[str, object]:
    """A release that some server has."""
    given = {
        "file": "hello.tar.gz",
        "url": "https://example.org/hello-{version}.tar.gz",
        "checksum": "sha256:" + "0" * 64,
        "source": "example.org",
    }
    return {**given, **fields}
