"""The NetworkPolicies, walked: who reaches whom, by which port, and that nothing else is open."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from components.namespaces import ROOMS
from tests.harness.network import End, network
from tests.harness.platform import CLOUDS, ENTRIES, objects, platform, unmonitored
from tests.unit.components.ends import (
    ALERTMANAGER,
    ALICE,
    API_SERVER,
    API_SERVER_IPV6,
    BOB,
    CONTROLLER,
    DIRECTORY,
    DNS,
    GRAFANA,
    HUB,
    METADATA,
    METADATA_IPV6,
    OBJECTS,
    PLACEHOLDER,
    PORTS,
    PROMETHEUS,
    PROXY,
    PUBLIC,
    PUBLIC_IPV6,
    PULLER,
    PUSHGATEWAY,
    SCHEDULER,
    STRANGER,
    cluster_pods,
)

INTERNET = {"users.egress.internet": True}


def between(pods: Mapping[str, End], changes: Mapping[str, object]) -> set[tuple[str, str, int]]:
    """Every connection that some pod can open to another pod."""
    walked = network(platform(changes))
    return {
        (source.name, target.name, port)
        for source in pods.values()
        for target in pods.values()
        for port in PORTS
        if (source is not target or source.name in (ALICE,)) and walked.allows(source, target, port)
    }


PLATFORM = {
    (HUB, PROXY, 8001),
    (HUB, ALICE, 8888),
    (HUB, BOB, 8888),
    (PROXY, HUB, 8081),
    (PROXY, ALICE, 8888),
    (PROXY, BOB, 8888),
    (ALICE, HUB, 8081),
    (BOB, HUB, 8081),
}
"""What hub, proxy and people's servers need of each other, whatever the door."""

MONITORING = {
    *((PROMETHEUS, target, port) for target, port in ((HUB, 8081), (PROXY, 8002), (ALERTMANAGER, 9093))),
    *((PROMETHEUS, target, port) for target, port in ((PUSHGATEWAY, 9091), (OBJECTS, 8080), (GRAFANA, 3000))),
    (GRAFANA, PROMETHEUS, 9090),
    (GRAFANA, ALERTMANAGER, 9093),
}
"""Who scrapes and who is asked; the node-exporters are in their hosts' network."""

DOORS = {
    "ingress": ("ingress-nginx", 8000),
    "gateway": ("envoy", 8000),
    "route": ("openshift-ingress", 8000),
    "load_balancer": ("ingress-nginx", 8443),
    "node_port": ("ingress-nginx", 8000),
}
"""The namespace whose pods are let in, or one that is nothing to this kind of door; and the proxy's public port."""


@pytest.mark.parametrize(
    ("cloud", "entry", "internet"),
    [
        *((cloud, "ingress", False) for cloud in CLOUDS),
        ("onprem-ceph-csi", "ingress", True),
        ("onprem-ceph-csi", "gateway", False),
        ("openshift", "route", False),
    ],
)
def test_between_pods_only_the_graph_is_open(cloud: str, entry: str, internet: bool) -> None:
    """In whole: no server reaches another's, placeholders and strays reach nothing, only the hub the proxy's API."""
    namespace, port = DOORS[entry]
    changes = {**CLOUDS[cloud], **ENTRIES[entry], **(INTERNET if internet else {})}
    public = {(ALICE, PROXY, port), (BOB, PROXY, port), (CONTROLLER, PROXY, port), (CONTROLLER, GRAFANA, 3000)}
    # Pods of other namespaces are not elab's to bound: they reach each other.
    others = {
        (source, target, each)
        for source in (CONTROLLER, STRANGER)
        for target in (CONTROLLER, STRANGER)
        for each in PORTS
    }
    found = between(cluster_pods(platform(changes), namespace), changes)
    assert {one for one in found if one not in others} == PLATFORM | MONITORING | public


@pytest.mark.parametrize("entry", ENTRIES)
def test_from_outside_only_the_door_reaches_the_proxy(entry: str) -> None:
    changes = ENTRIES[entry]
    pods, walked = cluster_pods(platform(changes)), network(platform(changes))
    inside, outside = End(name="allowed", address="192.0.2.7"), End(name="refused", address="198.51.100.7")
    reached = {
        (end.name, target.name, port)
        for end in (inside, outside, API_SERVER)
        for target in pods.values()
        if target.namespace != "default" and target.name != CONTROLLER
        for port in PORTS
        if walked.allows(end, target, port)
    }
    assert (
        reached
        == {
            "ingress": set(),
            "gateway": set(),
            "route": set(),
            "load_balancer": {("allowed", PROXY, 8443)},
            "node_port": {(end.name, PROXY, 8000) for end in (inside, outside, API_SERVER)},
        }[entry]
    )


@pytest.mark.parametrize(("entry", "sees"), [("load_balancer", True), ("node_port", False), ("ingress", False)])
def test_the_hub_sees_the_certificate_that_the_proxy_serves_and_else_no_pages(entry: str, sees: bool) -> None:
    """Where the proxy ends TLS by a certificate of the institution's own; `ingress` and `node_port` have none there."""
    recording = platform(ENTRIES[entry])
    pods = cluster_pods(recording)
    assert network(recording).allows(pods[HUB], pods[PROXY], DOORS[entry][1]) is sees
    told = json.loads(objects(recording, "ConfigMap")["elab-hub/hub-values"]["data"]["values.json"])["hub"][
        "certificate"
    ]
    assert bool(told and told["served"]) is sees
    if sees:
        name, namespace, _ = told["served"].split(".")
        (port,) = objects(recording, "Service")[f"{namespace}/{name}"]["spec"]["ports"]
        assert (told["served"], port["targetPort"]) == (f"proxy-public.elab-hub.svc:{port['port']}", "public")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_pod_of_every_namespace_is_bounded_both_ways(cloud: str) -> None:
    walked = network(platform(CLOUDS[cloud]))
    for room in ROOMS:
        anything = End(name="anything", address="10.244.9.9", namespace=f"elab-{room}", labels={"any": "label"})
        assert walked.isolated(anything) == {"Ingress", "Egress"}, room


def reached(source: str, changes: Mapping[str, object], *ends: End) -> set[tuple[str, int, str]]:
    """What one of the pods reaches of these ends."""
    walked, pods = network(unmonitored(changes)), cluster_pods(unmonitored(changes))
    return {
        (end.name, port, protocol)
        for end in ends
        for port in PORTS
        for protocol in ("TCP", "UDP")
        if walked.allows(pods[source], end, port, protocol)
    }


RESOLVES = {("dns", 53, "TCP"), ("dns", 53, "UDP")}
OUTSIDE = (DNS, API_SERVER, API_SERVER_IPV6, DIRECTORY, PUBLIC, PUBLIC_IPV6, METADATA, METADATA_IPV6)


def test_without_internet_a_server_reaches_only_names() -> None:
    assert reached(ALICE, {}, *OUTSIDE) == RESOLVES


def test_with_internet_a_server_reaches_public_addresses_alone() -> None:
    everything = {
        (end.name, port, protocol) for end in (PUBLIC, PUBLIC_IPV6) for port in PORTS for protocol in ("TCP", "UDP")
    }
    assert reached(ALICE, INTERNET, *OUTSIDE) == RESOLVES | everything


@pytest.mark.parametrize(
    "address",
    [
        *("10.244.3.3", "10.96.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1"),
        *("169.254.169.254", "169.254.1.1", "192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.1"),
        *("fd00:244::3", "fd00:96::1", "fd00:ec2::254", "fc00::1", "fe80::1", "::1", "ff02::1"),
        # The same IPv4 addresses as a translating (NAT64), mapping or tunnelling (6to4) network writes them.
        *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "::ffff:10.0.0.1", "2002:a00:1::1"),
    ],
)
def test_with_internet_no_address_that_is_not_public_is_reached(address: str) -> None:
    walked, pods = network(unmonitored(INTERNET)), cluster_pods(unmonitored(INTERNET))
    assert [port for port in PORTS if walked.allows(pods[ALICE], End(name="inside", address=address), port)] == []


def test_public_pod_and_service_ranges_are_closed_too() -> None:
    """Some clusters number their pods from ranges that no standard calls private."""
    changes = {
        **INTERNET,
        "cloud.pod_cidrs": ["203.0.113.0/25", "2600:1::/32"],
        "cloud.service_cidrs": ["203.0.113.128/26", "2600:2::/112"],
    }
    walked, pods = network(unmonitored(changes)), cluster_pods(unmonitored(changes))
    for address in ("203.0.113.5", "203.0.113.130", "2600:1::5", "2600:2::5", "64:ff9b::203.0.113.5"):
        assert not walked.allows(pods[ALICE], End(name="inside", address=address), 443), address
    for address in ("203.0.113.200", "64:ff9b::203.0.113.200"):
        assert walked.allows(pods[ALICE], End(name="outside", address=address), 443), address


def test_allowed_ranges_open_exactly_their_addresses_ports_and_protocol() -> None:
    rules = [
        {"cidr": "10.50.0.0/24", "ports": [443, 6443]},
        {"cidr": "10.60.0.1/32", "protocol": "UDP"},
        {"cidr": "fd00:50::/64", "ports": [443]},
    ]
    licences = [End(name=name, address=name) for name in ("10.50.0.7", "10.50.1.7", "10.60.0.1", "fd00:50::7")]
    assert reached(ALICE, {"users.egress.allow": rules}, *licences, *OUTSIDE) == RESOLVES | {
        ("10.50.0.7", 443, "TCP"),
        ("10.50.0.7", 6443, "TCP"),
        ("fd00:50::7", 443, "TCP"),
        *(("10.60.0.1", port, "UDP") for port in PORTS),
    }


def test_the_hub_reaches_the_api_server_and_the_directory_alone() -> None:
    assert reached(HUB, {}, *OUTSIDE) == RESOLVES | {
        ("api", 6443, "TCP"),
        ("api-ipv6", 6443, "TCP"),
        ("directory", 636, "TCP"),
        ("directory", 1389, "TCP"),
    }


def test_the_hub_reaches_its_postgresql_by_that_port_alone() -> None:
    database = End(name="database", address="10.40.0.5")
    changes = {"hub.database": {"kind": "postgresql"}}
    assert reached(HUB, changes, database) == {("database", 5432, "TCP")}
    assert reached(ALICE, {**changes, **INTERNET}, database) == set()


def test_a_directory_in_the_cluster_is_reached_in_its_namespace_alone() -> None:
    changes = {"directory.namespace": "ldap", "directory.cidrs": []}
    inside = End(name="inside", address="10.244.7.7", namespace="ldap", labels={"app": "slapd"})
    assert {name for name, _, _ in reached(HUB, changes, inside, DIRECTORY, PUBLIC)} == {"inside"}
    assert reached(ALICE, changes, inside) == set()


def test_the_user_scheduler_reaches_the_api_server_alone() -> None:
    assert reached(SCHEDULER, {}, *OUTSIDE) == RESOLVES | {("api", 6443, "TCP"), ("api-ipv6", 6443, "TCP")}


def test_the_proxy_reaches_nothing_outside() -> None:
    assert reached(PROXY, INTERNET, *OUTSIDE) == RESOLVES


@pytest.mark.parametrize("idle", [PLACEHOLDER, PULLER])
def test_placeholders_and_pullers_reach_nothing_at_all(idle: str) -> None:
    assert reached(idle, INTERNET, *OUTSIDE) == set()


def test_a_corporate_proxy_is_reached_by_hub_and_servers_alone() -> None:
    proxy = End(name="corporate", address="10.70.0.1")
    changes = {"network": {"https_proxy": "http://proxy.example.org:8443", "proxy_cidrs": ["10.70.0.1/32"]}}
    everybody = (HUB, PROXY, SCHEDULER, ALICE, PLACEHOLDER)
    reaching = {name: found for name in everybody if (found := reached(name, changes, proxy))}
    assert reaching == {name: {("corporate", 8443, "TCP")} for name in (HUB, ALICE)}


def test_a_node_local_resolver_is_reached_by_port_53_alone() -> None:
    cache = End(name="dns", address="169.254.20.10")
    assert reached(ALICE, {"cloud.dns": {"cidrs": ["169.254.20.10/32"]}}, cache) == RESOLVES
