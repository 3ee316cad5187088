"""What two elabs in one cluster can't share, as far as the stack files beside each other tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.monitoring.settings import NodeExporterSettings
from settings import SECRETS, Settings
from stackfile.configuration import plain_data
from stackfile.loader import StackFile, load_stack
from stackfile.problems import StackError

from .findings import Finding


def findings(project: Path, file: StackFile, settings: Settings) -> Iterator[Finding]:
    """Of each stack of the same cluster: names that are the same, and a port of the hosts that it takes too."""
    for path in sorted(project.glob("Pulumi.*.yaml")):
        other = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        theirs = _configuration(project, other)
        if other != file.stack and _same_cluster(theirs.get("cluster"), settings):
            yield from _same_names(other, theirs, settings)
            yield from _same_port(other, theirs, settings)


def _same_cluster(theirs: object, settings: Settings) -> bool:
    """By its context, or by its identifier, whatever a kubeconfig calls it."""
    identifier = settings.cluster.identifier
    return isinstance(theirs, Mapping) and (
        theirs.get("context") == settings.cluster.context
        or (identifier is not None and theirs.get("identifier") == identifier)
    )


def _same_names(other: str, theirs: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    if theirs.get("instance") == settings.instance:
        yield Finding(
            level="error",
            where="instance",
            what=f"found {settings.instance}, which stack {other} is called in the same cluster: the two would be one",
            fix="give one of the two another instance, or another cluster",
        )


def _same_port(other: str, theirs: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    """The pods of the second one would wait for ever."""
    port = settings.monitoring.node_exporter.port
    monitoring = theirs.get("monitoring", {})
    if not settings.monitoring.enabled or not isinstance(monitoring, Mapping) or not monitoring.get("enabled", True):
        return
    exporter = monitoring.get("node_exporter", {})
    if isinstance(exporter, Mapping) and exporter.get("port", NodeExporterSettings().port) == port:
        yield Finding(
            level="error",
            where="monitoring.node_exporter.port",
            what=f"found {port}, which stack {other} takes too on every node of the same cluster",
            fix="set another one in one of the two, for example 9101",
        )


def _configuration(project: Path, stack: str) -> Mapping[str, Any]:
    """Another stack's sections as they stand; none of one that can't be read, which its own plan tells of."""
    try:
        file = load_stack(project, stack)
    except StackError:
        return {}
    return plain_data(file.config, file.project, SECRETS)
