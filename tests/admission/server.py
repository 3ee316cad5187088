"""An API server asked what it makes of an object, by the same calls as a Pulumi provider's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.plugins.standins.kubernetes import kubeconfig
from lab.plugins.standins.kubernetes.client import ApiError, Client, NoSuchKind
from tests.e2e.cluster import until

Object = Mapping[str, Any]
MANAGER = "elab"
STRICT = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
"""What a server without it only drops, an unknown field, is refused."""
DRY = {**STRICT, "dryRun": "All"}
"""Defaults, admission and validation, rules of definitions included; only nothing is kept."""


def read(file: Path) -> dict[str, Any]:
    """A definition."""
    return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


class Server:
    """The API server that a kubeconfig names."""

    def __init__(self, path: str) -> None:
        self.warnings: list[str] = []
        """What it has warned of since it was asked last."""
        self._client = Client(kubeconfig.load(path), self.warnings.append)

    def define(self, files: Iterable[Path]) -> None:
        """Have it serve these definitions."""
        for file in files:
            definition = read(file)
            # Karpenter's webhook, which is not here, turns one version into another; only one is asked for.
            definition["spec"].pop("conversion", None)
            self.create(definition)
            name = definition["metadata"]["name"]
            until(f"the definition {name}", lambda name=name: self._established(name), 20, every=0.05)

    def _established(self, name: str) -> bool:
        found = self._client.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, name) or {}
        conditions = found.get("status", {}).get("conditions") or ()
        return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)

    def knows(self, body: Object) -> bool:
        """Whether it has the object's kind."""
        try:
            self._client.kind(body["apiVersion"], body["kind"])
        except NoSuchKind:
            return False
        return True

    def create(self, body: Object) -> None:
        """Create the object; raises ApiError."""
        self._client.request("POST", self._collection(body), body, **STRICT)

    def apply(self, body: Object, subresource: str = "") -> None:
        """Create it, or make it so; raises ApiError."""
        path = f"{self._path(body)}/{subresource}".rstrip("/")
        self._client.request("PATCH", path, body, "application/apply-patch+yaml", force="true", **STRICT)

    def delete(self, body: Object) -> None:
        """Delete it; what has finalizers stays until somebody sees to them."""
        self._client.request("DELETE", self._path(body))

    def created(self, body: Object) -> str | None:
        """Why it would refuse to create the object; None if it would."""
        return self._refusal("POST", self._collection(body), body)

    def applied(self, body: Object) -> str | None:
        """Why it would refuse server-side apply, by which Pulumi makes objects; None if it would not."""
        return self._refusal("PATCH", self._path(body), body, "application/apply-patch+yaml", force="true")

    def _refusal(self, method: str, path: str, body: Object, *content_type: str, **query: str) -> str | None:
        try:
            self._client.request(method, path, body, *content_type, **DRY, **query)
        except ApiError as error:
            return str(error)
        return None

    def _path(self, body: Object) -> str:
        return f"{self._collection(body)}/{body['metadata']['name']}"

    def _collection(self, body: Object) -> str:
        return self._client.path(body["apiVersion"], body["kind"], body["metadata"].get("namespace"))
