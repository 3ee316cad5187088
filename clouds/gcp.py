"""Google's GKE: persistent disks, network load balancers, node pools that scale by themselves."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import Field

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
from clouds.endpoints import METADATA, NODE_LOCAL_DNS, ManagedApiServer
from clouds.machines import Machine, PriceList, machine_problems, pods_problems
from clouds.pools import NodePool, Taint
from clouds.scaling import Command, Scaling, shown_labels, shown_taint
from stackfile.labels import LabelKey, LabelValue
from stackfile.problems import Problem
from stackfile.quantities import Bytes
from stackfile.references import Cidr, Name
from stackfile.section import Section

_DRIVER = "pd.csi.storage.gke.io"
_GKE_METADATA = Cidr("169.254.169.252/32")
"""GKE's metadata server, to which workload identity leads what pods send to 169.254.169.254."""
_CLOUD_DNS = Cidr("169.254.169.254/32")
"""Cloud DNS answers at the metadata address, port 53; nothing else of that address is opened."""

_GPU = Taint(key=LabelKey("nvidia.com/gpu"), value=LabelValue("present"), effect="NoSchedule")
"""GKE puts it on GPU nodes wherever the cluster has others too, and tolerates it for pods that ask for a GPU alone."""
_ACCELERATORS = {"g2-": "nvidia-l4", "a2-highgpu-": "nvidia-tesla-a100", "a2-ultragpu-": "nvidia-a100-80gb"}
"""What Google calls the GPUs of a family of machines; `gcloud compute accelerator-types list` has them all."""
_PERSISTENT_ONLY = ("a2", "c2", "c2d", "e2", "g2", "n1", "n2", "n2d", "t2a", "t2d")
_HYPERDISK_ONLY = ("c4", "c4a", "c4d", "n4", "n4a", "n4d")
"""Families of machines that take no hyperdisk-balanced, and those that take no persistent disks. Source: Compute
Engine's documentation, "Hyperdisk Balanced" and "Machine families"; nextflow-io/nextflow#6841 has met both."""
_ZONES = 3
"""In how many zones a regional cluster has its nodes, unless somebody chose others."""

_PERSISTENT_DISKS = 127
"""128 less the node's own, on every machine but those with shared cores. Source: Compute Engine's documentation,
"Persistent Disk limits", and `pkg/gce-pd-csi-driver/node.go` of kubernetes-sigs/gcp-compute-persistent-disk-csi-driver.
"""

_PODS = range(8, 257)
"""How many pods `--max-pods-per-node` takes for a node. Source: GKE's documentation, "Configure maximum Pods per node",
and `max_pods_constraint` of its API."""

PRICES = PriceList(
    currency="USD",
    region="us-central1",
    dated="after March 2026",
    source="list prices on demand, collected in `pkg/providers/pricing/initial-prices.json` of "
    "cloudpilot-ai/karpenter-provider-gcp (commit 036c6e2c), which names no day and has had its form since then; "
    "today's are at cloud.google.com/compute/vm-instance-pricing",
    machines={
        "e2-standard-8": Machine(cpus=8, memory=Bytes("32Gi"), per_hour=0.268046, disks=_PERSISTENT_DISKS),
        "n2-standard-8": Machine(cpus=8, memory=Bytes("32Gi"), per_hour=0.388472, disks=_PERSISTENT_DISKS),
        "n2-standard-16": Machine(cpus=16, memory=Bytes("64Gi"), per_hour=0.776944, disks=_PERSISTENT_DISKS),
        "n2-highmem-16": Machine(cpus=16, memory=Bytes("128Gi"), per_hour=1.048112, disks=_PERSISTENT_DISKS),
        "g2-standard-8": Machine(cpus=8, memory=Bytes("32Gi"), per_hour=0.853624, gpus=1, disks=_PERSISTENT_DISKS),
    },
)
"""What elab's pools use; a stack of another region sets `price_per_hour` of its pools."""


class GcpSettings(Section):
    """GKE Standard. (Autopilot has no node pools, and refuses what node-exporter needs of its host.)"""

    kind: Literal["gcp"]
    project: str = Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
    location: str = Field(pattern=r"^[a-z]+-[a-z]+[0-9](-[a-z])?$")
    """The cluster's region or zone, for the commands that a plan prints."""
    cluster: Name
    """The cluster's name in GKE, likewise."""
    api_server: ManagedApiServer = ManagedApiServer()
    dns: Literal["node-local", "kube-dns", "cloud-dns"] = "node-local"
    """Who resolves names: NodeLocal DNSCache (GKE's default since 1.34), kube-dns alone, or Cloud DNS for GKE."""
    pod_cidrs: tuple[Cidr, ...] = Field(min_length=1)
    service_cidrs: tuple[Cidr, ...] = Field(min_length=1)
    node_cidrs: tuple[Cidr, ...] = ()
    disk: Literal["pd-balanced", "pd-ssd", "hyperdisk-balanced"] = "pd-balanced"
    """The disk type. Machines from the fourth generation on take hyperdisks only, and fewer of them: state how many in
    `pools.N.allocatable.disks`. Those of the first and second, as in docs/clouds.md, take persistent disks only."""
    regional: bool = False
    """Keep each disk in two zones; it costs twice as much."""
    load_balancer: Literal["external", "internal"] = "external"
    profile: Literal["balanced", "optimize-utilization"] = "optimize-utilization"
    """The cluster's autoscaling profile; the second one packs pods by itself, and elab's user scheduler is left out."""

    def problems(self) -> Iterator[Problem]:
        if self.regional and self.disk == "hyperdisk-balanced":
            yield Problem(
                where="disk",
                found="hyperdisk-balanced, with regional: true",
                allowed="pd-balanced or pd-ssd in two zones: Google keeps hyperdisk-balanced in one",
                fix="set regional to false, or disk to pd-balanced on machines that take it",
            )


@dataclass(frozen=True)
class Gcp:
    """Data about a GKE cluster."""

    settings: GcpSettings
    kind: str = "gcp"

    @property
    def storage(self) -> Storage:
        twice = {"replication-type": "regional-pd"} if self.settings.regional else {}
        spec = StorageClassSpec(
            provisioner=_DRIVER,
            parameters={"type": self.settings.disk, "csi.storage.k8s.io/fstype": "ext4", **twice},
            # A disk is made in the zone where its first pod runs.
            binding_mode="WaitForFirstConsumer",
            allow_expansion=True,
        )
        snapshots = SnapshotClassSpec(driver=_DRIVER)
        return Storage(class_spec=spec, snapshot_spec=snapshots, zone_bound=True, is_ceph=False)

    @property
    def endpoints(self) -> ClusterEndpoints:
        """A cache is reached by its address, or with Dataplane V2 as a pod."""
        cached = self.settings.dns == "node-local"
        cidrs = {"node-local": (NODE_LOCAL_DNS,), "kube-dns": (), "cloud-dns": (_CLOUD_DNS,)}
        return ClusterEndpoints(
            api_server=self.settings.api_server.cidrs,
            api_server_port=self.settings.api_server.port,
            dns_namespace="kube-system",
            dns_labels={"k8s-app": "kube-dns"},
            dns_cidrs=cidrs[self.settings.dns],
            dns_caches={"k8s-app": "node-local-dns"} if cached else None,
        )

    @property
    def ranges(self) -> AddressRanges:
        settings = self.settings
        return AddressRanges(
            pods=settings.pod_cidrs,
            services=settings.service_cidrs,
            nodes=settings.node_cidrs,
            metadata=(*METADATA, _GKE_METADATA),
        )

    @property
    def pod_security(self) -> PodSecurity:
        return PodSecurity(assigns_uids=False)

    @property
    def hosts(self) -> Hosts:
        """GKE signs its kubelets' certificates with the cluster's own authority."""
        return Hosts()

    @property
    def _where(self) -> str:
        settings = self.settings
        return f"{settings.cluster} --location {settings.location} --project {settings.project}"

    @property
    def about(self) -> About:
        return About(
            title="Google GKE",
            storage="persistent disks (pd-balanced): grow, have snapshots, are bound to one zone, or to two with "
            "`regional`, and to one node",
            entry="a passthrough network load balancer before elab's own proxy, which ends TLS and sees people's own "
            "addresses; or a Gateway or Ingress whose proxies run in the cluster. A connection that is quiet for ten "
            "minutes is forgotten; JupyterLab speaks every 30 s",
            registry="Artifact Registry by the nodes' service account, without a pull secret",
            nodes="node pools that scale by themselves; they are no objects of the cluster, so the plan prints the "
            "command of each",
            network_policies=PolicyEngine(
                name="Dataplane V2, which a cluster has from its creation on (`--enable-dataplane-v2`) or never; "
                "elsewhere GKE's Calico",
                by_default=False,
                turn_on=f"gcloud container clusters update {self._where} --update-addons=NetworkPolicy=ENABLED && "
                f"gcloud container clusters update {self._where} --enable-network-policy",
                remarks="with Dataplane V2 there is nothing to turn on, and the commands are refused; without it GKE "
                "makes every node anew",
            ),
            lacks=(
                "Google's own Gateway and Ingress (NEGs, BackendConfig): their health checks and time-outs are "
                "objects of further kinds, and their proxies lie outside the cluster, where no policy can name them "
                "as pods",
                "volumes for several writers: Filestore would be another class, of 1 TiB at least",
                "Autopilot: it has no node pools, and refuses node-exporter",
            ),
        )

    @property
    def prices(self) -> PriceList:
        return PRICES

    def disks(self, pool: NodePool) -> int | None:
        """Of persistent disks. Hyperdisks are for later machines, each generation with a bound of its own."""
        return None if self.settings.disk.startswith("hyperdisk") else PRICES.disks(pool)

    @property
    def autoscaler(self) -> Autoscaler:
        # Pods below -10 call for no node in GKE either.
        packs = self.settings.profile == "optimize-utilization"
        return Autoscaler(kind="managed", placeholder_priority=-10, packs_already=packs)

    def scaling(self, pools: Sequence[NodePool], instance: str) -> Scaling:  # noqa: ARG002  names are GKE's
        return Scaling(commands=tuple(self._node_pool(pool) for pool in pools))

    def _node_pool(self, pool: NodePool) -> Command:
        where = f"--cluster {self._where}"
        sizes = f"--enable-autoscaling --total-min-nodes {pool.nodes.min} --total-max-nodes {pool.nodes.max}"
        # How many each zone begins with; three where nothing is said.
        zones = _ZONES if self.settings.location.count("-") == 1 else 1
        first = min(-(-pool.nodes.min // zones), pool.nodes.max // zones)
        taints = ",".join(shown_taint(taint) for taint in pool.taints)
        options = [
            f"--machine-type {pool.machine}",
            f"--num-nodes {first} {sizes} --location-policy {'ANY' if pool.spot else 'BALANCED'}",
            f"--max-pods-per-node {pool.allocatable.pods}",
            *([_accelerator(pool)] if pool.allocatable.gpus else []),
            f"--node-labels {shown_labels(pool)}",
            *([f"--node-taints {taints}"] if taints else []),
            *(["--spot"] if pool.spot else []),
            "--workload-metadata GKE_METADATA",
        ]
        return Command(
            pool=pool.name,
            why="GKE's node pools are no objects of the cluster; where it is there already, update in place of create "
            "takes the line with the sizes",
            command=f"gcloud container node-pools create {pool.name} {where} {' '.join(options)}",
        )

    def pool_problems(self, pools: Sequence[NodePool]) -> Iterator[Problem]:
        yield from machine_problems(pools, PRICES)
        yield from pods_problems(pools, _PODS, "GKE")
        for index, pool in enumerate(pools):
            if not re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", pool.name):
                yield Problem(
                    where=f"pools.{index}.name",
                    found=f'"{pool.name}"',
                    allowed="at most 40 lower-case letters, digits and hyphens, a letter first, as GKE names its node "
                    "pools",
                    fix="give the pool another name, here and in the profiles that name it",
                )
            yield from _disk_problems(index, pool, self.settings.disk)
            if pool.allocatable.gpus and _GPU not in pool.taints:
                yield Problem(
                    where=f"pools.{index}.taints",
                    found="no taint of GPU nodes",
                    allowed=f"{shown_taint(_GPU)}, which GKE puts on every GPU node: images would else not be pulled "
                    "there, nor placeholders keep room",
                    fix=f"add {{key: {_GPU.key}, value: {_GPU.value}}}",
                )

    def outdated(self, today: date) -> Iterator[Problem]:  # noqa: ARG002  nothing is pinned
        return iter(())

    @property
    def load_balancer_annotations(self) -> dict[str, str]:
        if self.settings.load_balancer == "internal":
            return {"networking.gke.io/load-balancer-type": "Internal"}
        return {"cloud.google.com/l4-rbs": "enabled"}


def _disk_problems(index: int, pool: NodePool, disk: str) -> Iterator[Problem]:
    """A machine that can't attach people's disks would take nobody."""
    wrong, other = (
        (_PERSISTENT_ONLY, "pd-balanced") if disk.startswith("hyperdisk") else (_HYPERDISK_ONLY, "hyperdisk-balanced")
    )
    family = (pool.machine or "").partition("-")[0]
    if family in wrong:
        yield Problem(
            where=f"pools.{index}.machine",
            found=f'"{pool.machine}", with cloud.disk: {disk}',
            allowed=f"machines that can attach a {disk}: not those of {', '.join(wrong)}",
            fix=f"name another machine, or set cloud.disk to {other} if every pool's machines take it",
        )


def _accelerator(pool: NodePool) -> str:
    """The option for a pool's GPUs; the driver is the one that GKE holds best for the node's version."""
    families = (name for prefix, name in _ACCELERATORS.items() if (pool.machine or "").startswith(prefix))
    kind = next(families, "<as in gcloud compute accelerator-types list>")
    return f"--accelerator type={kind},count={pool.allocatable.gpus},gpu-driver-version=default"
