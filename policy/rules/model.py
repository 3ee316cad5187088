"""What a rule is, and what it looks at: resources as they will be registered, whoever saw them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

Environment = Literal["dev", "prod"]
Level = Literal["disabled", "advisory", "mandatory"]

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
CLUSTER = "cluster"


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the stack says of itself, which no resource carries."""

    instance: str
    """The name that starts every namespace."""
    environment: Environment
    registries: tuple[str, ...]
    """Registries or prefixes of repositories that images may come from."""
    memory_ratio: Decimal
    monthly_cost: Decimal | None = None
    """The ceiling; none: there is none."""
    nodes_cost: Decimal | None = None
    """What all pools at their largest cost a month; none where a price is not known."""
    listener_tls: bool = True
    """Whether the Gateway's listener ends TLS, which belongs to the cluster: the stack says so."""
    pending: frozenset[str] = frozenset()
    """Images whose digest the stack has still to set: a plan names them once, and an up refuses before any policy."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Ports of the node that settings give to workloads, by the setting's path."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One managed resource: its inputs by their wire names."""

    urn: str
    type: str
    inputs: Mapping[str, Any]
    protect: bool | None = False
    """None where nobody can know: a pod that the hub will make."""

    @property
    def kind(self) -> str:
        """A Kubernetes kind; empty for another provider's resource."""
        return str(self.inputs.get("kind") or "") if self.type.startswith("kubernetes:") else ""

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.inputs.get("metadata") or {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name") or self.urn.rpartition("::")[2])

    @property
    def namespace(self) -> str | None:
        return self.metadata.get("namespace")

    @property
    def labels(self) -> Mapping[str, str]:
        return self.metadata.get("labels") or {}

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.inputs.get("spec") or {}

    @property
    def key(self) -> str:
        """`<namespace or cluster>/<kind>-<name>` as `make plan` names files, or another provider's type and name."""
        if not self.kind:
            return f"{self.type}/{self.name}"
        return f"{self.namespace or CLUSTER}/" + re.sub(r"[^a-z0-9.-]+", "-", f"{self.kind}-{self.name}".lower())

    @property
    def template(self) -> Mapping[str, Any] | None:
        """The pods that it makes, as metadata and spec; None for what makes none."""
        if self.kind == "Pod":
            return self.inputs
        if self.kind == "PodTemplate":
            return self.inputs.get("template")
        if self.kind == "CronJob":
            return ((self.spec.get("jobTemplate") or {}).get("spec") or {}).get("template")
        return self.spec.get("template") if self.kind in WORKLOADS else None

    @property
    def pod(self) -> Mapping[str, Any] | None:
        """The spec of its pods; None for what makes none."""
        template = self.template
        return None if template is None else template.get("spec") or {}

    def each(self) -> Iterator[Resource]:
        """Itself, or what a list of objects (`DeploymentList`) holds."""
        items = self.inputs.get("items")
        if not self.kind.endswith("List") or not isinstance(items, Sequence):
            yield self
            return
        for item in items:
            # The API server takes items that leave out what the list says already.
            body = {"kind": self.kind.removesuffix("List"), **item}
            token = f"{self.type.rpartition(':')[0]}:{body['kind']}"
            yield from replace(self, type=token, inputs=body).each()


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a pod."""

    body: Mapping[str, Any]
    init: bool
    """It ends before the pod runs (a sidecar, with `restartPolicy: Always`, does not)."""

    @property
    def name(self) -> str:
        return str(self.body.get("name"))

    @property
    def security(self) -> Mapping[str, Any]:
        return self.body.get("securityContext") or {}


def containers(resource: Resource) -> Iterator[Container]:
    """All containers of the pods that a resource makes, init containers first."""
    pod = resource.pod or {}
    for body in pod.get("initContainers") or ():
        yield Container(body=body, init=body.get("restartPolicy") != "Always")
    for body in pod.get("containers") or ():
        yield Container(body=body, init=False)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What a rule found: at one resource, or (none) at the stack as a whole."""

    resource: Resource | None
    what: str

    @property
    def where(self) -> str:
        """The resource's key, or `stack`: what exemptions name."""
        return self.resource.key if self.resource else "stack"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule: why it is there, how to mend what it finds, and how hard it is in each environment."""

    name: str
    reason: str
    fix: str
    dev: Level = "mandatory"
    prod: Level = "mandatory"
    one: Callable[[Resource, Context], Iterator[str]] | None = None
    """Says what is wrong with one resource; a rule has this or `all`."""
    all: Callable[[Sequence[Resource], Context], Iterator[Fault]] | None = None
    """Says what is wrong with resources taken together."""
    texts: bool = False
    """It reads every text that it meets, so what a preview does not know yet is left out instead of ending it."""

    def level(self, environment: Environment) -> Level:
        """How hard the rule is there."""
        return self.prod if environment == "prod" else self.dev

    def faults(self, resources: Sequence[Resource], context: Context) -> Iterator[Fault]:
        """All that the rule finds."""
        resources = [each for one in resources for each in one.each()]
        if self.one:
            for resource in resources:
                yield from (Fault(resource=resource, what=what) for what in self.one(resource, context))
        if self.all:
            yield from self.all(resources, context)


def strings(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text below a value, with its dotted path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name in value:
            yield from strings(value[name], f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from strings(item, f"{path}.{index}")
