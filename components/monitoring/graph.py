"""Who talks to whom around monitoring."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from clouds.base import AddressRanges, ClusterEndpoints
from components.connections import ANYWHERE, Addresses, Connection, Peer, Pods, Port, pods, tcp, to_api_server, to_dns
from components.hub.hub import hub_labels
from components.hub.proxy import METRICS_PORT, proxy_labels
from components.hub.values import HUB_PORT
from components.logging import exporter, fluent_bit
from components.logging.exporter import exporter_labels
from components.logging.pods import logging_labels
from components.monitoring import alertmanager, kube_state_metrics, prometheus, pushgateway
from components.monitoring.alerting_settings import AlertingSettings, WebhookReceiver
from components.monitoring.jobs import JobsArgs
from components.monitoring.pods import monitoring_labels
from components.monitoring.targets_settings import HostPort, ranges
from components.namespaces import NamespaceNames
from components.network_settings import NetworkSettings
from stackfile.problems import Problem
from stackfile.references import Cidr, Name

KUBELET_PORT = 10250
CERT_MANAGER_PORT = 9402
CEPH_PORTS = (9283, 9926)
"""Of managers and of ceph-exporters."""
_EVERY = (Port(number=None),)
_HTTPS = 443


def own(names: NamespaceNames, component: str) -> Pods:
    """One of the room's programs."""
    return pods(names.of("monitoring"), monitoring_labels(names, component).selector())


def prometheus_connections(jobs: JobsArgs, cluster: AddressRanges) -> Iterator[Connection]:
    """Prometheus reaches what it scrapes, Alertmanager, and the store that takes its samples."""
    names, settings = jobs.names, jobs.settings
    source = own(names, prometheus.COMPONENT)
    why = "scraped"
    targets = {
        pods(names.hub, hub_labels(names).selector()): HUB_PORT,
        pods(names.hub, proxy_labels(names).selector()): METRICS_PORT,
        own(names, kube_state_metrics.COMPONENT): kube_state_metrics.PORT,
        own(names, pushgateway.COMPONENT): pushgateway.PORT,
        own(names, alertmanager.COMPONENT): alertmanager.PORT,
    }
    if jobs.logs is not None:
        targets[pods(names.of("logging"), exporter_labels(names).selector())] = exporter.PORT
        shippers = logging_labels(names, fluent_bit.COMPONENT)
        targets[pods(names.of("node"), shippers.selector())] = fluent_bit.HTTP_PORT
    for target, port in targets.items():
        yield Connection(source=source, target=target, ports=tcp(port), why=why)
    # Where the stack does not know its nodes' addresses: any that is no pod's.
    inside = (*cluster.pods, *cluster.services, *cluster.metadata)
    nodes = Addresses(cidrs=cluster.nodes) if cluster.nodes else Addresses(cidrs=ANYWHERE.cidrs, excluded=inside)
    yield Connection(source=source, target=nodes, ports=tcp(KUBELET_PORT, settings.node_exporter.port), why=why)
    yield to_api_server(source, jobs.endpoints, "looks for targets")
    yield from to_dns(source, jobs.endpoints)
    for namespace in settings.annotated_namespaces:
        # Which ports, their own annotations say.
        yield Connection(source=source, target=pods(namespace), ports=_EVERY, why=why)
    if jobs.cert_manager:
        target = pods(settings.cert_manager_namespace)
        yield Connection(source=source, target=target, ports=tcp(CERT_MANAGER_PORT), why=why)
    if settings.ceph is not None:
        ceph = settings.ceph
        yield from _outside(source, (*ceph.managers, *ceph.exporters), ceph.cidrs, None)
        if ceph.namespace is not None:
            yield Connection(source=source, target=pods(ceph.namespace), ports=tcp(*CEPH_PORTS), why=why)
            # Rook may give its daemons their hosts' network.
            yield Connection(source=source, target=nodes, ports=tcp(*CEPH_PORTS), why=why)
    if settings.openstack is not None:
        found = settings.openstack
        yield from _outside(source, found.exporters, found.cidrs, found.namespace)
    if settings.remote_write is not None:
        store = settings.remote_write
        target = Addresses(cidrs=store.cidrs)
        yield Connection(source=source, target=target, ports=tcp(store.url.port), why="remote write")


def _outside(
    source: Peer, targets: Sequence[HostPort], cidrs: tuple[Cidr, ...], namespace: Name | None
) -> Iterator[Connection]:
    """To targets that the settings list, each by its port."""
    if not targets:
        return
    if namespace is not None:
        yield Connection(source=source, target=pods(namespace), ports=_EVERY, why="scraped")
        return
    ports = tcp(*sorted({target.port for target in targets}))
    yield Connection(source=source, target=Addresses(cidrs=ranges(targets, cidrs)), ports=ports, why="scraped")


def _inside(host: str, alerting: AlertingSettings) -> bool:
    """Whether a host is a Service's name in a namespace that Alertmanager reaches at every port."""
    name, dot, _ = f"{host}.".partition(".svc.")
    labels = name.rstrip(".").split(".")
    return (bool(dot) or len(labels) == 2) and labels[-1] in alerting.namespaces


def receiver_ports(alerting: AlertingSettings) -> tuple[int, ...]:
    """The ports by which people are told through others than pods of `namespaces`: HTTPS, the mail server's, and those
    of addresses in the settings. An address that is a secret may lead anywhere."""
    found = set()
    for receiver in alerting.receivers:
        if isinstance(receiver, WebhookReceiver) and receiver.url is not None:
            if not _inside(urlsplit(receiver.url).hostname or "", alerting):
                found.add(receiver.url.port)
        elif receiver.kind != "email":
            found.add(_HTTPS)
    if alerting.smtp is not None and not _inside(alerting.smtp.server.rpartition(":")[0], alerting):
        found.add(alerting.smtp.server.port)
    if alerting.heartbeat is not None:
        found.add(_HTTPS)
    return tuple(sorted({*found, *alerting.ports})) if found else ()


def address_problems(
    alerting: AlertingSettings, network: NetworkSettings, given: Mapping[str, str]
) -> Iterator[Problem]:
    """Addresses among these secrets that the network policy would keep Alertmanager from; only their port is shown."""
    if network.proxy_cidrs:
        # It reaches what it likes.
        return
    open_ports = receiver_ports(alerting)
    for key in dict.fromkeys(alertmanager.secrets_of(alerting)):
        host, port = _place(given.get(key, "")) if "_url" in key else ("", None)
        if _inside(host, alerting):
            continue
        if port is not None and port not in open_ports:
            yield Problem(
                where="monitoring.alerting.ports",
                found=f"{list(alerting.ports)}, and the address in elab:{key} has port {port}",
                allowed="the ports of all addresses that are secrets, 443 aside: Alertmanager reaches no others",
                fix=f"add {port}, or correct the address",
            )


def _place(address: str) -> tuple[str, int | None]:
    """The host and port of an address on the web; no port of anything else."""
    try:
        parts = urlsplit(address.strip())
        return parts.hostname or "", parts.port or {"https": _HTTPS, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", None


def alertmanager_connections(
    names: NamespaceNames, alerting: AlertingSettings, endpoints: ClusterEndpoints, network: NetworkSettings
) -> Iterator[Connection]:
    """Alertmanager reaches those whom it tells."""
    source = own(names, alertmanager.COMPONENT)
    if not alerting.receivers and alerting.heartbeat is None:
        return
    yield from to_dns(source, endpoints)
    for namespace in alerting.namespaces:
        yield Connection(source=source, target=pods(namespace), ports=_EVERY, why="tells of alerts")
    if network.proxy_cidrs:
        proxies = Addresses(cidrs=network.proxy_cidrs)
        yield Connection(source=source, target=proxies, ports=tcp(*network.proxy_ports), why="the corporate proxy")
    # Also beside receivers in the cluster: who is outside would not be told, and of that nobody either.
    if ports := receiver_ports(alerting):
        target = Addresses(cidrs=alerting.cidrs) if alerting.cidrs else ANYWHERE
        yield Connection(source=source, target=target, ports=tcp(*ports), why="tells of alerts")


def connections(
    jobs: JobsArgs, cluster: AddressRanges, endpoints: ClusterEndpoints, network: NetworkSettings
) -> Iterator[Connection]:
    """The room's part of the connection graph, Grafana's aside."""
    names, settings = jobs.names, jobs.settings
    yield from prometheus_connections(jobs, cluster)
    yield from alertmanager_connections(names, settings.alerting, endpoints, network)
    objects = own(names, kube_state_metrics.COMPONENT)
    yield to_api_server(objects, endpoints, "watches objects")
    yield from to_dns(objects, endpoints)
    gateway = own(names, pushgateway.COMPONENT)
    for namespace in settings.pushgateway.namespaces:
        yield Connection(source=pods(namespace), target=gateway, ports=tcp(pushgateway.PORT), why="jobs push")
