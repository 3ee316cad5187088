"""What the hub will make for each person: their pod and their claim, as the real KubeSpawner makes them.

The program never registers these, so capacity, policies and the reference graph look at them here; a test holds them
against KubeSpawner's own.
"""

from collections.abc import Mapping

from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from components.hub.placement import (
    PROFILE_LABEL,
    preferred_terms,
    required_terms,
    scheduler_of,
    spread_constraints,
    tolerations,
)
from components.hub.profiles import Profile
from components.hub.values import (
    CLAIM_TEMPLATE,
    SERVER_COMMAND,
    SERVER_PORT,
    ValuesArgs,
    server_environment,
    server_volumes,
)
from components.kit import requirements

POD_NAME = "jupyter-{user_server}"
"""KubeSpawner's template; it fills in the person's and the server's name."""

_SERVER_LABELS = {
    "app": "jupyterhub",
    "heritage": "jupyterhub",
    "app.kubernetes.io/name": "jupyterhub",
    "app.kubernetes.io/component": "singleuser-server",
    "app.kubernetes.io/managed-by": "kubespawner",
}
"""Labels that KubeSpawner 7.0 gives every object, over those of the settings."""


def _metadata(
    name: str, component: str, args: ValuesArgs, annotations: dict[str, str], extra: Mapping[str, str]
) -> meta.ObjectMetaArgs:
    labels = {**args.users_labels.all(), **_SERVER_LABELS, "component": component, **extra}
    return meta.ObjectMetaArgs(name=name, namespace=args.names.users, labels=labels, annotations=annotations)


def user_pod(args: ValuesArgs, profile: Profile, image: str) -> core.PodArgs:
    """The pod of a person who chose this profile and image; what names the person, variables too, is KubeSpawner's."""
    users = args.users
    volumes, mounts = server_volumes(args)
    uid = None if args.pod_security.assigns_uids else users.uid
    gid = None if args.pod_security.assigns_uids else users.gid
    container = core.ContainerArgs(
        name="notebook",
        image=image,
        image_pull_policy=args.images.pull_policy,
        args=list(SERVER_COMMAND),
        env=[core.EnvVarArgs(name=name, value=value) for name, value in sorted(server_environment(args).items())],
        ports=[core.ContainerPortArgs(name="notebook-port", container_port=SERVER_PORT)],
        resources=requirements(profile.resources, profile.gpus),
        security_context=core.SecurityContextArgs(
            run_as_user=uid,
            run_as_group=gid,
            run_as_non_root=True,
            allow_privilege_escalation=False,
            capabilities=core.CapabilitiesArgs(drop=["ALL"]),
        ),
        volume_mounts=mounts,
    )
    required = core.NodeSelectorArgs(node_selector_terms=required_terms(profile, args.pools))
    preferred = preferred_terms(profile, args.pools)
    spec = core.PodSpecArgs(
        affinity=core.AffinityArgs(
            node_affinity=core.NodeAffinityArgs(
                required_during_scheduling_ignored_during_execution=required,
                preferred_during_scheduling_ignored_during_execution=preferred or None,
            )
        ),
        automount_service_account_token=False,
        containers=[container],
        enable_service_links=False,
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in args.images.pull_secrets],
        priority_class_name=args.priorities.of("users"),
        restart_policy="OnFailure",
        scheduler_name=scheduler_of(profile, args.scheduler_name),
        security_context=core.PodSecurityContextArgs(
            fs_group=gid,
            run_as_non_root=True,
            fs_group_change_policy="OnRootMismatch",
            seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
        ),
        tolerations=tolerations(profile, args.pools),
        topology_spread_constraints=spread_constraints(profile, args.names.instance) or None,
        volumes=volumes,
    )
    labels = {PROFILE_LABEL: str(profile.name)}
    return core.PodArgs(
        api_version="v1",
        kind="Pod",
        metadata=_metadata(POD_NAME, "singleuser-server", args, args.server_annotations, labels),
        spec=spec,
    )


def user_claim(args: ValuesArgs) -> core.PersistentVolumeClaimArgs:
    """A person's disk; it stays when their server goes."""
    return core.PersistentVolumeClaimArgs(
        api_version="v1",
        kind="PersistentVolumeClaim",
        metadata=_metadata(CLAIM_TEMPLATE, "singleuser-storage", args, {}, {}),
        spec=core.PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            storage_class_name=args.storage_class,
            resources=core.VolumeResourceRequirementsArgs(requests={"storage": str(args.users.home.size)}),
        ),
    )
