"""The pods that a manifest makes, and what they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stackfile.quantities import Bytes, Cpu
from stackfile.resources import GPU

from .manifests import Manifest

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")


@dataclass(frozen=True, kw_only=True)
class Requests:
    """What a pod, or many, set aside (requests) and may use at most (limits)."""

    cpu: int = 0
    """Thousandths of a core."""
    memory: int = 0
    """Bytes."""
    cpu_limit: int = 0
    memory_limit: int = 0
    disks: int = 0
    """Volumes that are attached to the node."""
    gpus: int = 0

    def __add__(self, other: Requests) -> Requests:
        return Requests(
            cpu=self.cpu + other.cpu,
            memory=self.memory + other.memory,
            cpu_limit=self.cpu_limit + other.cpu_limit,
            memory_limit=self.memory_limit + other.memory_limit,
            disks=self.disks + other.disks,
            gpus=self.gpus + other.gpus,
        )

    def __mul__(self, times: int) -> Requests:
        return Requests(
            cpu=self.cpu * times,
            memory=self.memory * times,
            cpu_limit=self.cpu_limit * times,
            memory_limit=self.memory_limit * times,
            disks=self.disks * times,
            gpus=self.gpus * times,
        )

    def largest(self, other: Requests) -> Requests:
        """The larger of each figure."""
        return Requests(
            cpu=max(self.cpu, other.cpu),
            memory=max(self.memory, other.memory),
            cpu_limit=max(self.cpu_limit, other.cpu_limit),
            memory_limit=max(self.memory_limit, other.memory_limit),
            disks=max(self.disks, other.disks),
            gpus=max(self.gpus, other.gpus),
        )


@dataclass(frozen=True, kw_only=True)
class PodTemplate:
    """What one manifest makes pods of."""

    owner: str
    """The manifest's key."""
    kind: str
    namespace: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    replicas: int
    """How many there are; 0 for a DaemonSet (one a node), and for Jobs (none most of the time)."""
    claim_templates: int = 0
    """Claims that a StatefulSet makes for each pod."""

    @property
    def requests(self) -> Requests:
        """What the scheduler counts for one pod: its containers together, or its largest init container if more; and
        its disks.
        """
        running = Requests()
        starting = Requests()
        for container in self.spec.get("containers", []):
            running += _container(container)
        for container in self.spec.get("initContainers", []):
            if container.get("restartPolicy") == "Always":
                running += _container(container)
            else:
                starting = starting.largest(_container(container))
        return replace(running.largest(starting), disks=self.disks)

    @property
    def disks(self) -> int:
        """The pod's own claims. What is only read is shared by many, from a file system that is not attached."""
        claims = [volume.get("persistentVolumeClaim") for volume in self.spec.get("volumes") or []]
        return self.claim_templates + sum(1 for claim in claims if claim and not claim.get("readOnly"))

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """Init containers, then containers."""
        return [*self.spec.get("initContainers", []), *self.spec.get("containers", [])]


def pod_template(manifest: Manifest) -> PodTemplate | None:
    """The pods of a workload, or None for any other kind."""
    if manifest.kind not in WORKLOADS:
        return None
    body = manifest.body
    replicas = 1
    if manifest.kind == "Pod":
        template: Mapping[str, Any] = body
    elif manifest.kind == "CronJob":
        template = body["spec"]["jobTemplate"]["spec"]["template"]
        replicas = 0
    else:
        template = body["spec"]["template"]
        replicas = 0 if manifest.kind in ("DaemonSet", "Job") else body["spec"].get("replicas", 1)
    return PodTemplate(
        owner=manifest.key,
        kind=manifest.kind,
        namespace=manifest.namespace or "default",
        labels=(template.get("metadata") or {}).get("labels") or {},
        spec=template["spec"],
        replicas=replicas,
        claim_templates=len((body.get("spec") or {}).get("volumeClaimTemplates") or []),
    )


def pod_templates(plan: tuple[Manifest, ...]) -> Iterator[PodTemplate]:
    """The pods of every workload of a plan."""
    for manifest in plan:
        template = pod_template(manifest)
        if template:
            yield template


def missing_resources(template: PodTemplate) -> list[str]:
    """The containers that lack a CPU or memory request or limit."""
    lacking = []
    for container in template.containers:
        resources = container.get("resources") or {}
        stated = [(resources.get(side) or {}).keys() for side in ("requests", "limits")]
        if not all({"cpu", "memory"} <= names for names in stated):
            lacking.append(container["name"])
    return lacking


def storage_bytes(manifest: Manifest) -> int:
    """The disk that a claim asks for, and 0 for any other kind."""
    if manifest.kind != "PersistentVolumeClaim":
        return 0
    return Bytes(manifest.body["spec"]["resources"]["requests"]["storage"]).bytes


def _container(container: Mapping[str, Any]) -> Requests:
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    return Requests(
        cpu=_millicores(requests.get("cpu")),
        memory=_bytes(requests.get("memory")),
        cpu_limit=_millicores(limits.get("cpu")),
        memory_limit=_bytes(limits.get("memory")),
        gpus=int(limits.get(GPU) or 0),
    )


def _millicores(quantity: str | int | None) -> int:
    return 0 if quantity is None else Cpu(quantity).millicores


def _bytes(quantity: str | int | None) -> int:
    if quantity is None:
        return 0
    text = str(quantity)
    return int(text) if text.isdigit() else Bytes(text).bytes
