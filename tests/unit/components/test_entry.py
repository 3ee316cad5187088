"""The one address, by each kind of door: routes, TLS, time-outs, and people's own addresses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.entry import Entry, EntryArgs, Route, route_problems
from components.entry_settings import AnyEntry
from components.hub.proxy import route as proxy_route
from components.namespaces import NamespaceNames
from planning.recorder import record
from planning.recording import Recording
from tests.harness.platform import CLOUDS, ENTRIES, WAYS, objects, platform, settings

SECRET_TLS = {"kind": "secret", "name": "jupyter-tls"}
DAY = "86400"


def route(
    path: str = "/", namespace: str = "elab-hub", service: str = "proxy-public", host: str | None = None
) -> Route:
    return Route(
        host=host,
        path=path,
        namespace=namespace,
        service=service,
        port=80,
        selector=(("app", service),),
        target_port=8000,
    )


PROXY = route()
NAMES = NamespaceNames(instance="elab")
GRAFANA = route("/grafana", "elab-monitoring", "grafana")
KIBANA = route("/", "elab-logging", "kibana", "logs.example.org")
TWO_IN_ONE = route("/status", "elab-monitoring", "status")


def entry(changes: dict[str, Any], *routes: Route, asked: dict[str, str] | None = None) -> Recording:
    """An entry of its own, with these routes; none: the one to the proxy, as the hub's room has it."""
    door = settings(changes).entry
    leading = routes or (proxy_route(NAMES, door),)
    args = EntryArgs(settings=door, instance="elab", routes=leading, load_balancer_annotations=asked or {})

    def program() -> None:
        Entry("entry", args)

    return record(program)


def paths(recording: Recording) -> dict[tuple[str, str, str], tuple[str, int]]:
    """Where each Ingress leads: its namespace, a host and a path, to a Service's port."""
    return {
        (body["metadata"]["namespace"], rule["host"], path["path"]): (
            path["backend"]["service"]["name"],
            path["backend"]["service"]["port"]["number"],
        )
        for body in objects(recording, "Ingress").values()
        for rule in body["spec"]["rules"]
        for path in rule["http"]["paths"]
    }


def test_an_ingress_leads_to_the_proxy_and_to_grafana_and_to_nothing_else_of_monitoring() -> None:
    assert paths(platform()) == {
        ("elab-hub", "jupyter.example.org", "/"): ("proxy-public", 80),
        ("elab-monitoring", "jupyter.example.org", "/grafana"): ("grafana", 3000),
    }


def test_routes_into_other_namespaces_get_an_ingress_there_each_at_its_host() -> None:
    recording = entry({}, PROXY, GRAFANA, TWO_IN_ONE, KIBANA)
    assert paths(recording) == {
        ("elab-hub", "jupyter.example.org", "/"): ("proxy-public", 80),
        ("elab-monitoring", "jupyter.example.org", "/grafana"): ("grafana", 80),
        ("elab-monitoring", "jupyter.example.org", "/status"): ("status", 80),
        ("elab-logging", "logs.example.org", "/"): ("kibana", 80),
    }
    assert len(objects(recording, "Ingress")) == 3


def test_certificates_cover_the_hosts_of_their_own_ingress() -> None:
    covered = {
        name: [one["hosts"] for one in body["spec"]["tls"]]
        for name, body in objects(entry({}, PROXY, KIBANA), "Ingress").items()
    }
    assert covered == {"elab-hub/entry": [["jupyter.example.org"]], "elab-logging/entry": [["logs.example.org"]]}


@pytest.mark.parametrize(
    ("tls", "secret", "issuer"),
    [
        (SECRET_TLS, "jupyter-tls", None),
        ({"kind": "cert-manager", "cluster_issuer": "acme"}, "elab-entry-tls", "acme"),
    ],
)
def test_an_ingress_ends_tls_by_a_secret_that_is_there_or_that_cert_manager_fills(
    tls: dict[str, str], secret: str, issuer: str | None
) -> None:
    (found,) = objects(entry({"entry.tls": tls}), "Ingress").values()
    assert found["spec"]["tls"] == [{"hosts": ["jupyter.example.org"], "secretName": secret}]
    assert found["metadata"]["annotations"].get("cert-manager.io/cluster-issuer") == issuer


def test_without_tls_an_ingress_names_no_certificate() -> None:
    (found,) = objects(entry({"entry.tls": None}), "Ingress").values()
    assert "tls" not in found["spec"]


def annotations(controller: str, **more: str) -> dict[str, str]:
    changes = {"entry.controller": controller, "entry.tls": SECRET_TLS, "entry.annotations": more}
    (found,) = objects(entry(changes), "Ingress").values()
    return dict(found["metadata"]["annotations"])


@pytest.mark.parametrize(
    ("controller", "expected"),
    [
        (
            "ingress-nginx",
            {
                "nginx.ingress.kubernetes.io/proxy-read-timeout": DAY,
                "nginx.ingress.kubernetes.io/proxy-send-timeout": DAY,
                "nginx.ingress.kubernetes.io/proxy-body-size": "0",
            },
        ),
        ("haproxy", {}),
        ("traefik", {}),
        ("other", {}),
    ],
)
def test_each_controller_keeps_quiet_websockets_for_a_day_and_holds_up_no_deployment(
    controller: str, expected: dict[str, str]
) -> None:
    assert annotations(controller) == {**expected, "pulumi.com/skipAwait": "true"}


def test_a_stacks_own_annotations_win() -> None:
    body_size = "nginx.ingress.kubernetes.io/proxy-body-size"
    assert annotations("ingress-nginx", **{body_size: "1g"})[body_size] == "1g"


def test_each_route_of_a_gateway_lies_in_its_services_own_namespace() -> None:
    """A route into another namespace would need a ReferenceGrant there."""
    found = objects(entry(ENTRIES["gateway"], PROXY, GRAFANA, KIBANA), "HTTPRoute")
    assert set(found) == {"elab-hub/proxy-public", "elab-monitoring/grafana", "elab-logging/kibana"}
    for identity, body in found.items():
        (rule,) = body["spec"]["rules"]
        assert [one["name"] for one in rule["backendRefs"]] == [identity.rpartition("/")[2]]
        assert all("namespace" not in one for one in rule["backendRefs"])
        assert body["spec"]["parentRefs"] == [{"name": "public", "namespace": "gateways"}]
        assert rule["timeouts"] == {"request": "24h"}
    assert found["elab-logging/kibana"]["spec"]["hostnames"] == ["logs.example.org"]
    assert found["elab-monitoring/grafana"]["spec"]["rules"][0]["matches"] == [
        {"path": {"type": "PathPrefix", "value": "/grafana"}}
    ]


def test_a_gateways_listener_can_be_named() -> None:
    changes = {**ENTRIES["gateway"], "entry.listener": "https"}
    (found,) = objects(entry(changes), "HTTPRoute").values()
    assert found["spec"]["parentRefs"] == [{"name": "public", "namespace": "gateways", "sectionName": "https"}]


def of(kind: str, **changes: Any) -> AnyEntry:  # noqa: ANN401
    return settings({**ENTRIES[kind], **{f"entry.{key}": value for key, value in changes.items()}}).entry


@pytest.mark.parametrize("kind", ["load_balancer", "node_port"])
@pytest.mark.parametrize("second", [GRAFANA, KIBANA])
def test_a_door_before_the_proxy_alone_refuses_a_second_service_with_the_fix(kind: str, second: Route) -> None:
    (problem,) = route_problems(of(kind), [PROXY, second])
    assert problem.where == "entry.kind"
    assert f"{second.host or 'jupyter.example.org'}{second.path}" in problem.found
    assert "ingress, gateway or route" in problem.allowed
    assert f"don't publish {second.service}" in problem.fix


@pytest.mark.parametrize("kind", ["ingress", "gateway", "route"])
def test_a_door_that_can_lead_to_several_services_refuses_none(kind: str) -> None:
    assert list(route_problems(of(kind), [PROXY, GRAFANA, KIBANA])) == []


def service(changes: dict[str, Any], asked: dict[str, str] | None = None) -> dict[str, Any]:
    return dict(objects(entry(changes, asked=asked), "Service")["elab-hub/entry"])


def test_a_load_balancer_keeps_peoples_addresses_and_lets_in_only_the_ranges_allowed() -> None:
    found = service(ENTRIES["load_balancer"])
    assert found["spec"]["type"] == "LoadBalancer"
    assert found["spec"]["externalTrafficPolicy"] == "Local"
    assert found["spec"]["loadBalancerSourceRanges"] == ["192.0.2.0/24"]
    assert [(port["port"], port["targetPort"]) for port in found["spec"]["ports"]] == [(443, 8443)]
    assert found["metadata"]["annotations"] == {"pulumi.com/timeoutSeconds": "600"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_load_balancer_is_told_what_its_cloud_needs(cloud: str) -> None:
    asked = settings(CLOUDS[cloud]).facts.load_balancer_annotations
    found = service(ENTRIES["load_balancer"], asked)
    assert found["metadata"]["annotations"] == {**asked, "pulumi.com/timeoutSeconds": "600"}


def test_a_load_balancer_open_to_all_names_no_ranges() -> None:
    changes = {**ENTRIES["load_balancer"], "entry.allowed_cidrs": []}
    assert "loadBalancerSourceRanges" not in service(changes)["spec"]


def test_a_node_port_is_the_one_that_the_stack_names() -> None:
    found = service(ENTRIES["node_port"])
    assert found["spec"]["type"] == "NodePort"
    assert [(one["port"], one["targetPort"], one["nodePort"]) for one in found["spec"]["ports"]] == [(80, 8000, 30080)]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_but_the_chosen_door_faces_the_world(way: str) -> None:
    recording, kind = platform(WAYS[way]), settings(WAYS[way]).entry.kind
    open_services = {
        name: body["spec"]["type"]
        for name, body in objects(recording, "Service").items()
        if body["spec"].get("type", "ClusterIP") != "ClusterIP"
    }
    faces = {
        "ingress": {("Ingress", "elab-hub/entry"), ("Ingress", "elab-monitoring/entry")},
        "gateway": {("HTTPRoute", "elab-hub/proxy-public"), ("HTTPRoute", "elab-monitoring/grafana")},
        "route": {("Route", "elab-hub/proxy-public"), ("Route", "elab-monitoring/grafana")},
        "load_balancer": {("LoadBalancer", "elab-hub/entry")},
        "node_port": {("NodePort", "elab-hub/entry")},
    }
    doors = {(door, name) for door in ("Ingress", "HTTPRoute", "Route") for name in objects(recording, door)}
    assert doors | {(found, name) for name, found in open_services.items()} == faces[kind]


def test_a_route_lets_a_quiet_websocket_live_for_a_day_and_believes_the_router_alone() -> None:
    found = objects(entry(ENTRIES["route"]), "Route")["elab-hub/proxy-public"]
    annotations = found["metadata"]["annotations"]
    assert annotations["haproxy.router.openshift.io/timeout"] == "86400s"
    assert annotations["haproxy.router.openshift.io/timeout-tunnel"] == "86400s"
    assert annotations["haproxy.router.openshift.io/set-forwarded-headers"] == "replace"
    assert found["spec"]["tls"] == {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}
    assert found["spec"]["port"] == {"targetPort": 8000}


def test_routes_of_one_host_in_two_namespaces_are_refused_unless_the_router_admits_them() -> None:
    alone = of("route").model_copy(update={"shared_host": False})
    (problem,) = route_problems(alone, [PROXY, replace(GRAFANA, host=None)])
    assert problem.where == "entry.shared_host"
    assert "give grafana a host of its own" in problem.fix
    assert list(route_problems(alone, [PROXY, replace(GRAFANA, host="metrics.example.org")])) == []
    assert list(route_problems(of("route"), [PROXY, replace(GRAFANA, host=None)])) == []


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({}, "https://jupyter.example.org"),
        ({"entry.tls": None}, "http://jupyter.example.org"),
        (ENTRIES["gateway"], "https://jupyter.example.org"),
        ({**ENTRIES["gateway"], "entry.listener_tls": False}, "http://jupyter.example.org"),
        (ENTRIES["load_balancer"], "https://jupyter.example.org"),
        (ENTRIES["node_port"], "http://jupyter.example.org:30080"),
        ({**ENTRIES["node_port"], "entry.tls": SECRET_TLS}, "https://jupyter.example.org:30080"),
    ],
)
def test_the_stack_says_the_address_that_browsers_use(changes: dict[str, Any], url: str) -> None:
    recording = entry(changes)
    assert recording.registered_outputs[recording["entry"].urn]["url"] == url


def test_the_stack_exports_it() -> None:
    assert platform().outputs["url"] == "https://jupyter.example.org"
