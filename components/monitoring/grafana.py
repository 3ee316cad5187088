"""Grafana: the dashboards, for administrators, at the one address. It keeps nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_random import RandomBytes, RandomBytesArgs

from clouds.base import ClusterEndpoints
from components.connections import Connection, pods, tcp, to_dns
from components.entry import Route
from components.entry_settings import AnyEntry, SharedEntry, public_url, uses_tls
from components.hub.directory import DirectorySettings
from components.hub.graph import to_directory
from components.hub.keys import KEY_BYTES
from components.kit import (
    CONTENT_HASH,
    SECRETS_HASH,
    DataPolicy,
    config_map_key,
    container_security,
    content_hash,
    files_below,
    fingerprint,
    metadata,
    requirements,
    scratch,
    secret_env,
)
from components.monitoring import alertmanager, prometheus
from components.monitoring.dashboards.catalogue import selected
from components.monitoring.grafana_login import SKELETON, ldap_toml, login_problems, mappings, within_quotes
from components.monitoring.grafana_settings import GrafanaSettings
from components.monitoring.pods import Platform, Program, deployment, monitoring_labels, probe, service
from components.monitoring.starting import from_map, projected
from components.network_settings import NetworkSettings
from stackfile.problems import Problem
from stackfile.quantities import Duration

COMPONENT = "grafana"
PORT = 3000
_SUB_PATH = "/grafana"
_UID = 472
"""grafana in Grafana's image."""
_CONFIG, _DASHBOARDS, _DATA = "/etc/grafana", "/etc/elab/dashboards", "/var/lib/grafana"
_CONFIG_MAP, _CA_FILE = "grafana-config", "directory.crt"
_ADMIN_SECRET, _SIGNING_SECRET, _LDAP_SECRET = "grafana-admin", "grafana-signing", "grafana-ldap-bind"


@dataclass(frozen=True, kw_only=True)
class GrafanaArgs:
    """What Grafana is made of."""

    platform: Platform
    settings: GrafanaSettings
    entry: AnyEntry
    directory: DirectorySettings | None
    """None: nobody logs in by it, only its administrator by the password in its Secret."""
    network: NetworkSettings
    endpoints: ClusterEndpoints
    jobs: frozenset[str]
    """The stack's scrape jobs: they say which dashboards it has."""
    scrape_interval: Duration
    ldap_password: pulumi.Input[str] | None
    data: DataPolicy

    @property
    def asked(self) -> DirectorySettings | None:
        """The directory, where some of its groups may log in."""
        return self.directory if self.directory is not None and mappings(self.settings, self.directory) else None


def is_published(settings: GrafanaSettings, entry: AnyEntry) -> bool:
    """Whether the door leads to Grafana."""
    can = isinstance(entry, SharedEntry)
    return can if settings.published is None else settings.published


def address(settings: GrafanaSettings, entry: AnyEntry) -> str:
    """Where browsers find it, with a slash at the end; unpublished, at this machine's end of a port-forward."""
    if not is_published(settings, entry):
        return f"http://localhost:{PORT}/"
    if settings.host is None:
        return f"{public_url(entry)}{_SUB_PATH}/"
    return f"{'https' if uses_tls(entry) else 'http'}://{settings.host}/"


def _path(settings: GrafanaSettings, entry: AnyEntry) -> str:
    """What every path of Grafana's begins with: it answers a request without it by a redirection."""
    return urlsplit(address(settings, entry)).path.rstrip("/")


def metrics_path(settings: GrafanaSettings, entry: AnyEntry) -> str:
    """Where Prometheus finds its metrics."""
    return f"{_path(settings, entry)}/metrics"


def routes(args: GrafanaArgs) -> tuple[Route, ...]:
    """Grafana asks for a login of its own."""
    if not is_published(args.settings, args.entry):
        return ()
    labels = args.platform.labels(COMPONENT)
    return (
        Route(
            host=str(args.settings.host) if args.settings.host else None,
            path=_path(args.settings, args.entry) or "/",
            namespace=args.platform.namespace,
            service=COMPONENT,
            port=PORT,
            selector=tuple(labels.selector().items()),
            target_port=PORT,
        ),
    )


def connections(args: GrafanaArgs) -> Iterator[Connection]:
    """Grafana asks Prometheus and Alertmanager, and the directory about who logs in; Prometheus scrapes it."""

    def own(component: str) -> dict[str, str]:
        return monitoring_labels(args.platform.names, component).selector()

    namespace = args.platform.namespace
    source, metrics = pods(namespace, own(COMPONENT)), pods(namespace, own(prometheus.COMPONENT))
    alerts = pods(namespace, own(alertmanager.COMPONENT))
    yield Connection(source=source, target=metrics, ports=tcp(prometheus.PORT), why="queries of dashboards")
    yield Connection(source=source, target=alerts, ports=tcp(alertmanager.PORT), why="alerts and silences")
    yield Connection(source=metrics, target=source, ports=tcp(PORT), why="scraped")
    if args.asked is not None:
        yield to_directory(source, args.asked)
    yield from to_dns(source, args.endpoints)


def grafana_problems(settings: GrafanaSettings, directory: DirectorySettings, entry: AnyEntry) -> Iterator[Problem]:
    """Contradictions with the door and the directory; ``where`` is relative to the stack's settings."""
    yield from login_problems(settings, directory)
    if settings.host is not None and not is_published(settings, entry):
        yield Problem(
            where="monitoring.grafana.host",
            found=f'"{settings.host}", which nothing leads to',
            allowed="a host only where Grafana is published, by entry.kind ingress, gateway or route",
            fix="remove it, or publish Grafana",
        )
    if settings.host == entry.host:
        yield Problem(
            where="monitoring.grafana.host",
            found=f'"{settings.host}", which is entry.host',
            allowed="a host of Grafana's own",
            fix="name another host, or remove it: Grafana is then at the path /grafana",
        )


def config_files(args: GrafanaArgs) -> dict[str, str]:
    """What it reads at start, by path below /etc/grafana."""
    found = files_below(SKELETON.parent)
    del found[SKELETON.name]
    if args.asked is not None:
        ca = args.asked.ca_certificates or args.network.ca_certificates
        found["ldap.toml"] = ldap_toml(args.settings, args.asked, f"{_CONFIG}/{_CA_FILE}" if ca else None)
        if ca:
            found[_CA_FILE] = ca
    return found


def dashboard_maps(args: GrafanaArgs) -> dict[str, dict[str, str]]:
    """A ConfigMap for each dashboard: all together would come near to the most that one may hold, 1 MiB."""
    return {f"grafana-dashboard-{name}": {f"{name}.json": text} for name, text in selected(args.jobs).items()}


def environment(args: GrafanaArgs) -> list[core.EnvVarArgs]:
    """What differs from stack to stack, and the secrets."""
    url, logs_in = address(args.settings, args.entry), args.asked is not None
    plain = {
        "GF_SERVER_ROOT_URL": url,
        "GF_SERVER_SERVE_FROM_SUB_PATH": str(bool(_path(args.settings, args.entry))).lower(),
        "GF_SECURITY_COOKIE_SECURE": str(url.startswith("https:")).lower(),
        # Without any mapping of groups, Grafana would let in everybody whom the directory knows.
        "GF_AUTH_LDAP_ENABLED": str(logs_in).lower(),
        "ELAB_SCRAPE_INTERVAL": str(args.scrape_interval),
    }
    found = [core.EnvVarArgs(name=name, value=value) for name, value in plain.items()]
    found += [
        secret_env("GF_SECURITY_ADMIN_PASSWORD", _ADMIN_SECRET, "password"),
        secret_env("GF_SECURITY_SECRET_KEY", _SIGNING_SECRET, "value"),
        secret_env("GF_METRICS_BASIC_AUTH_PASSWORD", prometheus.CREDENTIALS_SECRET, "grafana"),
    ]
    if args.ldap_password is not None and logs_in:
        found.append(secret_env("ELAB_LDAP_BIND_PASSWORD", _LDAP_SECRET, "value"))
    return found


def program(args: GrafanaArgs, secrets_fingerprint: pulumi.Input[str]) -> Program:
    """Its pod. A changed dashboard does not roll it: it is read while it runs."""
    files, path = config_files(args), _path(args.settings, args.entry)
    boards = [from_map(name, {key: key for key in content}) for name, content in dashboard_maps(args).items()]
    mounted = [
        projected("config", _CONFIG, [from_map(_CONFIG_MAP, {config_map_key(file): file for file in files})]),
        projected("dashboards", _DASHBOARDS, boards),
        scratch("data", _DATA, "1Gi"),
        scratch("tmp", "/tmp", "256Mi"),
    ]
    container = core.ContainerArgs(
        name=COMPONENT,
        image=args.platform.images.reference(args.settings.image),
        image_pull_policy=args.platform.images.pull_policy,
        env=environment(args),
        ports=[core.ContainerPortArgs(name="http", container_port=PORT)],
        # Its database is made anew at each start, which takes some hundred migrations.
        startup_probe=probe(f"{path}/api/health", seconds=5, failures=60),
        readiness_probe=probe(f"{path}/api/health"),
        liveness_probe=probe(f"{path}/healthz", failures=6),
        resources=requirements(args.settings.resources),
        security_context=container_security(),
        volume_mounts=[mount for _, mount in mounted],
    )
    annotations = {CONTENT_HASH: content_hash(files), SECRETS_HASH: secrets_fingerprint}
    volumes = [volume for volume, _ in mounted]
    return Program(component=COMPONENT, container=container, volumes=volumes, annotations=annotations, uid=_UID)


class Grafana(pulumi.ComponentResource):
    """Shows what Prometheus has measured."""

    def __init__(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:monitoring:Grafana", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace, labels = args.platform.namespace, args.platform.labels(COMPONENT)
        kept = args.data.options(self)
        password = RandomBytes(f"{name}-admin", RandomBytesArgs(length=KEY_BYTES), kept).hex
        signing = RandomBytes(f"{name}-signing", RandomBytesArgs(length=KEY_BYTES), kept).hex
        secrets: dict[str, dict[str, pulumi.Input[str]]] = {
            _ADMIN_SECRET: {"password": password},
            _SIGNING_SECRET: {"value": signing},
        }
        read_at_start: list[pulumi.Input[str]] = [password]
        if args.ldap_password is not None and args.asked is not None:
            bind = pulumi.Output.from_input(args.ldap_password).apply(within_quotes)
            secrets[_LDAP_SECRET] = {"value": bind}
            read_at_start.append(bind)
        for secret, content in secrets.items():
            made = core.SecretInitArgs(metadata=metadata(secret, labels, namespace), string_data=content)
            core.Secret(f"{name}-{secret.removeprefix('grafana-')}-secret", made, child)
        files = {config_map_key(path): text for path, text in config_files(args).items()}
        for config_map, content in {_CONFIG_MAP: files, **dashboard_maps(args)}.items():
            held = core.ConfigMapInitArgs(metadata=metadata(config_map, labels, namespace), data=content)
            core.ConfigMap(f"{name}-{config_map.removeprefix('grafana-')}", held, child)
        core.Service(f"{name}-service", service(args.platform, COMPONENT, PORT), child)
        told = fingerprint(signing, *read_at_start)
        apps.Deployment(f"{name}-deployment", deployment(args.platform, program(args, told)), child)
        self.register_outputs({})
