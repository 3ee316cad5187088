"""Plans out of plain YAML, for tests of what reads plans."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from planning.manifests import Manifest

Documents = dict[str, dict[str, Any]]


def documents(path: Path) -> Documents:
    """The file's documents by `Kind/name`."""
    return {
        f"{document['kind']}/{document['metadata']['name']}": document
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    }


def plan(found: Documents) -> tuple[Manifest, ...]:
    """Manifests of these documents."""
    return tuple(Manifest(urn=f"urn:pulumi:test::elab::{key}::{key}", body=body) for key, body in found.items())


def changed(found: Documents, path: str, value: object) -> Documents:
    """A copy with one place changed: `Kind/name:dotted.path`; a value of None removes what stands there."""
    result = copy.deepcopy(found)
    key, _, rest = path.partition(":")
    if not rest:
        del result[key]
        return result
    *parents, last = [int(step) if step.isdigit() else step.replace("~", ".") for step in rest.split(".")]
    at: Any = result[key]
    for step in parents:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return result
