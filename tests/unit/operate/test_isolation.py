"""Whether NetworkPolicies hold: the probe's pod, what it tries, and what is made of what it saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from clouds.base import PolicyEngine
from components.connections import Addresses, Connection, pods, tcp
from components.isolation import IsolationArgs, users_limits
from components.kit import Labels, plain
from components.namespaces import NamespaceNames
from operate.isolation import judged, opens, prove
from operate.probe import PROBE, Seen, Target, probe, run
from operate.steps import OperationError
from planning import schemas
from planning.manifests import Manifest
from policy.judge import context, judge, planned_pods
from stackfile.quantities import Bytes, Cpu
from stackfile.references import Cidr
from stackfile.resources import resources
from tests.harness.platform import CLOUDS, settings

ENGINE = PolicyEngine(name="an engine", by_default=False, turn_on="turn it on", remarks="and wait")
HUB = Target(name="hub", host="10.96.0.8", port=8081, allowed=True)
API = Target(name="proxy-api", host="10.96.0.9", port=8001, allowed=False)


class Cluster:
    """Answers kubectl as a cluster does whose probe sees this."""

    def __init__(self, sees: Callable[[list[dict[str, Any]]], list[bool]], *, api: str = "10.20.0.11") -> None:
        self.sees = sees
        self.pod: dict[str, Any] = {}
        self.told: list[str] = []
        self.listens = True
        self.refuses: tuple[str, ...] = ()
        self.slices: list[dict[str, Any]] = [{"endpoints": [{"addresses": [api]}], "ports": [{"port": 6443}]}]

    def __call__(self, *arguments: str, text: str | None = None) -> str:
        self.told.append(" ".join(arguments[:5]))
        if set(self.refuses) & set(arguments):
            raise OperationError("`kubectl` ended with 1: exceeded quota: backstop")
        if "service" in arguments:
            return {"hub": "10.96.0.8", "proxy-api": "10.96.0.9", "kubernetes": "10.96.0.1"}[arguments[4]]
        if "exec" in arguments:
            return json.dumps({"reached": [self.listens], "seconds": 0.1})
        if "endpointslices" in arguments:
            return json.dumps({"items": self.slices})
        if "create" in arguments:
            self.pod = json.loads(text or "")
        if "logs" in arguments:
            return json.dumps({"reached": self.sees(self.tried), "seconds": 0.4})
        return ""

    @property
    def tried(self) -> list[dict[str, Any]]:
        return json.loads(self.pod["spec"]["containers"][0]["command"][-1])["targets"]


def pod(cpu: str = "2", memory: str = "4Gi") -> dict[str, Any]:
    """A probe of a stack whose largest profile has these limits."""
    labels = Labels(instance="elab", room="users", component=PROBE)
    largest = resources(cpu=(cpu, cpu), memory=(memory, memory))
    return probe("elab-users", "quay.io/hub:1", (HUB,), labels, largest=largest, uid=1)


def as_wanted(tried: list[dict[str, Any]]) -> list[bool]:
    return [target["allowed"] for target in tried]


def everything(tried: list[dict[str, Any]]) -> list[bool]:
    return [True for _ in tried]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cluster_that_enforces_policies_is_told_so_and_keeps_no_probe(cloud: str) -> None:
    cluster = Cluster(as_wanted)
    assert "NetworkPolicies hold" in prove(cluster, settings(CLOUDS[cloud]))
    assert "delete pod" in cluster.told[-1]
    names = {target["name"] for target in cluster.tried if not target["allowed"]}
    assert names == {"proxy-api in elab-hub", "kubernetes in default", "the metadata service"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cluster_that_takes_policies_and_heeds_none_is_refused_with_the_command_for_this_cloud(cloud: str) -> None:
    found = settings(CLOUDS[cloud])
    cluster = Cluster(everything)
    with pytest.raises(OperationError) as refused:
        prove(cluster, found)
    message = str(refused.value)
    assert "NetworkPolicies do not hold" in message
    assert "proxy-api in elab-hub (10.96.0.9, port 8001)" in message
    assert found.facts.about.network_policies.turn_on in message
    assert "delete pod" in cluster.told[-1]


def test_one_way_out_is_enough_to_refuse_a_cluster() -> None:
    targets = (HUB, API, Target(name="the metadata service", host="169.254.169.254", port=80, allowed=False))
    with pytest.raises(OperationError, match="let through to the metadata service"):
        judged(targets, Seen(reached=(True, False, True), seconds=30), ENGINE)


def test_a_cluster_where_nothing_is_reached_proves_nothing() -> None:
    """A pod without any network would else pass for one that policies hold back."""
    with pytest.raises(OperationError, match="did not reach hub"):
        judged((HUB, API), Seen(reached=(False, False), seconds=30), ENGINE)


def test_a_refusal_where_nobody_listens_proves_nothing() -> None:
    cluster = Cluster(as_wanted)
    cluster.listens = False
    with pytest.raises(OperationError, match="the hub itself does not reach its proxy"):
        prove(cluster, settings())
    assert not cluster.pod


@pytest.mark.parametrize(
    ("refused", "what"),
    [
        ("service", "the Service proxy-api in elab-hub can't be read"),
        ("exec", "the hub can't be asked whether its proxy listens"),
        ("endpointslices", "the addresses of the API server can't be read"),
        ("--timeout=60s", "the pod isolation-probe of an earlier run can't be deleted from elab-users"),
        ("create", "the pod isolation-probe can't be made in elab-users"),
        ("wait", "the pod isolation-probe in elab-users did not come to its end"),
        ("logs", "the pod isolation-probe in elab-users did not come to its end"),
    ],
)
def test_whatever_the_cluster_refuses_is_one_message_with_its_fix_and_no_probe_stays(refused: str, what: str) -> None:
    cluster = Cluster(as_wanted)
    cluster.refuses = (refused,)
    with pytest.raises(OperationError) as told:
        prove(cluster, settings())
    head, found, allowed, fix = str(told.value).splitlines()
    assert head == f"whether NetworkPolicies hold is not known: {what}"
    assert found == "found: `kubectl` ended with 1: exceeded quota: backstop"
    assert allowed.startswith("allowed: ")
    assert fix.startswith("fix: ")
    assert fix.endswith("; then `make verify`")
    assert "delete pod" in cluster.told[-1] or not any("pod" in line.split() for line in cluster.told)


def test_a_cluster_that_tells_nothing_any_more_is_still_one_message() -> None:
    """The API server went away while the probe ran: neither its status nor its end can be had."""
    cluster = Cluster(as_wanted)
    cluster.refuses = ("wait", "jsonpath={.status}")
    with pytest.raises(OperationError, match=r"did not come to its end\nfound: `kubectl` ended with 1"):
        run(cluster, pod())


@pytest.mark.parametrize("failing", [(), ("wait",)])
def test_a_probe_that_cannot_be_taken_away_is_a_warning_with_its_command_beside_what_was_seen(
    failing: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster(as_wanted)
    cluster.refuses = ("--wait=false", *failing)
    if failing:
        with pytest.raises(OperationError, match="did not come to its end"):
            run(cluster, pod())
    else:
        assert run(cluster, pod()).reached == (True,)
    told = capsys.readouterr().err
    assert "exceeded quota: backstop" in told
    assert "fix: kubectl --namespace elab-users delete pod isolation-probe" in told


def test_a_probe_that_did_not_end_is_one_message_with_its_status_and_is_taken_away() -> None:
    told = []

    def kubectl(*arguments: str, text: str | None = None) -> str:
        told.append(" ".join(arguments))
        if "wait" in arguments:
            raise OperationError("timed out waiting for the condition")
        return '{"phase":"Pending","reason":"ErrImagePull"}' if "jsonpath={.status}" in arguments else ""

    with pytest.raises(OperationError, match="ErrImagePull") as refused:
        run(kubectl, pod())
    assert "is not known" in str(refused.value)
    assert "delete pod" in told[-1]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_probe_is_bounded_and_breaks_no_rule_of_the_users_namespace(cloud: str) -> None:
    cluster = Cluster(as_wanted)
    found = settings(CLOUDS[cloud])
    prove(cluster, found)
    made = cluster.pod
    assert made["metadata"]["namespace"] == "elab-users"
    assert list(schemas.findings([Manifest(urn="probe", body=made)])) == []
    spec, (container,) = made["spec"], made["spec"]["containers"]
    assert spec["activeDeadlineSeconds"] <= 120
    assert spec["restartPolicy"] == "Never"
    assert ("runAsUser" in spec["securityContext"]) != found.facts.pod_security.assigns_uids
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert set(container["resources"]) == {"requests", "limits"}
    assert list(judge(list(planned_pods([made])), context(found, planned=True), (), "prod")) == []


@pytest.mark.parametrize(
    ("cpu", "memory", "limits"),
    [
        ("400m", "96Mi", {"cpu": "400m", "memory": "96Mi"}),
        ("5m", "16Mi", {"cpu": "5m", "memory": "16Mi"}),
        ("2", "4Gi", {"cpu": "500m", "memory": "128Mi"}),
        ("400m", "4Gi", {"cpu": "400m", "memory": "128Mi"}),
    ],
)
def test_the_probe_is_no_larger_than_the_limit_range_of_the_users_namespace_lets_any_container_be(
    cpu: str, memory: str, limits: dict[str, str]
) -> None:
    small = {"cpu": {"request": cpu, "limit": cpu}, "memory": {"request": memory, "limit": memory}}
    profile = {"name": "small", "title": "Small", "default": True, "pools": ["general", "memory"]}
    found = settings({"users.profiles": [{**profile, "resources": small}], "users.images": {}})
    cluster = Cluster(as_wanted)
    prove(cluster, found)
    (container,) = cluster.pod["spec"]["containers"]
    args = IsolationArgs(
        names=NamespaceNames(instance="elab"),
        connections=(),
        pools=found.node_pools,
        default=found.users.default_profile.resources,
        largest=found.users.largest,
    )
    (bounds,) = plain(users_limits(args, Labels(instance="elab", room="users", component="bounds")))["spec"]["limits"]
    asked, most = container["resources"], bounds["max"]
    assert asked["limits"] == limits
    for smaller, larger in ((asked["requests"], limits), (limits, most)):
        assert Cpu(smaller["cpu"]).millicores <= Cpu(larger["cpu"]).millicores
        assert Bytes(smaller["memory"]).bytes <= Bytes(larger["memory"]).bytes


def test_an_api_server_that_people_may_reach_by_the_stacks_own_settings_is_not_held_against_the_cluster() -> None:
    """AKS and GKE have public ones: `users.egress.internet` lets people through unless cloud.api_server names them."""
    internet = {"users.egress.internet": True, "cloud.api_server": {"cidrs": []}}
    public = Cluster(as_wanted, api="198.51.99.7")
    prove(public, settings(internet))
    assert "kubernetes in default" not in {target["name"] for target in public.tried}
    named = Cluster(as_wanted, api="198.51.99.7")
    prove(named, settings({**internet, "cloud.api_server": {"cidrs": ["198.51.99.7/32"]}}))
    assert "kubernetes in default" in {target["name"] for target in named.tried}


def test_an_endpoint_slice_without_endpoints_ports_or_numbers_names_no_address() -> None:
    """As the API writes an empty one: with null."""
    cluster = Cluster(as_wanted)
    endpoints = [{"addresses": ["10.20.0.11"]}]
    cluster.slices = [
        {"endpoints": None, "ports": None},
        {"endpoints": [{"addresses": None}], "ports": [{"port": 6443}]},
        {"endpoints": endpoints, "ports": None},
        {"endpoints": endpoints, "ports": [{"name": "https", "port": None}]},
    ]
    assert "NetworkPolicies hold" in prove(cluster, settings())
    assert "kubernetes in default" in {target["name"] for target in cluster.tried}


def test_a_pull_secret_and_a_mirror_are_the_probes_too() -> None:
    cluster = Cluster(as_wanted)
    images = {"pull_secrets": ["institution"], "mirrors": {"quay.io": "registry.example.org/quay"}}
    prove(cluster, settings({"images": images}))
    assert cluster.pod["spec"]["imagePullSecrets"] == [{"name": "institution"}]
    assert cluster.pod["spec"]["containers"][0]["image"].startswith("registry.example.org/quay/")


def test_a_connection_to_addresses_is_open_for_what_it_names_less_what_it_excludes() -> None:
    target = Addresses(cidrs=(Cidr("0.0.0.0/0"), Cidr("::/0")), excluded=(Cidr("10.0.0.0/8"),))
    opened = [Connection(source=pods("elab-users"), target=target, ports=tcp(443), why="")]
    assert opens(opened, "192.0.2.1", 443)
    assert opens(opened, "2001:db8::1", 443)
    assert not opens(opened, "192.0.2.1", 80)
    assert not opens(opened, "10.1.2.3", 443)
