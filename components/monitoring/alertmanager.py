"""Alertmanager: who is told of which alert, and a watcher outside that notices when nobody is told any more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core

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
from components.monitoring.alerting_settings import (
    HEARTBEAT,
    NOBODY,
    AlertingSettings,
    AnyReceiver,
    EmailReceiver,
    PagerDutyReceiver,
    SlackReceiver,
    WebhookReceiver,
)
from components.monitoring.documents import read, text
from components.monitoring.pods import Platform, Program, deployment, probe, service
from components.monitoring.settings import MonitoringSettings
from components.monitoring.starting import (
    CONFIG,
    CREDENTIALS,
    Started,
    claim_volume,
    from_secret,
    projected,
    start_files,
    start_volume,
    trust,
    trust_environment,
)

PORT = 9093
COMPONENT = "alertmanager"
CLAIM = "alertmanager-data"
CONFIG_SECRET = "alertmanager-config"  # noqa: S105  the Secret's name
CREDENTIALS_SECRET = "alertmanager-credentials"  # noqa: S105  the Secret's name
_DISK = "/alertmanager"
_START_SECONDS = 60
STARTED = Started(
    program="/bin/alertmanager",
    disk=_DISK,
    file="alertmanager.yml",
    check="/bin/amtool check-config",
    patience=_START_SECONDS,
)


@dataclass(frozen=True, kw_only=True)
class AlertmanagerArgs:
    """What Alertmanager is made of."""

    platform: Platform
    settings: MonitoringSettings
    storage_class: str
    data: DataPolicy
    credentials: Mapping[str, pulumi.Input[str]]
    """Passwords and addresses that open a door, by their key in the stack file."""
    environment: Mapping[str, str]
    """The corporate proxy."""


def secrets_of(alerting: AlertingSettings) -> Iterator[str]:
    """The keys of the secrets that these receivers need."""
    if alerting.smtp is not None and alerting.smtp.username is not None:
        yield "alert_smtp_password"
    for receiver in alerting.receivers:
        if isinstance(receiver, SlackReceiver | PagerDutyReceiver) or (
            isinstance(receiver, WebhookReceiver) and receiver.url is None
        ):
            yield receiver.kept_in
    if alerting.heartbeat is not None:
        yield "alert_heartbeat_url"


def _file(secret: str) -> str:
    return f"{CREDENTIALS}/{secret}"


def _ways(receiver: AnyReceiver) -> Iterator[tuple[str, dict[str, Any]]]:
    """A receiver as Alertmanager writes it: each way by its kind."""
    match receiver:
        case EmailReceiver():
            for address in receiver.to:
                yield "email_configs", {"to": str(address), "send_resolved": True}
        case WebhookReceiver(url=None):
            yield "webhook_configs", {"url_file": _file(receiver.kept_in)}
        case WebhookReceiver():
            yield "webhook_configs", {"url": str(receiver.url)}
        case SlackReceiver():
            slack = {"api_url_file": _file(receiver.kept_in), "channel": receiver.channel, "send_resolved": True}
            yield "slack_configs", slack
        case PagerDutyReceiver():
            yield "pagerduty_configs", {"routing_key_file": _file(receiver.kept_in)}


def _told(names: Sequence[str]) -> str:
    """The name of Alertmanager's receiver that stands for all of these."""
    return "+".join(names)


def _groups(alerting: AlertingSettings) -> list[tuple[str, ...]]:
    """Every set of receivers that is told together, each once."""
    wanted = [route.receivers for route in alerting.routes] + list(alerting.severities.values())
    return [tuple(str(name) for name in names) for names in dict.fromkeys(wanted) if names]


def _routes(alerting: AlertingSettings) -> Iterator[dict[str, Any]]:
    if alerting.heartbeat is not None:
        yield {
            "matchers": ['alertname="Watchdog"'],
            "receiver": HEARTBEAT,
            "group_wait": "0s",
            "group_interval": "1m",
            "repeat_interval": str(alerting.heartbeat.interval),
        }
    # Alerts that are there for other alerts, or for the heartbeat alone.
    yield {"matchers": ['severity="none"'], "receiver": NOBODY}
    for route in alerting.routes:
        yield {"matchers": [str(matcher) for matcher in route.matchers], "receiver": _told(route.receivers)}
    for severity, names in alerting.severities.items():
        if names:
            yield {"matchers": [f'severity="{severity}"'], "receiver": _told(names)}


def configuration(alerting: AlertingSettings, *, by_proxy: bool) -> dict[str, Any]:
    """The file of `files/alertmanager` with the stack's receivers and routes. It names credentials' files only."""
    config = read("alertmanager/alertmanager.yml")
    if by_proxy:
        config["global"]["http_config"] = {"proxy_from_environment": True}
    if alerting.smtp is not None:
        smtp = alerting.smtp
        config["global"] |= {
            "smtp_smarthost": str(smtp.server),
            "smtp_from": str(smtp.sender),
            "smtp_require_tls": smtp.require_tls,
        }
        if smtp.username is not None:
            config["global"] |= {
                "smtp_auth_username": smtp.username,
                "smtp_auth_password_file": _file("alert_smtp_password"),
            }
    config["route"] |= {
        "group_wait": str(alerting.group_wait),
        "group_interval": str(alerting.group_interval),
        "repeat_interval": str(alerting.repeat_interval),
        "routes": list(_routes(alerting)),
    }
    by_name = {str(receiver.name): receiver for receiver in alerting.receivers}
    for names in _groups(alerting):
        told: dict[str, Any] = {"name": _told(names)}
        for name in names:
            for kind, way in _ways(by_name[name]):
                told.setdefault(kind, []).append(way)
        config["receivers"].append(told)
    if alerting.heartbeat is not None:
        watcher = {"url_file": _file("alert_heartbeat_url"), "send_resolved": False}
        config["receivers"].append({"name": HEARTBEAT, "webhook_configs": [watcher]})
    return config


def program(args: AlertmanagerArgs) -> Program:
    """Its pod. A changed configuration does not roll it: it is read while it runs."""
    credentials = {key: key for key in args.credentials}
    parts = [
        projected("config", CONFIG, [from_secret(CONFIG_SECRET, {STARTED.file: STARTED.file})]),
        *(
            [projected("credentials", CREDENTIALS, [from_secret(CREDENTIALS_SECRET, credentials)])]
            if credentials
            else []
        ),
        start_volume(),
        claim_volume(CLAIM, _DISK),
        scratch("tmp", "/tmp", "16Mi"),
    ]
    environment = {**args.environment, **trust_environment(args.platform.authorities)}
    if args.platform.authorities is not None:
        parts.append(trust())
    container = core.ContainerArgs(
        name=COMPONENT,
        image=args.platform.images.reference(args.settings.alertmanager.image),
        image_pull_policy=args.platform.images.pull_policy,
        command=STARTED.command(),
        args=[
            f"--config.file={STARTED.config_file}",
            f"--storage.path={_DISK}/data",
            f"--web.external-url=http://localhost:{PORT}",
            # One replica: it looks for no others.
            "--cluster.listen-address=",
        ],
        env=[core.EnvVarArgs(name=name, value=value) for name, value in sorted(environment.items())],
        ports=[core.ContainerPortArgs(name="http", container_port=PORT)],
        startup_probe=probe("/-/ready", seconds=2, failures=_START_SECONDS // 2),
        readiness_probe=probe("/-/ready"),
        liveness_probe=probe("/-/healthy", failures=6),
        resources=requirements(args.settings.alertmanager.resources),
        security_context=container_security(),
        volume_mounts=[mount for _, mount in parts],
    )
    return Program(
        component=COMPONENT,
        container=container,
        volumes=[volume for volume, _ in parts],
        annotations={CONTENT_HASH: content_hash(start_files(), args.platform.authorities)},
    )


class Alertmanager(pulumi.ComponentResource):
    """Tells people of alerts, by the ways that the stack names."""

    def __init__(self, name: str, args: AlertmanagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:monitoring:Alertmanager", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        platform, labels, namespace = args.platform, args.platform.labels(COMPONENT), args.platform.namespace
        config = text(configuration(args.settings.alerting, by_proxy=bool(args.environment)))
        secrets: dict[str, dict[str, pulumi.Input[str]]] = {
            CONFIG_SECRET: {STARTED.file: pulumi.Output.secret(config)},
            CREDENTIALS_SECRET: dict(args.credentials),
        }
        for secret, content in secrets.items():
            if content:
                secret_args = core.SecretInitArgs(metadata=metadata(secret, labels, namespace), string_data=content)
                core.Secret(f"{name}-{secret.removeprefix('alertmanager-')}", secret_args, child)
        disk = claim(args.settings.alertmanager.volume, args.storage_class, metadata(CLAIM, labels, namespace))
        core.PersistentVolumeClaim(f"{name}-data", disk, args.data.options(self, f"{namespace}/{CLAIM}"))
        core.Service(f"{name}-service", service(platform, COMPONENT, PORT), child)
        apps.Deployment(f"{name}-deployment", deployment(platform, program(args)), child)
        self.register_outputs({})
