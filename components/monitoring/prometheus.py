"""Prometheus: what it scrapes, the rules it follows, and the disk on which it keeps metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.rbac import v1 as rbac

from components.kit import (
    CONTENT_HASH,
    DataPolicy,
    claim,
    container_security,
    content_hash,
    metadata,
    requirements,
    scratch,
)
from components.monitoring.documents import FILES, read, text
from components.monitoring.jobs import JobsArgs, jobs_of, scrape_files
from components.monitoring.pods import READY_SECONDS, Platform, Program, deployment, probe, service
from components.monitoring.prometheus_rights import (
    ACCOUNT,
    cluster_role,
    cluster_role_binding,
    places,
    role,
    role_binding,
)
from components.monitoring.settings import MonitoringSettings
from components.monitoring.sizing import size_cap
from components.monitoring.starting import (
    CONFIG,
    CREDENTIALS,
    Started,
    claim_volume,
    from_map,
    from_secret,
    projected,
    start_files,
    start_volume,
    trust,
    trust_environment,
)
from stackfile.quantities import Bytes

PORT = 9090
ALERTMANAGER_PORT = 9093
COMPONENT = "prometheus"
CLAIM = "prometheus-data"
CREDENTIALS_SECRET = "scrape-credentials"  # noqa: S105  the Secret's name
_CONFIG_MAP, _SCRAPE_MAP, _RULES_MAP = "prometheus-config", "prometheus-scrape", "prometheus-rules"
_SETTINGS_RULES = "settings.yaml"
_DISK = "/prometheus"
STARTED = Started(
    program="/bin/prometheus",
    disk=_DISK,
    file="prometheus.yml",
    check="/bin/promtool check config",
    patience=READY_SECONDS,
)


@dataclass(frozen=True, kw_only=True)
class PrometheusArgs:
    """What Prometheus is made of."""

    platform: Platform
    settings: MonitoringSettings
    jobs: JobsArgs
    settings_rules: str
    """The rule file that says what the settings say."""
    volume: Bytes
    storage_class: str
    data: DataPolicy
    credentials: Mapping[str, pulumi.Input[str]]
    """What it shows to targets and stores, by the file's name."""


def configuration(jobs: JobsArgs) -> dict[str, Any]:
    """The file of `files/prometheus` with the stack's intervals, cluster, Alertmanager and store."""
    settings = jobs.settings
    config = read("prometheus/prometheus.yml")
    interval = settings.scrape_interval
    config["global"]["scrape_interval"] = config["global"]["evaluation_interval"] = str(interval)
    config["global"]["scrape_timeout"] = f"{min(10, interval.seconds)}s"
    config["global"]["external_labels"] = {"cluster": jobs.cluster}
    (alertmanagers,) = config["alerting"]["alertmanagers"]
    alertmanagers["static_configs"] = [{"targets": [f"alertmanager:{ALERTMANAGER_PORT}"]}]
    if settings.remote_write is not None:
        # Without a name alerts would call it by a hash.
        store: dict[str, Any] = {"name": "central", "url": str(settings.remote_write.url)}
        if settings.remote_write.username is not None:
            password = f"{CREDENTIALS}/remote-write"
            store["basic_auth"] = {"username": settings.remote_write.username, "password_file": password}
        config["remote_write"] = [store]
    return config


def rule_files(jobs: JobsArgs) -> dict[str, str]:
    """The files of `files/rules`; one that is named for a job only where the stack has that job."""
    have, known = {job.name for job in jobs_of(jobs)}, {path.stem for path in (FILES / "scrape").glob("*.yaml")}
    return {
        path.name: path.read_text()
        for path in sorted((FILES / "rules").glob("*.yaml"))
        if path.stem not in known or path.stem in have
    }


def maps(args: PrometheusArgs) -> dict[str, dict[str, str]]:
    """What Prometheus reads, by ConfigMap. Their names stay: a change is read by the running one."""
    return {
        _CONFIG_MAP: {STARTED.file: text(configuration(args.jobs))},
        _SCRAPE_MAP: scrape_files(args.jobs),
        _RULES_MAP: {**rule_files(args.jobs), _SETTINGS_RULES: args.settings_rules},
    }


def arguments(settings: MonitoringSettings, volume: Bytes) -> list[str]:
    """Its command line. It offers neither reload nor shutdown nor deletion by HTTP: it has no login."""
    return [
        f"--config.file={STARTED.config_file}",
        f"--storage.tsdb.path={_DISK}/data",
        f"--storage.tsdb.retention.time={settings.retention}",
        f"--storage.tsdb.retention.size={size_cap(volume)}",
        # Links in alerts: it is reached by kubectl port-forward.
        f"--web.external-url=http://localhost:{PORT}",
    ]


def program(args: PrometheusArgs, found: Mapping[str, Mapping[str, str]]) -> Program:
    """Its pod, over these ConfigMaps. A change of them does not roll it: it is read while it runs."""
    sources = [
        from_map(_CONFIG_MAP, {STARTED.file: STARTED.file}),
        from_map(_SCRAPE_MAP, {key: f"scrape/{key}" for key in found[_SCRAPE_MAP]}),
        from_map(_RULES_MAP, {key: f"rules/{key}" for key in found[_RULES_MAP]}),
    ]
    credentials = from_secret(CREDENTIALS_SECRET, {key: key for key in args.credentials})
    parts = [
        projected("config", CONFIG, sources),
        projected("credentials", CREDENTIALS, [credentials]),
        start_volume(),
        claim_volume(CLAIM, _DISK),
        scratch("tmp", "/tmp", "64Mi"),
    ]
    trusted = trust_environment(args.platform.authorities)
    if trusted:
        parts.append(trust())
    container = core.ContainerArgs(
        name=COMPONENT,
        image=args.platform.images.reference(args.settings.prometheus.image),
        image_pull_policy=args.platform.images.pull_policy,
        command=STARTED.command(),
        args=arguments(args.settings, args.volume),
        env=[core.EnvVarArgs(name=name, value=value) for name, value in trusted.items()] or None,
        ports=[core.ContainerPortArgs(name="http", container_port=PORT)],
        startup_probe=probe("/-/ready", seconds=5, failures=READY_SECONDS // 5),
        readiness_probe=probe("/-/ready"),
        liveness_probe=probe("/-/healthy", failures=6),
        resources=requirements(args.settings.prometheus.resources),
        security_context=container_security(),
        volume_mounts=[mount for _, mount in parts],
    )
    return Program(
        component=COMPONENT,
        container=container,
        volumes=[volume for volume, _ in parts],
        account=ACCOUNT,
        annotations={
            CONTENT_HASH: content_hash(start_files(), args.platform.authorities),
            # An autoscaler that emptied its node would leave a gap in everything.
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        },
        # It writes its head down before it ends.
        grace_seconds=300,
    )


class Prometheus(pulumi.ComponentResource):
    """Scrapes, keeps and answers; nobody reaches it but Grafana, and who may port-forward."""

    def __init__(self, name: str, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:monitoring:Prometheus", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        platform, labels = args.platform, args.platform.labels(COMPONENT)
        names, namespace = platform.names, platform.namespace
        account = core.ServiceAccountInitArgs(
            metadata=metadata(ACCOUNT, labels, namespace), automount_service_account_token=False
        )
        core.ServiceAccount(f"{name}-account", account, child)
        rbac.ClusterRole(f"{name}-cluster-role", cluster_role(names, labels), child)
        rbac.ClusterRoleBinding(f"{name}-cluster-binding", cluster_role_binding(names, labels), child)
        for place in places(args.jobs):
            rbac.Role(f"{name}-role-{place.suffix}", role(place, labels), child)
            rbac.RoleBinding(f"{name}-binding-{place.suffix}", role_binding(place, names, labels), child)
        found = maps(args)
        for map_name, content in found.items():
            map_args = core.ConfigMapInitArgs(metadata=metadata(map_name, labels, namespace), data=content)
            core.ConfigMap(f"{name}-{map_name}", map_args, child)
        credentials = core.SecretInitArgs(
            metadata=metadata(CREDENTIALS_SECRET, labels, namespace), string_data=dict(args.credentials)
        )
        core.Secret(f"{name}-credentials", credentials, child)
        disk = claim(args.volume, args.storage_class, metadata(CLAIM, labels, namespace))
        core.PersistentVolumeClaim(f"{name}-data", disk, args.data.options(self, f"{namespace}/{CLAIM}"))
        core.Service(f"{name}-service", service(platform, COMPONENT, PORT), child)
        apps.Deployment(f"{name}-deployment", deployment(platform, program(args, found)), child)
        self.register_outputs({})
