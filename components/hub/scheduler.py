"""The packing user scheduler: a second kube-scheduler that fills nodes up."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.policy import v1 as policy
from pulumi_kubernetes.rbac import v1 as rbac

from clouds.base import ClusterEndpoints, PodSecurity
from components.connections import Connection, pods, to_api_server, to_dns
from components.hub.scheduler_rights import binding_role, lease_role, node_role
from components.hub.scheduling_settings import UserSchedulerSettings
from components.kit import (
    CONTENT_HASH,
    Labels,
    container_security,
    content_hash,
    metadata,
    pod_security,
    requirements,
)
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings

_FILE = Path(__file__).parent / "files/scheduler/scheduler.yaml"
_FOLDER = "/etc/kubernetes/scheduler"
_PORT = 10259
_UID = 65534


@dataclass(frozen=True, kw_only=True)
class UserSchedulerArgs:
    """What the user scheduler is made of."""

    settings: UserSchedulerSettings
    names: NamespaceNames
    images: ImagesSettings
    pod_security: PodSecurity
    priority_class: str


def scheduler_name(names: NamespaceNames) -> str:
    """What pods name in `schedulerName`; also its lease and its cluster-wide role."""
    return f"{names.instance}-user-scheduler"


def scheduler_labels(names: NamespaceNames) -> Labels:
    """The user scheduler's labels."""
    return Labels(instance=names.instance, room="hub", component="user-scheduler")


def connections(names: NamespaceNames, endpoints: ClusterEndpoints) -> Iterator[Connection]:
    """The scheduler speaks to the API server only."""
    scheduler = pods(names.hub, scheduler_labels(names).selector())
    yield to_api_server(scheduler, endpoints, "watches pods and nodes, binds one to the other")
    yield from to_dns(scheduler, endpoints)


def configuration(names: NamespaceNames) -> str:
    """The scheduler's configuration file, with this instance's names in it."""
    found: dict[str, Any] = yaml.load(_FILE.read_text(), yaml.CSafeLoader)
    found["profiles"][0]["schedulerName"] = scheduler_name(names)
    found["leaderElection"] |= {"resourceName": scheduler_name(names), "resourceNamespace": names.hub}
    return yaml.dump(found, Dumper=yaml.CSafeDumper, sort_keys=True)


def deployment(args: UserSchedulerArgs, labels: Labels) -> apps.DeploymentInitArgs:
    """Replicas of which one leads; the others take over within seconds."""
    alive = core.HTTPGetActionArgs(path="/healthz", port="https", scheme="HTTPS")
    source = core.ConfigMapVolumeSourceArgs(name="user-scheduler")
    container = core.ContainerArgs(
        name="kube-scheduler",
        image=args.images.reference(args.settings.image),
        image_pull_policy=args.images.pull_policy,
        command=[
            "/usr/local/bin/kube-scheduler",
            f"--config={_FOLDER}/scheduler.yaml",
            "--authentication-skip-lookup=true",
            f"--secure-port={_PORT}",
        ],
        ports=[core.ContainerPortArgs(name="https", container_port=_PORT)],
        readiness_probe=core.ProbeArgs(http_get=alive, period_seconds=2),
        liveness_probe=core.ProbeArgs(http_get=alive, initial_delay_seconds=15, period_seconds=10),
        resources=requirements(args.settings.resources),
        security_context=container_security(),
        volume_mounts=[core.VolumeMountArgs(name="configuration", mount_path=_FOLDER, read_only=True)],
    )
    uid = None if args.pod_security.assigns_uids else _UID
    spec = core.PodSpecArgs(
        containers=[container],
        volumes=[core.VolumeArgs(name="configuration", config_map=source)],
        service_account_name="user-scheduler",
        automount_service_account_token=True,
        enable_service_links=False,
        priority_class_name=args.priority_class,
        security_context=pod_security(uid=uid),
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in args.images.pull_secrets],
    )
    template = core.PodTemplateSpecArgs(
        metadata=meta.ObjectMetaArgs(
            labels=labels.all(), annotations={CONTENT_HASH: content_hash(configuration(args.names))}
        ),
        spec=spec,
    )
    return apps.DeploymentInitArgs(
        metadata=metadata("user-scheduler", labels, args.names.hub),
        spec=apps.DeploymentSpecArgs(
            replicas=args.settings.replicas,
            selector=meta.LabelSelectorArgs(match_labels=labels.selector()),
            template=template,
        ),
    )


class UserScheduler(pulumi.ComponentResource):
    """Puts people's servers on the fullest node that still has room."""

    def __init__(self, name: str, args: UserSchedulerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:hub:UserScheduler", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names, labels = args.names, scheduler_labels(args.names)
        account = core.ServiceAccountInitArgs(
            metadata=metadata("user-scheduler", labels, names.hub), automount_service_account_token=False
        )
        core.ServiceAccount(f"{name}-account", account, child)
        self._grant(name, names, labels, child)
        content = core.ConfigMapInitArgs(
            metadata=metadata("user-scheduler", labels, names.hub), data={"scheduler.yaml": configuration(names)}
        )
        core.ConfigMap(f"{name}-configuration", content, child)
        if args.settings.replicas > 1:
            budget = policy.PodDisruptionBudgetInitArgs(
                metadata=metadata("user-scheduler", labels, names.hub),
                spec=policy.PodDisruptionBudgetSpecArgs(
                    max_unavailable=1, selector=meta.LabelSelectorArgs(match_labels=labels.selector())
                ),
            )
            policy.PodDisruptionBudget(f"{name}-budget", budget, child)
        apps.Deployment(f"{name}-deployment", deployment(args, labels), child)
        self.register_outputs({})

    def _grant(self, name: str, names: NamespaceNames, labels: Labels, child: pulumi.ResourceOptions) -> None:
        """Reading cluster-wide; binding and evicting only where people's servers and placeholders are."""
        subject = rbac.SubjectArgs(kind="ServiceAccount", name="user-scheduler", namespace=names.hub)
        everywhere = scheduler_name(names)
        rbac.ClusterRole(f"{name}-nodes", node_role(everywhere, labels), child)
        rbac.ClusterRoleBinding(
            f"{name}-nodes-binding",
            rbac.ClusterRoleBindingInitArgs(
                metadata=metadata(everywhere, labels),
                role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=everywhere),
                subjects=[subject],
            ),
            child,
        )
        roles = {
            "lease": lease_role(everywhere, metadata("user-scheduler", labels, names.hub)),
            "users": binding_role(metadata("user-scheduler", labels, names.users)),
            "placeholders": binding_role(metadata("user-scheduler", labels, names.placeholders)),
        }
        for use, role in roles.items():
            rbac.Role(f"{name}-{use}", role, child)
            rbac.RoleBinding(
                f"{name}-{use}-binding",
                rbac.RoleBindingInitArgs(
                    metadata=role.metadata,
                    role_ref=rbac.RoleRefArgs(
                        api_group="rbac.authorization.k8s.io", kind="Role", name="user-scheduler"
                    ),
                    subjects=[subject],
                ),
                child,
            )
