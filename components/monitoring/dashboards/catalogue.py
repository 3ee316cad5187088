"""Which dashboards there are, and which of them a stack has."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "files" / "dashboards"
"""Where the generated dashboards lie: `make dashboards` writes them."""

NEEDS: Mapping[str, frozenset[str]] = {
    "overview": frozenset(),
    "hub": frozenset(),
    "pods": frozenset(),
    "containers": frozenset(),
    "hosts": frozenset(),
    "metrics": frozenset(),
    "logs": frozenset({"elasticsearch", "fluent-bit"}),
    "openstack": frozenset({"openstack"}),
    "ceph": frozenset({"ceph"}),
    "osds": frozenset({"ceph", "ceph-exporter"}),
}
"""The dashboards by name, in the order in which an operator needs them; each with the scrape jobs that it needs and
that a stack may lack."""


def selected(jobs: Collection[str]) -> dict[str, str]:
    """The JSON of every dashboard that these scrape jobs can fill, by name."""
    return {name: text(name) for name, needed in NEEDS.items() if needed <= set(jobs)}


def text(name: str) -> str:
    """A dashboard's JSON."""
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def parsed(name: str) -> dict[str, Any]:
    """A dashboard as plain data."""
    return json.loads(text(name))
