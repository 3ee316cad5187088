"""Nobody reaches what the connection graph does not name: NetworkPolicies, quota and limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from clouds.pools import NodePool
from components.connections import Connection, Peer, Pods, Port
from components.kit import Labels, metadata, requirements
from components.namespaces import ROOMS, NamespaceNames
from stackfile.resources import Resources

QUOTA_MARGIN = 1.1
"""Quota refuses before scheduling, so it must never bind before the pools are full: it is only a backstop."""


@dataclass(frozen=True, kw_only=True)
class IsolationArgs:
    """What isolation is made of."""

    names: NamespaceNames
    connections: tuple[Connection, ...]
    pools: tuple[NodePool, ...]
    default: Resources
    """Of the default profile: what a container that says nothing gets."""
    largest: Resources
    """No container of the users namespace is larger, on each count."""


def _peers(peer: Peer) -> list[networking.NetworkPolicyPeerArgs]:
    if isinstance(peer, Pods):
        namespace = meta.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": peer.namespace})
        selector = meta.LabelSelectorArgs(match_labels=dict(peer.labels))
        return [networking.NetworkPolicyPeerArgs(namespace_selector=namespace, pod_selector=selector)]
    blocks = (
        networking.IPBlockArgs(
            cidr=str(cidr),
            except_=[str(out) for out in peer.excluded if out.within(cidr)] or None,
        )
        for cidr in peer.cidrs
    )
    return [networking.NetworkPolicyPeerArgs(ip_block=block) for block in blocks]


def _ports(ports: Sequence[Port]) -> list[networking.NetworkPolicyPortArgs]:
    return [networking.NetworkPolicyPortArgs(port=port.number, protocol=port.protocol) for port in ports]


def network_policy(owner: Pods, connections: Iterable[Connection], labels: Labels) -> networking.NetworkPolicyInitArgs:
    """All that these pods may open and accept; whatever the graph does not name is refused, both ways."""
    known = sorted(connections, key=repr)
    ingress = [
        networking.NetworkPolicyIngressRuleArgs(from_=_peers(found.source), ports=_ports(found.ports))
        for found in known
        if found.target == owner
    ]
    egress = [
        networking.NetworkPolicyEgressRuleArgs(to=_peers(found.target), ports=_ports(found.ports))
        for found in known
        if found.source == owner
    ]
    return networking.NetworkPolicyInitArgs(
        metadata=metadata(policy_name(owner), labels, owner.namespace),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(match_labels=dict(owner.labels)),
            policy_types=["Ingress", "Egress"],
            ingress=ingress,
            egress=egress,
        ),
    )


def policy_name(owner: Pods) -> str:
    """A policy is named for the component whose pods it is about, or for the label that others give theirs."""
    labels = dict(owner.labels)
    return (
        labels.get("app.kubernetes.io/component")
        or "-".join(key.rpartition("/")[2] for key in sorted(labels))
        or "every-pod"
    )


def owners(connections: Iterable[Connection], names: NamespaceNames) -> list[Pods]:
    """The platform's own pods in the graph, and every pod of each namespace, which may do nothing else."""
    namespaces = {names.of(room) for room in ROOMS}
    found = {Pods(namespace=namespace) for namespace in namespaces}
    for connection in connections:
        for peer in (connection.source, connection.target):
            if isinstance(peer, Pods) and peer.namespace in namespaces:
                found.add(peer)
    return sorted(found, key=lambda owner: (owner.namespace, policy_name(owner)))


def users_quota(args: IsolationArgs, labels: Labels) -> core.ResourceQuotaInitArgs:
    """A backstop above what the pools can hold: it stops a runaway hub, never a person whom a new node would take."""
    cpu = sum(pool.allocatable.cpu.millicores * pool.nodes.max for pool in args.pools)
    memory = sum(pool.allocatable.memory.bytes * pool.nodes.max for pool in args.pools)
    hard = {
        "requests.cpu": f"{round(cpu * QUOTA_MARGIN)}m",
        "requests.memory": f"{round(memory * QUOTA_MARGIN / 2**20)}Mi",
        "count/pods": str(round(sum(pool.allocatable.pods * pool.nodes.max for pool in args.pools) * QUOTA_MARGIN)),
        # The hub reaches servers by their pods' addresses: whatever asks for a Service there is not elab.
        "count/services": "0",
    }
    return core.ResourceQuotaInitArgs(
        metadata=metadata("backstop", labels, args.names.users), spec=core.ResourceQuotaSpecArgs(hard=hard)
    )


def users_limits(args: IsolationArgs, labels: Labels) -> core.LimitRangeInitArgs:
    """Requests and limits for a container that states none, and the size that none exceeds."""
    default, largest = requirements(args.default), requirements(args.largest)
    item = core.LimitRangeItemArgs(
        type="Container", default=default.limits, default_request=default.requests, max=largest.limits
    )
    return core.LimitRangeInitArgs(
        metadata=metadata("servers", labels, args.names.users), spec=core.LimitRangeSpecArgs(limits=[item])
    )


class Isolation(pulumi.ComponentResource):
    """NetworkPolicies from the whole connection graph, and the bounds of the users namespace."""

    def __init__(self, name: str, args: IsolationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:isolation:Isolation", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        rooms = {args.names.of(room): room for room in ROOMS}
        for owner in owners(args.connections, args.names):
            room = rooms[owner.namespace]
            labels = Labels(instance=args.names.instance, room=room, component=policy_name(owner))
            networking.NetworkPolicy(
                f"{name}-{room}-{policy_name(owner)}", network_policy(owner, args.connections, labels), child
            )
        users = Labels(instance=args.names.instance, room="users", component="bounds")
        core.ResourceQuota(f"{name}-users-quota", users_quota(args, users), child)
        core.LimitRange(f"{name}-users-limits", users_limits(args, users), child)
        self.register_outputs({})
