"""Every place where one object of a plan names another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .manifests import Manifest
from .pods import PodTemplate, pod_template


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One object naming another."""

    by: str
    """Key of the manifest that names it."""
    at: str
    """Where in it."""
    kind: str
    namespace: str | None
    """None for kinds of the cluster as a whole."""
    name: str
    keys: tuple[str, ...] = ()
    """Keys that the ConfigMap or Secret must have."""

    @property
    def target(self) -> str:
        """`Kind/name` or `Kind/namespace/name`, as in a list of expected externals."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


def references(plan: tuple[Manifest, ...]) -> Iterator[Reference]:
    """Every reference by name in a plan. Optional ones are left out: their absence is allowed."""
    for manifest in plan:
        if manifest.namespace:
            yield _ref(manifest, "metadata.namespace", "Namespace", None, manifest.namespace)
        template = pod_template(manifest)
        if template:
            yield from _pod(manifest, template)
        yield from _BY_KIND.get(manifest.kind, _nothing)(manifest)


def _ref(
    manifest: Manifest, at: str, kind: str, namespace: str | None, name: str, keys: tuple[str, ...] = ()
) -> Reference:
    return Reference(by=manifest.key, at=at, kind=kind, namespace=namespace, name=name, keys=keys)


def _pod(manifest: Manifest, template: PodTemplate) -> Iterator[Reference]:
    spec, namespace = template.spec, template.namespace
    yield _ref(manifest, "serviceAccountName", "ServiceAccount", namespace, spec.get("serviceAccountName", "default"))
    if spec.get("priorityClassName"):
        yield _ref(manifest, "priorityClassName", "PriorityClass", None, spec["priorityClassName"])
    for secret in spec.get("imagePullSecrets", []):
        yield _ref(manifest, "imagePullSecrets", "Secret", namespace, secret["name"])
    for volume in spec.get("volumes", []):
        at = f"volume {volume['name']}"
        for source in (volume, *(volume.get("projected") or {}).get("sources", [])):
            yield from _files(manifest, at, namespace, source)
        if "persistentVolumeClaim" in volume:
            claim = volume["persistentVolumeClaim"]["claimName"]
            yield _ref(manifest, at, "PersistentVolumeClaim", namespace, claim)
    for container in template.containers:
        yield from _environment(manifest, namespace, container)


def _files(manifest: Manifest, at: str, namespace: str, source: Mapping[str, Any]) -> Iterator[Reference]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        content = source.get(field)
        if content and not content.get("optional"):
            keys = tuple(item["key"] for item in content.get("items", []))
            yield _ref(manifest, at, kind, namespace, content.get("name") or content["secretName"], keys)


def _environment(manifest: Manifest, namespace: str, container: Mapping[str, Any]) -> Iterator[Reference]:
    where = f"container {container['name']}"
    for variable in container.get("env", []):
        source = variable.get("valueFrom") or {}
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            content = source.get(field)
            if content and not content.get("optional"):
                at = f"{where}, {variable['name']}"
                yield _ref(manifest, at, kind, namespace, content["name"], (content["key"],))
    for source in container.get("envFrom", []):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            content = source.get(field)
            if content and not content.get("optional"):
                yield _ref(manifest, f"{where}, envFrom", kind, namespace, content["name"])


def _nothing(_manifest: Manifest) -> Iterator[Reference]:
    return iter(())


def _claim(manifest: Manifest) -> Iterator[Reference]:
    # An empty string asks for a volume without any class.
    if manifest.body["spec"].get("storageClassName"):
        name = manifest.body["spec"]["storageClassName"]
        yield _ref(manifest, "spec.storageClassName", "StorageClass", None, name)


def _stateful_set(manifest: Manifest) -> Iterator[Reference]:
    spec = manifest.body["spec"]
    if spec.get("serviceName"):
        yield _ref(manifest, "spec.serviceName", "Service", manifest.namespace, spec["serviceName"])
    for template in spec.get("volumeClaimTemplates", []):
        if template["spec"].get("storageClassName"):
            at = f"claim template {template['metadata']['name']}"
            yield _ref(manifest, at, "StorageClass", None, template["spec"]["storageClassName"])


def _binding(manifest: Manifest) -> Iterator[Reference]:
    role = manifest.body["roleRef"]
    namespace = manifest.namespace if role["kind"] == "Role" else None
    yield _ref(manifest, "roleRef", role["kind"], namespace, role["name"])
    for subject in manifest.body.get("subjects", []):
        if subject["kind"] == "ServiceAccount":
            owner = subject.get("namespace") or manifest.namespace
            yield _ref(manifest, "subjects", "ServiceAccount", owner, subject["name"])


def _ingress(manifest: Manifest) -> Iterator[Reference]:
    spec = manifest.body["spec"]
    for tls in spec.get("tls", []):
        if tls.get("secretName"):
            yield _ref(manifest, "spec.tls", "Secret", manifest.namespace, tls["secretName"])
    if spec.get("ingressClassName"):
        yield _ref(manifest, "spec.ingressClassName", "IngressClass", None, spec["ingressClassName"])
    for rule in spec.get("rules", []):
        for path in (rule.get("http") or {}).get("paths", []):
            service = path["backend"]["service"]["name"]
            yield _ref(manifest, f"path {path.get('path', '/')}", "Service", manifest.namespace, service)


def _route(manifest: Manifest) -> Iterator[Reference]:
    for rule in manifest.body["spec"].get("rules", []):
        for backend in rule.get("backendRefs", []):
            owner = backend.get("namespace") or manifest.namespace
            yield _ref(manifest, "spec.rules.backendRefs", "Service", owner, backend["name"])


def _storage_class(manifest: Manifest) -> Iterator[Reference]:
    parameters = manifest.body.get("parameters") or {}
    for name, value in parameters.items():
        if name.endswith("-secret-name"):
            namespace = parameters[name.replace("-secret-name", "-secret-namespace")]
            yield _ref(manifest, f"parameters.{name}", "Secret", namespace, value)


def _quota(manifest: Manifest) -> Iterator[Reference]:
    scopes = (manifest.body["spec"].get("scopeSelector") or {}).get("matchExpressions", [])
    for scope in scopes:
        if scope["scopeName"] == "PriorityClass":
            for name in scope.get("values", []):
                yield _ref(manifest, "spec.scopeSelector", "PriorityClass", None, name)


_BY_KIND = {
    "ClusterRoleBinding": _binding,
    "HTTPRoute": _route,
    "Ingress": _ingress,
    "PersistentVolumeClaim": _claim,
    "ResourceQuota": _quota,
    "RoleBinding": _binding,
    "StatefulSet": _stateful_set,
    "StorageClass": _storage_class,
    "VolumeSnapshotClass": _storage_class,
}
