"""Plain Kubernetes manifests: from typed pulumi arguments, and from what a program registered."""

from __future__ import annotations

import base64
import re
import shutil
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pulumi import _types

from components.kit import plain

from .recording import UNKNOWN, Json, Recorded, Recording, strings_in
from .recording import Path as InputPath

REDACTED = "<secret>"
CLUSTER = "cluster"
"""The folder of objects that have no namespace."""
_SHORTEST_SECRET = 8
"""Shorter strings are not searched for in clear: they would be found in any text."""


def to_manifest(args: object) -> dict[str, Any]:
    """Typed pulumi_kubernetes arguments (`PodInitArgs`, `ContainerArgs`, …) as a manifest with Kubernetes' own names.

    `apiVersion` and `kind` are filled in for whole objects. Raises TypeError for an Output: its value is not there yet,
    so what contains one can only be read from a recording.
    """
    manifest = plain(args)
    identity = {
        name: typing.get_args(hint)[0]
        for name, hint in _identity_types(type(args)).items()
        if typing.get_origin(hint) is typing.Literal
    }
    return {**identity, **manifest}


def _identity_types(cls: type) -> dict[str, Any]:
    types = _types.input_type_types(cls)
    return {name: _types.unwrap_type(types[name]) for name in ("apiVersion", "kind") if name in types}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """An object of the cluster as it would be applied, secrets redacted."""

    urn: str
    body: Mapping[str, Any]
    leaks: tuple[str, ...] = ()
    """Dotted paths where a secret stands outside a Secret's data, for anybody to see who may read the object."""

    @property
    def api_version(self) -> str:
        return self.body["apiVersion"]

    @property
    def kind(self) -> str:
        return self.body["kind"]

    @property
    def name(self) -> str:
        return str(self.body["metadata"]["name"])

    @property
    def namespace(self) -> str | None:
        """None for objects of the cluster as a whole."""
        return self.body["metadata"].get("namespace")

    @property
    def key(self) -> str:
        """`<namespace or cluster>/<kind>-<name>`: unique within a plan, and the file's path less its suffix."""
        file_name = re.sub(r"[^a-z0-9.-]+", "-", f"{self.kind}-{self.name}".lower())
        return f"{self.namespace or CLUSTER}/{file_name}"

    def yaml(self) -> str:
        """The manifest as YAML: apiVersion, kind and metadata first, then the rest in alphabetical order."""
        first = ["apiVersion", "kind", "metadata"]
        names = [*first, *sorted(self.body.keys() - set(first))]
        ordered = {name: self.body[name] for name in names if name in self.body}
        return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.CSafeDumper):
    """Safe YAML with multi-line texts as blocks, so that a changed line is a changed line."""


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(type(UNKNOWN), lambda dumper, value: _text(dumper, repr(value)))


def manifests(recording: Recording) -> tuple[Manifest, ...]:
    """Every object that the program manages, sorted by key.

    Raises ValueError when two objects would be one in the cluster (same kind, namespace and name).
    """
    needles = tuple(_searchable(recording.secrets))
    found: dict[str, Manifest] = {}
    for resource in recording.kubernetes():
        manifest = _manifest(resource, needles)
        if manifest.key in found:
            raise ValueError(f"{manifest.key} is registered twice: as {found[manifest.key].urn} and as {resource.urn}")
        found[manifest.key] = manifest
    return tuple(found[key] for key in sorted(found))


def _manifest(resource: Recorded, needles: tuple[str, ...]) -> Manifest:
    leaks: list[str] = []
    # Most objects hold none, and then their texts need not be looked through one by one.
    text = "\n".join(strings_in(resource.inputs))
    needles = tuple(needle for needle in needles if needle in text)
    body = {
        name: _redact(value, (name,), resource.secret_paths, needles, leaks) for name, value in resource.inputs.items()
    }
    body["metadata"] = {"name": resource.name, **(body.get("metadata") or {})}
    if resource.inputs.get("kind") == "Secret":
        for field in {"data", "stringData"} & body.keys():
            keys = resource.inputs[field]
            body[field] = dict.fromkeys(keys, REDACTED) if isinstance(keys, Mapping) else REDACTED
        leaks = [leak for leak in leaks if leak.split(".")[0] not in ("data", "stringData")]
    return Manifest(urn=resource.urn, body=body, leaks=tuple(leaks))


def _searchable(secrets: Iterable[str]) -> Iterable[str]:
    for text in sorted(secrets):
        if len(text) >= _SHORTEST_SECRET:
            yield text
            yield base64.b64encode(text.encode()).decode()


def _redact(
    value: Json, path: InputPath, secret_paths: frozenset[InputPath], needles: tuple[str, ...], leaks: list[str]
) -> Json:
    if path in secret_paths:
        leaks.append(".".join(str(step) for step in path))
        return _redacted_leaves(value)
    if isinstance(value, Mapping):
        return {
            name: _redact(item, (*path, name), secret_paths, needles, leaks) for name, item in sorted(value.items())
        }
    if isinstance(value, list | tuple):
        return [_redact(item, (*path, index), secret_paths, needles, leaks) for index, item in enumerate(value)]
    if needles and isinstance(value, str) and any(needle in value for needle in needles):
        leaks.append(".".join(str(step) for step in path))
        return REDACTED
    return value


def _redacted_leaves(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {name: _redacted_leaves(item) for name, item in sorted(value.items())}
    return REDACTED


def write(plan: Iterable[Manifest], folder: Path) -> None:
    """Writes `<folder>/<key>.yaml` for each manifest, after removing what an earlier plan left there."""
    if folder.exists():
        shutil.rmtree(folder)
    for manifest in plan:
        path = folder / f"{manifest.key}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(manifest.yaml(), encoding="utf-8")
