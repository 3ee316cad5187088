"""Settings of the one address: by which kind of door the world comes in, and who ends TLS there."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from stackfile.labels import AnnotationKey
from stackfile.problems import Problem
from stackfile.references import Cidr, DoorName, HostName, Name, ObjectName
from stackfile.section import Section


class SecretTls(Section):
    """A TLS certificate that is in the cluster already: a Secret of type kubernetes.io/tls in the hub namespace, and in
    monitoring's where Grafana is published."""

    kind: Literal["secret"]
    name: ObjectName


class CertManagerTls(Section):
    """A certificate that cert-manager obtains and renews."""

    kind: Literal["cert-manager"]
    cluster_issuer: Name


class IngressEntry(Section):
    """An Ingress, served by a controller of the cluster."""

    kind: Literal["ingress"]
    host: DoorName
    class_name: Name
    """The IngressClass."""
    controller: Literal["ingress-nginx", "traefik", "haproxy", "other"]
    """Which controller serves it: each has annotations of its own for time-outs and body size."""
    controller_namespace: Name
    """Where the controller's pods are; only they reach the proxy."""
    host_network: bool = False
    """Whether the controller uses its node's network: then it comes from `cloud.node_cidrs`, not from its namespace."""
    tls: Annotated[SecretTls | CertManagerTls, Field(discriminator="kind")] | None = None
    annotations: dict[AnnotationKey, str] = {}
    """More annotations; they win over elab's own."""


class GatewayEntry(Section):
    """An HTTPRoute on a Gateway of the cluster, whose listener ends TLS."""

    kind: Literal["gateway"]
    host: DoorName
    gateway: Name
    gateway_namespace: Name
    listener: ObjectName | None = None
    """The listener's `sectionName`; none: every listener that fits the host."""
    data_plane_namespace: Name
    """Where the Gateway's proxies run; only they reach elab's."""
    host_network: bool = False
    """Whether those proxies use their node's network: then they come from `cloud.node_cidrs`."""
    listener_tls: bool = True
    """Whether that listener ends TLS."""


class RouteEntry(Section):
    """OpenShift Routes, whose router ends TLS with its own certificate."""

    kind: Literal["route"]
    host: DoorName
    """A name that the router's certificate holds, for example below its `*.apps` domain."""
    router_namespace: Name = Name("openshift-ingress")
    """Where the router's pods are; only they reach the proxy."""
    shared_host: bool = False
    """Whether the IngressController lets several namespaces have Routes of one host, by `routeAdmission` with
    `namespaceOwnership: InterNamespaceAllowed`. Without it Grafana needs a host of its own."""


class LoadBalancerEntry(Section):
    """A load balancer before elab's own proxy, which ends TLS itself."""

    kind: Literal["load_balancer"]
    host: HostName
    tls: SecretTls | None = None
    allowed_cidrs: tuple[Cidr, ...] = ()
    """Who may connect; none: everyone."""


class NodePortEntry(Section):
    """A port on every node: for one machine, or behind a balancer that is not Kubernetes'."""

    kind: Literal["node_port"]
    host: HostName
    port: int = Field(ge=30000, le=32767)
    tls: SecretTls | None = None


AnyEntry = IngressEntry | GatewayEntry | RouteEntry | LoadBalancerEntry | NodePortEntry
EntrySettings = Annotated[AnyEntry, Field(discriminator="kind")]
SharedEntry = IngressEntry | GatewayEntry | RouteEntry
"""The doors that end TLS themselves, and lead to several services."""


def uses_tls(entry: AnyEntry) -> bool:
    """Whether people's browsers speak TLS to the address."""
    if isinstance(entry, RouteEntry):
        return True
    return entry.listener_tls if isinstance(entry, GatewayEntry) else entry.tls is not None


def ends_tls(entry: AnyEntry) -> SecretTls | None:
    """The certificate that the proxy itself shows; none where the door before it ends TLS."""
    if isinstance(entry, SharedEntry):
        return None
    return entry.tls


def own_certificate(entry: AnyEntry) -> ObjectName | None:
    """The Secret with a certificate of the address that the institution renews itself; none: others do, or a Gateway
    has it."""
    found = None if isinstance(entry, GatewayEntry | RouteEntry) else entry.tls
    return found.name if isinstance(found, SecretTls) else None


def public_url(entry: AnyEntry) -> str:
    """The one address."""
    scheme = "https" if uses_tls(entry) else "http"
    port = f":{entry.port}" if isinstance(entry, NodePortEntry) else ""
    return f"{scheme}://{entry.host}{port}"


def tls_problems(entry: AnyEntry) -> Iterator[Problem]:
    """Why the address is not fit for prod."""
    if isinstance(entry, GatewayEntry) and entry.listener is None:
        yield Problem(
            where="listener",
            found="nothing",
            allowed="the name of a listener that ends TLS, since environment is prod and other listeners may not",
            fix="set entry.listener to that listener's sectionName",
        )
    if not uses_tls(entry):
        where = "listener_tls" if isinstance(entry, GatewayEntry) else "tls"
        yield Problem(
            where=where,
            found="no TLS at the public address",
            allowed="TLS, since environment is prod",
            fix="use a listener with TLS and set listener_tls to true"
            if isinstance(entry, GatewayEntry)
            else "add tls: {kind: secret, name: <a TLS Secret in the hub namespace>}"
            + (" or {kind: cert-manager, cluster_issuer: <its name>}" if isinstance(entry, IngressEntry) else ""),
        )
