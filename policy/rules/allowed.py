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


def host_access(key: str, instance: str) -> HostAccess:
    """What the workload of this key (`namespace/kind-name`) may have of its node."""
    found = [entry for entry in _lists()["host_access"] if _matches(key, entry["workload"], instance)]
    return HostAccess(
        read_only=_all(found, "read_only"),
        writable=_all(found, "writable"),
        namespaces=_all(found, "namespaces"),
        ports=_all(found, "ports"),
    )


def public_service(key: str, instance: str) -> bool:
    """Whether the world may reach the Service of this key."""
    return any(_matches(key, entry["service"], instance) for entry in _lists()["public_services"])


def unasked(key: str, container: str, instance: str) -> bool:
    """Whether nobody asks this container of the workload how it is, since it serves nothing and does nothing."""
    found = (entry for entry in _lists()["without_probes"] if _matches(key, entry["workload"], instance))
    return any(container in entry["containers"] for entry in found)


def _matches(key: str, pattern: str, instance: str) -> bool:
    return fnmatchcase(key, pattern.replace("<instance>", instance))


def _all(entries: Iterable[dict[str, Any]], field: str) -> frozenset[Any]:
    return frozenset(value for entry in entries for value in entry.get(field, ()))


@functools.cache
def _lists() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))
