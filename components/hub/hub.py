"""JupyterHub itself: its Deployment, its configuration, its database and its rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.rbac import v1 as rbac

from clouds.base import PodSecurity
from components.hub import keys
from components.hub.configuration import Configuration
from components.hub.places import Home, Place
from components.hub.proxy import TOKEN_SECRET
from components.hub.settings import HubSettings, Sqlite
from components.hub.values import (
    CERTIFICATE_KEY,
    HUB_CERTIFICATE,
    HUB_DATA,
    HUB_EXTRA,
    HUB_FILES,
    HUB_PORT,
    HUB_TRUST,
    HUB_VALUES,
)
from components.kit import (
    CONTENT_HASH,
    SECRETS_HASH,
    DataPolicy,
    Labels,
    claim,
    config_map_items,
    container_security,
    metadata,
    pod_security,
    recreated,
    requirements,
    scratch,
    secret_env,
)
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from stackfile.references import ObjectName

LDAP_SECRET = "hub-ldap-bind"  # noqa: S105  the Secret's name
DATABASE_SECRET = "hub-database-url"  # noqa: S105  the Secret's name
HOME_SECRET = "hub-home-client"  # noqa: S105  the Secret's name
_UID = 1000
"""jovyan in k8s-hub's image."""
_START_SECONDS = 600
"""A database that is upgraded, or a claim that comes from another node, may take this long."""


@dataclass(frozen=True, kw_only=True)
class HubArgs:
    """What the hub is made of."""

    settings: HubSettings
    names: NamespaceNames
    images: ImagesSettings
    pod_security: PodSecurity
    configuration: Configuration
    environment: Mapping[str, str]
    """The corporate proxy and authorities."""
    data: DataPolicy
    storage_class: str
    priority_class: str
    notebook_image: pulumi.Input[str]
    ldap_password: pulumi.Input[str] | None
    database_url: pulumi.Input[str] | None
    home: Home | None
    """Where people log in; none: here."""
    places: tuple[Place, ...]
    certificate: ObjectName | None
    """The Secret of the address' certificate, where the institution renews it itself."""
    secrets_fingerprint: pulumi.Input[str]
    """Changes with any secret that the hub reads."""


def hub_labels(names: NamespaceNames) -> Labels:
    """The hub's labels."""
    return Labels(instance=names.instance, room="hub", component="hub")


def role(names: NamespaceNames, labels: Labels) -> rbac.RoleInitArgs:
    """All that the hub may do, where people's servers live: their pods and disks, and why one does not start."""
    return rbac.RoleInitArgs(
        metadata=metadata("hub", labels, names.users),
        rules=[
            rbac.PolicyRuleArgs(
                api_groups=[""],
                resources=["pods", "persistentvolumeclaims"],
                verbs=["get", "list", "watch", "create", "delete"],
            ),
            rbac.PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["get", "list", "watch"]),
        ],
    )


def role_binding(names: NamespaceNames, labels: Labels) -> rbac.RoleBindingInitArgs:
    """Gives the hub its Role in the users namespace."""
    return rbac.RoleBindingInitArgs(
        metadata=metadata("hub", labels, names.users),
        role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name="hub"),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name="hub", namespace=names.hub)],
    )


def _volumes(args: HubArgs) -> tuple[list[core.VolumeArgs], list[core.VolumeMountArgs]]:
    volumes, mounts = [], []

    def add(name: str, path: str, **source: Any) -> None:  # noqa: ANN401  one of VolumeArgs' many sources
        volumes.append(core.VolumeArgs(name=name, **source))
        mounts.append(core.VolumeMountArgs(name=name, mount_path=path, read_only=True))

    files = config_map_items(list(args.configuration.files))
    add("files", HUB_FILES, config_map=core.ConfigMapVolumeSourceArgs(name="hub-files", items=files))
    add("values", HUB_VALUES, config_map=core.ConfigMapVolumeSourceArgs(name="hub-values"))
    if args.configuration.extra is not None:
        add("extra", HUB_EXTRA, config_map=core.ConfigMapVolumeSourceArgs(name="hub-extra"))
    if args.configuration.trust:
        add("trust", HUB_TRUST, config_map=core.ConfigMapVolumeSourceArgs(name="hub-trust"))
    if args.certificate is not None:
        # Never the key; and a Secret that is not there yet must not keep the hub from starting.
        items = [core.KeyToPathArgs(key=CERTIFICATE_KEY, path=CERTIFICATE_KEY)]
        source = core.SecretVolumeSourceArgs(secret_name=str(args.certificate), items=items, optional=True)
        add("certificate", HUB_CERTIFICATE, secret=source)
    temporary, temporary_mount = scratch("tmp", "/tmp", "256Mi")
    volumes.append(temporary)
    mounts.append(temporary_mount)
    if isinstance(args.settings.database, Sqlite):
        claim = core.PersistentVolumeClaimVolumeSourceArgs(claim_name="hub-db")
        volumes.append(core.VolumeArgs(name="data", persistent_volume_claim=claim))
        mounts.append(core.VolumeMountArgs(name="data", mount_path=HUB_DATA))
    else:
        volume, mount = scratch("data", HUB_DATA, "64Mi")
        volumes.append(volume)
        mounts.append(mount)
    return volumes, mounts


def _environment(args: HubArgs) -> list[core.EnvVarArgs]:
    found = [
        core.EnvVarArgs(name="PYTHONUNBUFFERED", value="1"),
        core.EnvVarArgs(name="HOME", value="/tmp"),
        core.EnvVarArgs(name="ELAB_NOTEBOOK_IMAGE", value=args.notebook_image),
        *(core.EnvVarArgs(name=name, value=value) for name, value in sorted(args.environment.items())),
        secret_env("CONFIGPROXY_AUTH_TOKEN", TOKEN_SECRET, "token"),
        *keys.environment(args.places),
    ]
    if args.ldap_password is not None:
        found.append(secret_env("ELAB_LDAP_BIND_PASSWORD", LDAP_SECRET, "value"))
    if args.database_url is not None:
        found.append(secret_env("ELAB_DATABASE_URL", DATABASE_SECRET, "value"))
    if args.home is not None:
        found.append(core.EnvVarArgs(name="ELAB_HOME_URL", value=args.home.url))
        found.append(secret_env("ELAB_HOME_SECRET", HOME_SECRET, "value"))
    return found


def deployment(args: HubArgs, labels: Labels) -> apps.DeploymentInitArgs:
    """One replica, the old one stopped first: two would write to one database and fight over one proxy."""
    health = core.HTTPGetActionArgs(path="/hub/health", port="http")
    volumes, mounts = _volumes(args)
    container = core.ContainerArgs(
        name="hub",
        image=args.images.reference(args.settings.image),
        image_pull_policy=args.images.pull_policy,
        args=["sh", f"{HUB_FILES}/start.sh", "--config", f"{HUB_FILES}/jupyterhub_config.py"],
        env=_environment(args),
        ports=[core.ContainerPortArgs(name="http", container_port=HUB_PORT)],
        startup_probe=core.ProbeArgs(http_get=health, period_seconds=1, failure_threshold=_START_SECONDS),
        readiness_probe=core.ProbeArgs(http_get=health, period_seconds=1, failure_threshold=60, timeout_seconds=2),
        liveness_probe=core.ProbeArgs(http_get=health, period_seconds=10, failure_threshold=30, timeout_seconds=3),
        resources=requirements(args.settings.resources),
        security_context=container_security(),
        volume_mounts=mounts,
    )
    uid = None if args.pod_security.assigns_uids else _UID
    spec = core.PodSpecArgs(
        containers=[container],
        volumes=volumes,
        service_account_name="hub",
        automount_service_account_token=True,
        enable_service_links=False,
        priority_class_name=args.priority_class,
        security_context=pod_security(uid=uid, fs_group=uid),
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in args.images.pull_secrets],
    )
    template = core.PodTemplateSpecArgs(
        metadata=meta.ObjectMetaArgs(
            labels=labels.all(),
            annotations={
                # An autoscaler that drained this node would end logins for everyone.
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                CONTENT_HASH: args.configuration.hash,
                SECRETS_HASH: args.secrets_fingerprint,
            },
        ),
        spec=spec,
    )
    return recreated(metadata("hub", labels, args.names.hub), labels, template)


def service(names: NamespaceNames, labels: Labels) -> core.ServiceInitArgs:
    """The hub's pages and API, inside the cluster."""
    port = core.ServicePortArgs(name="http", port=HUB_PORT, target_port="http")
    return core.ServiceInitArgs(
        metadata=metadata("hub", labels, names.hub),
        spec=core.ServiceSpecArgs(selector=labels.selector(), ports=[port]),
    )


class Hub(pulumi.ComponentResource):
    """Logs people in and starts, watches and stops their servers."""

    def __init__(self, name: str, args: HubArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:hub:Hub", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names, labels = args.names, hub_labels(args.names)
        if isinstance(args.settings.database, Sqlite):
            # First, since its volume is made meanwhile.
            core.PersistentVolumeClaim(
                f"{name}-db",
                claim(args.settings.database.size, args.storage_class, metadata("hub-db", labels, names.hub)),
                args.data.options(self, f"{names.hub}/hub-db"),
            )
        account = core.ServiceAccountInitArgs(
            metadata=metadata("hub", labels, names.hub), automount_service_account_token=False
        )
        core.ServiceAccount(f"{name}-account", account, child)
        rbac.Role(f"{name}-role", role(names, labels), child)
        rbac.RoleBinding(f"{name}-binding", role_binding(names, labels), child)
        for map_name, content in args.configuration.hub_maps().items():
            core.ConfigMap(
                f"{name}-{map_name}",
                core.ConfigMapInitArgs(metadata=metadata(map_name, labels, names.hub), data=content),
                child,
            )
        for map_name, content in args.configuration.server_maps().items():
            core.ConfigMap(
                f"{name}-{map_name}",
                core.ConfigMapInitArgs(metadata=metadata(map_name, labels, names.users), data=content),
                child,
            )
        self._given_secrets(name, args, labels)
        core.Service(f"{name}-service", service(names, labels), child)
        apps.Deployment(f"{name}-deployment", deployment(args, labels), child)
        self.register_outputs({})

    def _given_secrets(self, name: str, args: HubArgs, labels: Labels) -> None:
        """Secrets that the stack's owner sets."""
        home_secret = args.home.secret if args.home is not None else None
        given = {LDAP_SECRET: args.ldap_password, DATABASE_SECRET: args.database_url, HOME_SECRET: home_secret}
        for secret, value in given.items():
            if value is None:
                continue
            core.Secret(
                f"{name}-{secret}",
                core.SecretInitArgs(metadata=metadata(secret, labels, args.names.hub), string_data={"value": value}),
                pulumi.ResourceOptions(parent=self),
            )
