"""Who talks to whom: each room states its connections, isolation turns the whole graph into NetworkPolicies."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from clouds.base import ClusterEndpoints
from stackfile.references import Cidr


@dataclass(frozen=True, kw_only=True)
class Pods:
    """Pods of one of the platform's namespaces, or of another namespace of the cluster."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()
    """What the pods carry; empty: every pod of the namespace."""


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Addresses outside the cluster."""

    cidrs: tuple[Cidr, ...]
    excluded: tuple[Cidr, ...] = ()


Peer = Pods | Addresses

ANYWHERE = Addresses(cidrs=(Cidr("0.0.0.0/0"), Cidr("::/0")))
"""Every address; what a public entry point accepts."""

Protocol = Literal["TCP", "UDP"]


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port that the target listens on; none: every port of the protocol."""

    number: int | None
    protocol: Protocol = "TCP"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Pods or addresses at ``source`` may open connections to ``target`` on these ports."""

    source: Peer
    target: Peer
    ports: tuple[Port, ...]
    why: str = field(compare=False)


def pods(namespace: str, labels: dict[str, str] | None = None) -> Pods:
    """Pods by namespace and labels."""
    return Pods(namespace=namespace, labels=tuple(sorted((labels or {}).items())))


def tcp(*numbers: int) -> tuple[Port, ...]:
    """TCP ports."""
    return tuple(Port(number=number) for number in numbers)


def to_dns(source: Peer, endpoints: ClusterEndpoints) -> Iterator[Connection]:
    """Names are resolved by the cluster's DNS."""
    why = "names are resolved by the cluster's DNS"
    ports = tuple(
        Port(number=number, protocol=protocol) for number in endpoints.dns_ports for protocol in ("UDP", "TCP")
    )
    resolver = pods(endpoints.dns_namespace, endpoints.dns_labels)
    yield Connection(source=source, target=resolver, ports=ports, why=why)
    if endpoints.dns_caches:
        caches = pods(endpoints.dns_namespace, endpoints.dns_caches)
        yield Connection(source=source, target=caches, ports=ports, why=why)
    if endpoints.dns_cidrs:
        yield Connection(source=source, target=Addresses(cidrs=endpoints.dns_cidrs), ports=ports, why=why)


def to_api_server(source: Peer, endpoints: ClusterEndpoints, why: str) -> Connection:
    """Policies see the API server's own address, not its Service's."""
    target = Addresses(cidrs=endpoints.api_server) if endpoints.api_server else ANYWHERE
    return Connection(source=source, target=target, ports=tcp(endpoints.api_server_port), why=why)
