"""The user scheduler's rights: unlike Kubernetes' own, it may not bind and delete any pod."""

from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.rbac import v1 as rbac

from components.kit import Labels, metadata

_WATCH = ["get", "list", "watch"]


def node_role(name: str, labels: Labels) -> rbac.ClusterRoleInitArgs:
    """What filling nodes up needs to know, cluster-wide; of all this it may change only volumes, to bind them."""
    return rbac.ClusterRoleInitArgs(
        metadata=metadata(name, labels),
        rules=[
            rbac.PolicyRuleArgs(
                api_groups=[""],
                resources=[
                    "namespaces",
                    "nodes",
                    "persistentvolumeclaims",
                    "persistentvolumes",
                    "pods",
                    "replicationcontrollers",
                    "services",
                ],
                verbs=_WATCH,
            ),
            rbac.PolicyRuleArgs(api_groups=[""], resources=["persistentvolumes"], verbs=["patch", "update"]),
            rbac.PolicyRuleArgs(api_groups=["apps"], resources=["replicasets", "statefulsets"], verbs=_WATCH),
            rbac.PolicyRuleArgs(api_groups=["policy"], resources=["poddisruptionbudgets"], verbs=_WATCH),
            rbac.PolicyRuleArgs(
                api_groups=["storage.k8s.io"],
                resources=["csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"],
                verbs=_WATCH,
            ),
            rbac.PolicyRuleArgs(
                api_groups=["resource.k8s.io"],
                resources=["deviceclasses", "resourceclaims", "resourceslices"],
                verbs=_WATCH,
            ),
        ],
    )


def lease_role(name: str, role_metadata: meta.ObjectMetaArgs) -> rbac.RoleInitArgs:
    """Its own lease, by which one replica leads."""
    return rbac.RoleInitArgs(
        metadata=role_metadata,
        rules=[
            rbac.PolicyRuleArgs(api_groups=["coordination.k8s.io"], resources=["leases"], verbs=["create"]),
            rbac.PolicyRuleArgs(
                api_groups=["coordination.k8s.io"],
                resources=["leases"],
                resource_names=[name],
                verbs=["get", "update", "patch"],
            ),
            rbac.PolicyRuleArgs(
                api_groups=["", "events.k8s.io"], resources=["events"], verbs=["create", "patch", "update"]
            ),
        ],
    )


def binding_role(role_metadata: meta.ObjectMetaArgs) -> rbac.RoleInitArgs:
    """Binds pods of one namespace to nodes and their claims to volumes, and makes room by ending lesser ones."""
    return rbac.RoleInitArgs(
        metadata=role_metadata,
        rules=[
            rbac.PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["delete"]),
            rbac.PolicyRuleArgs(api_groups=[""], resources=["pods/binding"], verbs=["create"]),
            rbac.PolicyRuleArgs(api_groups=[""], resources=["pods/status"], verbs=["patch", "update"]),
            rbac.PolicyRuleArgs(api_groups=[""], resources=["persistentvolumeclaims"], verbs=["patch", "update"]),
            rbac.PolicyRuleArgs(
                api_groups=["", "events.k8s.io"], resources=["events"], verbs=["create", "patch", "update"]
            ),
        ],
    )
