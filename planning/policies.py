"""What the policies say to a plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from policy import exemptions
from policy.judge import Violation, context, judge, planned_pods
from policy.rules.model import Resource
from settings import Settings

from .findings import Finding
from .manifests import Manifest
from .recording import Recording


def resources(recording: Recording, servers: Sequence[Manifest]) -> list[Resource]:
    """What a program registers, and what KubeSpawner will make."""
    registered = [
        Resource(urn=one.urn, type=one.type, inputs=one.inputs, protect=one.protect)
        for one in recording.resources
        if one.custom and not one.read
    ]
    return [*registered, *planned_pods(manifest.body for manifest in servers)]


def violations(
    settings: Settings, recording: Recording, servers: Sequence[Manifest], today: date | None
) -> tuple[Violation, ...]:
    """Every rule that does not hold, what is exempted included. Raises StackError where an exemption is no good."""
    excused = exemptions.load(today)
    found = resources(recording, servers)
    return tuple(judge(found, context(settings, planned=True), excused, recording.stack))


def findings(found: Collection[Violation]) -> Iterator[Finding]:
    """A mandatory rule is an error, an advisory one a piece of information; what is exempted is not told."""
    for one in found:
        if not one.exempted:
            level = "error" if one.level == "mandatory" else "info"
            what = f"{one.what} [{one.rule.name}, {one.level}]. {one.rule.reason}"
            yield Finding(level=level, where=one.where, what=what, fix=one.rule.fix)
