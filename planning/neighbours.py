"""What two elabs in one cluster can't share, as far as the stack files beside each other tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.monitoring.settings import NodeExporterSettings
from settings import Settings
from stackfile.loader import StackFile, load_stack
from stackfile.problems import StackError

from .findings import Finding


def findings(project: Path, file: StackFile, settings: Settings) -> Iterator[Finding]:
    """A port of the hosts that a stack of the same cluster takes too: the second one's pods would wait for ever."""
    if not settings.monitoring.enabled:
        return
    port = settings.monitoring.node_exporter.port
    for path in sorted(project.glob("Pulumi.*.yaml")):
        other = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        if other == file.stack:
            continue
        found = _sections(project, other)
        cluster = found.get("cluster", {})
        same = cluster.get("context") == settings.cluster.context or (
            settings.cluster.identifier is not None and cluster.get("identifier") == settings.cluster.identifier
        )
        monitoring = found.get("monitoring", {})
        exporter = monitoring.get("node_exporter", {})
        theirs = exporter.get("port", NodeExporterSettings().port) if isinstance(exporter, dict) else None
        if same and monitoring.get("enabled", True) and theirs == port:
            yield Finding(
                level="error",
                where="monitoring.node_exporter.port",
                what=f"found {port}, which stack {other} takes too on every node of the same cluster",
                fix="set another one in one of the two, for example 9101",
            )


def _sections(project: Path, stack: str) -> dict[str, dict[str, Any]]:
    """Another stack's sections as they stand; none of one that can't be read, which its own plan tells of."""
    try:
        file = load_stack(project, stack)
    except StackError:
        return {}
    found = {}
    for key, text in file.config.items():
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            continue
        if isinstance(value, dict):
            found[key.removeprefix(f"{file.project}:")] = value
    return found
