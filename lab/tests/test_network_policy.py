"""The rules that the lab makes of NetworkPolicies: tests of elab's isolation are worth no more than these."""

from lab.labkit.api import Object
from lab.labkit.network_policy import State

NAMESPACES: list[Object] = [{"metadata": {"name": name, "labels": {"name": name}}} for name in ("hub", "users")]


def pod(namespace: str, name: str, address: str, **more: object) -> Object:
    ports = [{"name": "http", "containerPort": 8888}]
    return {
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": name}},
        "spec": {"containers": [{"ports": ports}], **more},
        "status": {"podIP": address, "phase": "Running"},
    }


HUB, ALICE, BOB = pod("hub", "hub", "10.0.0.1"), pod("users", "alice", "10.0.0.2"), pod("users", "bob", "10.0.0.3")


def policy(**spec: object) -> Object:
    return {"metadata": {"namespace": "users", "name": "p"}, "spec": {"podSelector": {}, **spec}}


def chains(*policies: Object, pods: tuple[Object, ...] = (HUB, ALICE, BOB)) -> dict[str, list[str]]:
    """The rules of each chain of the table that these policies make."""
    found: dict[str, list[str]] = {}
    for line in State(list(pods), NAMESPACES, list(policies)).table().splitlines():
        if line.startswith("  chain "):
            rules = found[line.split()[1]] = []
        elif line.startswith("    "):
            rules.append(line.strip())
    return found


def allowed(rules: list[str]) -> list[str]:
    """What a chain lets through besides the pod itself; it must end by refusing the rest."""
    assert rules[-1] == "counter reject with icmp admin-prohibited"
    return rules[1:-1]


def test_a_pod_that_no_policy_selects_is_not_isolated() -> None:
    assert not [name for name in chains() if "gress" in name]
    elsewhere = policy(podSelector={"matchLabels": {"app": "nobody"}})
    assert not [name for name in chains(elsewhere) if "gress" in name]


def test_an_empty_policy_refuses_every_pod_of_its_namespace_and_no_other() -> None:
    made = chains(policy(policyTypes=["Ingress", "Egress"]))
    isolated = [f"{way}_10_0_0_{n}" for n in (2, 3) for way in ("ingress", "egress")]
    assert [name for name in made if "gress" in name] == isolated
    assert all(allowed(made[name]) == [] for name in isolated)


def test_egress_counts_as_a_type_only_where_it_is_given() -> None:
    assert not [name for name in chains(policy(ingress=[])) if name.startswith("egress")]


def test_a_namespace_and_a_pod_selector_in_one_peer_must_both_match() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"name": "hub"}}, "podSelector": {"matchLabels": {"app": "hub"}}}
    made = chains(policy(ingress=[{"from": [peer], "ports": [{"port": "http"}]}]))
    assert allowed(made["ingress_10_0_0_2"]) == ["ip saddr 10.0.0.1 tcp dport 8888 return"]
    wrong = {**peer, "podSelector": {"matchLabels": {"app": "alice"}}}
    assert allowed(chains(policy(ingress=[{"from": [wrong]}]))["ingress_10_0_0_2"]) == []


def test_a_pod_selector_alone_stays_in_the_namespace() -> None:
    made = chains(policy(ingress=[{"from": [{"podSelector": {}}]}]))
    assert allowed(made["ingress_10_0_0_2"]) == ["ip saddr 10.0.0.3 return"]


def test_blocks_with_exceptions_ranges_and_ipv6() -> None:
    block = {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "198.51.100.169/32"]}
    peers = [{"ipBlock": block}, {"ipBlock": {"cidr": "::/0"}}]
    ports = [{"port": 8000, "endPort": 8010, "protocol": "UDP"}]
    made = chains(policy(policyTypes=["Egress"], egress=[{"to": peers, "ports": ports}]))
    expected = "ip daddr 0.0.0.0/0 ip daddr != { 10.0.0.0/8, 198.51.100.169/32 } udp dport 8000-8010 return"
    assert allowed(made["egress_10_0_0_2"]) == [expected]


def test_policies_add_up() -> None:
    made = chains(policy(ingress=[{"ports": [{"port": 1}]}]), policy(ingress=[{"ports": [{"port": 2}]}]))
    assert allowed(made["ingress_10_0_0_2"]) == ["tcp dport 1 return", "tcp dport 2 return"]


def test_ended_pods_and_the_hosts_own_have_no_address_of_theirs() -> None:
    ended = ALICE | {"status": {"podIP": "10.0.0.2", "phase": "Succeeded"}}
    host = pod("users", "agent", "10.0.0.9", hostNetwork=True)
    assert not [name for name in chains(policy(), pods=(ended, host)) if "gress" in name]
