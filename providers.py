"""The providers, made explicitly: nothing is taken from the shell that happens to run the program."""

from pathlib import Path

import pulumi
import pulumi_docker_build as docker_build
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.network_settings import ClusterSettings
from components.notebook_image import BuiltImage, ReadyImage


def kubernetes_args(cluster: ClusterSettings) -> kubernetes.ProviderArgs:
    """One cluster, by its context; an ambient KUBECONFIG plays no part."""
    return kubernetes.ProviderArgs(
        kubeconfig=str(Path(cluster.kubeconfig).expanduser()),
        context=cluster.context,
        cluster_identifier=cluster.identifier or cluster.context,
        # A changed ConfigMap of fixed name would else be deleted first, and what watches it would see it gone.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )


def providers(cluster: ClusterSettings, notebook_image: ReadyImage | BuiltImage) -> list[pulumi.ProviderResource]:
    """Every provider that the stack uses; default ones are off."""
    found: list[pulumi.ProviderResource] = [
        kubernetes.Provider("kubernetes", kubernetes_args(cluster)),
        random.Provider("random"),
    ]
    if isinstance(notebook_image, BuiltImage):
        found.append(docker_build.Provider("docker-build"))
    return found
