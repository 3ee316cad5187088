"""NetworkPolicies walked as Kubernetes does: may this connection be opened?

A pod that no policy selects for a direction is open in it; one that is selected may do what some rule allows. A
connection needs both its source's egress and its target's ingress. Address blocks are taken to hold pods' addresses
too: network plugins differ there, and nothing may depend on the kinder reading.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planning.recording import Recording
from planning.selectors import NAMESPACE_NAME
from policy.rules.selectors import matches
from tests.harness.platform import objects

_PEER_FIELDS = {"ipBlock", "namespaceSelector", "podSelector"}
_PORT_FIELDS = {"port", "protocol"}


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a connection: a pod where it has a namespace, else a machine outside the cluster."""

    name: str
    address: str
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A cluster's NetworkPolicies and the labels of its namespaces."""

    policies: Sequence[Mapping[str, Any]]
    namespaces: Mapping[str, Mapping[str, str]]

    def allows(self, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
        """Whether both ends let the connection through."""
        return self._passes(source, "Egress", target, port, protocol) and self._passes(
            target, "Ingress", source, port, protocol
        )

    def isolated(self, pod: End) -> set[str]:
        """The directions in which some policy bounds this pod."""
        return {direction for policy in self._of(pod) for direction in policy["spec"]["policyTypes"]}

    def _of(self, pod: End) -> list[Mapping[str, Any]]:
        return [
            policy
            for policy in self.policies
            if policy["metadata"]["namespace"] == pod.namespace
            and matches(policy["spec"].get("podSelector") or {}, pod.labels)
        ]

    def _passes(self, pod: End, direction: str, other: End, port: int, protocol: str) -> bool:
        if pod.namespace is None:
            return True
        key, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
        bounding = [policy for policy in self._of(pod) if direction in policy["spec"]["policyTypes"]]
        rules = [(policy, rule) for policy in bounding for rule in policy["spec"].get(key) or []]
        return not bounding or any(
            self._is_peer(policy, rule.get(peers), other) and _is_port(rule.get("ports"), port, protocol)
            for policy, rule in rules
        )

    def _is_peer(self, policy: Mapping[str, Any], peers: Sequence[Mapping[str, Any]] | None, other: End) -> bool:
        return not peers or any(self._is(policy, peer, other) for peer in peers)

    def _is(self, policy: Mapping[str, Any], peer: Mapping[str, Any], other: End) -> bool:
        assert set(peer) <= _PEER_FIELDS, f"the walk knows no peer {peer}"
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            excluded = any(_holds(cidr, other.address) for cidr in block.get("except") or [])
            return _holds(block["cidr"], other.address) and not excluded
        if other.namespace is None:
            return False
        if "namespaceSelector" in peer:
            names = {**self.namespaces.get(other.namespace, {}), NAMESPACE_NAME: other.namespace}
            in_namespace = matches(peer["namespaceSelector"], names)
        else:
            in_namespace = policy["metadata"]["namespace"] == other.namespace
        return in_namespace and matches(peer.get("podSelector") or {}, other.labels)


@functools.cache
def _holds(cidr: str, address: str) -> bool:
    network, found = ipaddress.ip_network(cidr), ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        # Such an address never travels: the sender's kernel speaks IPv4.
        found = found.ipv4_mapped
    return network.version == found.version and found in network


def _is_port(ports: Sequence[Mapping[str, Any]] | None, port: int, protocol: str) -> bool:
    for one in ports or []:
        assert set(one) <= _PORT_FIELDS, f"the walk knows no port {one}"
        assert isinstance(one.get("port", 0), int), "the walk knows no named ports"
    return not ports or any(one.get("protocol", "TCP") == protocol and one.get("port", port) == port for one in ports)


def network(recording: Recording) -> Network:
    """The policies of a run."""
    return Network(
        policies=list(objects(recording, "NetworkPolicy").values()),
        namespaces={name: body["metadata"]["labels"] for name, body in objects(recording, "Namespace").items()},
    )
