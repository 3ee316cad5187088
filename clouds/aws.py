"""Amazon's EKS: EBS disks, network load balancers, Karpenter or cluster-autoscaler."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from clouds.base import (
    About,
    AddressRanges,
    Autoscaler,
    ClusterEndpoints,
    Hosts,
    PodSecurity,
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

PRICES = PriceList(
    currency="USD",
    region="us-east-1",
    dated="about 2025",
    source="list prices of Linux on demand, not looked up: check them at aws.amazon.com/ec2/pricing/on-demand",
    machines={
        "m6i.2xlarge": Machine(cpus=8, memory=Bytes("32Gi"), per_hour=0.384),
        "m6i.4xlarge": Machine(cpus=16, memory=Bytes("64Gi"), per_hour=0.768),
        "m7i.4xlarge": Machine(cpus=16, memory=Bytes("64Gi"), per_hour=0.8064),
        "r6i.4xlarge": Machine(cpus=16, memory=Bytes("128Gi"), per_hour=1.008),
        "g4dn.xlarge": Machine(cpus=4, memory=Bytes("16Gi"), per_hour=0.526, gpus=1),
        "g5.xlarge": Machine(cpus=4, memory=Bytes("16Gi"), per_hour=1.006, gpus=1),
    },
)
"""What elab's pools use; a stack of another region sets `price_per_hour` of its pools."""


RESERVED_DOMAIN = re.compile(
    r"(?!node\.kubernetes\.io/)[^/]*(kubernetes\.io|k8s\.io|karpenter\.sh|karpenter\.k8s\.aws)(/|$)"
)
TAKEN_LABELS = frozenset(
    ("kubernetes.io/arch", "kubernetes.io/os", "topology.kubernetes.io/region", "topology.kubernetes.io/zone")
)
"""Labels of nodes that Karpenter's NodePool refuses, and those of them that it takes all the same. Source: the rules of
its definition, 1.0.8 to 1.6.3; of its own domains it takes some, which differ by version."""


class Karpenter(Section):
    """Karpenter rents the machines; its controller is in the cluster already."""

    kind: Literal["karpenter"]
    discovery: str = Field(min_length=1)
    """The value of the tag `karpenter.sh/discovery` of subnets and security groups, by custom the cluster's name."""
    node_role: str = Field(min_length=1)
    """The IAM role of the nodes; only its name."""
    ami: str = Field(default="al2023@v20250920", pattern=r"^(al2023|bottlerocket)@v[0-9.]+$")
    """An alias with its version: with `latest`, nodes would change whenever Amazon releases."""
    disk: Bytes = Bytes("100Gi")
    """The node's own disk, for images and for servers' scratch space."""
    zones: tuple[str, ...] = ()
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
    kms_key: str | None = Field(default=None, pattern=r"^arn:aws[a-z-]*:kms:")
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
        key = {"kmsKeyId": self.settings.kms_key} if self.settings.kms_key else {}
        filesystem = {"csi.storage.k8s.io/fstype": self.settings.filesystem}
        spec = StorageClassSpec(
            provisioner=_DRIVER,
            parameters={"type": "gp3", "encrypted": "true", **filesystem, **key},
            # A disk is made in the zone where its first pod runs.
            binding_mode="WaitForFirstConsumer",
            allow_expansion=True,
        )
        snapshots = SnapshotClassSpec(driver=_DRIVER)
        return Storage(class_spec=spec, snapshot_spec=snapshots, read_write_many=False, zone_bound=True, is_ceph=False)

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
    def about(self) -> About:
        return About(
            title="Amazon EKS",
            storage="EBS gp3, encrypted: grows (once in six hours), has snapshots, is bound to one zone and one node",
            entry="a network load balancer by the AWS Load Balancer Controller before elab's own proxy, which ends "
            "TLS and sees people's own addresses; or an Ingress or a Gateway. A quiet connection lives 6000 s, the "
            "most there is; JupyterLab speaks every 30 s",
            registry="ECR by the nodes' role, without a pull secret",
            nodes="Karpenter's NodePool and EC2NodeClass, made by elab; or cluster-autoscaler over managed node "
            "groups, whose sizes the plan prints as commands",
            lacks=(
                "a smallest number of nodes with Karpenter: it counts none, so `nodes.min` is 0 and placeholders keep "
                "room",
                "volumes for several writers: EFS would be another class, and its files are slow for notebooks",
                "room for every disk: a machine holds about 25 EBS volumes, so more people than that need a further "
                "node",
                "EKS Auto Mode: its NodeClass is of another kind (eks.amazonaws.com/v1)",
            ),
        )

    @property
    def prices(self) -> PriceList:
        return PRICES

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
            ami=found.ami,
            role=found.node_role,
            discovery=found.discovery,
            # The whole unit in which EBS takes sizes.
            disk=f"{-(-found.disk.bytes // 2**30)}Gi",
            tags={"elab-instance": instance},
        )
        return Scaling(objects=(shared, *(_node_pool(pool, found, shared.name, instance) for pool in pools)))

    def pool_problems(self, pools: Sequence[NodePool]) -> Iterator[Problem]:
        yield from machine_problems(pools, PRICES)
        if isinstance(self.settings.autoscaler, Karpenter):
            for index, pool in enumerate(pools):
                yield from _unfit_for_karpenter(f"pools.{index}", pool)

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


def _unfit_for_karpenter(where: str, pool: NodePool) -> Iterator[Problem]:
    if pool.nodes.min > 0:
        yield Problem(
            where=f"{where}.nodes.min",
            found=str(pool.nodes.min),
            allowed="0, since Karpenter keeps no smallest number of nodes",
            fix=f"set it to 0, and keep room by {where}.placeholders or arrivals",
        )
    for key in pool.selector:
        if key not in TAKEN_LABELS and RESERVED_DOMAIN.match(key):
            yield Problem(
                where=f"{where}.selector",
                found=f"{key}, which Karpenter sets itself and takes from nobody",
                allowed=f"a label of a domain of your own, node.kubernetes.io/…, {', '.join(sorted(TAKEN_LABELS))}",
                fix=f"write for example elab.dev/pool: {pool.name}; Karpenter then gives it to the pool's nodes",
            )


def _node_pool(pool: NodePool, settings: Karpenter, node_class: str, instance: str) -> KarpenterNodePool:
    machine = PRICES.machines[pool.machine or ""]
    return KarpenterNodePool(
        name=f"{instance}-{pool.name}",
        node_class=node_class,
        labels={**pool.selector},
        taints=pool.taints,
        machine=str(pool.machine),
        spot=pool.spot,
        zones=settings.zones,
        cpus=pool.nodes.max * machine.cpus,
        consolidate_after="10m",
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
