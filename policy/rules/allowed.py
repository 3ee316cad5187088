"""The allow-lists of policy/allowed.yaml: who may see what of its node, and which Services the world may reach."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[1] / "allowed.yaml"


@dataclass(frozen=True, kw_only=True)
class HostAccess:
    """What of the node a workload may have."""

    read_only: frozenset[str] = frozenset()
    """Exact paths."""
    writable: frozenset[str] = frozenset()
    """Patterns of paths."""
    namespaces: frozenset[str] = frozenset()
    ports: frozenset[str] = frozenset()
    """Settings that hold them."""


def host_access(key: str) -> HostAccess:
    """What the workload of this key (`namespace/kind-name`) may have of its node."""
    found = [entry for entry in _lists()["host_access"] if fnmatchcase(key, entry["workload"])]
    return HostAccess(
        read_only=_all(found, "read_only"),
        writable=_all(found, "writable"),
        namespaces=_all(found, "namespaces"),
        ports=_all(found, "ports"),
    )


def public_service(key: str) -> bool:
    """Whether the world may reach the Service of this key."""
    return any(fnmatchcase(key, entry["service"]) for entry in _lists()["public_services"])


def _all(entries: Iterable[dict[str, Any]], field: str) -> frozenset[Any]:
    return frozenset(value for entry in entries for value in entry.get(field, ()))


@functools.cache
def _lists() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))
