"""An institution's own Kubernetes, its disks on its own Ceph."""

from collections.abc import Iterator, Mapping, Sequence
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
from clouds.endpoints import METADATA, ApiServer, Dns, endpoints_of
from clouds.pools import NodePool
from clouds.scaling import Command, Scaling, shown_labels, shown_taint
from stackfile.problems import Problem
from stackfile.references import Cidr, Name
from stackfile.section import Section


class CephCsi(Section):
    """Volumes by ceph-csi's own RBD driver."""

    kind: Literal["ceph-csi"]
    cluster_id: str = Field(min_length=1, max_length=36)
    """`clusterID` in the driver's ConfigMap ceph-csi-config, at most 36 bytes."""
    pool: str = Field(min_length=1)
    namespace: Name = Name("ceph-csi")
    """Where the driver's secrets are."""
    secret: Name = Name("csi-rbd-secret")
    filesystem: Literal["ext4", "xfs"] = "ext4"


class Rook(Section):
    """Volumes by the RBD driver that Rook installs."""

    kind: Literal["rook"]
    namespace: Name = Name("rook-ceph")
    """Where Rook's operator and cluster are; it names driver and cluster ID too."""
    pool: str = Field(min_length=1)
    filesystem: Literal["ext4", "xfs"] = "ext4"


class OnPremSettings(Section):
    """An institution's own Kubernetes with Ceph."""

    kind: Literal["onprem"]
    ceph: CephCsi | Rook = Field(discriminator="kind")
    api_server: ApiServer = ApiServer()
    dns: Dns = Dns()
    pod_cidrs: tuple[Cidr, ...] = Field(min_length=1)
    service_cidrs: tuple[Cidr, ...] = Field(min_length=1)
    node_cidrs: tuple[Cidr, ...] = ()
    """The nodes' addresses, control planes' among them: kept from people's servers, known to be no visitor's, and where
    Prometheus asks kubelets."""
    autoscaler: Literal["none", "cluster-autoscaler"] = "none"
    """cluster-autoscaler where Cluster API makes the nodes."""


@dataclass(frozen=True)
class OnPrem:
    """Data about an institution's own cluster."""

    settings: OnPremSettings
    kind: str = "onprem"

    @property
    def storage(self) -> Storage:
        ceph = self.settings.ceph
        class_spec, snapshot_spec = _ceph_csi(ceph) if isinstance(ceph, CephCsi) else _rook(ceph)
        return Storage(class_spec=class_spec, snapshot_spec=snapshot_spec, zone_bound=False, is_ceph=True)

    @property
    def endpoints(self) -> ClusterEndpoints:
        return endpoints_of(self.settings.api_server, self.settings.dns)

    @property
    def ranges(self) -> AddressRanges:
        return AddressRanges(
            pods=self.settings.pod_cidrs,
            services=self.settings.service_cidrs,
            nodes=self.settings.node_cidrs,
            metadata=METADATA,
        )

    @property
    def pod_security(self) -> PodSecurity:
        return PodSecurity(assigns_uids=False)

    @property
    def autoscaler(self) -> Autoscaler:
        # -10 is cluster-autoscaler's default cut-off: pods below it never call for a node.
        return Autoscaler(kind=self.settings.autoscaler, placeholder_priority=-10, packs_already=False)

    @property
    def hosts(self) -> Hosts:
        return Hosts()

    @property
    def about(self) -> About:
        return About(
            title="An institution's own Kubernetes with Ceph",
            storage="Ceph RBD by ceph-csi or Rook: grows, has snapshots, is mounted in any zone, by one node at a time",
            entry="Ingress, Gateway, load balancer (MetalLB and the like) or node port; a quiet WebSocket lives a day "
            "where the controller has an annotation for it, else its owner sets the time-out: the plan says so",
            registry="the institution's own, with `images.pull_secrets` and `images.mirrors`",
            nodes="by hand, or by cluster-autoscaler with Cluster API: MachineDeployments lie in the management "
            "cluster, so the plan prints the annotations as commands",
            network_policies=PolicyEngine(
                name="the cluster's network plugin: Calico, Canal, Cilium, Antrea and kube-router do, Flannel alone "
                "does not",
                by_default=False,
                turn_on="install a network plugin that enforces NetworkPolicies; `kubectl --namespace kube-system get "
                "daemonsets` shows which one is there",
                remarks="with Cilium set `policy-cidr-match-mode: nodes`: else no address names a node, and Prometheus "
                "reaches no kubelet",
            ),
            lacks=(
                "a price list: own machines have none, so `price_per_hour` is the stack's to say",
                "cluster-autoscaler's own Deployment: it needs rights over the management cluster, which is another "
                "one",
                "volumes for several writers: CephFS would be another class, and shared data comes by "
                "`users.shared_data`",
            ),
        )

    @property
    def prices(self) -> None:
        return None

    def disks(self, pool: NodePool) -> None:  # noqa: ARG002  the kernel maps RBD images without a bound
        return None

    def scaling(self, pools: Sequence[NodePool], instance: str) -> Scaling:  # noqa: ARG002  its objects are elsewhere
        if self.settings.autoscaler == "none":
            return Scaling()
        return Scaling(commands=tuple(_annotations(pool) for pool in pools))

    def pool_problems(self, pools: Sequence[NodePool]) -> Iterator[Problem]:  # noqa: ARG002  any pool can be had
        return iter(())

    def outdated(self, today: date) -> Iterator[Problem]:  # noqa: ARG002  nothing is pinned
        return iter(())

    @property
    def load_balancer_annotations(self) -> dict[str, str]:
        return {}


def _secrets(names: Mapping[str, str], namespace: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for use, secret in names.items():
        found[f"csi.storage.k8s.io/{use}-secret-name"] = secret
        found[f"csi.storage.k8s.io/{use}-secret-namespace"] = namespace
    return found


def _ceph_csi(ceph: CephCsi) -> tuple[StorageClassSpec, SnapshotClassSpec]:
    """Parameters as in ceph-csi's deployment documentation."""
    driver = "rbd.csi.ceph.com"
    uses = dict.fromkeys(("provisioner", "controller-expand", "node-stage"), ceph.secret)
    spec = StorageClassSpec(
        provisioner=driver,
        parameters={
            "clusterID": ceph.cluster_id,
            "pool": ceph.pool,
            "imageFeatures": "layering",
            "csi.storage.k8s.io/fstype": ceph.filesystem,
            **_secrets(uses, ceph.namespace),
        },
        mount_options=("discard",),
        binding_mode="Immediate",
        allow_expansion=True,
    )
    return spec, SnapshotClassSpec(
        driver=driver,
        parameters={"clusterID": ceph.cluster_id, **_secrets({"snapshotter": ceph.secret}, ceph.namespace)},
    )


def _rook(ceph: Rook) -> tuple[StorageClassSpec, SnapshotClassSpec]:
    """Parameters as in Rook's example class; its driver is named after the operator's namespace.

    Without the secrets that only VolumeAttributesClasses need (in the example since 1.20): external-provisioners before
    6.2 refuse a class that names one for modifying.
    """
    driver, provisioner, node = f"{ceph.namespace}.rbd.csi.ceph.com", "rook-csi-rbd-provisioner", "rook-csi-rbd-node"
    uses = {
        "provisioner": provisioner,
        "controller-expand": provisioner,
        "controller-publish": provisioner,
        "node-stage": node,
    }
    spec = StorageClassSpec(
        provisioner=driver,
        parameters={
            "clusterID": ceph.namespace,
            "pool": ceph.pool,
            "imageFormat": "2",
            "imageFeatures": "layering",
            "csi.storage.k8s.io/fstype": ceph.filesystem,
            **_secrets(uses, ceph.namespace),
        },
        binding_mode="Immediate",
        allow_expansion=True,
    )
    return spec, SnapshotClassSpec(
        driver=driver,
        parameters={"clusterID": ceph.namespace, **_secrets({"snapshotter": provisioner}, ceph.namespace)},
    )


def _annotations(pool: NodePool) -> Command:
    """What cluster-autoscaler reads of a MachineDeployment; capacity only where it must know a node without one.

    Names as in cluster-autoscaler's documentation of its provider clusterapi.
    """
    size, capacity = "cluster.x-k8s.io/cluster-api-autoscaler-node-group", "capacity.cluster-autoscaler.kubernetes.io"
    values = {f"{size}-min-size": str(pool.nodes.min), f"{size}-max-size": str(pool.nodes.max)}
    if pool.nodes.min == 0:
        values |= {
            f"{capacity}/cpu": str(pool.allocatable.cpu),
            f"{capacity}/memory": str(pool.allocatable.memory),
            f"{capacity}/maxPods": str(pool.allocatable.pods),
            f"{capacity}/labels": shown_labels(pool),
            f"{capacity}/gpu-type": "nvidia.com/gpu" if pool.allocatable.gpus else "",
            f"{capacity}/gpu-count": str(pool.allocatable.gpus or ""),
            f"{capacity}/taints": ",".join(shown_taint(taint) for taint in pool.taints),
        }
    shown = " ".join(f"{key}='{value}'" for key, value in values.items() if value)
    return Command(
        pool=pool.name,
        why="its MachineDeployment is in Cluster API's management cluster, and nothing here may reach that",
        command=f"kubectl --context <management> annotate machinedeployment <of {pool.name}> --overwrite {shown}",
    )
