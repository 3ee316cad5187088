"""Who talks to whom around the hub."""

from collections.abc import Iterator
from ipaddress import IPv6Network

from clouds.base import AddressRanges, ClusterEndpoints
from components.connections import Addresses, Connection, Peer, Port, pods, tcp, to_api_server, to_dns
from components.hub.directory import DirectorySettings
from components.hub.hub import hub_labels
from components.hub.places import AnyLogin, to_home
from components.hub.profiles import Egress
from components.hub.proxy import proxy_labels
from components.hub.settings import HubSettings, PostgreSql
from components.hub.values import HUB_PORT, PROXY_API_PORT, SERVER_PORT
from components.namespaces import NamespaceNames
from components.network_settings import NetworkSettings
from stackfile.references import Cidr

ALL_IPV4, ALL_IPV6 = Cidr("0.0.0.0/0"), Cidr("::/0")
ANY = Addresses(cidrs=(ALL_IPV4, ALL_IPV6))

NOT_PUBLIC = tuple(
    Cidr(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::1/128",
        "64:ff9b:1::/48",
        "2002::/16",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)
"""Special-purpose addresses (RFC 6890): private, shared, link-local (the metadata service too), benchmarking and
multicast, and IPv6 ranges that stand for IPv4 addresses which may be private. Not ::ffff:0:0/96: mapped addresses
travel as IPv4, and the API server, which reads that range as 0.0.0.0/0, refuses it within ::/0."""


def behind_nat64(cidr: Cidr) -> Cidr:
    """An IPv4 range as an IPv6 network with NAT64 writes it (RFC 6052), else a way around the IPv4 range's refusal.

    In RFC 5952's form: the API server warns of any other.
    """
    network = cidr.network
    return Cidr(f"{IPv6Network(f'64:ff9b::{network.network_address}/{96 + network.prefixlen}')}")


def to_directory(source: Peer, directory: DirectorySettings) -> Connection:
    """Who asks the directory reaches its servers, wherever the settings say that they are."""
    if directory.namespace is not None:
        # Policies see the pods' own ports, which need not be their Service's.
        every = (Port(number=None),)
        why = "the directory, in this cluster"
        return Connection(source=source, target=pods(directory.namespace), ports=every, why=why)
    ports = tcp(*sorted({server.port for server in directory.servers}))
    target = Addresses(cidrs=directory.cidrs) if directory.cidrs else ANY
    return Connection(source=source, target=target, ports=ports, why="the corporate directory")


def hub_connections(
    names: NamespaceNames,
    hub_settings: HubSettings,
    login: AnyLogin,
    directory: DirectorySettings | None,
    network: NetworkSettings,
    endpoints: ClusterEndpoints,
) -> Iterator[Connection]:
    """The hub reaches the proxy's API, servers, the API server, its database, and the directory or the hub where people
    log in: nothing else."""
    hub = pods(names.hub, hub_labels(names).selector())
    proxy = pods(names.hub, proxy_labels(names).selector())
    users = pods(names.users)
    yield Connection(source=hub, target=proxy, ports=tcp(PROXY_API_PORT), why="sets the proxy's routes")
    yield Connection(source=hub, target=users, ports=tcp(SERVER_PORT), why="sees whether a started server answers")
    yield Connection(source=users, target=hub, ports=tcp(HUB_PORT), why="servers ask who a visitor is")
    yield to_api_server(hub, endpoints, "starts and stops servers")
    yield from to_dns(hub, endpoints)
    if directory is not None:
        yield to_directory(hub, directory)
    yield from to_home(hub, login)
    if isinstance(hub_settings.database, PostgreSql):
        database = hub_settings.database
        outside = Addresses(cidrs=database.cidrs) if database.cidrs else ANY
        target = pods(database.namespace) if database.namespace is not None else outside
        yield Connection(source=hub, target=target, ports=tcp(database.port), why="the hub's database")
    if network.proxy_cidrs:
        proxies = Addresses(cidrs=network.proxy_cidrs)
        yield Connection(source=hub, target=proxies, ports=tcp(*network.proxy_ports), why="the corporate proxy")


def user_connections(
    names: NamespaceNames,
    egress: Egress,
    network: NetworkSettings,
    endpoints: ClusterEndpoints,
    ranges: AddressRanges,
) -> Iterator[Connection]:
    """What people's servers reach by the stack's settings; what they reach of the platform, its rooms say."""
    users = pods(names.users)
    yield from to_dns(users, endpoints)
    if egress.internet:
        own = (*ranges.pods, *ranges.services, *ranges.nodes, *ranges.metadata, *endpoints.api_server)
        inside = tuple(dict.fromkeys((*NOT_PUBLIC, *own)))
        translated = tuple(behind_nat64(cidr) for cidr in inside if cidr.network.version == 4)
        public = Addresses(cidrs=(ALL_IPV4, ALL_IPV6), excluded=(*inside, *translated))
        every = (Port(number=None), Port(number=None, protocol="UDP"))
        yield Connection(source=users, target=public, ports=every, why="users.egress.internet")
    for rule in egress.allow:
        allowed = tuple(Port(number=number, protocol=rule.protocol) for number in rule.ports)
        yield Connection(
            source=users,
            target=Addresses(cidrs=(rule.cidr,)),
            ports=allowed or (Port(number=None, protocol=rule.protocol),),
            why="users.egress.allow",
        )
    if network.proxy_cidrs:
        proxies = Addresses(cidrs=network.proxy_cidrs)
        yield Connection(source=users, target=proxies, ports=tcp(*network.proxy_ports), why="the corporate proxy")
