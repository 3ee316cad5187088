"""Settings of monitoring: how long metrics are kept, what is scraped besides the platform, who hears of an alert."""

from collections.abc import Iterator

from pydantic import Field

from components.monitoring.alerting_settings import AlertingSettings
from components.monitoring.grafana_settings import GrafanaSettings
from components.monitoring.targets_settings import CephTargets, OpenStackTargets, RemoteWrite, interval_problems
from stackfile.problems import Problem
from stackfile.quantities import DiskSize, Duration
from stackfile.references import Image, Name, StorageClassName
from stackfile.resources import Resources, resources
from stackfile.section import Section


class PrometheusSettings(Section):
    """The program that scrapes, keeps and answers."""

    image: Image = Image("quay.io/prometheus/prometheus:v3.14.0")
    # 2i2c's clusters take 1.5 GiB steadily and 5 GiB while the log is replayed (infrastructure#1906).
    resources: Resources = resources(cpu=("250m", "2"), memory=("4Gi", "4Gi"))
    """Memory: request and limit alike, since what replays its log at start must not depend on a neighbour."""
    volume: DiskSize | None = None
    """Size of its disk; none: computed from retention, interval and the series to expect. It can only grow."""

    def problems(self) -> Iterator[Problem]:
        memory = self.resources.memory
        if memory.request.bytes != memory.limit.bytes:
            yield Problem(
                where="resources.memory.request",
                found=f"{memory.request}, with a limit of {memory.limit}",
                allowed="the same as the limit: a replay of the log after a crash needs all of it",
                fix=f"set both to {memory.limit}",
            )


class AlertmanagerSettings(Section):
    """The program that tells people of alerts."""

    image: Image = Image("quay.io/prometheus/alertmanager:v0.34.0")
    # kube-prometheus asks for 4m and 100Mi.
    resources: Resources = resources(cpu=("10m", "200m"), memory=("64Mi", "192Mi"))
    volume: DiskSize = DiskSize("1Gi")
    """Silences, and who was told what."""


class NodeExporterSettings(Section):
    """The program that reads a host's own figures, once on every node."""

    image: Image = Image("quay.io/prometheus/node-exporter:v1.12.1")
    # kube-prometheus allows 250m and 180Mi, 2i2c asks for 10m and 30Mi.
    resources: Resources = resources(cpu=("10m", "250m"), memory=("32Mi", "128Mi"))
    port: int = Field(default=9100, ge=1024, le=65535)
    """Its port on the host's own address: another one where the cluster (OpenShift) or a second elab has taken it."""


class KubeStateMetricsSettings(Section):
    """The program that turns Kubernetes' objects into metrics."""

    image: Image = Image("registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0")
    # kube-prometheus asks for 10m and 190Mi, for up to about 100 nodes.
    resources: Resources = resources(cpu=("10m", "500m"), memory=("128Mi", "512Mi"))


class PushgatewaySettings(Section):
    """The program that keeps what short jobs push."""

    image: Image = Image("quay.io/prometheus/pushgateway:v1.11.3")
    resources: Resources = resources(cpu=("5m", "100m"), memory=("32Mi", "128Mi"))
    volume: DiskSize = DiskSize("1Gi")
    namespaces: tuple[Name, ...] = ()
    """Namespaces whose pods may push; of others nobody can."""


class MonitoringSettings(Section):
    """Metrics, alerts and dashboards."""

    enabled: bool = True
    retention: Duration = Duration("30d")
    """How long metrics are kept."""
    scrape_interval: Duration = Duration("30s")
    """How often most targets are asked."""
    cluster_name: Name | None = None
    """The label `cluster` of every metric; none: the cluster's identifier, or its context."""
    storage_class: StorageClassName | None = None
    """The StorageClass of monitoring's disks, never on the Ceph that is watched; none: the platform's own."""
    other_nodes: int = Field(default=3, ge=0, le=5000)
    """How many nodes the cluster has besides the pools' own; they are watched too, and count for the disk's size."""
    verify_kubelets: bool = True
    """False where kubelets sign their own certificates: kubeadm without `serverTLSBootstrap`."""
    annotated_namespaces: tuple[Name, ...] = ()
    """Namespaces of the institution's own whose pods and Services are scraped where `prometheus.io/scrape` says so."""
    cert_manager_namespace: Name = Name("cert-manager")
    """Where cert-manager runs, if it renews the address' certificate: an expiry is seen in its metrics."""
    prometheus: PrometheusSettings = PrometheusSettings()
    alertmanager: AlertmanagerSettings = AlertmanagerSettings()
    node_exporter: NodeExporterSettings = NodeExporterSettings()
    kube_state_metrics: KubeStateMetricsSettings = KubeStateMetricsSettings()
    pushgateway: PushgatewaySettings = PushgatewaySettings()
    grafana: GrafanaSettings = GrafanaSettings()
    alerting: AlertingSettings = AlertingSettings()
    ceph: CephTargets | None = None
    """The Ceph that is watched; none: none is."""
    openstack: OpenStackTargets | None = None
    """The OpenStack that is watched; none: none is."""
    remote_write: RemoteWrite | None = None
    """Where every sample is sent besides, for one view over several clouds."""

    def problems(self) -> Iterator[Problem]:
        yield from interval_problems(self.scrape_interval)
        if self.retention.seconds < 86400:
            yield Problem(where="retention", found=self.retention, allowed="at least 1d", fix="write for example 30d")
