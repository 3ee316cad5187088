"""What several rooms share: labels, child options, hardened pods, content hashes, and data that outlives its stack."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi._types import input_type_to_dict, is_input_type
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from stackfile.quantities import Bytes
from stackfile.resources import GPU, Resources

CONTENT_HASH = "elab.dev/content-hash"
"""Annotation of a pod template: a change of what the pod reads at start changes it, and so rolls the pod."""

SECRETS_HASH = "elab.dev/secrets-hash"
"""The same for the Secrets that the pod reads, by a fingerprint that tells nothing of them."""

NAME_LABEL, INSTANCE_LABEL = "app.kubernetes.io/name", "app.kubernetes.io/instance"
"""Which program an object is of, and of which elab."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The recommended labels of one component; selectors never hold a version."""

    instance: str
    room: str
    component: str
    extra: Mapping[str, str] = field(default_factory=dict)

    def selector(self) -> dict[str, str]:
        """What finds the component's pods, for good: a Deployment's selector can't be changed."""
        return {
            NAME_LABEL: "elab",
            INSTANCE_LABEL: self.instance,
            "app.kubernetes.io/component": self.component,
        }

    def all(self) -> dict[str, str]:
        """Every label, for metadata."""
        return {
            **self.selector(),
            "app.kubernetes.io/part-of": self.room,
            "app.kubernetes.io/managed-by": "pulumi",
            **self.extra,
        }


@dataclass(frozen=True, kw_only=True)
class DataPolicy:
    """What happens to data when the program no longer speaks of it."""

    protect: bool
    """Refuse to delete, and keep the object when its resource goes (prod)."""
    adopt: bool = False
    """Take over objects of the same name that an earlier stack left behind."""

    def options(self, parent: pulumi.Resource, import_id: str | None = None) -> pulumi.ResourceOptions:
        """Options of a resource that holds data."""
        return pulumi.ResourceOptions(
            parent=parent,
            protect=self.protect,
            retain_on_delete=self.protect,
            import_=import_id if self.adopt else None,
            # What the cluster has filled in since, such as a claim's volume, does not forbid adoption.
            ignore_changes=["metadata", "spec"] if self.adopt and import_id else None,
        )


def metadata(name: str, labels: Labels, namespace: str | None = None, **annotations: str) -> meta.ObjectMetaArgs:
    """Metadata of an object with a fixed name."""
    return meta.ObjectMetaArgs(
        name=name, namespace=namespace, labels=labels.all(), annotations=annotations if annotations else None
    )


def requirements(resources: Resources, gpus: int = 0) -> core.ResourceRequirementsArgs:
    """A container's resources as Kubernetes takes them."""
    whole = {GPU: str(gpus)} if gpus else {}
    return core.ResourceRequirementsArgs(
        requests={"cpu": str(resources.cpu.request), "memory": str(resources.memory.request), **whole},
        limits={"cpu": str(resources.cpu.limit), "memory": str(resources.memory.limit), **whole},
    )


def pod_security(
    *, uid: int | None, gid: int | None = None, fs_group: int | None = None
) -> core.PodSecurityContextArgs:
    """A pod that Pod Security `restricted` admits; without a uid where the cluster assigns one."""
    return core.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=uid,
        run_as_group=gid if gid is not None else uid,
        fs_group=fs_group,
        # Walking through a large disk at every start takes minutes.
        fs_group_change_policy="OnRootMismatch" if fs_group is not None else None,
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security(*, read_only_root: bool = True) -> core.SecurityContextArgs:
    """A container that can gain no rights."""
    return core.SecurityContextArgs(
        allow_privilege_escalation=False,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
        read_only_root_filesystem=read_only_root,
        run_as_non_root=True,
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
    )


def scratch(name: str, path: str, size: str) -> tuple[core.VolumeArgs, core.VolumeMountArgs]:
    """A directory that a container with a read-only root may write to; emptied with its pod."""
    volume = core.VolumeArgs(name=name, empty_dir=core.EmptyDirVolumeSourceArgs(size_limit=size))
    return volume, core.VolumeMountArgs(name=name, mount_path=path)


def claim(size: Bytes, storage_class: str, meta_args: meta.ObjectMetaArgs) -> core.PersistentVolumeClaimInitArgs:
    """A disk of the platform's own. Its class is pinned, so that another default class changes nothing."""
    return core.PersistentVolumeClaimInitArgs(
        metadata=meta_args,
        spec=core.PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            storage_class_name=storage_class,
            resources=core.VolumeResourceRequirementsArgs(requests={"storage": str(size)}),
        ),
    )


def recreated(
    meta_args: meta.ObjectMetaArgs, labels: Labels, template: core.PodTemplateSpecArgs
) -> apps.DeploymentInitArgs:
    """A Deployment of one replica, the old one stopped before the new one starts."""
    return apps.DeploymentInitArgs(
        metadata=meta_args,
        spec=apps.DeploymentSpecArgs(
            replicas=1,
            strategy=apps.DeploymentStrategyArgs(type="Recreate"),
            selector=meta.LabelSelectorArgs(match_labels=labels.selector()),
            template=template,
        ),
    )


def secret_env(name: str, secret: str, key: str) -> core.EnvVarArgs:
    """An environment variable from a Secret."""
    source = core.EnvVarSourceArgs(secret_key_ref=core.SecretKeySelectorArgs(name=secret, key=key))
    return core.EnvVarArgs(name=name, value_from=source)


def content_hash(*parts: object) -> str:
    """A short hash of what a pod reads at start; the same parts give the same hash on every machine."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def fingerprint(salt: pulumi.Input[str], *values: pulumi.Input[str]) -> pulumi.Output[str]:
    """A public text that changes with secret ones. Keyed by a secret `salt` in hexadecimal digits, so that a weak
    password can't be guessed from it."""
    keyed = pulumi.Output.all(salt, *values).apply(
        lambda texts: hmac.new(bytes.fromhex(texts[0]), "\n".join(texts[1:]).encode(), "sha256").hexdigest()[:16]
    )
    return pulumi.Output.unsecret(keyed)


def files_below(folder: Path) -> dict[str, str]:
    """The text of every file below a folder, by its path within, less what Python leaves behind."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def config_map_key(path: str) -> str:
    """A file's path as a key of a ConfigMap, which may hold no slash."""
    return path.replace("/", "__")


def config_map_items(paths: Sequence[str]) -> list[core.KeyToPathArgs]:
    """The way back from keys to paths."""
    return [core.KeyToPathArgs(key=config_map_key(path), path=path) for path in paths]


def plain(value: Any) -> Any:  # noqa: ANN401  any typed argument, whatever is in it
    """Typed arguments as the plain object that Kubernetes would be sent. They must hold no Output."""
    if isinstance(value, pulumi.Output):
        raise TypeError("an Output has no plain form before the engine has run")
    if is_input_type(type(value)):
        return {key: plain(item) for key, item in input_type_to_dict(value).items() if item is not None}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
