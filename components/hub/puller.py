"""The continuous image puller: a new node has its pool's images before anyone waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from clouds.base import PodSecurity
from clouds.pools import NodePool
from components.hub.placement import pool_terms, pool_tolerations
from components.hub.profiles import Profile, UsersSettings
from components.hub.settings import PullerSettings
from components.kit import Labels, container_security, metadata, pod_security, requirements
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from stackfile.references import Name

_UID = 65534


@dataclass(frozen=True, kw_only=True)
class PullerArgs:
    """What the puller is made of."""

    settings: PullerSettings
    names: NamespaceNames
    users: UsersSettings
    pools: tuple[NodePool, ...]
    images: ImagesSettings
    pod_security: PodSecurity
    priority_class: str
    notebook_image: pulumi.Input[str]


def image_keys(profiles: Sequence[Profile], pool: NodePool) -> list[str]:
    """The images that servers of this pool can have, by their keys: exactly these are pulled."""
    return sorted({str(key) for profile in profiles if pool.name in profile.pools for key in profile.images})


def _image(key: str, args: PullerArgs) -> pulumi.Input[str]:
    return args.notebook_image if key == "default" else args.images.reference(args.users.images[Name(key)].image)


def daemon_set(args: PullerArgs, pool: NodePool, labels: Labels) -> apps.DaemonSetInitArgs:
    """One init container per image, which ends at once; then a container that does nothing keeps the pod."""
    pulled = [
        core.ContainerArgs(
            name=f"image-{key}",
            image=_image(key, args),
            image_pull_policy=args.images.pull_policy,
            command=["/bin/sh", "-c", "echo the image is here"],
            resources=requirements(args.settings.resources),
            security_context=container_security(),
        )
        for key in image_keys(args.users.profiles, pool)
    ]
    waiting = core.ContainerArgs(
        name="pause",
        image=args.images.reference(args.settings.pause_image),
        image_pull_policy=args.images.pull_policy,
        resources=requirements(args.settings.resources),
        security_context=container_security(),
    )
    required = core.NodeSelectorArgs(node_selector_terms=pool_terms([pool]))
    uid = None if args.pod_security.assigns_uids else _UID
    spec = core.PodSpecArgs(
        init_containers=pulled,
        containers=[waiting],
        affinity=core.AffinityArgs(
            node_affinity=core.NodeAffinityArgs(required_during_scheduling_ignored_during_execution=required)
        ),
        tolerations=pool_tolerations([pool]),
        priority_class_name=args.priority_class,
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_security(uid=uid),
        termination_grace_period_seconds=0,
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in args.images.pull_secrets],
    )
    name = f"puller-{pool.name}"
    return apps.DaemonSetInitArgs(
        metadata=metadata(
            name,
            labels,
            args.names.placeholders,
            # One slow node, or an image that can't be pulled, must not hold back a security fix of the hub.
            **{"pulumi.com/skipAwait": "true"},
        ),
        spec=apps.DaemonSetSpecArgs(
            selector=meta.LabelSelectorArgs(match_labels=labels.selector()),
            update_strategy=apps.DaemonSetUpdateStrategyArgs(
                type="RollingUpdate", rolling_update=apps.RollingUpdateDaemonSetArgs(max_unavailable="100%")
            ),
            template=core.PodTemplateSpecArgs(metadata=meta.ObjectMetaArgs(labels=labels.all()), spec=spec),
        ),
    )


class Puller(pulumi.ComponentResource):
    """A DaemonSet per node pool, with exactly the images that the pool's profiles use."""

    def __init__(self, name: str, args: PullerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:hub:Puller", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for pool in args.pools if args.settings.enabled else ():
            if not image_keys(args.users.profiles, pool):
                continue
            labels = Labels(instance=args.names.instance, room="hub", component=f"puller-{pool.name}")
            apps.DaemonSet(f"{name}-{pool.name}", daemon_set(args, pool, labels), child)
        self.register_outputs({})
