"""What is wrong with a recorded plan whatever the stack: leaks, unresolved outputs, unbounded containers, open tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .findings import Finding
from .manifests import Manifest
from .pods import missing_resources, pod_templates
from .recording import Recording, strings_in

_UNRESOLVED = ("Calling __str__ on an Output", "<pulumi.output", "Output[")


def findings(recording: Recording, plan: tuple[Manifest, ...]) -> Iterator[Finding]:
    """Every such fault of a plan."""
    yield from _leaks(plan)
    yield from _unresolved(recording)
    yield from _unbounded(plan)
    yield from _silent(recording)
    yield from _logged(recording)


def _leaks(plan: tuple[Manifest, ...]) -> Iterator[Finding]:
    for manifest in plan:
        for path in manifest.leaks:
            yield Finding(
                level="error",
                where=f"{manifest.key}, {path}",
                what="a secret stands outside a Secret, where everybody sees it who may read the object",
                fix="keep it in a Secret, and refer to that",
            )


def _unresolved(recording: Recording) -> Iterator[Finding]:
    for resource in recording.resources:
        if any(mark in text for text in strings_in(resource.inputs) for mark in _UNRESOLVED):
            yield Finding(
                level="error",
                where=resource.urn,
                what="the text of an output object stands where its value should",
                fix="use pulumi.Output.concat or format instead of an f-string",
            )


def _unbounded(plan: tuple[Manifest, ...]) -> Iterator[Finding]:
    for template in pod_templates(plan):
        for container in missing_resources(template):
            yield Finding(
                level="error",
                where=f"{template.owner}, container {container}",
                what="it lacks a CPU or memory request or limit",
                fix="give the container all four",
            )


def _silent(recording: Recording) -> Iterator[Finding]:
    for resource in recording.resources:
        component = not resource.custom and not resource.type.startswith("pulumi:")
        if component and resource.urn not in recording.registered_outputs:
            yield Finding(
                level="error",
                where=resource.urn,
                what="the component never registers its outputs, so the engine can't tell when it is complete",
                fix="end its constructor with self.register_outputs(...)",
            )


def _logged(recording: Recording) -> Iterator[Finding]:
    for message in recording.messages:
        level = "error" if message.severity == "error" else "warning" if message.severity == "warning" else "info"
        yield Finding(level=level, where=message.urn or "the program", what=message.text, fix="see the message")


def images(plan: tuple[Manifest, ...]) -> Mapping[str, tuple[str, ...]]:
    """Every image reference of a plan with the containers that use it."""
    users: dict[str, set[str]] = {}
    for template in pod_templates(plan):
        for container in template.containers:
            users.setdefault(container["image"], set()).add(f"{template.owner}:{container['name']}")
    return {image: tuple(sorted(users[image])) for image in sorted(users)}
