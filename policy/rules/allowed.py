"""The allow-lists of policy/allowed.yaml: who may see what of its node, and which Services the world may reach."""

from __future__ import annotations

import functools
from fnmatch import fnmatchcase
from pathlib import Path

from stackfile.section import Section

from ..files import document, shaped

FILE = Path(__file__).parents[1] / "allowed.yaml"


class HostAccess(Section):
    """What of the node a workload may have."""

    read_only: frozenset[str] = frozenset()
    """Exact paths."""
    writable: frozenset[str] = frozenset()
    """Patterns of paths."""
    namespaces: frozenset[str] = frozenset()
    ports: frozenset[str] = frozenset()
    """Settings that hold them."""


class _Entry(Section):
    why: str


class _Workload(_Entry, HostAccess):
    workload: str


class _Service(_Entry):
    service: str


class _Unasked(_Entry):
    workload: str
    containers: frozenset[str]


class Allowed(Section):
    """What policy/allowed.yaml holds."""

    host_access: tuple[_Workload, ...]
    public_services: tuple[_Service, ...]
    without_probes: tuple[_Unasked, ...]


def read(file: Path) -> Allowed:
    """The lists of a file. Raises StackError where it is no YAML, or has another shape."""
    return shaped(file, Allowed, document(file))


def host_access(key: str, instance: str) -> HostAccess:
    """What the workload of this key (`namespace/kind-name`) may have of its node."""
    found = [entry for entry in lists().host_access if _matches(key, entry.workload, instance)]
    return HostAccess(
        read_only=frozenset(value for entry in found for value in entry.read_only),
        writable=frozenset(value for entry in found for value in entry.writable),
        namespaces=frozenset(value for entry in found for value in entry.namespaces),
        ports=frozenset(value for entry in found for value in entry.ports),
    )


def public_service(key: str, instance: str) -> bool:
    """Whether the world may reach the Service of this key."""
    return any(_matches(key, entry.service, instance) for entry in lists().public_services)


def unasked(key: str, container: str, instance: str) -> bool:
    """Whether nobody asks this container of the workload how it is, since it serves nothing and does nothing."""
    found = (entry for entry in lists().without_probes if _matches(key, entry.workload, instance))
    return any(container in entry.containers for entry in found)


def _matches(key: str, pattern: str, instance: str) -> bool:
    return fnmatchcase(key, pattern.replace("<instance>", instance))


@functools.cache
def lists() -> Allowed:
    """The lists of policy/allowed.yaml. Raises StackError where the file is no good."""
    return read(FILE)
