"""One machine: the lab's own cluster, or any small one with a default way to make volumes."""

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
    Storage,
    StorageClassSpec,
)
from clouds.endpoints import ApiServer, Dns, endpoints_of
from clouds.pools import NodePool
from clouds.scaling import Scaling
from stackfile.problems import Problem
from stackfile.references import Cidr
from stackfile.section import Section

_LAB_PROVISIONER = "lab.local/hostpath"


class LocalSettings(Section):
    """A cluster on one machine; the defaults are the lab's."""

    kind: Literal["local"]
    provisioner: str = Field(default=_LAB_PROVISIONER, min_length=1)
    """What makes the volumes, for example `rancher.io/local-path`."""
    expandable: bool = True
    """Whether that provisioner can let a volume grow; `rancher.io/local-path` can't."""
    api_server: ApiServer = ApiServer(cidrs=(Cidr("10.97.0.1/32"),))
    dns: Dns = Dns()
    pod_cidrs: tuple[Cidr, ...] = (Cidr("10.98.0.0/24"),)
    service_cidrs: tuple[Cidr, ...] = (Cidr("10.96.0.0/16"),)
    node_cidrs: tuple[Cidr, ...] = (Cidr("10.97.0.1/32"),)
    metadata_cidrs: tuple[Cidr, ...] = (Cidr("169.254.169.254/32"),)


@dataclass(frozen=True)
class Local:
    """Data about a cluster on one machine."""

    settings: LocalSettings
    kind: str = "local"

    @property
    def storage(self) -> Storage:
        spec = StorageClassSpec(
            provisioner=self.settings.provisioner,
            # Others make the directory on the node where the first pod runs. The lab has one node; and a scheduler that
            # waits for a volume looks for it once a second.
            binding_mode="Immediate" if self.settings.provisioner == _LAB_PROVISIONER else "WaitForFirstConsumer",
            allow_expansion=self.settings.expandable,
        )
        return Storage(class_spec=spec, snapshot_spec=None, zone_bound=False, is_ceph=False)

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
            metadata=settings.metadata_cidrs,
        )

    @property
    def pod_security(self) -> PodSecurity:
        return PodSecurity(assigns_uids=False)

    @property
    def autoscaler(self) -> Autoscaler:
        return Autoscaler(kind="none", placeholder_priority=-10, packs_already=False)

    @property
    def hosts(self) -> Hosts:
        return Hosts()

    @property
    def about(self) -> About:
        return About(
            title="One machine",
            storage="folders of the node, by the lab's provisioner or `rancher.io/local-path`",
            entry="a node port, or an Ingress where the machine has a controller",
            registry="whatever the machine's containerd can pull from",
            nodes="the one that is there",
            network_policies=PolicyEngine(
                name="the lab's own agent (`lab/labkit/network_policy.py`); elsewhere the machine's network plugin",
                by_default=True,
                turn_on="`lab/lab up` starts it with the node; on a machine of yours install a network plugin that "
                "enforces NetworkPolicies",
                remarks="k3s has one built in; kind does since 0.24, minikube only with `--cni=calico` and the like",
            ),
            lacks=(
                "snapshots, and volumes that outlive the node: they are its folders",
                "an autoscaler: there is nothing to add",
                "a price list: the machine is there already",
            ),
        )

    @property
    def prices(self) -> None:
        return None

    def disks(self, pool: NodePool) -> None:  # noqa: ARG002  folders are not attached
        return None

    def scaling(self, pools: Sequence[NodePool], instance: str) -> Scaling:  # noqa: ARG002  nothing adds nodes
        return Scaling()

    def pool_problems(self, pools: Sequence[NodePool]) -> Iterator[Problem]:  # noqa: ARG002  any pool can be had
        return iter(())

    def outdated(self, today: date) -> Iterator[Problem]:  # noqa: ARG002  nothing is pinned
        return iter(())

    @property
    def load_balancer_annotations(self) -> dict[str, str]:
        return {}
