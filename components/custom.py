"""Objects of kinds that pulumi-kubernetes has no type for."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes.meta import v1 as meta


class CustomObject(pulumi.CustomResource):
    """An object of a CustomResourceDefinition. Its fields come from a frozen dataclass of its kind."""

    def __init__(
        self,
        name: str,
        *,
        api_version: str,
        kind: str,
        metadata: meta.ObjectMetaArgs,
        fields: Mapping[str, Any],
        opts: pulumi.ResourceOptions,
    ) -> None:
        props = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
        super().__init__(f"kubernetes:{api_version}:{kind}", name, props, opts)
