"""What Prometheus may see of Kubernetes: nodes, their kubelets' metrics, and pods of the namespaces that it scrapes."""

from collections.abc import Iterator
from dataclasses import dataclass

from pulumi_kubernetes.rbac import v1 as rbac

from components.kit import Labels, metadata
from components.monitoring.jobs import JobsArgs
from components.namespaces import NamespaceNames

_GROUP = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]
ACCOUNT = "prometheus"
_OWN_ROOMS = ("hub", "monitoring", "node")
"""Rooms with targets, besides that of the logs where there are any; it looks for none where people work."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A namespace in which Prometheus looks for targets."""

    suffix: str
    """Ends the names of the resources."""
    namespace: str
    role: str
    """The name of Role and RoleBinding: the instance is part of it where the namespace is not the platform's."""
    services: bool
    """Whether it looks for Services too."""


def cluster_name(names: NamespaceNames) -> str:
    """The name of what is the whole cluster's, or lies in a namespace that is not the platform's."""
    return f"{names.instance}-prometheus"


def places(jobs: JobsArgs) -> Iterator[Place]:
    """Where Prometheus looks for targets."""
    for room in (*_OWN_ROOMS, *(["logging"] if jobs.logs else [])):
        yield Place(suffix=room, namespace=jobs.names.of(room), role=ACCOUNT, services=False)
    for namespace, services in jobs.foreign_namespaces.items():
        yield Place(suffix=f"in-{namespace}", namespace=namespace, role=cluster_name(jobs.names), services=services)


def cluster_role(names: NamespaceNames, labels: Labels) -> rbac.ClusterRoleInitArgs:
    """For the whole cluster: which nodes there are, and the metrics of kubelets and API servers."""
    return rbac.ClusterRoleInitArgs(
        metadata=metadata(cluster_name(names), labels),
        rules=[
            rbac.PolicyRuleArgs(api_groups=[""], resources=["nodes"], verbs=_READ),
            rbac.PolicyRuleArgs(api_groups=[""], resources=["nodes/metrics"], verbs=["get"]),
            rbac.PolicyRuleArgs(non_resource_urls=["/metrics"], verbs=["get"]),
        ],
    )


def cluster_role_binding(names: NamespaceNames, labels: Labels) -> rbac.ClusterRoleBindingInitArgs:
    """Gives Prometheus its ClusterRole."""
    return rbac.ClusterRoleBindingInitArgs(
        metadata=metadata(cluster_name(names), labels),
        role_ref=rbac.RoleRefArgs(api_group=_GROUP, kind="ClusterRole", name=cluster_name(names)),
        subjects=[_account(names)],
    )


def role(place: Place, labels: Labels) -> rbac.RoleInitArgs:
    """In one namespace: which pods there are, and which Services lead to them."""
    resources = ["pods", "services"] if place.services else ["pods"]
    rules = [rbac.PolicyRuleArgs(api_groups=[""], resources=resources, verbs=_READ)]
    if place.services:
        rules.append(rbac.PolicyRuleArgs(api_groups=["discovery.k8s.io"], resources=["endpointslices"], verbs=_READ))
    return rbac.RoleInitArgs(metadata=metadata(place.role, labels, place.namespace), rules=rules)


def role_binding(place: Place, names: NamespaceNames, labels: Labels) -> rbac.RoleBindingInitArgs:
    """Gives Prometheus its Role in one namespace."""
    return rbac.RoleBindingInitArgs(
        metadata=metadata(place.role, labels, place.namespace),
        role_ref=rbac.RoleRefArgs(api_group=_GROUP, kind="Role", name=place.role),
        subjects=[_account(names)],
    )


def _account(names: NamespaceNames) -> rbac.SubjectArgs:
    return rbac.SubjectArgs(kind="ServiceAccount", name=ACCOUNT, namespace=names.of("monitoring"))
