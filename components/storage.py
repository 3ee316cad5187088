"""The classes that people's and the platform's disks come from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.storage import v1 as storage

from clouds.base import SnapshotClassSpec, Storage, StorageClassSpec
from components.custom import CustomObject
from components.kit import Labels, metadata
from stackfile.problems import Problem
from stackfile.references import StorageClassName
from stackfile.section import Section


class StorageSettings(Section):
    """Where disks come from."""

    class_name: StorageClassName
    """The StorageClass of people's disks. A class can't change in place: other parameters need another name here."""
    create: bool = True
    """False: a class of this name is there already, made by the cluster's owner."""
    platform_class_name: StorageClassName | None = None
    """The class of the platform's own claims; none: the same."""
    reclaim_policy: Literal["Delete", "Retain"] | None = None
    """What deleting a claim does to its volume; none: Retain in prod, else Delete. Where `create` is false, what the
    owner's class does, which prod must state: `kubectl get storageclass <class_name>` shows it as RECLAIMPOLICY."""
    snapshots: bool = False
    """Make a VolumeSnapshotClass too, named like the class, after the instance where `create` is false; its CRDs and
    controller must be in the cluster."""

    @property
    def platform_class(self) -> str:
        """The class of the platform's own claims."""
        return self.platform_class_name or self.class_name

    def problems_with(self, storage: Storage) -> Iterator[Problem]:
        """What this cloud's disks can't do."""
        if self.create and storage.class_spec is None:
            yield Problem(
                where="create",
                found="true",
                allowed="false, since an operator of this cluster makes the classes and owns them",
                fix=f"set storage.create to false and storage.class_name to {storage.ready_class}",
            )
        if self.snapshots and storage.snapshot_spec is None:
            yield Problem(
                where="snapshots",
                found="true",
                allowed="false, since this cloud's volumes have no snapshots, or an operator makes their class",
                fix="set storage.snapshots to false",
            )


@dataclass(frozen=True, kw_only=True)
class SnapshotClass:
    """A VolumeSnapshotClass (snapshot.storage.k8s.io/v1), which pulumi-kubernetes has no type for."""

    driver: str
    deletion_policy: Literal["Delete", "Retain"]
    parameters: dict[str, str]

    def register(self, name: str, meta_args: meta.ObjectMetaArgs, opts: pulumi.ResourceOptions) -> CustomObject:
        """Register it. Where the CRD is absent, `up` fails here, naming the kind, and nothing else depends on it."""
        return CustomObject(
            name,
            api_version="snapshot.storage.k8s.io/v1",
            kind="VolumeSnapshotClass",
            metadata=meta_args,
            fields={"driver": self.driver, "deletionPolicy": self.deletion_policy, "parameters": self.parameters},
            opts=opts,
        )


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """What storage is made of."""

    settings: StorageSettings
    cloud: Storage
    instance: str
    reclaim_policy: Literal["Delete", "Retain"]


def storage_class(args: StorageArgs, spec: StorageClassSpec, labels: Labels) -> storage.StorageClassInitArgs:
    """The class of people's disks, by the cloud's own driver."""
    return storage.StorageClassInitArgs(
        metadata=metadata(args.settings.class_name, labels),
        provisioner=spec.provisioner,
        parameters=spec.parameters or None,
        mount_options=list(spec.mount_options) or None,
        reclaim_policy=args.reclaim_policy,
        volume_binding_mode=spec.binding_mode,
        allow_volume_expansion=spec.allow_expansion,
    )


def snapshot_class(spec: SnapshotClassSpec) -> SnapshotClass:
    """Snapshots outlive their object: one deleted by mistake would else take the copy with it."""
    return SnapshotClass(driver=spec.driver, deletion_policy="Retain", parameters=spec.parameters)


def snapshot_class_name(args: StorageArgs) -> str:
    """That of the class of disks; beside an owner's, which may serve several elabs, one of this elab's own."""
    name = str(args.settings.class_name)
    return name if args.settings.create else f"{args.instance}-{name}"


class PersonalStorage(pulumi.ComponentResource):
    """The StorageClass that people's disks come from, and the way to snapshot them."""

    class_name: str

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:storage:PersonalStorage", name, None, opts)
        labels = Labels(instance=args.instance, room="storage", component="storage")
        child = pulumi.ResourceOptions(parent=self)
        if args.settings.create and args.cloud.class_spec is not None:
            storage.StorageClass(f"{name}-class", storage_class(args, args.cloud.class_spec, labels), child)
        if args.settings.snapshots and args.cloud.snapshot_spec is not None:
            snapshots = snapshot_class(args.cloud.snapshot_spec)
            snapshots.register(f"{name}-snapshots", metadata(snapshot_class_name(args), labels), child)
        self.class_name = str(args.settings.class_name)
        self.register_outputs({"class_name": self.class_name})
