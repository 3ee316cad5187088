"""Names, labels and annotations of a plan, by the API server's own grammar: what it refuses fails an `up` half-way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stackfile.labels import LabelKey, LabelValue
from stackfile.references import LABEL, SUBDOMAIN

from .findings import Finding
from .manifests import Manifest

_NAMES: Mapping[str, tuple[str, int]] = {
    "Namespace": (LABEL, 63),
    "Service": (r"[a-z]([a-z0-9-]*[a-z0-9])?", 63),
    # Pods of these carry the name in a label, in whole or with a hash of ten characters and a hyphen.
    "Job": (LABEL, 63),
    "StatefulSet": (LABEL, 52),
    # The controller adds eleven characters for each Job.
    "CronJob": (LABEL, 52),
    **dict.fromkeys(("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"), (r"(?!\.{1,2}$)[^/%]+", 253)),
}
"""Kinds whose names have another form than a DNS name, and how long they may be."""
_OTHERS = (SUBDOMAIN, 253)
_ANNOTATIONS = 256 * 1024
"""Bytes that all keys and values of one object's annotations may have together (`TotalAnnotationSizeLimitB`)."""
_OPAQUE = frozenset({"data", "stringData", "binaryData"})


def findings(plan: tuple[Manifest, ...], servers: tuple[Manifest, ...]) -> Iterator[Finding]:
    """What the API server would refuse of the plan's objects, and of the people's, whose names the hub makes."""
    for manifest in plan:
        pattern, longest = _NAMES.get(manifest.kind, _OTHERS)
        if len(manifest.name) > longest or not re.fullmatch(pattern, manifest.name):
            yield _finding(manifest, "metadata.name", f'"{manifest.name}"', f"{pattern}, at most {longest} characters")
    for manifest in (*plan, *servers):
        for at, found, allowed in _within(manifest.body, manifest.kind, ""):
            yield _finding(manifest, at, found, allowed)


def _finding(manifest: Manifest, at: str, found: str, allowed: str) -> Finding:
    return Finding(
        level="error",
        where=f"{manifest.key}, {at}",
        what=f"found {found}, which the API server refuses: it takes {allowed}",
        fix="mend the setting that it is made of",
    )


Fault = tuple[str, str, str]
"""Where, what stands there, and what may."""


def _within(value: Any, kind: str, path: str) -> Iterator[Fault]:  # noqa: ANN401  whatever a manifest holds
    if isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value):
            yield from _within(item, kind, f"{path}.{index}")
        return
    if not isinstance(value, Mapping):
        return
    for name, item in value.items():
        at = f"{path}.{name}".lstrip(".")
        if name in _OPAQUE and not path:
            continue
        if name == "metadata" and isinstance(item, Mapping):
            yield from _pairs(item.get("labels"), f"{at}.labels")
            yield from _annotations(item.get("annotations"), f"{at}.annotations")
        elif name in ("matchLabels", "nodeSelector") or (kind == "Service" and at == "spec.selector"):
            yield from _pairs(item, at)
        elif name == "matchExpressions":
            for index, expression in enumerate(item):
                yield from _expression(expression, f"{at}.{index}")
        else:
            yield from _within(item, kind, at)


def _pairs(labels: Any, at: str) -> Iterator[Fault]:  # noqa: ANN401
    for key, value in (labels or {}).items():
        yield from _against(LabelKey, key, at)
        yield from _against(LabelValue, value, f"{at}.{key}")


def _expression(expression: Mapping[str, Any], at: str) -> Iterator[Fault]:
    yield from _against(LabelKey, expression["key"], f"{at}.key")
    for value in expression.get("values") or []:
        yield from _against(LabelValue, value, f"{at}.values")


def _annotations(annotations: Any, at: str) -> Iterator[Fault]:  # noqa: ANN401
    size = 0
    for key, value in (annotations or {}).items():
        size += len(key.encode()) + len(str(value).encode())
        # A domain in capital letters is taken here, other than in labels.
        yield from _against(LabelKey, key.lower(), at)
    if size > _ANNOTATIONS:
        yield at, f"{size} bytes", f"{_ANNOTATIONS} in all"


def _against(form: type[LabelKey | LabelValue], text: Any, at: str) -> Iterator[Fault]:  # noqa: ANN401
    """What is no text yet, such as a preview's unknown, can't be judged."""
    if not isinstance(text, str):
        return
    try:
        form.check(text)
    except ValueError:
        yield at, f'"{text}"', form.allowed
