"""kube-state-metrics: Kubernetes' objects as metrics."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.rbac import v1 as rbac

from clouds.pools import NodePool
from components.hub.users import PROFILE_LABEL
from components.kit import INSTANCE_LABEL, NAME_LABEL, Labels, container_security, metadata, requirements
from components.monitoring.pods import Platform, Program, deployment, probe
from components.monitoring.settings import KubeStateMetricsSettings
from components.namespaces import NamespaceNames

PORT, TELEMETRY_PORT = 8080, 8081
COMPONENT = "kube-state-metrics"
RESOURCES = {
    "": ("namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "resourcequotas"),
    "apps": ("daemonsets", "deployments", "replicasets", "statefulsets"),
    "batch": ("cronjobs", "jobs"),
    "policy": ("poddisruptionbudgets",),
}
"""What is told of, by API group: never Secrets and ConfigMaps, which it would have to read whole."""
POD_LABELS = (
    "app.kubernetes.io/component",
    INSTANCE_LABEL,
    NAME_LABEL,
    "component",
    PROFILE_LABEL,
    "hub.jupyter.org/username",
)
"""Pods' labels that become labels of `kube_pod_labels`: whose server it is, and of which profile."""


@dataclass(frozen=True, kw_only=True)
class KubeStateMetricsArgs:
    """What kube-state-metrics is made of."""

    platform: Platform
    settings: KubeStateMetricsSettings
    pools: Sequence[NodePool]


def node_labels(pools: Sequence[NodePool]) -> list[str]:
    """Nodes' labels that become labels of `kube_node_labels`: those that tell the pools apart."""
    return sorted({str(key) for pool in pools for key in pool.selector})


def cluster_name(names: NamespaceNames) -> str:
    """The name of what is the whole cluster's."""
    return f"{names.instance}-{COMPONENT}"


def cluster_role(names: NamespaceNames, labels: Labels) -> rbac.ClusterRoleInitArgs:
    """It lists and watches what it tells of, and nothing else."""
    return rbac.ClusterRoleInitArgs(
        metadata=metadata(cluster_name(names), labels),
        rules=[
            rbac.PolicyRuleArgs(api_groups=[group], resources=list(resources), verbs=["list", "watch"])
            for group, resources in RESOURCES.items()
        ],
    )


def cluster_role_binding(names: NamespaceNames, labels: Labels) -> rbac.ClusterRoleBindingInitArgs:
    """Gives it its ClusterRole."""
    account = rbac.SubjectArgs(kind="ServiceAccount", name=COMPONENT, namespace=names.of("monitoring"))
    return rbac.ClusterRoleBindingInitArgs(
        metadata=metadata(cluster_name(names), labels),
        role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=cluster_name(names)),
        subjects=[account],
    )


def program(args: KubeStateMetricsArgs) -> Program:
    """Its pod. Labels are told of only where they are named here: each is one more label of every pod's series."""
    resources = sorted(resource for group in RESOURCES.values() for resource in group)
    told = {
        "pods": POD_LABELS,
        "nodes": node_labels(args.pools),
        # Which elab a namespace is of: another one's has a Prometheus of its own.
        "namespaces": (INSTANCE_LABEL, NAME_LABEL),
    }
    labels = [f"{kind}=[{','.join(keys)}]" for kind, keys in told.items()]
    container = core.ContainerArgs(
        name=COMPONENT,
        image=args.platform.images.reference(args.settings.image),
        image_pull_policy=args.platform.images.pull_policy,
        args=[
            f"--port={PORT}",
            f"--telemetry-port={TELEMETRY_PORT}",
            f"--resources={','.join(resources)}",
            f"--metric-labels-allowlist={','.join(labels)}",
        ],
        ports=[
            core.ContainerPortArgs(name="metrics", container_port=PORT),
            core.ContainerPortArgs(name="telemetry", container_port=TELEMETRY_PORT),
        ],
        readiness_probe=probe("/readyz", "telemetry"),
        liveness_probe=probe("/livez", "metrics", failures=6),
        resources=requirements(args.settings.resources),
        security_context=container_security(),
    )
    return Program(component=COMPONENT, container=container, account=COMPONENT)


class KubeStateMetrics(pulumi.ComponentResource):
    """Tells Prometheus of pods, nodes, claims and workloads."""

    def __init__(self, name: str, args: KubeStateMetricsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:monitoring:KubeStateMetrics", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        platform, labels = args.platform, args.platform.labels(COMPONENT)
        account = core.ServiceAccountInitArgs(
            metadata=metadata(COMPONENT, labels, platform.namespace), automount_service_account_token=False
        )
        core.ServiceAccount(f"{name}-account", account, child)
        rbac.ClusterRole(f"{name}-cluster-role", cluster_role(platform.names, labels), child)
        rbac.ClusterRoleBinding(f"{name}-cluster-binding", cluster_role_binding(platform.names, labels), child)
        apps.Deployment(f"{name}-deployment", deployment(platform, program(args)), child)
        self.register_outputs({})
