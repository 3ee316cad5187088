"""The one address: what every room publishes, by whichever door the stack has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from components.connections import ANYWHERE, Addresses, Connection, Peer, pods, tcp
from components.entry_settings import (
    AnyEntry,
    CertManagerTls,
    GatewayEntry,
    IngressEntry,
    LoadBalancerEntry,
    NodePortEntry,
    RouteEntry,
    SharedEntry,
    public_url,
)
from components.gateway_route import ACCEPTED, HttpRoute
from components.kit import Labels
from components.openshift_route import OpenShiftRoute
from stackfile.problems import Problem
from stackfile.references import Cidr

WEBSOCKET_SECONDS = 86400
"""A notebook's connection may stay quiet for a day."""

_SOLVER_PORT = 8089
"""Where cert-manager's solver listens."""

UPLOAD = "0"
"""No bound on a request's body at the door: uploads are bounded by the person's disk."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """What a room publishes at the one address, or at a host of its own."""

    host: str | None
    """None: the platform's own host."""
    path: str
    namespace: str
    service: str
    port: int
    selector: tuple[tuple[str, str], ...]
    """The labels of the pods behind the Service: what the door must be let through to."""
    target_port: int


@dataclass(frozen=True, kw_only=True)
class EntryArgs:
    """What the entry is made of."""

    settings: AnyEntry
    instance: str
    routes: tuple[Route, ...]
    load_balancer_annotations: dict[str, str]


def route_problems(settings: AnyEntry, routes: Sequence[Route]) -> Iterator[Problem]:
    """What this kind of door can't lead to."""
    if isinstance(settings, RouteEntry) and not settings.shared_host:
        yield from _second_namespaces(settings, routes)
    if isinstance(settings, SharedEntry):
        return
    for route in routes:
        if route.path != "/" or route.host is not None:
            yield Problem(
                where="entry.kind",
                found=f"{settings.kind}, with a route to {route.host or settings.host}{route.path}",
                allowed="ingress, gateway or route, since only these lead to several services",
                fix=f"use one of them, or don't publish {route.service}: reach it by kubectl port-forward",
            )


def _second_namespaces(settings: RouteEntry, routes: Sequence[Route]) -> Iterator[Problem]:
    """OpenShift's router takes a host from the namespace that had it first, and refuses it to all others."""
    owners: dict[str, str] = {}
    for route in routes:
        host = route.host or str(settings.host)
        if owners.setdefault(host, route.namespace) != route.namespace:
            yield Problem(
                where="entry.shared_host",
                found=f"false, with {host}{route.path} in the namespace {route.namespace} beside {owners[host]}",
                allowed="one namespace a host, unless the IngressController admits several",
                fix=f"give {route.service} a host of its own, or set entry.shared_host to true where "
                "routeAdmission.namespaceOwnership is InterNamespaceAllowed",
            )


def door(settings: AnyEntry, nodes: tuple[Cidr, ...]) -> Peer:
    """Where connections to the published services come from."""
    if isinstance(settings, IngressEntry | GatewayEntry) and settings.host_network:
        return Addresses(cidrs=nodes)
    if isinstance(settings, IngressEntry):
        return pods(settings.controller_namespace)
    if isinstance(settings, GatewayEntry):
        return pods(settings.data_plane_namespace)
    if isinstance(settings, RouteEntry):
        return pods(settings.router_namespace)
    if isinstance(settings, LoadBalancerEntry) and settings.allowed_cidrs:
        return Addresses(cidrs=settings.allowed_cidrs)
    return ANYWHERE


def connections(settings: AnyEntry, routes: Sequence[Route], nodes: tuple[Cidr, ...]) -> Iterator[Connection]:
    """Who may reach what is published."""
    for route in routes:
        target = pods(route.namespace, dict(route.selector))
        why = f"{route.service} is published at {route.path}"
        yield Connection(source=door(settings, nodes), target=target, ports=tcp(route.target_port), why=why)
    if isinstance(settings, IngressEntry) and isinstance(settings.tls, CertManagerTls):
        for namespace in sorted({route.namespace for route in routes}):
            # cert-manager answers an HTTP-01 challenge from a pod beside the Ingress.
            solver = pods(namespace, {"acme.cert-manager.io/http01-solver": "true"})
            yield Connection(source=door(settings, nodes), target=solver, ports=tcp(_SOLVER_PORT), why="HTTP-01")


def duties(settings: AnyEntry) -> Iterator[str]:
    """What the door's owner must see to, since no object of elab's can."""
    if isinstance(settings, IngressEntry) and settings.controller == "haproxy":
        yield "set timeout-tunnel to 24h in the HAProxy controller's ConfigMap: WebSockets are else cut after an hour"
    if isinstance(settings, IngressEntry) and settings.controller == "traefik":
        yield "set respondingTimeouts.readTimeout to 0 at Traefik's entry point: uploads else end after a minute"
        # traefik/traefik#13001 and k3s-io/docs#160: nor does its chart.
        if settings.tls is not None:
            yield "send Traefik's entry point for http to the one for https (http.redirections): it does not by itself"
    if isinstance(settings, IngressEntry) and settings.controller == "other":
        yield "let the controller keep WebSockets for 24 h and bodies of any size, by entry.annotations"
    if isinstance(settings, GatewayEntry):
        yield "let the Gateway's listener take routes from elab's namespaces (allowedRoutes)"
    if isinstance(settings, RouteEntry):
        yield "see that the router's certificate holds every host of the stack: its Routes show that one"
    if isinstance(settings, LoadBalancerEntry | NodePortEntry) and settings.tls is not None:
        yield "put a renewed certificate in its Secret's place: the proxy starts anew within 5 minutes to serve it"


def ingress_annotations(settings: IngressEntry) -> dict[str, str]:
    """Quiet connections for a day, uploads of any size, and the certificate; each controller in its own words."""
    by_controller: dict[str, dict[str, str]] = {
        "ingress-nginx": {
            "nginx.ingress.kubernetes.io/proxy-read-timeout": str(WEBSOCKET_SECONDS),
            "nginx.ingress.kubernetes.io/proxy-send-timeout": str(WEBSOCKET_SECONDS),
            "nginx.ingress.kubernetes.io/proxy-body-size": UPLOAD,
        },
        # These have no such annotation: `duties` says what their owner sets.
        "traefik": {},
        "haproxy": {},
        "other": {},
    }
    issuer = (
        {"cert-manager.io/cluster-issuer": str(settings.tls.cluster_issuer)}
        if isinstance(settings.tls, CertManagerTls)
        else {}
    )
    return {**by_controller[settings.controller], **issuer, **settings.annotations}


def ingress(args: EntryArgs, settings: IngressEntry, namespace: str, labels: Labels) -> networking.IngressInitArgs:
    """One Ingress a namespace, all of one host: an Ingress leads to Services of its own namespace only."""
    routes = [route for route in args.routes if route.namespace == namespace]
    hosts = sorted({route.host or str(settings.host) for route in routes})
    rules = [
        networking.IngressRuleArgs(
            host=host,
            http=networking.HTTPIngressRuleValueArgs(
                paths=[
                    networking.HTTPIngressPathArgs(
                        path=route.path,
                        path_type="Prefix",
                        backend=networking.IngressBackendArgs(
                            service=networking.IngressServiceBackendArgs(
                                name=route.service, port=networking.ServiceBackendPortArgs(number=route.port)
                            )
                        ),
                    )
                    for route in routes
                    if (route.host or str(settings.host)) == host
                ]
            ),
        )
        for host in hosts
    ]
    secret = None
    if settings.tls is not None:
        secret = f"{args.instance}-entry-tls" if isinstance(settings.tls, CertManagerTls) else str(settings.tls.name)
    annotations = {
        **ingress_annotations(settings),
        # The controller may take minutes to publish its address, and some never do; the routes work without.
        "pulumi.com/skipAwait": "true",
    }
    return networking.IngressInitArgs(
        metadata=meta.ObjectMetaArgs(name="entry", namespace=namespace, labels=labels.all(), annotations=annotations),
        spec=networking.IngressSpecArgs(
            ingress_class_name=str(settings.class_name),
            tls=[networking.IngressTLSArgs(hosts=hosts, secret_name=secret)] if secret else None,
            rules=rules,
        ),
    )


def http_route(settings: GatewayEntry, route: Route) -> HttpRoute:
    """The route in its service's own namespace, so that no ReferenceGrant is needed."""
    return HttpRoute(
        gateway=str(settings.gateway),
        gateway_namespace=str(settings.gateway_namespace),
        listener=settings.listener,
        host=route.host or str(settings.host),
        path=route.path,
        service=route.service,
        port=route.port,
        quiet_seconds=WEBSOCKET_SECONDS,
    )


def openshift_route(settings: RouteEntry, route: Route) -> OpenShiftRoute:
    """The route in its service's own namespace: a Route leads to no other."""
    return OpenShiftRoute(
        host=route.host or str(settings.host),
        path=route.path,
        service=route.service,
        target_port=route.target_port,
        quiet_seconds=WEBSOCKET_SECONDS,
    )


def service(args: EntryArgs, settings: LoadBalancerEntry | NodePortEntry, labels: Labels) -> core.ServiceInitArgs:
    """A Service before the proxy's pods that the world can reach, and that keeps people's own addresses."""
    (route,) = args.routes
    balanced = isinstance(settings, LoadBalancerEntry)
    port = core.ServicePortArgs(
        name="public",
        port=443 if settings.tls else 80,
        target_port=route.target_port,
        node_port=settings.port if isinstance(settings, NodePortEntry) else None,
    )
    wait = {"pulumi.com/timeoutSeconds": "600"} if balanced else {}
    return core.ServiceInitArgs(
        metadata=meta.ObjectMetaArgs(
            name="entry",
            namespace=route.namespace,
            labels=labels.all(),
            annotations={**(args.load_balancer_annotations if balanced else {}), **wait} or None,
        ),
        spec=core.ServiceSpecArgs(
            type="LoadBalancer" if balanced else "NodePort",
            selector=dict(route.selector),
            ports=[port],
            # The hub ties a login form to the address it was sent to: a balancer's own address would change under it.
            external_traffic_policy="Local" if balanced else "Cluster",
            load_balancer_source_ranges=[str(cidr) for cidr in settings.allowed_cidrs] or None
            if isinstance(settings, LoadBalancerEntry)
            else None,
        ),
    )


class Entry(pulumi.ComponentResource):
    """Publishes every room's routes at the one address."""

    url: str

    def __init__(self, name: str, args: EntryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:entry:Entry", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = Labels(instance=args.instance, room="entry", component="entry")
        settings = args.settings
        if isinstance(settings, IngressEntry):
            for namespace in sorted({route.namespace for route in args.routes}):
                networking.Ingress(f"{name}-{namespace}", ingress(args, settings, namespace, labels), child)
        elif isinstance(settings, GatewayEntry):
            for route in args.routes:
                meta_args = meta.ObjectMetaArgs(
                    name=route.service, namespace=route.namespace, labels=labels.all(), annotations=ACCEPTED
                )
                http_route(settings, route).register(f"{name}-{route.service}", meta_args, child)
        elif isinstance(settings, RouteEntry):
            for route in args.routes:
                made = openshift_route(settings, route)
                meta_args = meta.ObjectMetaArgs(
                    name=route.service, namespace=route.namespace, labels=labels.all(), annotations=made.annotations()
                )
                made.register(f"{name}-{route.service}", meta_args, child)
        else:
            core.Service(f"{name}-service", service(args, settings, labels), child)
        self.url = public_url(settings)
        self.register_outputs({"url": self.url})
