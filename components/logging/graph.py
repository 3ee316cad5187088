"""Who talks to whom around logging. Prometheus' part is monitoring's own."""

from collections.abc import Iterator

from clouds.base import ClusterEndpoints
from components.connections import Addresses, Connection, Pods, pods, tcp, to_api_server, to_dns
from components.logging import bootstrap, elasticsearch, exporter, filebeat, fluent_bit, kibana
from components.logging.bootstrap import BootstrapArgs
from components.logging.pods import logging_labels
from components.logging.settings import LoggingSettings
from components.monitoring import pushgateway
from components.monitoring.pods import monitoring_labels
from components.namespaces import NamespaceNames


def own(names: NamespaceNames, component: str, room: str = "logging") -> Pods:
    """One of the room's programs; the shippers live where agents of the nodes do."""
    return pods(names.of(room), logging_labels(names, component).selector())


def connections(
    names: NamespaceNames,
    settings: LoggingSettings,
    endpoints: ClusterEndpoints,
    job: BootstrapArgs,
    *,
    monitored: bool,
) -> Iterator[Connection]:
    """Everybody reaches Elasticsearch, and it the storage of its snapshots; the bootstrap reaches Kibana too."""
    store, pages = own(names, elasticsearch.COMPONENT), own(names, kibana.COMPONENT)
    shippers = [own(names, component, "node") for component in (fluent_bit.COMPONENT, filebeat.COMPONENT)]
    clients = [*shippers, *([pages] if settings.kibana.enabled else [])]
    clients += [own(names, exporter.COMPONENT)] if monitored else []
    for client in clients:
        yield Connection(source=client, target=store, ports=tcp(elasticsearch.HTTP_PORT), why="lines and questions")
        yield from to_dns(client, endpoints)
    yield to_api_server(shippers[0], endpoints, "asks which pod a line is of")
    yield from to_dns(store, endpoints)
    if settings.elasticsearch.nodes > 1:
        yield Connection(source=store, target=store, ports=tcp(elasticsearch.TRANSPORT_PORT), why="nodes of a cluster")
    if settings.snapshots is not None:
        target = Addresses(cidrs=settings.snapshots.cidrs)
        yield Connection(source=store, target=target, ports=tcp(settings.snapshots.port), why="snapshots")
    targets = {store: elasticsearch.HTTP_PORT}
    if job.kibana is not None:
        targets[pages] = kibana.PORT
    if job.pushgateway is not None:
        labels = monitoring_labels(names, pushgateway.COMPONENT)
        targets[pods(names.of("monitoring"), labels.selector())] = pushgateway.PORT
    yield from bootstrap.connections(job, endpoints, targets)
