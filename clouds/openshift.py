"""OpenShift with OpenShift Data Foundation (ODF): its operators own storage classes, routers and autoscalers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import Field

from clouds.base import About, AddressRanges, Autoscaler, ClusterEndpoints, Hosts, PodSecurity, PolicyEngine, Storage
from clouds.endpoints import METADATA, ApiServer
from clouds.pools import NodePool
from clouds.scaling import OpenShiftClusterAutoscaler, OpenShiftMachineAutoscaler, Scaling, ScalingObject, shares
from stackfile.problems import Problem
from stackfile.references import Cidr, Name
from stackfile.section import Section

_CUT_OFF = -10
"""`podPriorityThreshold` of OpenShift's ClusterAutoscaler where nobody sets it."""


class MachineSets(Section):
    """OpenShift's machine API makes the nodes."""

    kind: Literal["machine-sets"]
    machine_sets: dict[Name, tuple[Name, ...]] = Field(min_length=1)
    """The MachineSets of each pool, for example one a zone; the pool's nodes are shared out among them."""
    from_zero: bool = False
    """Whether a MachineSet without a machine can grow: on AWS, Azure, Google, OpenStack and vSphere, as
    `oc get infrastructure cluster -o jsonpath='{.status.platform}'` tells. Elsewhere, as on bare metal, the autoscaler
    does not know what a machine would be, and each keeps one."""
    cluster_autoscaler: bool = False
    """Make the ClusterAutoscaler `default` too. There is one in a cluster: false where its owner has made it."""


class NoMachineSets(Section):
    """Nodes come and go by hand."""

    kind: Literal["none"] = "none"


class OpenShiftSettings(Section):
    """OpenShift 4 with ODF."""

    kind: Literal["openshift"]
    storage_class: Name = Name("ocs-storagecluster-ceph-rbd")
    """The class that ODF's operator makes for RBD."""
    api_server: ApiServer = ApiServer()
    pod_cidrs: tuple[Cidr, ...] = (Cidr("10.128.0.0/14"),)
    service_cidrs: tuple[Cidr, ...] = (Cidr("172.30.0.0/16"),)
    node_cidrs: tuple[Cidr, ...] = ()
    """The nodes' addresses, control planes' among them."""
    autoscaler: MachineSets | NoMachineSets = Field(default=NoMachineSets(), discriminator="kind")


@dataclass(frozen=True)
class OpenShift:
    """Data about an OpenShift cluster."""

    settings: OpenShiftSettings
    kind: str = "openshift"

    @property
    def storage(self) -> Storage:
        return Storage(
            class_spec=None,
            snapshot_spec=None,
            zone_bound=False,
            is_ceph=True,
            ready_class=str(self.settings.storage_class),
        )

    @property
    def endpoints(self) -> ClusterEndpoints:
        """DNS as OpenShift's own operator runs it: its pods listen on 5353, and policies see that port."""
        return ClusterEndpoints(
            api_server=self.settings.api_server.cidrs,
            api_server_port=self.settings.api_server.port,
            dns_namespace="openshift-dns",
            dns_labels={"dns.operator.openshift.io/daemonset-dns": "default"},
            dns_ports=(5353,),
        )

    @property
    def ranges(self) -> AddressRanges:
        settings = self.settings
        return AddressRanges(
            pods=settings.pod_cidrs, services=settings.service_cidrs, nodes=settings.node_cidrs, metadata=METADATA
        )

    @property
    def pod_security(self) -> PodSecurity:
        return PodSecurity(assigns_uids=True)

    @property
    def hosts(self) -> Hosts:
        """Kubelets are signed by `openshift-kube-controller-manager-operator_csr-signer`, whose certificate lies in
        openshift-config-managed and is no part of what pods trust; OpenShift's own node-exporter has 9100.
        """
        return Hosts(kubelets_verifiable=False, ports={9100: "OpenShift's own node-exporter"})

    @property
    def about(self) -> About:
        return About(
            title="OpenShift with ODF",
            storage="ODF's class `ocs-storagecluster-ceph-rbd`, referenced and never made: its operator owns it. It "
            "grows, and is mounted in any zone by one node at a time. It deletes a volume with its claim: prod takes a "
            "class like it with `reclaimPolicy: Retain`, made by the cluster's owners",
            entry="a Route (`entry.kind: route`), TLS ended by the router with its own certificate; "
            "`haproxy.router.openshift.io/timeout` and `timeout-tunnel` let a quiet WebSocket live a day",
            registry="any; `images.pull_secrets` name the Secrets, the cluster's global pull secret serves too",
            nodes="MachineAutoscalers of the MachineSets that the stack names, and the ClusterAutoscaler `default` "
            "where the stack asks for it: there is one in a cluster",
            network_policies=PolicyEngine(
                name="OVN-Kubernetes, the network of every cluster since 4.12",
                by_default=True,
                turn_on="oc patch network.operator cluster --type=merge -p "
                """'{"spec": {"defaultNetwork": {"type": "OVNKubernetes"}}}'""",
                remarks="only where another network plugin was installed: that moves the whole cluster, so follow Red "
                "Hat's guide to it",
            ),
            lacks=(
                "a VolumeSnapshotClass of elab's: ODF has made `ocs-storagecluster-rbdplugin-snapclass`",
                "verified kubelets: the authority that signs them is not among those that pods trust, so "
                "`monitoring.verify_kubelets: false`",
                "a price list: the machines are the institution's, or another cloud's with Red Hat's price on top",
                "a certificate of its own for a Route: it would lie in the Route in clear, or need the router's right "
                "to read a Secret (4.19); give it to the IngressController",
                "routers in the nodes' own network: their packets come from addresses that no policy can tell from "
                "pods'",
            ),
        )

    @property
    def prices(self) -> None:
        return None

    def disks(self, pool: NodePool) -> None:  # noqa: ARG002  the kernel maps RBD images without a bound
        return None

    @property
    def autoscaler(self) -> Autoscaler:
        kind = "none" if isinstance(self.settings.autoscaler, NoMachineSets) else "openshift"
        return Autoscaler(kind=kind, placeholder_priority=_CUT_OFF, packs_already=False)

    def scaling(self, pools: Sequence[NodePool], instance: str) -> Scaling:
        found = self.settings.autoscaler
        if isinstance(found, NoMachineSets):
            return Scaling()
        objects: list[ScalingObject] = (
            [OpenShiftClusterAutoscaler(cut_off=_CUT_OFF)] if found.cluster_autoscaler else []
        )
        for pool in pools:
            sets = found.machine_sets.get(pool.name, ())
            lowest, highest = shares(pool.nodes.min, len(sets) or 1), shares(pool.nodes.max, len(sets) or 1)
            objects += [
                OpenShiftMachineAutoscaler(name=f"{instance}-{name}", machine_set=str(name), min=low, max=high)
                for name, low, high in zip(sets, lowest, highest, strict=False)
            ]
        return Scaling(objects=tuple(objects))

    def pool_problems(self, pools: Sequence[NodePool]) -> Iterator[Problem]:
        found = self.settings.autoscaler
        if isinstance(found, NoMachineSets):
            return
        known = {str(pool.name): pool for pool in pools}
        yield from _shared(found)
        for index, pool in enumerate(pools):
            sets = found.machine_sets.get(pool.name, ())
            # A pool whose name is misspelt there has none either, and is told of below.
            if not sets and pool.nodes.min != pool.nodes.max and found.machine_sets.keys() <= known.keys():
                yield Problem(
                    where=f"pools.{index}.nodes",
                    found=f"min {pool.nodes.min} and max {pool.nodes.max}, with no MachineSet that adds nodes",
                    allowed=f"equal numbers, as many nodes as pool {pool.name} has; or MachineSets of its own",
                    fix=f"set min and max to that number, or name its MachineSets by cloud.autoscaler.machine_sets."
                    f"{pool.name}",
                )
            if not found.from_zero and pool.nodes.min < len(sets):
                yield Problem(
                    where=f"pools.{index}.nodes.min",
                    found=f"{pool.nodes.min}, over {len(sets)} MachineSets",
                    allowed=f"at least {len(sets)}, one of each: not every platform grows a MachineSet from nothing",
                    fix="raise it; or set cloud.autoscaler.from_zero to true if `oc get infrastructure cluster -o "
                    "jsonpath='{.status.platform}'` says AWS, Azure, GCP, OpenStack or VSphere",
                )
        for name, sets in found.machine_sets.items():
            where = f"cloud.autoscaler.machine_sets.{name}"
            if name not in known:
                yield Problem(
                    where=where,
                    found=f'"{name}"',
                    allowed=", ".join(known),
                    fix=f"add a pool {name} under pools, or name one that is there",
                )
            elif not 0 < len(sets) <= known[name].nodes.max:
                yield Problem(
                    where=where,
                    found=f"{len(sets)} MachineSets",
                    allowed=f"1 to {known[name].nodes.max}: each has at least one of the pool's nodes.max",
                    fix="name fewer, or raise nodes.max of the pool",
                )

    def outdated(self, today: date) -> Iterator[Problem]:  # noqa: ARG002  nothing is pinned
        return iter(())

    @property
    def load_balancer_annotations(self) -> dict[str, str]:
        return {}


def _shared(found: MachineSets) -> Iterator[Problem]:
    """A MachineSet is kept between two numbers, by one MachineAutoscaler, which is named after it."""
    told: dict[Name, str] = {}
    for pool, sets in found.machine_sets.items():
        for index, name in enumerate(sets):
            where = f"cloud.autoscaler.machine_sets.{pool}.{index}"
            if name in told:
                yield Problem(
                    where=where,
                    found=f"{name}, which stands at {told[name]} already",
                    allowed="each MachineSet once: its machines are nodes of one pool",
                    fix="remove one of the two; `oc get machinesets -n openshift-machine-api` lists them all",
                )
            told.setdefault(name, where)
