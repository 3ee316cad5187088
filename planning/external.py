"""What a stack's settings say that others put into the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from components.entry_settings import CertManagerTls, IngressEntry, SecretTls
from components.logging import room as logging_room
from components.monitoring import room as monitoring_room
from components.namespaces import ROOMS, NamespaceNames
from settings import Settings


def expected(settings: Settings) -> dict[str, str]:
    """Objects that the plan refers to and must not make (`Kind/namespace/name`), each with who makes it."""
    return dict(_entries(settings))


def _entries(settings: Settings) -> Iterator[tuple[str, str]]:
    names = NamespaceNames(instance=settings.instance)
    for secret in settings.images.pull_secrets:
        for room in ROOMS:
            yield (
                f"Secret/{names.of(room)}/{secret}",
                "kubectl create secret docker-registry … in that namespace, after the first up has made it",
            )
    yield from _entry(settings, names)
    yield from _disks(settings)
    yield from _monitoring(settings)
    yield from _classes(settings)
    for one in settings.scaling.objects:
        if one.namespace:
            yield f"Namespace/{one.namespace}", "the cloud's machine API brings it"
    for data in settings.users.shared_data:
        yield f"PersistentVolumeClaim/{names.users}/{data.claim}", "the data set's owner registers the claim"
    for volume in settings.users.volumes:
        kind = "ConfigMap" if volume.kind == "config_map" else "Secret"
        yield f"{kind}/{names.users}/{volume.source}", "its owner applies it"


def _entry(settings: Settings, names: NamespaceNames) -> Iterator[tuple[str, str]]:
    entry = settings.entry
    tls = getattr(entry, "tls", None)
    routes = (*monitoring_room.routes(settings.monitoring_args), *logging_room.routes(settings.logging_args))
    for namespace in dict.fromkeys((names.hub, *(route.namespace for route in routes))):
        if isinstance(tls, SecretTls):
            fix = "kubectl create secret tls … with the certificate of the public address"
            yield f"Secret/{namespace}/{tls.name}", fix
        if isinstance(tls, CertManagerTls):
            yield f"Secret/{namespace}/{settings.instance}-entry-tls", "cert-manager makes it from its ClusterIssuer"
    if isinstance(entry, IngressEntry):
        yield f"IngressClass/{entry.class_name}", "the cluster's ingress controller brings it"


def _monitoring(settings: Settings) -> Iterator[tuple[str, str]]:
    if not settings.monitoring.enabled:
        return
    args = settings.monitoring_args
    for namespace in args.jobs.foreign_namespaces:
        yield f"Namespace/{namespace}", "its owner makes it; Prometheus looks for targets there"


def _classes(settings: Settings) -> Iterator[tuple[str, str]]:
    rooms = {"monitoring": settings.monitoring.enabled, "logging": settings.logging.enabled}
    named = {"monitoring": settings.monitoring_args.storage_class, "logging": settings.logging_args.storage_class}
    for name in dict.fromkeys(named[room] for room, enabled in rooms.items() if enabled):
        if name not in (settings.storage.class_name, settings.storage.platform_class):
            yield f"StorageClass/{name}", "the cluster's owner makes it"


def _disks(settings: Settings) -> Iterator[tuple[str, str]]:
    storage = settings.storage
    if not storage.create:
        yield f"StorageClass/{storage.class_name}", "the cluster's owner makes it"
    if storage.platform_class != storage.class_name:
        yield f"StorageClass/{storage.platform_class}", "the cluster's owner makes it"
    facts = settings.facts.storage
    for spec in (facts.class_spec, facts.snapshot_spec):
        parameters = spec.parameters if spec else {}
        for key, value in parameters.items():
            if key.endswith("-secret-name"):
                namespace = parameters[key.replace("-secret-name", "-secret-namespace")]
                yield f"Secret/{namespace}/{value}", "the storage driver's installation brings it"
