"""Golden files: what a stack's plan was when somebody last looked at it and agreed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from components.kit import CONTENT_HASH
from planning.manifests import CLUSTER, Manifest
from planning.recording import Json
from planning.snapshot import Snapshot

FOLDER = Path(__file__).parents[1] / "stacks" / "golden"
_PROJECT = Path(__file__).parents[2]
_ROOMS = _PROJECT / "components"
_BUILT_IMAGE = re.compile(r"-[0-9a-f]{16}@sha256:[0-9a-f]{64}$")
"""The end of an image's name that is made of its content."""


def files_of(plan: Iterable[Manifest], urns: Snapshot) -> dict[str, str]:
    """A plan as golden files: one per namespace with its objects, and the URNs with what guards them."""
    found: dict[str, list[str]] = {}
    for manifest in plan:
        shown = Manifest(urn=manifest.urn, body=_normalised(dict(manifest.body)))
        found.setdefault(f"{manifest.namespace or CLUSTER}.yaml", []).append(shown.yaml())
    texts = {name: "---\n".join(documents) for name, documents in found.items()}
    return texts | {"urns.txt": "".join(f"{line}\n" for line in urn_lines(urns))}


def urn_lines(urns: Snapshot) -> list[str]:
    """Each managed resource's URN, and `protect` and `retain` where it has them."""
    lines = []
    for entry in urns.entries:
        marks = [mark for mark, is_set in (("protect", entry.protect), ("retain", entry.retain)) if is_set]
        lines.append(" ".join([entry.urn, *marks]))
    return sorted(lines)


def _normalised(value: Json) -> Any:  # noqa: ANN401  as deep as it is wide
    """Texts of the repository by their path, and hashes of content as such: git shows those changes already."""
    if isinstance(value, dict):
        return {name: "<hash>" if name == CONTENT_HASH else _normalised(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    if isinstance(value, str) and value in _repository_texts():
        return f"<the text of {_repository_texts()[value]}>"
    return _BUILT_IMAGE.sub("-<hash>", value) if isinstance(value, str) else value


@cache
def _repository_texts() -> dict[str, str]:
    files = [path for path in _ROOMS.rglob("*") if path.parent.name != "__pycache__" and "files" in path.parts]
    return {
        text: path.relative_to(_PROJECT).as_posix()
        for path in files
        if path.is_file() and (text := path.read_text(encoding="utf-8"))
    }


def write(stack: str, files: dict[str, str]) -> None:
    """Replaces a stack's golden files."""
    folder = FOLDER / stack
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def read(stack: str) -> dict[str, str]:
    """A stack's golden files by name; empty where there are none."""
    folder = FOLDER / stack
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*"))}
