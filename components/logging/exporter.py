"""Elasticsearch's exporter: its health, nodes and disks as metrics, by a user that may look at nothing else."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from clouds.base import PodSecurity
from components.kit import (
    SECRETS_HASH,
    Labels,
    container_security,
    fingerprint,
    metadata,
    pod_security,
    recreated,
    requirements,
    secret_env,
)
from components.logging.pods import CA_FILE, logging_labels
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from stackfile.references import Image
from stackfile.resources import Resources

PORT = 9114
COMPONENT = "elasticsearch-exporter"
USER = "exporter"
"""As whom it speaks to Elasticsearch."""
_NOBODY = 65534
_PASSWORD_KEY, _CA_KEY = "password", "ca.crt"


@dataclass(frozen=True, kw_only=True)
class ExporterArgs:
    """What the exporter is made of."""

    names: NamespaceNames
    images: ImagesSettings
    pod_security: PodSecurity
    priority_class: str
    image: Image
    resources: Resources
    url: str
    """Elasticsearch's address, its host as its certificate has it."""

    @property
    def namespace(self) -> str:
        """Where it lives: beside what it asks."""
        return self.names.of("logging")


@dataclass(frozen=True, kw_only=True)
class ExporterSecrets:
    """What it shows to Elasticsearch, and by what it knows it."""

    password: pulumi.Input[str]
    authorities: pulumi.Input[str]
    """The authority's certificate, as PEM text."""
    salt: pulumi.Input[str]
    """Hexadecimal digits: what keys the fingerprint of the others."""


def exporter_labels(names: NamespaceNames) -> Labels:
    """Its labels."""
    return logging_labels(names, COMPONENT)


def arguments(url: str) -> list[str]:
    """Its command line: statistics of every node, none of single indices and streams, which would be without bound.

    Its own collector of data streams prints each of them at every scrape (v1.11.0), into the logs that it tells of.
    """
    return [f"--es.uri={url}", "--es.all", f"--es.ca={CA_FILE}", f"--web.listen-address=:{PORT}"]


def secret(args: ExporterArgs, secrets: ExporterSecrets) -> core.SecretInitArgs:
    """Its password, and the authority that it trusts."""
    return core.SecretInitArgs(
        metadata=metadata(COMPONENT, exporter_labels(args.names), args.namespace),
        string_data={_PASSWORD_KEY: secrets.password, _CA_KEY: secrets.authorities},
    )


def _probe(*, seconds: int = 10, failures: int = 3) -> core.ProbeArgs:
    """It answers while Elasticsearch does not: an outage of that is an alert, and no reason to restart this."""
    return core.ProbeArgs(
        http_get=core.HTTPGetActionArgs(path="/healthz", port="http"),
        period_seconds=seconds,
        failure_threshold=failures,
        timeout_seconds=5,
    )


def deployment(args: ExporterArgs, secrets: ExporterSecrets) -> apps.DeploymentInitArgs:
    """One replica. It reads password and authority at start, so that a changed one rolls it."""
    labels, folder = exporter_labels(args.names), "ca"
    container = core.ContainerArgs(
        name=COMPONENT,
        image=args.images.reference(args.image),
        image_pull_policy=args.images.pull_policy,
        args=arguments(args.url),
        env=[
            core.EnvVarArgs(name="ES_USERNAME", value=USER),
            secret_env("ES_PASSWORD", COMPONENT, _PASSWORD_KEY),
        ],
        ports=[core.ContainerPortArgs(name="http", container_port=PORT)],
        # It listens after ten seconds where Elasticsearch does not answer its first question (v1.11.0, tried).
        startup_probe=_probe(seconds=2, failures=30),
        readiness_probe=_probe(),
        liveness_probe=_probe(failures=6),
        resources=requirements(args.resources),
        security_context=container_security(),
        volume_mounts=[core.VolumeMountArgs(name=folder, mount_path=CA_FILE.rpartition("/")[0], read_only=True)],
    )
    source = core.SecretVolumeSourceArgs(
        secret_name=COMPONENT, items=[core.KeyToPathArgs(key=_CA_KEY, path=CA_FILE.rpartition("/")[2])]
    )
    spec = core.PodSpecArgs(
        containers=[container],
        volumes=[core.VolumeArgs(name=folder, secret=source)],
        automount_service_account_token=False,
        enable_service_links=False,
        priority_class_name=args.priority_class,
        security_context=pod_security(uid=None if args.pod_security.assigns_uids else _NOBODY),
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in args.images.pull_secrets],
    )
    annotations = {SECRETS_HASH: fingerprint(secrets.salt, secrets.password, secrets.authorities)}
    template = core.PodTemplateSpecArgs(
        metadata=meta.ObjectMetaArgs(labels=labels.all(), annotations=annotations), spec=spec
    )
    # Two would tell everything twice.
    return recreated(metadata(COMPONENT, labels, args.namespace), labels, template)


class Exporter(pulumi.ComponentResource):
    """Tells Prometheus of Elasticsearch."""

    def __init__(
        self, name: str, args: ExporterArgs, secrets: ExporterSecrets, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("elab:logging:Exporter", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        core.Secret(f"{name}-secret", secret(args, secrets), child)
        apps.Deployment(f"{name}-deployment", deployment(args, secrets), child)
        self.register_outputs({})
