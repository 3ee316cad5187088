"""Checks manifests offline: against the API schemas of the oldest and the newest Kubernetes that elab supports, and
custom resources against elab's own schemas of their kinds (`crds/`).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stackfile.jsonschemas import jsonschema_without_iris

from .findings import Finding
from .manifests import Manifest

if TYPE_CHECKING:
    from jsonschema import ValidationError

OLDEST = "1.32"
"""z2jh's development chart asks for 1.32 or newer, and the hub's image is the same."""
NEWEST = "1.37"
"""The newest that kubernetes-validate 1.37.0 has, and that pulumi-kubernetes 4.34.2 has fields for."""
SUPPORTED = (OLDEST, NEWEST)

_CRDS = Path(__file__).with_name("crds")
_Errors = Callable[[Mapping[str, Any]], Iterable["ValidationError"]]
_CRD_GROUPS = ("snapshot.storage.k8s.io", "gateway.networking.k8s.io", "metrics.k8s.io")


def is_custom(manifest: Manifest) -> bool:
    """Whether the object's kind comes from a CustomResourceDefinition, so that Kubernetes brings no schema for it."""
    group, slash, _version = manifest.api_version.rpartition("/")
    if not slash or "." not in group:
        return False
    return group in _CRD_GROUPS or not group.endswith(".k8s.io")


def violations(manifest: Manifest, version: str) -> list[str]:
    """What a Kubernetes of this minor version would refuse: unknown fields, wrong types, an unknown kind."""
    errors_of = _errors_of(manifest.api_version, manifest.kind, version)
    if errors_of is None:
        return [f"Kubernetes {version} has no {manifest.kind} of {manifest.api_version}"]
    return list(_described(errors_of, manifest))


def custom_violations(manifest: Manifest) -> list[str] | None:
    """What the definition of a custom resource would refuse; None where elab has no schema of its kind."""
    errors_of = _custom_errors_of(manifest.api_version, manifest.kind)
    return None if errors_of is None else list(_described(errors_of, manifest))


def findings(plan: Iterable[Manifest]) -> Iterator[Finding]:
    """An error for each violation, and a warning for each custom resource that no schema is there for."""
    for manifest in plan:
        if is_custom(manifest):
            yield from _custom_findings(manifest)
            continue
        for version in SUPPORTED:
            for violation in violations(manifest, version):
                yield _refused(f"{manifest.key}, Kubernetes {version}", violation)


def _custom_findings(manifest: Manifest) -> Iterator[Finding]:
    found = custom_violations(manifest)
    if found is None:
        yield Finding(
            level="warning",
            where=manifest.key,
            what=f"nothing checks it: there is no schema for {manifest.kind} of {manifest.api_version}",
            fix=f"write planning/crds/{manifest.kind}.json",
        )
    for violation in found or ():
        yield _refused(f"{manifest.key}, {manifest.api_version}", violation)


def _refused(where: str, violation: str) -> Finding:
    return Finding(level="error", where=where, what=violation, fix="correct the builder of this object")


def _described(errors_of: _Errors, manifest: Manifest) -> Iterator[str]:
    for error in errors_of(manifest.body):
        yield f"{'.'.join(str(step) for step in error.absolute_path) or manifest.kind}: {_short(error)}"


def _short(error: ValidationError) -> str:
    return error.message if len(error.message) <= 200 else f"{error.message[:200]}…"


@functools.cache
def _errors_of(api_version: str, kind: str, version: str) -> _Errors | None:
    """What finds the errors of an object of this kind; None where that Kubernetes has no such kind."""
    folder = _schemas() / f"v{version}.0-local-strict"
    # As kubernetes-validate names its files: the group less its domain, then the version.
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    path = folder / f"{kind.lower()}-{group}.json"
    if not path.exists():
        return None
    schema = _definitions(folder).put_into(json.loads(path.read_text(encoding="utf-8")))
    return jsonschema_without_iris().Draft202012Validator(schema).iter_errors


@functools.cache
def _custom_errors_of(api_version: str, kind: str) -> _Errors | None:
    """What finds the errors of a custom resource; None where no schema is of this very version of the kind."""
    path = _CRDS / f"{kind}.json"
    schema = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    if schema is None or schema["properties"]["apiVersion"]["const"] != api_version:
        return None
    return jsonschema_without_iris().Draft202012Validator(schema).iter_errors


class _Definitions:
    """What the schemas of one Kubernetes refer to, to be put where they do so.

    A reference would be looked up anew for each value of each object, which took a third of the time of all checks.
    """

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._written = definitions
        self._whole: dict[str, dict[str, Any]] = {}

    def put_into(self, schema: Any) -> Any:  # noqa: ANN401  as deep as it is wide
        """The schema without references."""
        if isinstance(schema, list):
            return [self.put_into(part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        if isinstance(reference := schema.get("$ref"), str):
            return self._named(reference.rpartition("/")[2])
        return {key: self.put_into(part) for key, part in schema.items()}

    def _named(self, name: str) -> dict[str, Any]:
        if name not in self._whole:
            # There before it is whole, since some hold themselves.
            self._whole[name] = {}
            self._whole[name].update(self.put_into(self._written[name]))
        return self._whole[name]


@functools.cache
def _definitions(folder: Path) -> _Definitions:
    return _Definitions(json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))["$defs"])


@functools.cache
def _schemas() -> Path:
    """Where kubernetes-validate keeps its schemas; its own code reads them anew for each object, so is not used."""
    found = find_spec("kubernetes_validate")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("kubernetes-validate is missing: pip install -r requirements.txt")
    return Path(found.origin).parent / "kubernetes-json-schema"
