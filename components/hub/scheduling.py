"""Priorities, and placeholders that keep room for the next people."""

from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.scheduling import v1 as scheduling

from clouds.base import PodSecurity
from clouds.pools import NodePool
from components.hub.placement import pool_terms, pool_tolerations
from components.hub.profiles import Profile
from components.hub.seats import placeholder
from components.kit import Labels, container_security, metadata, pod_security, requirements
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from stackfile.references import Image
from stackfile.resources import Resources

PLATFORM_PRIORITY = 1000
"""Above people's servers: without hub and proxy nobody has a server at all."""
USER_PRIORITY = 0
"""Kubernetes' own default, so that people's servers displace nothing else of the cluster."""
_UID = 65534
Tier = Literal["platform", "users", "puller", "placeholders"]


@dataclass(frozen=True, kw_only=True)
class PriorityNames:
    """The names of an instance's PriorityClasses."""

    instance: str

    def of(self, tier: Tier) -> str:
        """The class of a tier."""
        return f"{self.instance}-{tier}"


@dataclass(frozen=True, kw_only=True)
class PrioritiesArgs:
    """What the priorities are made of."""

    names: PriorityNames
    placeholder_priority: int
    """At or above the autoscaler's cut-off, so that placeholders call for nodes, and below people's servers."""


class Priorities(pulumi.ComponentResource):
    """Platform before people before placeholders."""

    def __init__(self, name: str, args: PrioritiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:hub:Priorities", name, None, opts)
        between = _between(args.placeholder_priority, USER_PRIORITY)
        tiers: dict[Tier, tuple[int, str]] = {
            "platform": (PLATFORM_PRIORITY, "elab's own programs, without which nobody has a server."),
            "users": (USER_PRIORITY, "People's servers."),
            "puller": (between, "The image puller; takes nobody's place."),
            "placeholders": (args.placeholder_priority, "Room for the next people; gives way to them."),
        }
        for tier, (value, description) in tiers.items():
            labels = Labels(instance=args.names.instance, room="hub", component="priority")
            content = scheduling.PriorityClassInitArgs(
                metadata=metadata(args.names.of(tier), labels), value=value, description=description
            )
            scheduling.PriorityClass(f"{name}-{tier}", content, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def _between(lower: int, upper: int) -> int:
    """The puller's priority: fetching an image early ends nobody's work, and no placeholder keeps it from a node."""
    return (lower + upper) // 2


@dataclass(frozen=True, kw_only=True)
class PlaceholdersArgs:
    """What the placeholders are made of."""

    names: NamespaceNames
    pools: tuple[NodePool, ...]
    profiles: tuple[Profile, ...]
    size: Resources | None
    """Of one placeholder, where the stack says it; only its request matters."""
    image: Image
    images: ImagesSettings
    pod_security: PodSecurity
    scheduler_name: str | None
    priority_class: str


def placeholder_deployment(args: PlaceholdersArgs, pool: NodePool, labels: Labels) -> apps.DeploymentInitArgs:
    """Pods that do nothing: a person's server takes the place of one at once, and the one moves to a new node."""
    one = placeholder(pool, args.profiles, args.size)
    container = core.ContainerArgs(
        name="placeholder",
        image=args.images.reference(args.image),
        image_pull_policy=args.images.pull_policy,
        resources=requirements(one.resources, one.gpus),
        security_context=container_security(),
    )
    required = core.NodeSelectorArgs(node_selector_terms=pool_terms([pool]))
    spec = core.PodSpecArgs(
        containers=[container],
        scheduler_name=args.scheduler_name,
        priority_class_name=args.priority_class,
        affinity=core.AffinityArgs(
            node_affinity=core.NodeAffinityArgs(required_during_scheduling_ignored_during_execution=required)
        ),
        tolerations=pool_tolerations([pool]),
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_security(uid=None if args.pod_security.assigns_uids else _UID),
        termination_grace_period_seconds=0,
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in args.images.pull_secrets],
    )
    return apps.DeploymentInitArgs(
        metadata=metadata(
            f"placeholder-{pool.name}",
            labels,
            args.names.placeholders,
            # They are meant to wait for nodes that are not there yet.
            **{"pulumi.com/skipAwait": "true"},
        ),
        spec=apps.DeploymentSpecArgs(
            replicas=pool.placeholders,
            selector=meta.LabelSelectorArgs(match_labels=labels.selector()),
            template=core.PodTemplateSpecArgs(metadata=meta.ObjectMetaArgs(labels=labels.all()), spec=spec),
        ),
    )


class Placeholders(pulumi.ComponentResource):
    """Keeps room in each pool that asks for it."""

    def __init__(self, name: str, args: PlaceholdersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:hub:Placeholders", name, None, opts)
        for pool in args.pools:
            if pool.placeholders:
                labels = Labels(instance=args.names.instance, room="hub", component=f"placeholder-{pool.name}")
                apps.Deployment(
                    f"{name}-{pool.name}",
                    placeholder_deployment(args, pool, labels),
                    pulumi.ResourceOptions(parent=self),
                )
        self.register_outputs({})
