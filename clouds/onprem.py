"""An institution's own Kubernetes, its disks on its own Ceph."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from clouds.base import (
    AddressRanges,
    Autoscaler,
    ClusterEndpoints,
    PodSecurity,
    SnapshotClassSpec,
    Storage,
    StorageClassSpec,
)
from stackfile.references import Cidr, Name
from stackfile.section import Section

METADATA = (Cidr("169.254.169.254/32"), Cidr("fd00:ec2::254/128"))
"""OpenStack's, AWS's, GCP's and Azure's metadata address over IPv4, and AWS's over IPv6."""


class ApiServer(Section):
    """Where the API server listens, as pods reach it behind its Service (`kubectl get endpointslices kubernetes`)."""

    cidrs: tuple[Cidr, ...] = ()
    """Its addresses; none: any address at this port."""
    port: int = Field(default=6443, ge=1, le=65535)


class Dns(Section):
    """The cluster's resolver."""

    namespace: Name = Name("kube-system")
    labels: dict[str, str] = {"k8s-app": "kube-dns"}
    cidrs: tuple[Cidr, ...] = ()
    """Resolvers that are no pods, such as NodeLocal DNSCache."""


def endpoints_of(api: ApiServer, dns: Dns) -> ClusterEndpoints:
    """What these settings say of any plain Kubernetes."""
    return ClusterEndpoints(
        api_server=api.cidrs,
        api_server_port=api.port,
        dns_namespace=dns.namespace,
        dns_labels=dns.labels,
        dns_cidrs=dns.cidrs,
    )


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
        return Storage(
            class_spec=class_spec, snapshot_spec=snapshot_spec, read_write_many=False, zone_bound=False, is_ceph=True
        )

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
    def load_balancer_annotations(self) -> dict[str, str]:
        return {}

    def identity_annotations(self, role: str) -> dict[str, str]:  # noqa: ARG002  no cloud roles here
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
