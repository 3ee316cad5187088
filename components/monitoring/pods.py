"""What the room's programs have in common: one hardened pod each, restarted for what it reads at start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from clouds.base import PodSecurity
from components.kit import Labels, metadata, pod_security, recreated
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings

NOBODY = 65534
"""The user of every image of the room but Grafana's."""
READY_SECONDS = 600
"""Prometheus replays its log at start, for minutes after a crash; killed for it, it begins again (helm-charts#989)."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What every pod of the room is told."""

    names: NamespaceNames
    images: ImagesSettings
    pod_security: PodSecurity
    priority_class: str
    authorities: str | None
    """The institution's certificate authorities, as PEM text; none: those of the images."""

    @property
    def namespace(self) -> str:
        """The room's namespace."""
        return self.names.of("monitoring")

    def labels(self, component: str) -> Labels:
        """The labels of one of the room's programs."""
        return monitoring_labels(self.names, component)


def monitoring_labels(names: NamespaceNames, component: str) -> Labels:
    """The labels of one of the room's programs."""
    return Labels(instance=names.instance, room="monitoring", component=component)


@dataclass(frozen=True, kw_only=True)
class Program:
    """One of the room's programs, as a pod."""

    component: str
    container: core.ContainerArgs
    volumes: Sequence[core.VolumeArgs] = ()
    annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Of the pod template: what rolls it."""
    account: str | None = None
    """Its ServiceAccount, where it speaks to the API server."""
    grace_seconds: int = 30
    uid: int = NOBODY
    """The image's own user."""


def deployment(platform: Platform, program: Program) -> apps.DeploymentInitArgs:
    """One replica, the old one stopped first: its disk can be mounted once, and two would tell everything twice."""
    labels = platform.labels(program.component)
    uid = None if platform.pod_security.assigns_uids else program.uid
    spec = core.PodSpecArgs(
        containers=[program.container],
        volumes=list(program.volumes),
        service_account_name=program.account,
        automount_service_account_token=program.account is not None,
        enable_service_links=False,
        priority_class_name=platform.priority_class,
        security_context=pod_security(uid=uid, fs_group=uid),
        termination_grace_period_seconds=program.grace_seconds,
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in platform.images.pull_secrets],
    )
    template = core.PodTemplateSpecArgs(
        metadata=meta.ObjectMetaArgs(labels=labels.all(), annotations=dict(program.annotations) or None), spec=spec
    )
    return recreated(metadata(program.component, labels, platform.namespace), labels, template)


def service(platform: Platform, component: str, port: int) -> core.ServiceInitArgs:
    """The Service before a program's port `http`, inside the cluster."""
    labels = platform.labels(component)
    return core.ServiceInitArgs(
        metadata=metadata(component, labels, platform.namespace),
        spec=core.ServiceSpecArgs(
            selector=labels.selector(), ports=[core.ServicePortArgs(name="http", port=port, target_port="http")]
        ),
    )


def probe(path: str, port: str = "http", *, seconds: int = 10, failures: int = 3) -> core.ProbeArgs:
    """A request that must succeed."""
    return core.ProbeArgs(
        http_get=core.HTTPGetActionArgs(path=path, port=port),
        period_seconds=seconds,
        failure_threshold=failures,
        timeout_seconds=5,
    )
