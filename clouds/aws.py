"""Amazon's EKS: EBS disks, network load balancers, Karpenter or cluster-autoscaler."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import Field

from clouds.ami import AmiAlias, outdated
from clouds.aws_names import KeyArn, NodeDisk, RoleName, Zone
from clouds.base import (
    About,
    AddressRanges,
    Autoscaler,
    ClusterEndpoints,
    Hosts,
    PodSecurity,
    PolicyEngine,
    SnapshotClassSpec,
    Storage,
    StorageClassSpec,
)
from clouds.endpoints import METADATA, Dns, ManagedApiServer, endpoints_of
from clouds.machines import Machine, PriceList, machine_problems
from clouds.pools import NodePool
from clouds.scaling import Command, Ec2NodeClass, KarpenterNodePool, Scaling
from stackfile.problems import Problem
from stackfile.quantities import Bytes
from stackfile.references import Cidr
from stackfile.section import Section

_DRIVER = "ebs.csi.aws.com"
_POD_IDENTITY = (Cidr("169.254.170.23/32"), Cidr("fd00:ec2::23/128"))
"""EKS Pod Identity's agent, which hands out a pod's role."""

_RESTRICTED = ("kubernetes.io", "k8s.io", "karpenter.sh", "karpenter.k8s.aws")
_FREE = "node.kubernetes.io"
_WELL_KNOWN = ("kubernetes.io/arch", "kubernetes.io/os", "topology.kubernetes.io/region", "topology.kubernetes.io/zone")
"""Labels that a NodePool of karpenter.sh/v1 refuses by their domain, and those that it takes nonetheless. Source: the
rules of its definition, 1.0.8 to 1.6.3; which it takes of its own domains differs by version."""

PRICES = PriceList(
    currency="USD",
    region="us-east-1",
    dated="2026-01-19",
    source="list prices of Linux on demand, generated from Amazon's price list into "
    "`pkg/providers/pricing/zz_generated.pricing_aws.go` of aws/karpenter-provider-aws (commit 031e72b6); today's are "
    "at aws.amazon.com/ec2/pricing/on-demand",
    machines={
        "m6i.2xlarge": Machine(cpus=8, memory=Bytes("32Gi"), per_hour=0.384, disks=25),
        "m6i.4xlarge": Machine(cpus=16, memory=Bytes("64Gi"), per_hour=0.768, disks=25),
        "m7i.4xlarge": Machine(cpus=16, memory=Bytes("64Gi"), per_hour=0.8064, disks=31),
        "r6i.4xlarge": Machine(cpus=16, memory=Bytes("128Gi"), per_hour=1.008, disks=25),
        "g4dn.xlarge": Machine(cpus=4, memory=Bytes("16Gi"), per_hour=0.526, gpus=1, disks=23),
        "g5.xlarge": Machine(cpus=4, memory=Bytes("16Gi"), per_hour=1.006, gpus=1, disks=23),
    },
)
"""What elab's pools use; a stack of another region sets `price_per_hour` of its pools.

Disks are what the EBS driver tells the scheduler when a node starts, with the two network interfaces that Amazon's own
network plugin begins with: of 28 attachments one is the node's own disk and two are the interfaces, on g4dn and g5 the
GPU and the local disk too; m7i has 32 for volumes alone. Source: EC2's user guide, "Amazon EBS volume limits", and
`pkg/cloud/limits` of kubernetes-sigs/aws-ebs-csi-driver. A third interface, after some thirty pods, takes a place that
the driver has promised (kubernetes-sigs/aws-ebs-csi-driver#2153): prefix delegation does without one.
"""


class Karpenter(Section):
    """Karpenter rents the machines; its controller is in the cluster already."""

    kind: Literal["karpenter"]
    discovery: str = Field(min_length=1)
    """The value of the tag `karpenter.sh/discovery` of subnets and security groups, by custom the cluster's name."""
    node_role: RoleName
    """The IAM role of the nodes; only its name."""
    ami: AmiAlias
    """The image of new nodes, an alias with its release. No default: it would grow old, for everybody at once."""
    disk: NodeDisk = NodeDisk("100Gi")
    """The node's own disk, for images and for servers' scratch space."""
    zones: tuple[Zone, ...] = ()
    """None: every zone of those subnets."""


class EksClusterAutoscaler(Section):
    """cluster-autoscaler grows managed node groups that are there already."""

    kind: Literal["cluster-autoscaler"]
    cluster: str = Field(min_length=1)
    """The cluster's name in EKS, for the commands that a plan prints."""


class AwsSettings(Section):
    """EKS."""

    kind: Literal["aws"]
    api_server: ManagedApiServer = ManagedApiServer()
    dns: Dns = Dns()
    pod_cidrs: tuple[Cidr, ...] = Field(min_length=1)
    """The subnets that pods have their addresses from."""
    service_cidrs: tuple[Cidr, ...] = (Cidr("10.100.0.0/16"),)
    node_cidrs: tuple[Cidr, ...] = ()
    filesystem: Literal["ext4", "xfs"] = "ext4"
    kms_key: KeyArn | None = None
    """The key that encrypts disks; none: the account's own for EBS."""
    load_balancer: Literal["internet-facing", "internal"] = "internet-facing"
    autoscaler: Karpenter | EksClusterAutoscaler = Field(discriminator="kind")


@dataclass(frozen=True)
class Aws:
    """Data about an EKS cluster."""

    settings: AwsSettings
    kind: str = "aws"

    @property
    def storage(self) -> Storage:
        key = {"kmsKeyId": str(self.settings.kms_key)} if self.settings.kms_key else {}
        filesystem = {"csi.storage.k8s.io/fstype": self.settings.filesystem}
        spec = StorageClassSpec(
            provisioner=_DRIVER,
            parameters={"type": "gp3", "encrypted": "true", **filesystem, **key},
            # A disk is made in the zone where its first pod runs.
            binding_mode="WaitForFirstConsumer",
            allow_expansion=True,
        )
        snapshots = SnapshotClassSpec(driver=_DRIVER)
        return Storage(class_spec=spec, snapshot_spec=snapshots, zone_bound=True, is_ceph=False)

    @property
    def endpoints(self) -> ClusterEndpoints:
        return endpoints_of(self.settings.api_server, self.settings.dns)

    @property
    def ranges(self) -> AddressRanges:
        settings = self.settings
        return AddressRanges(
            pods=settings.pod_cidrs,
            services=settings.service_cidrs,
            nodes=settings.node_cidrs,
            metadata=(*METADATA, *_POD_IDENTITY),
        )

    @property
    def pod_security(self) -> PodSecurity:
        return PodSecurity(assigns_uids=False)

    @property
    def hosts(self) -> Hosts:
        """EKS signs its kubelets' certificates with the cluster's own authority."""
        return Hosts()

    @property
    def _cluster(self) -> str:
        """The cluster's name in EKS; with Karpenter the tag's value, by custom the same."""
        found = self.settings.autoscaler
        return found.discovery if isinstance(found, Karpenter) else found.cluster

    @property
    def about(self) -> About:
        return About(
            title="Amazon EKS",
            storage="EBS gp3, encrypted: grows (once in six hours), has snapshots, is bound to one zone and one node",
            entry="a network load balancer by the AWS Load Balancer Controller before elab's own proxy, which ends "
            "TLS and sees people's own addresses; or an Ingress or a Gateway. A quiet connection lives 6000 s, the "
            "most there is; JupyterLab speaks every 30 s",
            registry="ECR by the nodes' role, without a pull secret",
            nodes="Karpenter's NodePool and EC2NodeClass, made by elab, whose nodes take nobody until the EBS driver "
            "has taken its taint `agent-not-ready` away; or cluster-autoscaler over managed node groups, whose sizes "
            "the plan prints as commands, and which want that taint too",
            network_policies=PolicyEngine(
                name="the node agent of Amazon's own network plugin (VPC CNI 1.14 and later), on Linux nodes of EC2",
                by_default=False,
                turn_on=f"aws eks update-addon --cluster-name {self._cluster} --addon-name vpc-cni "
                """--resolve-conflicts PRESERVE --configuration-values '{"enableNetworkPolicy": "true"}'""",
                remarks="the values take the place of those that the add-on has: name the others too. A new pod is "
                "open until the agent has heard of it, in its first seconds",
            ),
            lacks=(
                "a smallest number of nodes with Karpenter: it counts none, so `nodes.min` is 0 and placeholders keep "
                "room",
                "preferences that Karpenter takes as such: while they can be met they are requirements to it, and with "
                "`strategy: spread` it rents up to a node a person (docs/scheduling.md)",
                "volumes for several writers: EFS would be another class, and its files are slow for notebooks",
                "room for every disk: of most types a machine takes 25 volumes, as plans count, so more people than "
                "that need a further node",
                "EKS Auto Mode: its NodeClass is of another kind (eks.amazonaws.com/v1)",
            ),
        )

    @property
    def prices(self) -> PriceList:
        return PRICES

    def disks(self, pool: NodePool) -> int | None:
        return PRICES.disks(pool)

    @property
    def autoscaler(self) -> Autoscaler:
        # Karpenter has no cut-off; cluster-autoscaler's is -10.
        return Autoscaler(kind=self.settings.autoscaler.kind, placeholder_priority=-10, packs_already=False)

    def scaling(self, pools: Sequence[NodePool], instance: str) -> Scaling:
        found = self.settings.autoscaler
        if isinstance(found, EksClusterAutoscaler):
            return Scaling(commands=tuple(_node_group(pool, found.cluster) for pool in pools))
        shared = Ec2NodeClass(
            name=f"{instance}-people",
            ami=str(found.ami),
            role=found.node_role,
            discovery=found.discovery,
            # The whole unit in which EBS takes sizes.
            disk=f"{-(-found.disk.bytes // 2**30)}Gi",
            tags={"elab-instance": instance},
        )
        return Scaling(objects=(shared, *(_node_pool(pool, found, shared.name, instance) for pool in pools)))

    def pool_problems(self, pools: Sequence[NodePool]) -> Iterator[Problem]:
        yield from machine_problems(pools, PRICES)
        if not isinstance(self.settings.autoscaler, Karpenter):
            return
        for index, pool in enumerate(pools):
            if pool.nodes.min > 0:
                yield Problem(
                    where=f"pools.{index}.nodes.min",
                    found=str(pool.nodes.min),
                    allowed="0, since Karpenter keeps no smallest number of nodes",
                    fix=f"set it to 0, and keep room by pools.{index}.placeholders or arrivals",
                )
            yield from _restricted(f"pools.{index}.selector", pool)

    def outdated(self, today: date) -> Iterator[Problem]:
        found = self.settings.autoscaler
        if isinstance(found, Karpenter):
            yield from outdated("cloud.autoscaler.ami", found.ami, today)

    @property
    def load_balancer_annotations(self) -> dict[str, str]:
        """Annotations as of AWS Load Balancer Controller 2.11. Targets are nodes, whose health kube-proxy tells: pods
        as targets would be asked from addresses that network policies refuse.
        """
        prefix = "service.beta.kubernetes.io/aws-load-balancer"
        return {
            f"{prefix}-type": "external",
            f"{prefix}-nlb-target-type": "instance",
            f"{prefix}-scheme": self.settings.load_balancer,
            f"{prefix}-attributes": "load_balancing.cross_zone.enabled=true",
            f"{prefix}-listener-attributes.TCP-443": "tcp.idle_timeout.seconds=6000",
        }


def _restricted(where: str, pool: NodePool) -> Iterator[Problem]:
    """Labels that Karpenter's NodePool refuses to put on its nodes."""
    for key in pool.selector:
        ours = key.domain.endswith(_RESTRICTED) and key.domain != _FREE
        if ours and key not in _WELL_KNOWN:
            yield Problem(
                where=where,
                found=f"the label {key}",
                allowed="labels that Karpenter puts on nodes: none of its own domains, nor of Kubernetes' but for "
                + ", ".join(_WELL_KNOWN),
                fix=f"choose a label of your own, for example elab.dev/pool: {pool.name}",
            )


def _node_pool(pool: NodePool, settings: Karpenter, node_class: str, instance: str) -> KarpenterNodePool:
    machine = PRICES.machines.get(pool.machine or "")
    # EKS sets aside less than one processor of a node.
    cpus = machine.cpus if machine else -(-pool.allocatable.cpu.millicores // 1000)
    return KarpenterNodePool(
        name=f"{instance}-{pool.name}",
        node_class=node_class,
        labels={str(key): str(value) for key, value in pool.selector.items()},
        taints=pool.taints,
        machine=str(pool.machine),
        spot=pool.spot,
        zones=settings.zones,
        cpus=pool.nodes.max * cpus,
        consolidate_after="10m",
        startup_taint=f"{_DRIVER}/agent-not-ready",
    )


def _node_group(pool: NodePool, cluster: str) -> Command:
    """Labels and taints of a managed node group that has no node cluster-autoscaler asks EKS for itself."""
    sizes = f"minSize={pool.nodes.min},maxSize={pool.nodes.max}"
    return Command(
        pool=pool.name,
        why="the sizes of a managed node group are EKS' own, and cluster-autoscaler reads them there",
        command=f"aws eks update-nodegroup-config --cluster-name {cluster} --nodegroup-name {pool.name} "
        f"--scaling-config {sizes}",
    )
