"""What elab asks of a cloud: data about it, and nothing of the platform's own resources."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from stackfile.references import Cidr


@dataclass(frozen=True, kw_only=True)
class StorageClassSpec:
    """A StorageClass as this cloud's driver wants it."""

    provisioner: str
    parameters: dict[str, str] = field(default_factory=dict)
    mount_options: tuple[str, ...] = ()
    binding_mode: Literal["Immediate", "WaitForFirstConsumer"]
    allow_expansion: bool


@dataclass(frozen=True, kw_only=True)
class SnapshotClassSpec:
    """A VolumeSnapshotClass; its CRDs and the snapshot controller come with the cluster, not with elab."""

    driver: str
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Storage:
    """What the cloud's disks are and can do."""

    class_spec: StorageClassSpec
    snapshot_spec: SnapshotClassSpec | None
    """None where the driver has no snapshots."""
    read_write_many: bool
    zone_bound: bool
    """Whether a disk can be mounted in one zone only."""
    is_ceph: bool
    """Whether the volumes lie on the Ceph that the platform's monitoring watches."""


@dataclass(frozen=True, kw_only=True)
class ClusterEndpoints:
    """Where pods find what every pod needs; NetworkPolicies open exactly this."""

    api_server: tuple[Cidr, ...]
    """Addresses of the API server behind its Service; policies see these, not the Service's. Empty: any address."""
    api_server_port: int
    dns_namespace: str
    dns_labels: dict[str, str]
    dns_cidrs: tuple[Cidr, ...] = ()
    """Addresses of resolvers that are no pods, such as a node-local cache."""
    dns_ports: tuple[int, ...] = (53,)
    """Ports that the resolver's pods listen on, where they differ from the Service's 53."""


@dataclass(frozen=True, kw_only=True)
class AddressRanges:
    """Address ranges that people's servers never reach by the `users.egress` setting."""

    pods: tuple[Cidr, ...]
    services: tuple[Cidr, ...]
    nodes: tuple[Cidr, ...]
    """The nodes' own addresses, where kubelets and node ports answer; empty where the stack does not know them."""
    metadata: tuple[Cidr, ...]
    """The cloud's metadata service, which hands out credentials of the node."""


@dataclass(frozen=True, kw_only=True)
class PodSecurity:
    """How the cloud's admission differs from plain Kubernetes."""

    assigns_uids: bool
    """True where the cluster gives each namespace its uid range, and pods must not ask for one."""


@dataclass(frozen=True, kw_only=True)
class Autoscaler:
    """What adds nodes when people's servers don't fit."""

    kind: Literal["none", "cluster-autoscaler", "karpenter", "managed"]
    placeholder_priority: int
    """Priority of placeholders: at or above the autoscaler's cut-off, so that they call for nodes."""
    packs_already: bool
    """Whether the cluster's scheduler fills nodes up; then elab's own user scheduler would only add risk."""


class Cloud(Protocol):
    """Data about one cloud. Every module in `clouds/` has one class of this shape and its settings."""

    @property
    def kind(self) -> str:
        """The name in the stack file's `cloud.kind`."""
        ...

    @property
    def storage(self) -> Storage: ...

    @property
    def endpoints(self) -> ClusterEndpoints: ...

    @property
    def ranges(self) -> AddressRanges: ...

    @property
    def pod_security(self) -> PodSecurity: ...

    @property
    def autoscaler(self) -> Autoscaler: ...

    @property
    def load_balancer_annotations(self) -> dict[str, str]:
        """What a Service of type LoadBalancer needs here."""
        ...

    def identity_annotations(self, role: str) -> dict[str, str]:
        """What a ServiceAccount needs to act as the cloud's role; empty where the cloud has no such thing."""
        ...
