"""Kibana: the logs' pages, at the one address, for those who log in there. It keeps nothing itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_random import RandomBytes, RandomBytesArgs

from components.entry import Route
from components.entry_settings import AnyEntry, SharedEntry, public_url, uses_tls
from components.hub.keys import KEY_BYTES
from components.kit import (
    CONTENT_HASH,
    SECRETS_HASH,
    DataPolicy,
    container_security,
    content_hash,
    fingerprint,
    metadata,
    pod_security,
    recreated,
    requirements,
    scratch,
    secret_env,
)
from components.logging.agents import FILES
from components.logging.pods import CA_FILE, Platform
from components.logging.settings import KibanaSettings, LoggingSettings
from stackfile.problems import Problem
from stackfile.references import HostName

COMPONENT = "kibana"
PORT = 5601
_SUB_PATH = "/kibana"
_HOME = "/usr/share/kibana"
_MAP, _SECRET = "kibana", "kibana-secrets"
_FILE, _CA = "kibana.yml", "ca.crt"
_TOKEN, _KEYS = "ELASTICSEARCH_TOKEN", ("SESSION_KEY", "OBJECTS_KEY")
_START_SECONDS = 600
"""Its first start moves its saved objects to a new version, and waits for Elasticsearch's."""


@dataclass(frozen=True, kw_only=True)
class KibanaArgs:
    """What Kibana is made of."""

    platform: Platform
    settings: LoggingSettings
    entry: AnyEntry
    elasticsearch: str
    """Elasticsearch's URL, its host as its certificate has it."""
    data: DataPolicy


@dataclass(frozen=True, kw_only=True)
class KibanaSecrets:
    """What it shows to Elasticsearch, and by what it knows it."""

    token: pulumi.Input[str]
    authorities: pulumi.Input[str]
    """The authority's certificate, as PEM text."""
    salt: pulumi.Input[str]
    """Hexadecimal digits: what keys the fingerprint of the others."""


def is_published(settings: KibanaSettings, entry: AnyEntry) -> bool:
    """Whether the door leads to Kibana."""
    can = isinstance(entry, SharedEntry)
    return can if settings.published is None else settings.published


def address(settings: KibanaSettings, entry: AnyEntry) -> str:
    """Where browsers find it, with no slash at the end; unpublished, at this machine's end of a port-forward."""
    if not is_published(settings, entry):
        return f"http://localhost:{PORT}"
    if settings.host is None:
        return f"{public_url(entry)}{_SUB_PATH}"
    return f"{'https' if uses_tls(entry) else 'http'}://{settings.host}"


def path(settings: KibanaSettings, entry: AnyEntry) -> str:
    """What every path of Kibana's begins with, empty on a host of its own."""
    return urlsplit(address(settings, entry)).path


def url(args: KibanaArgs) -> str:
    """Its address within the cluster."""
    return f"http://{COMPONENT}.{args.platform.namespace}.svc:{PORT}{path(args.settings.kibana, args.entry)}"


def routes(args: KibanaArgs) -> tuple[Route, ...]:
    """Kibana asks for a login of its own."""
    settings = args.settings.kibana
    if not is_published(settings, args.entry):
        return ()
    return (
        Route(
            host=str(settings.host) if settings.host else None,
            path=path(settings, args.entry) or "/",
            namespace=args.platform.namespace,
            service=COMPONENT,
            port=PORT,
            selector=tuple(args.platform.labels(COMPONENT).selector().items()),
            target_port=PORT,
        ),
    )


def kibana_problems(settings: KibanaSettings, entry: AnyEntry, grafana: HostName | None) -> Iterator[Problem]:
    """A host that nothing leads to, or that is another's; ``where`` is relative to `logging`."""
    if settings.host is None:
        return
    if not is_published(settings, entry):
        yield Problem(
            where="kibana.host",
            found=f'"{settings.host}", which nothing leads to',
            allowed="a host only where Kibana is published, by entry.kind ingress, gateway or route",
            fix="remove it, or publish Kibana",
        )
    if settings.host in (entry.host, grafana):
        whose = "entry.host" if settings.host == entry.host else "monitoring.grafana.host"
        yield Problem(
            where="kibana.host",
            found=f'"{settings.host}", which is {whose}',
            allowed="a host of Kibana's own",
            fix="name another host, or remove it: Kibana is then at the path /kibana",
        )


def environment(args: KibanaArgs) -> list[core.EnvVarArgs]:
    """What its file leaves to the stack."""
    settings, base = args.settings.kibana, path(args.settings.kibana, args.entry)
    plain = {
        "ELASTICSEARCH_URL": args.elasticsearch,
        "ELAB_SECURE": str(address(settings, args.entry).startswith("https:")).lower(),
        "SERVER_PUBLICBASEURL": address(settings, args.entry),
        **({"SERVER_BASEPATH": base, "SERVER_REWRITEBASEPATH": "true"} if base else {}),
    }
    secret = [secret_env(name, _SECRET, name) for name in (_TOKEN, *_KEYS)]
    return [*(core.EnvVarArgs(name=name, value=value) for name, value in plain.items()), *secret]


def _probe(args: KibanaArgs, *, seconds: int, failures: int) -> core.ProbeArgs:
    status = f"{path(args.settings.kibana, args.entry)}/api/status"
    return core.ProbeArgs(
        http_get=core.HTTPGetActionArgs(path=status, port="http"),
        period_seconds=seconds,
        failure_threshold=failures,
        timeout_seconds=10,
    )


def container(args: KibanaArgs) -> core.ContainerArgs:
    """The one container."""
    platform = args.platform
    return core.ContainerArgs(
        name=COMPONENT,
        image=platform.images.reference(args.settings.image(COMPONENT)),
        image_pull_policy=platform.images.pull_policy,
        env=environment(args),
        ports=[core.ContainerPortArgs(name="http", container_port=PORT)],
        startup_probe=_probe(args, seconds=10, failures=_START_SECONDS // 10),
        readiness_probe=_probe(args, seconds=10, failures=3),
        # Its status is 503 while Elasticsearch is away, which no restart mends.
        liveness_probe=core.ProbeArgs(
            tcp_socket=core.TCPSocketActionArgs(port="http"), period_seconds=30, timeout_seconds=10, failure_threshold=6
        ),
        resources=requirements(args.settings.kibana.resources),
        security_context=container_security(),
        volume_mounts=[mount for _, mount in _mounts()],
    )


def _mounts() -> list[tuple[core.VolumeArgs, core.VolumeMountArgs]]:
    files = core.VolumeArgs(name="files", config_map=core.ConfigMapVolumeSourceArgs(name=_MAP))
    # The one file: the folder has others of the image's own. A changed one rolls the pod.
    file = core.VolumeMountArgs(name="files", mount_path=f"{_HOME}/config/{_FILE}", sub_path=_FILE, read_only=True)
    items = [core.KeyToPathArgs(key=_CA, path=_CA)]
    ca = core.VolumeArgs(
        name="ca", secret=core.SecretVolumeSourceArgs(secret_name=_SECRET, items=items, default_mode=0o440)
    )
    return [
        (files, file),
        (ca, core.VolumeMountArgs(name="ca", mount_path=CA_FILE.rpartition("/")[0], read_only=True)),
        scratch("data", f"{_HOME}/data", "256Mi"),
        scratch("logs", f"{_HOME}/logs", "64Mi"),
        scratch("tmp", "/tmp", "256Mi"),
    ]


def deployment(args: KibanaArgs, rolls: pulumi.Input[str]) -> apps.DeploymentInitArgs:
    """One replica. `rolls` changes with token, keys and authority, which it reads at start."""
    platform = args.platform
    labels = platform.labels(COMPONENT)
    spec = core.PodSpecArgs(
        containers=[container(args)],
        volumes=[volume for volume, _ in _mounts()],
        automount_service_account_token=False,
        enable_service_links=False,
        priority_class_name=platform.priority_class,
        security_context=pod_security(uid=platform.uid, fs_group=platform.uid),
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in platform.images.pull_secrets],
    )
    annotations: dict[str, pulumi.Input[str]] = {CONTENT_HASH: content_hash(config_file()), SECRETS_HASH: rolls}
    template = core.PodTemplateSpecArgs(
        metadata=meta.ObjectMetaArgs(labels=labels.all(), annotations=annotations), spec=spec
    )
    # Two versions at once would both move its saved objects.
    return recreated(metadata(COMPONENT, labels, platform.namespace), labels, template)


def config_file() -> str:
    """Its settings."""
    return (FILES / COMPONENT / _FILE).read_text()


class Kibana(pulumi.ComponentResource):
    """Shows the logs."""

    def __init__(
        self, name: str, args: KibanaArgs, secrets: KibanaSecrets, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("elab:logging:Kibana", name, None, opts)
        child, labels = pulumi.ResourceOptions(parent=self), args.platform.labels(COMPONENT)
        namespace = args.platform.namespace
        # Kept: with other keys, what it has encrypted among its saved objects could not be read again.
        keys = {
            key: RandomBytes(
                f"{name}-{key.lower().replace('_', '-')}", RandomBytesArgs(length=KEY_BYTES), args.data.options(self)
            ).hex
            for key in _KEYS
        }
        content: dict[str, pulumi.Input[str]] = {_TOKEN: secrets.token, _CA: secrets.authorities, **keys}
        core.Secret(
            f"{name}-secret",
            core.SecretInitArgs(metadata=metadata(_SECRET, labels, namespace), string_data=content),
            child,
        )
        files = core.ConfigMapInitArgs(metadata=metadata(_MAP, labels, namespace), data={_FILE: config_file()})
        core.ConfigMap(f"{name}-files", files, child)
        service = core.ServiceInitArgs(
            metadata=metadata(COMPONENT, labels, namespace),
            spec=core.ServiceSpecArgs(
                selector=labels.selector(), ports=[core.ServicePortArgs(name="http", port=PORT, target_port="http")]
            ),
        )
        core.Service(f"{name}-service", service, child)
        rolls = fingerprint(secrets.salt, secrets.token, secrets.authorities, *keys.values())
        apps.Deployment(f"{name}-deployment", deployment(args, rolls), child)
        self.register_outputs({})
