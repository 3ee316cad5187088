"""What the two shippers have in common: one on every node, as root without rights, reading exactly named paths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from clouds.base import PodSecurity
from components.kit import (
    CONTENT_HASH,
    SECRETS_HASH,
    Labels,
    content_hash,
    fingerprint,
    metadata,
    requirements,
    secret_env,
)
from components.logging.pods import CA_FILE, logging_labels
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from components.security_constraints import HostReader
from stackfile.references import Image
from stackfile.resources import Resources

FILES = Path(__file__).parent / "files"
STATE = "/state"
"""Where a shipper's container finds its own directory of the node."""
PASSWORD_KEY, CA_KEY = "password", "ca.crt"
_GRACE_SECONDS = 30
"""Seconds that a shipper has to write down what it has read."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """What a shipper is told of the platform, the node's cluster and the way to Elasticsearch."""

    names: NamespaceNames
    images: ImagesSettings
    pod_security: PodSecurity
    priority_class: str
    cluster: str
    """`cluster.name` of every document."""
    streams: str
    """The last part of every data stream's name: which elab it is of."""
    host: str
    """Elasticsearch's name, as its certificate has it."""
    port: int

    @property
    def namespace(self) -> str:
        """Where agents of the nodes live."""
        return self.names.of("node")

    def labels(self, component: str) -> Labels:
        """Labels of one shipper: it belongs to logging, and lives where agents of the nodes do."""
        return logging_labels(self.names, component)


@dataclass(frozen=True, kw_only=True)
class ShipperSecrets:
    """What a shipper shows to Elasticsearch, and by what it knows it."""

    password: pulumi.Input[str]
    """Letters and digits alone: Filebeat reads an environment variable as YAML, so `f` is to it what `false` is."""
    authorities: pulumi.Input[str]
    """The authority's certificate, as PEM text: both of them while it is renewed."""
    salt: pulumi.Input[str]
    """Hexadecimal digits: what keys the fingerprint of the others."""


@dataclass(frozen=True, kw_only=True)
class HostPath:
    """A path of the node, as the container sees it too."""

    name: str
    path: str
    kind: str = "Directory"
    """What Kubernetes wants there; it makes a `DirectoryOrCreate`."""


@dataclass(frozen=True, kw_only=True)
class Shipper:
    """A shipper, as a pod on every node."""

    component: str
    image: Image
    resources: Resources
    arguments: Sequence[str]
    liveness: core.ProbeArgs
    readiness: core.ProbeArgs
    user: str
    """As whom it speaks to Elasticsearch."""
    paths: Sequence[HostPath]
    files: Mapping[str, str]
    """Its configuration: texts by file name, mounted at /etc/elab/<component>."""
    environment: Mapping[str, str]
    speaks_to_api: bool = False
    """Whether its ServiceAccount's token is mounted."""
    groups: Sequence[int] = ()
    """Groups of the node whose files it may read."""
    command: Sequence[str] = ()
    """Empty: the image's own."""
    ports: Sequence[core.ContainerPortArgs] = ()


def state_path(names: NamespaceNames, component: str) -> str:
    """The one directory of the node that a shipper writes to: positions and what waits. Another elab has another."""
    return f"/var/lib/elab/{names.instance}/{component}"


def configuration(component: str) -> dict[str, str]:
    """The files of a shipper, by name."""
    return {path.name: path.read_text() for path in sorted((FILES / component).iterdir())}


def config_map(node: Node, shipper: Shipper) -> core.ConfigMapInitArgs:
    """A shipper's configuration; no secret is in it."""
    return core.ConfigMapInitArgs(
        metadata=metadata(shipper.component, node.labels(shipper.component), node.namespace), data=dict(shipper.files)
    )


def secret(node: Node, component: str, secrets: ShipperSecrets) -> core.SecretInitArgs:
    """A shipper's own password, and the authority that it trusts."""
    return core.SecretInitArgs(
        metadata=metadata(component, node.labels(component), node.namespace),
        string_data={PASSWORD_KEY: secrets.password, CA_KEY: secrets.authorities},
    )


def _security(node: Node) -> core.SecurityContextArgs:
    """Root, since the node's logs are root's, but with none of root's rights and no way to write but its mounts."""
    return core.SecurityContextArgs(
        run_as_user=0,
        run_as_non_root=False,
        privileged=False,
        allow_privilege_escalation=False,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
        read_only_root_filesystem=True,
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
        # SELinux lets no ordinary container read the node's logs, whoever its user is.
        se_linux_options=core.SELinuxOptionsArgs(type="spc_t") if node.pod_security.assigns_uids else None,
    )


def _environment(node: Node, shipper: Shipper) -> list[core.EnvVarArgs]:
    plain = {
        "ELAB_INSTANCE": node.names.instance,
        "ELAB_STREAMS": node.streams,
        "ELAB_CLUSTER": node.cluster,
        "ELASTICSEARCH_HOST": node.host,
        "ELASTICSEARCH_PORT": str(node.port),
        "ELASTICSEARCH_USER": shipper.user,
        **shipper.environment,
    }
    name = core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path="spec.nodeName"))
    return [
        *(core.EnvVarArgs(name=key, value=value) for key, value in plain.items()),
        core.EnvVarArgs(name="ELAB_NODE", value_from=name),
        secret_env("ELASTICSEARCH_PASSWORD", shipper.component, PASSWORD_KEY),
    ]


def _mounts(node: Node, shipper: Shipper) -> tuple[list[core.VolumeArgs], list[core.VolumeMountArgs]]:
    ca = core.SecretVolumeSourceArgs(
        secret_name=shipper.component, items=[core.KeyToPathArgs(key=CA_KEY, path=Path(CA_FILE).name)]
    )
    state = core.HostPathVolumeSourceArgs(path=state_path(node.names, shipper.component), type="DirectoryOrCreate")
    volumes = [
        *(
            core.VolumeArgs(name=one.name, host_path=core.HostPathVolumeSourceArgs(path=one.path, type=one.kind))
            for one in shipper.paths
        ),
        core.VolumeArgs(name="state", host_path=state),
        core.VolumeArgs(name="files", config_map=core.ConfigMapVolumeSourceArgs(name=shipper.component)),
        core.VolumeArgs(name="ca", secret=ca),
    ]
    mounts = [
        *(core.VolumeMountArgs(name=one.name, mount_path=one.path, read_only=True) for one in shipper.paths),
        core.VolumeMountArgs(name="state", mount_path=STATE),
        core.VolumeMountArgs(name="files", mount_path=f"/etc/elab/{shipper.component}", read_only=True),
        core.VolumeMountArgs(name="ca", mount_path=str(Path(CA_FILE).parent), read_only=True),
    ]
    return volumes, mounts


def daemon_set(node: Node, shipper: Shipper, secrets: ShipperSecrets) -> apps.DaemonSetInitArgs:
    """One on every node, whatever its taints; a changed configuration, password or authority rolls them."""
    labels = node.labels(shipper.component)
    volumes, mounts = _mounts(node, shipper)
    container = core.ContainerArgs(
        name=shipper.component,
        image=node.images.reference(shipper.image),
        image_pull_policy=node.images.pull_policy,
        command=list(shipper.command) or None,
        args=list(shipper.arguments),
        env=_environment(node, shipper),
        ports=list(shipper.ports) or None,
        liveness_probe=shipper.liveness,
        readiness_probe=shipper.readiness,
        resources=requirements(shipper.resources),
        security_context=_security(node),
        volume_mounts=mounts,
    )
    spec = core.PodSpecArgs(
        containers=[container],
        volumes=volumes,
        tolerations=[core.TolerationArgs(operator="Exists")],
        service_account_name=shipper.component,
        automount_service_account_token=shipper.speaks_to_api,
        enable_service_links=False,
        priority_class_name=node.priority_class,
        security_context=core.PodSecurityContextArgs(
            supplemental_groups=list(shipper.groups) or None,
            seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
        ),
        termination_grace_period_seconds=_GRACE_SECONDS,
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in node.images.pull_secrets],
    )
    annotations: dict[str, pulumi.Input[str]] = {
        CONTENT_HASH: content_hash(dict(shipper.files)),
        SECRETS_HASH: fingerprint(secrets.salt, secrets.password, secrets.authorities),
    }
    return apps.DaemonSetInitArgs(
        metadata=metadata(
            shipper.component,
            labels,
            node.namespace,
            # One slow node must not hold back a security fix.
            **{"pulumi.com/skipAwait": "true"},
        ),
        spec=apps.DaemonSetSpecArgs(
            selector=meta.LabelSelectorArgs(match_labels=labels.selector()),
            update_strategy=apps.DaemonSetUpdateStrategyArgs(
                type="RollingUpdate", rolling_update=apps.RollingUpdateDaemonSetArgs(max_unavailable="10%")
            ),
            template=core.PodTemplateSpecArgs(
                metadata=meta.ObjectMetaArgs(labels=labels.all(), annotations=annotations), spec=spec
            ),
        ),
    )


def register(name: str, node: Node, made: Shipper, secrets: ShipperSecrets, parent: pulumi.Resource) -> None:
    """A shipper's account, files, secret and pods; before them what lets it read its host, where that is asked for."""
    child, labels = pulumi.ResourceOptions(parent=parent), node.labels(made.component)
    account = core.ServiceAccountInitArgs(
        metadata=metadata(made.component, labels, node.namespace), automount_service_account_token=False
    )
    before: list[pulumi.Resource] = [core.ServiceAccount(f"{name}-account", account, child)]
    if node.pod_security.assigns_uids:
        user = f"system:serviceaccount:{node.namespace}:{made.component}"
        reader = HostReader(account=user, namespaces=False, root=True, volumes=("hostPath", "configMap", "secret"))
        meta_args = metadata(f"{node.names.instance}-{made.component}", labels)
        before.append(reader.register(f"{name}-constraints", meta_args, child))
    core.ConfigMap(f"{name}-files", config_map(node, made), child)
    core.Secret(f"{name}-secret", secret(node, made.component, secrets), child)
    after = pulumi.ResourceOptions(parent=parent, depends_on=before)
    apps.DaemonSet(f"{name}-daemons", daemon_set(node, made, secrets), after)
