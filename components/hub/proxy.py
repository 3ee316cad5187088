"""The dynamic proxy: the one program that every request passes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from clouds.base import ClusterEndpoints, PodSecurity
from components.connections import Connection, pods, tcp, to_dns
from components.entry import Route
from components.entry_settings import AnyEntry, SharedEntry, ends_tls
from components.hub.settings import ProxySettings
from components.hub.values import HUB_PORT, PROXY_API_PORT, PROXY_PORT, PROXY_TLS_PORT, SERVER_PORT, hub_address
from components.kit import (
    CONTENT_HASH,
    SECRETS_HASH,
    Labels,
    container_security,
    content_hash,
    files_below,
    metadata,
    pod_security,
    recreated,
    requirements,
    scratch,
    secret_env,
)
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings

TOKEN_SECRET = "proxy-token"  # noqa: S105  the Secret's name
_UID = 65534
_TLS_FOLDER = "/etc/elab/tls"
_FILES = Path(__file__).parent / "files/proxy"
_FILES_MAP, _FILES_FOLDER = "proxy-files", "/etc/elab/proxy"
METRICS_PORT = 8002


@dataclass(frozen=True, kw_only=True)
class ProxyArgs:
    """What the proxy is made of."""

    settings: ProxySettings
    entry: AnyEntry
    names: NamespaceNames
    images: ImagesSettings
    pod_security: PodSecurity
    priority_class: str
    token: pulumi.Input[str]
    """What the hub shows when it changes routes."""
    secrets_fingerprint: pulumi.Input[str]
    """Changes with the token."""


def proxy_labels(names: NamespaceNames) -> Labels:
    """The proxy's labels."""
    return Labels(instance=names.instance, room="hub", component="proxy")


def public_port(entry: AnyEntry) -> int:
    """Where the proxy listens for people."""
    return PROXY_TLS_PORT if ends_tls(entry) else PROXY_PORT


def route(names: NamespaceNames, entry: AnyEntry) -> Route:
    """All of the platform's own host leads here."""
    return Route(
        host=None,
        path="/",
        namespace=names.hub,
        service="proxy-public",
        port=80,
        selector=tuple(proxy_labels(names).selector().items()),
        target_port=public_port(entry),
    )


def connections(names: NamespaceNames, entry: AnyEntry, endpoints: ClusterEndpoints) -> Iterator[Connection]:
    """The proxy leads to the hub and to people's servers."""
    proxy = pods(names.hub, proxy_labels(names).selector())
    hub = pods(names.hub, Labels(instance=names.instance, room="hub", component="hub").selector())
    users = pods(names.users)
    yield Connection(source=proxy, target=hub, ports=tcp(HUB_PORT), why="pages of the hub")
    yield Connection(source=proxy, target=users, ports=tcp(SERVER_PORT), why="people's servers")
    yield Connection(source=users, target=proxy, ports=tcp(public_port(entry)), why="the one address, from a notebook")
    if ends_tls(entry):
        yield Connection(source=hub, target=proxy, ports=tcp(public_port(entry)), why="the certificate that is served")
    yield from to_dns(proxy, endpoints)


def arguments(args: ProxyArgs) -> list[str]:
    """The proxy's command line."""
    hub = hub_address(args.names)
    found = [
        "--ip=",
        f"--port={public_port(args.entry)}",
        "--api-ip=",
        f"--api-port={PROXY_API_PORT}",
        "--metrics-ip=",
        f"--metrics-port={METRICS_PORT}",
        f"--default-target={hub}",
        f"--error-target={hub}/hub/error",
        "--log-level=warn",
    ]
    if ends_tls(args.entry):
        found += [f"--ssl-key={_TLS_FOLDER}/tls.key", f"--ssl-cert={_TLS_FOLDER}/tls.crt"]
    if isinstance(args.entry, SharedEntry):
        # The door has said who the client is. The proxy would add the door's own address, which differs from request
        # to request where the door has several pods, and the hub would refuse the login form (z2jh#3422).
        found.append("--no-x-forward")
    return found


def _healthy(entry: AnyEntry) -> core.HTTPGetActionArgs:
    scheme = "HTTPS" if ends_tls(entry) else "HTTP"
    return core.HTTPGetActionArgs(path="/_chp_healthz", port="public", scheme=scheme)


def _alive(entry: AnyEntry) -> core.ProbeArgs:
    """Ends a proxy that is mute for minutes, or that serves a certificate which was renewed since it started."""
    if ends_tls(entry) is None:
        return core.ProbeArgs(
            http_get=_healthy(entry),
            initial_delay_seconds=60,
            period_seconds=10,
            failure_threshold=30,
            timeout_seconds=3,
        )
    # Three minutes of it: the kubelet writes a new Secret within two, so a renewal is served within five, and no moment
    # of slowness ends anything. Node starts in 50 ms, which twice a minute is 0.2 % of a core; twenty seconds are for a
    # machine under load.
    command = ["node", f"{_FILES_FOLDER}/alive.js", str(public_port(entry)), _TLS_FOLDER]
    return core.ProbeArgs(
        exec_=core.ExecActionArgs(command=command),
        initial_delay_seconds=60,
        period_seconds=30,
        failure_threshold=6,
        timeout_seconds=20,
    )


def deployment(args: ProxyArgs, labels: Labels) -> apps.DeploymentInitArgs:
    """One replica: two would not share a routing table."""
    tls = ends_tls(args.entry)
    temporary, temporary_mount = scratch("tmp", "/tmp", "16Mi")
    volumes, mounts = [temporary], [temporary_mount]
    if tls is not None:
        source = core.SecretVolumeSourceArgs(secret_name=str(tls.name), default_mode=0o440)
        volumes.append(core.VolumeArgs(name="tls", secret=source))
        mounts.append(core.VolumeMountArgs(name="tls", mount_path=_TLS_FOLDER, read_only=True))
        # What is in it is read anew by every probe: a change of it rolls nothing.
        volumes.append(core.VolumeArgs(name="files", config_map=core.ConfigMapVolumeSourceArgs(name=_FILES_MAP)))
        mounts.append(core.VolumeMountArgs(name="files", mount_path=_FILES_FOLDER, read_only=True))
    container = core.ContainerArgs(
        name="proxy",
        image=args.images.reference(args.settings.image),
        image_pull_policy=args.images.pull_policy,
        args=arguments(args),
        env=[secret_env("CONFIGPROXY_AUTH_TOKEN", TOKEN_SECRET, "token")],
        ports=[
            core.ContainerPortArgs(name="public", container_port=public_port(args.entry)),
            core.ContainerPortArgs(name="api", container_port=PROXY_API_PORT),
            core.ContainerPortArgs(name="metrics", container_port=METRICS_PORT),
        ],
        readiness_probe=core.ProbeArgs(http_get=_healthy(args.entry), period_seconds=2, failure_threshold=3),
        liveness_probe=_alive(args.entry),
        resources=requirements(args.settings.resources),
        security_context=container_security(),
        volume_mounts=mounts,
    )
    uid = None if args.pod_security.assigns_uids else _UID
    spec = core.PodSpecArgs(
        containers=[container],
        volumes=volumes,
        automount_service_account_token=False,
        enable_service_links=False,
        priority_class_name=args.priority_class,
        security_context=pod_security(uid=uid, fs_group=uid),
        # Open connections may end by themselves before the proxy does.
        termination_grace_period_seconds=60,
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in args.images.pull_secrets],
    )
    template = core.PodTemplateSpecArgs(
        metadata=meta.ObjectMetaArgs(
            labels=labels.all(),
            annotations={
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                CONTENT_HASH: content_hash(arguments(args)),
                SECRETS_HASH: args.secrets_fingerprint,
            },
        ),
        spec=spec,
    )
    return recreated(metadata("proxy", labels, args.names.hub), labels, template)


def service(name: str, port: int, target: str, labels: Labels, namespace: str) -> core.ServiceInitArgs:
    """A Service before the proxy, inside the cluster."""
    return core.ServiceInitArgs(
        metadata=metadata(name, labels, namespace),
        spec=core.ServiceSpecArgs(
            selector=labels.selector(), ports=[core.ServicePortArgs(name=target, port=port, target_port=target)]
        ),
    )


class Proxy(pulumi.ComponentResource):
    """Leads each request to the hub or to the person's own server."""

    def __init__(self, name: str, args: ProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:hub:Proxy", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = proxy_labels(args.names)
        core.Secret(
            f"{name}-token",
            core.SecretInitArgs(
                metadata=metadata(TOKEN_SECRET, labels, args.names.hub), string_data={"token": args.token}
            ),
            child,
        )
        if ends_tls(args.entry) is not None:
            core.ConfigMap(
                f"{name}-files",
                core.ConfigMapInitArgs(metadata=metadata(_FILES_MAP, labels, args.names.hub), data=files_below(_FILES)),
                child,
            )
        core.Service(f"{name}-public", service("proxy-public", 80, "public", labels, args.names.hub), child)
        core.Service(f"{name}-api", service("proxy-api", PROXY_API_PORT, "api", labels, args.names.hub), child)
        apps.Deployment(f"{name}-deployment", deployment(args, labels), child)
        self.register_outputs({})
