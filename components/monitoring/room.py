"""The monitoring room: what is measured, kept, told of and shown, put together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core import v1 as core
from pulumi_random import RandomBytes, RandomBytesArgs

from clouds.base import Cloud
from clouds.pools import NodePool
from components.connections import Connection
from components.entry import Route
from components.entry_settings import AnyEntry, CertManagerTls, IngressEntry
from components.hub.directory import DirectorySettings
from components.hub.keys import KEY_BYTES
from components.hub.profiles import Profile
from components.hub.values import proxy_environment
from components.kit import DataPolicy, metadata
from components.monitoring import grafana, graph
from components.monitoring.alertmanager import Alertmanager, AlertmanagerArgs, secrets_of
from components.monitoring.grafana import Grafana, GrafanaArgs
from components.monitoring.jobs import ClusterSize, JobsArgs, WatchedLogs, jobs_of
from components.monitoring.kube_state_metrics import KubeStateMetrics, KubeStateMetricsArgs
from components.monitoring.node_exporter import NodeExporter, NodeExporterArgs
from components.monitoring.pods import Platform
from components.monitoring.prometheus import Prometheus, PrometheusArgs
from components.monitoring.pushgateway import Pushgateway, PushgatewayArgs
from components.monitoring.recording import settings_rules_text
from components.monitoring.settings import MonitoringSettings
from components.monitoring.sizing import cluster_size, volume
from components.monitoring.starting import START_MAP, TRUST_MAP, start_files
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings, NetworkSettings


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """What the monitoring room is made of."""

    names: NamespaceNames
    cluster: str
    """The label `cluster` of every metric."""
    cloud: Cloud
    entry: AnyEntry
    settings: MonitoringSettings
    directory: DirectorySettings | None
    pools: tuple[NodePool, ...]
    profiles: tuple[Profile, ...]
    images: ImagesSettings
    network: NetworkSettings
    data: DataPolicy
    storage_class: str
    priority_class: str
    logs: WatchedLogs | None = None
    """The logs that are watched; none: the stack keeps none."""

    @property
    def platform(self) -> Platform:
        """What every pod of the room is told."""
        return Platform(
            names=self.names,
            images=self.images,
            pod_security=self.cloud.pod_security,
            priority_class=self.priority_class,
            authorities=self.network.ca_certificates,
        )

    @property
    def jobs(self) -> JobsArgs:
        """What the scrape jobs are made of."""
        entry = self.entry
        return JobsArgs(
            names=self.names,
            cluster=self.cluster,
            settings=self.settings,
            endpoints=self.cloud.endpoints,
            grafana_metrics=grafana.metrics_path(self.settings.grafana, entry),
            cert_manager=isinstance(entry, IngressEntry) and isinstance(entry.tls, CertManagerTls),
            logs=self.logs,
        )

    @property
    def size(self) -> ClusterSize:
        """How large the cluster can grow."""
        return cluster_size(self.jobs, self.pools, self.profiles)


@dataclass(frozen=True, kw_only=True)
class MonitoringSecrets:
    """What the room shows to others, and what opens doors to those whom it tells."""

    hub_token: pulumi.Input[str]
    """May read the hub's metrics."""
    given: Mapping[str, pulumi.Input[str]]
    """What the stack's owner has set, by key."""


def required_secrets(settings: MonitoringSettings) -> Iterator[str]:
    """The keys of the secrets that monitoring needs."""
    if settings.enabled:
        yield from secrets_of(settings.alerting)
        if settings.remote_write is not None and settings.remote_write.username is not None:
            yield "remote_write_password"


def routes(args: MonitoringArgs) -> tuple[Route, ...]:
    """What the room publishes: Grafana, if anything. Prometheus and Alertmanager have no login of their own."""
    return grafana.routes(_grafana_args(args, {})) if _shows(args.settings) else ()


def connections(args: MonitoringArgs) -> Iterator[Connection]:
    """The room's part of the connection graph."""
    if args.settings.enabled:
        yield from graph.connections(args.jobs, args.cloud.ranges, args.cloud.endpoints, args.network)
        if _shows(args.settings):
            yield from grafana.connections(_grafana_args(args, {}))


def _shows(settings: MonitoringSettings) -> bool:
    return settings.enabled and settings.grafana.enabled


def _grafana_args(args: MonitoringArgs, given: Mapping[str, pulumi.Input[str]]) -> GrafanaArgs:
    return GrafanaArgs(
        platform=args.platform,
        settings=args.settings.grafana,
        entry=args.entry,
        directory=args.directory,
        network=args.network,
        ldap_password=given.get("ldap_bind_password"),
        data=args.data,
        jobs=frozenset(job.name for job in jobs_of(args.jobs)),
        scrape_interval=args.settings.scrape_interval,
        endpoints=args.cloud.endpoints,
    )


class Monitoring(pulumi.ComponentResource):
    """Prometheus, Alertmanager, exporters, Pushgateway and Grafana."""

    def __init__(
        self,
        name: str,
        args: MonitoringArgs,
        secrets: MonitoringSecrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("elab:monitoring:Monitoring", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        platform, settings = args.platform, args.settings
        start = core.ConfigMapInitArgs(
            metadata=metadata(START_MAP, platform.labels("start"), platform.namespace), data=start_files()
        )
        core.ConfigMap(f"{name}-start", start, child)
        if platform.authorities is not None:
            trust = core.ConfigMapInitArgs(
                metadata=metadata(TRUST_MAP, platform.labels("trust"), platform.namespace),
                data={"ca.crt": platform.authorities},
            )
            core.ConfigMap(f"{name}-trust", trust, child)
        Prometheus(f"{name}-prometheus", self._prometheus_args(name, args, secrets), child)
        alertmanager = AlertmanagerArgs(
            platform=platform,
            settings=settings,
            storage_class=args.storage_class,
            data=args.data,
            credentials={key: secrets.given[key] for key in secrets_of(settings.alerting)},
            environment=proxy_environment(args.network, args.cloud.ranges),
        )
        Alertmanager(f"{name}-alertmanager", alertmanager, child)
        NodeExporter(
            f"{name}-node-exporter", NodeExporterArgs(platform=platform, settings=settings.node_exporter), child
        )
        objects = KubeStateMetricsArgs(platform=platform, settings=settings.kube_state_metrics, pools=args.pools)
        KubeStateMetrics(f"{name}-kube-state-metrics", objects, child)
        pushgateway = PushgatewayArgs(
            platform=platform, settings=settings.pushgateway, storage_class=args.storage_class, data=args.data
        )
        Pushgateway(f"{name}-pushgateway", pushgateway, child)
        if settings.grafana.enabled:
            Grafana(f"{name}-grafana", _grafana_args(args, secrets.given), child)
        self.register_outputs({})

    def _prometheus_args(self, name: str, args: MonitoringArgs, secrets: MonitoringSecrets) -> PrometheusArgs:
        jobs, size = args.jobs, args.size
        credentials: dict[str, pulumi.Input[str]] = {"hub": secrets.hub_token}
        if args.settings.grafana.enabled:
            key = RandomBytesArgs(length=KEY_BYTES)
            password = RandomBytes(f"{name}-grafana-metrics", key, args.data.options(self))
            credentials["grafana"] = password.hex
        if "remote_write_password" in secrets.given:
            credentials["remote-write"] = secrets.given["remote_write_password"]
        return PrometheusArgs(
            platform=args.platform,
            settings=args.settings,
            jobs=jobs,
            settings_rules=settings_rules_text(jobs, size, args.pools),
            volume=volume(jobs, size),
            storage_class=args.storage_class,
            data=args.data,
            credentials=credentials,
        )
