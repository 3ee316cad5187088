"""Scrape jobs: a file each in `files/scrape`, with an owner and a budget of series, and what the stack adds to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clouds.base import ClusterEndpoints
from components.logging.bootstrap import rollover
from components.logging.settings import LoggingSettings
from components.monitoring.documents import read, text
from components.monitoring.settings import MonitoringSettings
from components.namespaces import NamespaceNames
from stackfile.quantities import Duration

ANNOTATED, CEPH, CERT_MANAGER = "annotated", "ceph", "cert-manager"
"""Stand in a job's file for the namespaces that the settings name; a room's name stands for its namespace."""


@dataclass(frozen=True, kw_only=True)
class ClusterSize:
    """How large the cluster is when every pool is full."""

    nodes: int
    pods: int


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How many series a job is expected to yield, at most."""

    fixed: int = 0
    node: int = 0
    """For each node."""
    pod: int = 0
    """For each pod."""
    target: int = 0
    """For each target, namespace or API server that the settings name."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A scrape job: who answers for it, and how much it may yield."""

    name: str
    owner: str
    budget: Budget
    targets: Callable[["JobsArgs"], int] = lambda _args: 1
    """How many targets or namespaces the stack names for it; 0: the stack does without the job."""
    interval: Callable[[MonitoringSettings], Duration] = lambda settings: settings.scrape_interval


WATERMARKS = {"low": 0.85, "high": 0.9, "flood": 0.95}
"""How full a disk of Elasticsearch may be, as a share of it; its own file in `components/logging` says the same."""


@dataclass(frozen=True, kw_only=True)
class WatchedLogs:
    """What alerts about the logs must know of the stack's settings."""

    retention: Duration
    """How long logs are kept."""
    rollover: Duration
    """How much longer some are, since an index goes as a whole."""
    nodes: int
    """How many nodes Elasticsearch has when all are there."""


def watched_logs(logging: LoggingSettings) -> WatchedLogs | None:
    """What is watched of a stack's logs, if it keeps any."""
    if not logging.enabled:
        return None
    kept = logging.retention
    return WatchedLogs(retention=kept, rollover=rollover(kept), nodes=logging.elasticsearch.nodes)


@dataclass(frozen=True, kw_only=True)
class JobsArgs:
    """What the scrape jobs are made of."""

    names: NamespaceNames
    cluster: str
    """The label `cluster` of every series."""
    settings: MonitoringSettings
    endpoints: ClusterEndpoints
    grafana_metrics: str
    """The path of Grafana's own metrics, which lies below that of its pages."""
    cert_manager: bool
    """Whether cert-manager renews the certificate of the one address."""
    logs: WatchedLogs | None = None
    """None: the stack keeps no logs."""

    @property
    def foreign_namespaces(self) -> dict[str, bool]:
        """Namespaces that are not the platform's, in which targets are looked for, and whether Services are too."""
        found = {str(name): True for name in self.settings.annotated_namespaces}
        if self.settings.ceph is not None and self.settings.ceph.namespace is not None:
            found.setdefault(str(self.settings.ceph.namespace), False)
        if self.cert_manager:
            found.setdefault(str(self.settings.cert_manager_namespace), False)
        return found

    @property
    def api_servers(self) -> tuple[str, ...]:
        """Each API server by its own address where the cloud names single ones, else whichever the Service chooses."""
        cidrs = self.endpoints.api_server
        if not cidrs or any(cidr.network.num_addresses != 1 for cidr in cidrs):
            return ("kubernetes.default.svc:443",)
        hosts = (cidr.network.network_address for cidr in cidrs)
        shown = (f"[{host}]" if host.version == 6 else str(host) for host in hosts)
        return tuple(f"{host}:{self.endpoints.api_server_port}" for host in shown)


def _ceph_exporters(args: JobsArgs) -> int:
    ceph = args.settings.ceph
    return 0 if ceph is None else len(ceph.exporters) or int(ceph.namespace is not None)


JOBS: tuple[Job, ...] = (
    Job(name="apiserver", owner="the cluster", budget=Budget(target=1500), targets=lambda args: len(args.api_servers)),
    Job(name="kubelet", owner="the cluster", budget=Budget(node=200, pod=6)),
    Job(name="cadvisor", owner="the cluster", budget=Budget(pod=25)),
    Job(name="node-exporter", owner="monitoring", budget=Budget(node=1200)),
    Job(name="kube-state-metrics", owner="monitoring", budget=Budget(fixed=1000, node=40, pod=35)),
    Job(
        name="elasticsearch",
        owner="logging",
        budget=Budget(fixed=50, target=150),
        targets=lambda args: args.logs.nodes if args.logs else 0,
    ),
    Job(name="fluent-bit", owner="logging", budget=Budget(node=150), targets=lambda args: int(args.logs is not None)),
    Job(name="hub", owner="hub", budget=Budget(fixed=2000)),
    Job(name="proxy", owner="hub", budget=Budget(fixed=300)),
    Job(name="prometheus", owner="monitoring", budget=Budget(fixed=2000)),
    Job(name="alertmanager", owner="monitoring", budget=Budget(fixed=700)),
    Job(name="pushgateway", owner="whoever pushes", budget=Budget(fixed=2000)),
    Job(
        name="grafana",
        owner="monitoring",
        budget=Budget(fixed=3000),
        targets=lambda args: int(args.settings.grafana.enabled),
    ),
    Job(
        name="pods",
        owner="the institution",
        budget=Budget(target=2000),
        targets=lambda args: len(args.settings.annotated_namespaces),
    ),
    Job(
        name="services",
        owner="the institution",
        budget=Budget(target=2000),
        targets=lambda args: len(args.settings.annotated_namespaces),
    ),
    Job(
        name="cert-manager", owner="the cluster", budget=Budget(fixed=500), targets=lambda args: int(args.cert_manager)
    ),
    Job(
        name="ceph",
        owner="storage",
        budget=Budget(fixed=6000),
        targets=lambda args: int(args.settings.ceph is not None),
        interval=lambda settings: settings.ceph.scrape_interval if settings.ceph else settings.scrape_interval,
    ),
    Job(
        name="ceph-exporter",
        owner="storage",
        budget=Budget(target=1500),
        targets=_ceph_exporters,
    ),
    Job(
        name="openstack",
        owner="private cloud",
        budget=Budget(target=8000),
        targets=lambda args: len(args.settings.openstack.exporters) if args.settings.openstack else 0,
        interval=lambda settings: (
            settings.openstack.scrape_interval if settings.openstack else settings.scrape_interval
        ),
    ),
)
"""Every job that elab knows; a stack has those with targets. Budgets are about twice what `make bench` shows here,
since an institution's hosts have more processors and disks, and its API servers more kinds of objects."""


def jobs_of(args: JobsArgs) -> tuple[Job, ...]:
    """The jobs of a stack."""
    return tuple(job for job in JOBS if job.targets(args))


def series(job: Job, args: JobsArgs, size: ClusterSize) -> int:
    """How many series a job is expected to yield in a cluster of this size."""
    budget = job.budget
    return budget.fixed + budget.node * size.nodes + budget.pod * size.pods + budget.target * job.targets(args)


def _listed(job: Job, args: JobsArgs) -> tuple[str, ...] | None:
    """The targets that the stack names for a job; None where the job finds its own."""
    settings = args.settings
    match job.name:
        case "apiserver":
            return args.api_servers
        case "ceph" if settings.ceph is not None and settings.ceph.managers:
            return settings.ceph.managers
        case "ceph-exporter" if settings.ceph is not None and settings.ceph.exporters:
            return settings.ceph.exporters
        case "openstack" if settings.openstack is not None:
            return settings.openstack.exporters
    return None


def _namespace(written: str, args: JobsArgs) -> tuple[str, ...]:
    if written == ANNOTATED:
        return args.settings.annotated_namespaces
    if written == CEPH:
        return (args.settings.ceph.namespace,) if args.settings.ceph and args.settings.ceph.namespace else ()
    if written == CERT_MANAGER:
        return (args.settings.cert_manager_namespace,)
    return (args.names.of(written),)


def scrape_config(job: Job, args: JobsArgs) -> dict[str, Any]:
    """The job's file with what the stack adds: interval, targets, namespaces, and the label `cluster`."""
    (config,) = read(f"scrape/{job.name}.yaml")["scrape_configs"]
    interval = job.interval(args.settings)
    config["scrape_interval"] = str(interval)
    if job.name == "openstack":
        # It asks a whole cloud; the ten seconds that others have are too few.
        config["scrape_timeout"] = str(interval)
    listed = _listed(job, args)
    if listed is not None:
        config.pop("kubernetes_sd_configs", None)
        config["static_configs"] = [{"targets": [str(target) for target in listed]}]
    for discovery in config.get("kubernetes_sd_configs", []):
        if "namespaces" in discovery:
            written = discovery["namespaces"]["names"]
            discovery["namespaces"]["names"] = [str(name) for one in written for name in _namespace(one, args)]
    if job.name in ("kubelet", "cadvisor") and not args.settings.verify_kubelets:
        config["tls_config"]["insecure_skip_verify"] = True
    if job.name == "grafana":
        config["metrics_path"] = args.grafana_metrics
    cluster = {"target_label": "cluster", "replacement": args.cluster}
    config["relabel_configs"] = [*config.get("relabel_configs", []), cluster]
    return config


def scrape_files(args: JobsArgs) -> dict[str, str]:
    """Every job of the stack as a file that Prometheus reads, by file name."""
    return {f"{job.name}.yaml": text({"scrape_configs": [scrape_config(job, args)]}) for job in jobs_of(args)}
