"""What elab asks of a cloud: data about it, and nothing of the platform's own resources."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

from clouds.machines import PriceList
from clouds.pools import NodePool
from clouds.scaling import Scaling
from stackfile.problems import Problem
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

    class_spec: StorageClassSpec | None
    """None where an operator of the cluster owns its classes; then `ready_class` is the one to name."""
    snapshot_spec: SnapshotClassSpec | None
    """None where the driver has no snapshots, or an operator owns their class too."""
    zone_bound: bool
    """Whether a disk can be mounted in one zone only."""
    is_ceph: bool
    """Whether the volumes lie on the Ceph that the platform's monitoring watches."""
    ready_class: str | None = None
    """The class that the cluster's own operator makes; None: elab makes one."""


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
    dns_caches: dict[str, str] | None = None
    """Labels of caches that are pods of the same namespace, to which the cluster leads what is sent to the resolver."""


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
    """True where the cluster gives each namespace its uid range, and pods must not ask for one: OpenShift, by its
    SecurityContextConstraints."""


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """What monitoring must know of the nodes."""

    kubelets_verifiable: bool = True
    """Whether the authority that pods trust (`ca.crt` beside their token) signs the kubelets' certificates."""
    ports: Mapping[int, str] = field(default_factory=dict)
    """Ports of every node that the cluster's own programs have, and whose they are."""


@dataclass(frozen=True, kw_only=True)
class PolicyEngine:
    """What makes NetworkPolicies hold. Without an engine the API server takes them, and nothing heeds them."""

    name: str
    """What enforces them here, in words."""
    by_default: bool
    """Whether every new cluster of this kind has it running; else the plan prints `turn_on` as a duty."""
    turn_on: str
    """The command for a cluster that lacks it, or what its owner does in place of one."""
    remarks: str
    """What else its owner has to know."""


@dataclass(frozen=True, kw_only=True)
class About:
    """The cloud in words, for `docs/clouds.md`."""

    title: str
    storage: str
    entry: str
    """How the world comes in, who ends TLS, and how long a quiet WebSocket lives."""
    registry: str
    nodes: str
    """Pools, and what adds nodes."""
    network_policies: PolicyEngine
    lacks: tuple[str, ...]
    """Each with its reason."""


@dataclass(frozen=True, kw_only=True)
class Autoscaler:
    """What adds nodes when people's servers don't fit."""

    kind: Literal["none", "cluster-autoscaler", "karpenter", "managed", "openshift"]
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
    def hosts(self) -> Hosts: ...

    @property
    def about(self) -> About: ...

    @property
    def autoscaler(self) -> Autoscaler: ...

    @property
    def prices(self) -> PriceList | None:
        """None where the institution's own machines are not rented: each pool's price is the stack's to say."""
        ...

    def disks(self, pool: NodePool) -> int | None:
        """How many volumes of the cloud's own driver a node of the pool takes at once; None: no bound, or not known."""
        ...

    def scaling(self, pools: Sequence[NodePool], instance: str) -> Scaling:
        """What tells the autoscaler of the pools; names of objects begin with the instance's."""
        ...

    def pool_problems(self, pools: Sequence[NodePool]) -> Iterator[Problem]:
        """Why these pools can't be had here, at paths that begin with `pools` or `cloud`."""
        ...

    def outdated(self, today: date) -> Iterator[Problem]:
        """What the stack pins for this cloud that has grown too old by this day, at paths that begin with `cloud`."""
        ...

    @property
    def load_balancer_annotations(self) -> dict[str, str]:
        """What a Service of type LoadBalancer needs here."""
        ...
