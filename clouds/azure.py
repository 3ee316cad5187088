"""Microsoft's AKS: managed disks, its load balancer, node pools that scale by themselves."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from shlex import quote
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
from clouds.endpoints import METADATA, Dns, ManagedApiServer, endpoints_of
from clouds.machines import Machine, PriceList, machine_problems, pods_problems
from clouds.pools import NodePool, Taint
from clouds.scaling import Command, Scaling, shown_labels, shown_taint
from stackfile.labels import LabelKey, LabelValue
from stackfile.problems import Problem
from stackfile.quantities import Bytes
from stackfile.references import Cidr
from stackfile.section import Section

_DRIVER = "disk.csi.azure.com"
_WIRE_SERVER = Cidr("168.63.129.16/32")
"""Azure's channel to the machine, which hands out certificates of the node's extensions."""
_SPOT = Taint(key=LabelKey("kubernetes.azure.com/scalesetpriority"), value=LabelValue("spot"), effect="NoSchedule")
"""AKS puts it on every spot node, whether the pool asks for it or not."""

_PODS = range(10, 251)
"""How many pods `--max-pods` takes for a node. Source: AKS' documentation, "Maximum pods per node"."""

PRICES = PriceList(
    currency="USD",
    region="eastus",
    dated="2023-12-18",
    source="list prices of Linux, pay as you go, generated from Azure's retail price list into "
    "`pkg/providers/pricing/zz_generated.pricing.go` of Azure/karpenter-provider-azure (commit 0499866a), and nothing "
    "newer was at hand; today's are at azure.microsoft.com/pricing",
    machines={
        "Standard_D8s_v5": Machine(cpus=8, memory=Bytes("32Gi"), per_hour=0.384, disks=16),
        "Standard_D16s_v5": Machine(cpus=16, memory=Bytes("64Gi"), per_hour=0.768, disks=32),
        "Standard_E16s_v5": Machine(cpus=16, memory=Bytes("128Gi"), per_hour=1.008, disks=32),
        "Standard_NC4as_T4_v3": Machine(cpus=4, memory=Bytes("28Gi"), per_hour=0.526, gpus=1, disks=8),
    },
)
"""What elab's pools use; a stack of another region sets `price_per_hour` of its pools. Disks are the most data disks of
each size, as its page in Azure's documentation and `azure_dd_max_disk_count.go` of kubernetes-sigs/azuredisk-csi-driver
have them; the driver tells the scheduler the same.
"""


class AzureSettings(Section):
    """AKS."""

    kind: Literal["azure"]
    resource_group: str = Field(pattern=r"^[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]$")
    """For the commands that a plan prints."""
    cluster: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$")
    """The cluster's name in AKS, likewise."""
    api_server: ManagedApiServer = ManagedApiServer()
    dns: Dns = Dns()
    pod_cidrs: tuple[Cidr, ...] = Field(min_length=1)
    service_cidrs: tuple[Cidr, ...] = (Cidr("10.0.0.0/16"),)
    node_cidrs: tuple[Cidr, ...] = ()
    disk: Literal["Premium_ZRS", "Premium_LRS", "StandardSSD_ZRS", "StandardSSD_LRS"] = "Premium_ZRS"
    """ZRS keeps a disk in three zones and lets any of them mount it; LRS in one. Not every region has ZRS."""
    zones: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    """The zones of new node pools; none in a region without zones."""
    load_balancer: Literal["external", "internal"] = "external"


@dataclass(frozen=True)
class Azure:
    """Data about an AKS cluster."""

    settings: AzureSettings
    kind: str = "azure"

    @property
    def storage(self) -> Storage:
        spec = StorageClassSpec(
            provisioner=_DRIVER,
            parameters={"skuName": self.settings.disk, "csi.storage.k8s.io/fstype": "ext4"},
            # A disk of one zone is made where its first pod runs.
            binding_mode="WaitForFirstConsumer",
            allow_expansion=True,
        )
        return Storage(
            class_spec=spec,
            snapshot_spec=SnapshotClassSpec(driver=_DRIVER, parameters={"incremental": "true"}),
            zone_bound=self.settings.disk.endswith("_LRS"),
            is_ceph=False,
        )

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
            metadata=(*METADATA, _WIRE_SERVER),
        )

    @property
    def pod_security(self) -> PodSecurity:
        return PodSecurity(assigns_uids=False)

    @property
    def hosts(self) -> Hosts:
        """AKS signs its kubelets' certificates with the cluster's own authority, on node images of 2025 and later."""
        return Hosts(ports={19100: "AKS' own node-exporter"})

    @property
    def about(self) -> About:
        return About(
            title="Azure AKS",
            storage="managed disks (Premium_ZRS): grow, have incremental snapshots, are mounted in any zone by one "
            "node at a time; with LRS in one zone",
            entry="Azure's load balancer before elab's own proxy, which ends TLS and sees people's own addresses; or "
            "an Ingress or a Gateway whose proxies run in the cluster. A quiet connection lives 30 minutes; "
            "JupyterLab speaks every 30 s",
            registry="ACR attached to the cluster (`az aks update --attach-acr`), without a pull secret",
            nodes="node pools that scale by themselves; they are no objects of the cluster, so the plan prints the "
            "command of each",
            network_policies=PolicyEngine(
                name="Calico, Azure's Network Policy Manager or Cilium, of which AKS Standard starts none by itself",
                by_default=False,
                turn_on=f"az aks update --resource-group {quote(self.settings.resource_group)} --name "
                f"{self.settings.cluster} --network-policy calico",
                remarks="it makes every node anew; a new cluster takes the same option. Not Cilium "
                "(`--network-dataplane cilium`) where metrics of the nodes are wanted: by it no address names a node, "
                "so that Prometheus reaches no kubelet. Microsoft's own (`--network-policy azure`) ends in 2028",
            ),
            lacks=(
                "the Application Gateway: its proxies lie outside the cluster, where no policy can name them as pods",
                "volumes for several writers: Azure Files would be another class, and its files are slow for notebooks",
                "room for every disk: a machine of 8 processors takes 16, one of 16 takes 32, as plans count, so more "
                "people than that need a further node",
                "verified kubelets on node images from before 2025: set `monitoring.verify_kubelets: false` there",
            ),
        )

    @property
    def prices(self) -> PriceList:
        return PRICES

    def disks(self, pool: NodePool) -> int | None:
        return PRICES.disks(pool)

    @property
    def autoscaler(self) -> Autoscaler:
        # AKS runs cluster-autoscaler with its default cut-off, -10.
        return Autoscaler(kind="managed", placeholder_priority=-10, packs_already=False)

    def scaling(self, pools: Sequence[NodePool], instance: str) -> Scaling:  # noqa: ARG002  names are AKS'
        return Scaling(commands=tuple(self._node_pool(pool) for pool in pools))

    def _node_pool(self, pool: NodePool) -> Command:
        settings = self.settings
        # AKS adds the spot taint by itself, and refuses a second one of its name.
        taints = ",".join(shown_taint(taint) for taint in pool.taints if taint != _SPOT)
        zones = " ".join(str(zone) for zone in settings.zones)
        options = [
            f"--node-vm-size {pool.machine}",
            # Three where nothing is said, and refused where that is not between the two others.
            f"--node-count {pool.nodes.min}",
            f"--enable-cluster-autoscaler --min-count {pool.nodes.min} --max-count {pool.nodes.max}",
            f"--max-pods {pool.allocatable.pods}",
            f"--labels {shown_labels(pool).replace(',', ' ')}",
            *([f"--node-taints {taints}"] if taints else []),
            *([f"--zones {zones}"] if zones else []),
            *(["--priority Spot --eviction-policy Delete --spot-max-price -1"] if pool.spot else []),
        ]
        return Command(
            pool=pool.name,
            why="AKS' node pools are no objects of the cluster; where it is there already, update with "
            "--update-cluster-autoscaler takes the counts",
            command=f"az aks nodepool add --resource-group {quote(settings.resource_group)} --cluster-name "
            f"{settings.cluster} --name {pool.name} {' '.join(options)}",
        )

    def pool_problems(self, pools: Sequence[NodePool]) -> Iterator[Problem]:
        yield from machine_problems(pools, PRICES)
        yield from pods_problems(pools, _PODS, "AKS")
        for index, pool in enumerate(pools):
            if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", pool.name):
                yield Problem(
                    where=f"pools.{index}.name",
                    found=f'"{pool.name}"',
                    allowed="at most 12 lower-case letters and digits, as AKS names its node pools",
                    fix="give the pool a shorter name, here and in the profiles that name it",
                )
            if pool.spot and _SPOT not in pool.taints:
                yield Problem(
                    where=f"pools.{index}.taints",
                    found="no taint of spot nodes",
                    allowed=f"{shown_taint(_SPOT)}, which AKS puts on every spot node",
                    fix=f"add {{key: {_SPOT.key}, value: {_SPOT.value}}}",
                )

    def outdated(self, today: date) -> Iterator[Problem]:  # noqa: ARG002  nothing is pinned
        return iter(())

    @property
    def load_balancer_annotations(self) -> dict[str, str]:
        prefix = "service.beta.kubernetes.io/azure-load-balancer"
        internal = {f"{prefix}-internal": "true"} if self.settings.load_balancer == "internal" else {}
        return {f"{prefix}-tcp-idle-timeout": "30", **internal}
