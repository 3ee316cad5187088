"""The providers, made explicitly: which cluster, and how, is never taken from the shell that runs the program."""

import pulumi
import pulumi_docker_build as docker_build
import pulumi_kubernetes as kubernetes
import pulumi_random as random
import pulumi_tls as tls

from components.network_settings import ClusterSettings
from components.notebook_image import BuiltImage, ReadyImage


def kubernetes_args(cluster: ClusterSettings, *, adopt: bool) -> kubernetes.ProviderArgs:
    """One cluster, by its context; an ambient KUBECONFIG plays no part. `adopt`: take over what is there already."""
    return kubernetes.ProviderArgs(
        # With its ~, as it stands: a path of this machine's in the state would look like a change on the next one.
        kubeconfig=cluster.kubeconfig,
        context=cluster.context,
        cluster_identifier=cluster.identifier or cluster.context,
        # A changed ConfigMap of fixed name would else be deleted first, and what watches it would see it gone.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        # Else two elabs would take each other's objects; after a lost state, the fields are still the lost one's.
        upsert_existing_objects=adopt,
        enable_patch_force=adopt,
        # What is left unset here the SDK would take from the environment.
        delete_unreachable=False,
        enable_server_side_apply=True,
        skip_update_unreachable=False,
    )


def providers(
    cluster: ClusterSettings, notebook_image: ReadyImage | BuiltImage, *, certificates: bool, adopt: bool
) -> list[pulumi.ProviderResource]:
    """Every provider that the stack uses; default ones are off. `certificates`: whether it makes any of its own."""
    found: list[pulumi.ProviderResource] = [
        kubernetes.Provider("kubernetes", kubernetes_args(cluster, adopt=adopt)),
        random.Provider("random"),
    ]
    if isinstance(notebook_image, BuiltImage):
        found.append(docker_build.Provider("docker-build"))
    if certificates:
        found.append(tls.Provider("tls"))
    return found
