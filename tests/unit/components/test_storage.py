"""Disks: the class that each driver documents, what deleting does, and snapshots that outlive their disk."""

from __future__ import annotations

from typing import Any

import pytest

from components.storage import PersonalStorage, StorageArgs
from planning.recorder import record
from planning.recording import Recording
from stackfile.problems import StackError
from tests.harness.platform import CLOUDS, objects, settings, unmonitored

_KEY = "arn:aws:kms:us-east-1:123456789012:alias/elab"
CEPH_CSI = {
    "clusterID": "b9127830-b0cc-4e34-aa47-9d1a2e9949a8",
    "pool": "jupyter",
    "imageFeatures": "layering",
    "csi.storage.k8s.io/fstype": "ext4",
}
ROOK = {
    "clusterID": "rook-ceph",
    "pool": "replicapool",
    "imageFormat": "2",
    "imageFeatures": "layering",
    "csi.storage.k8s.io/fstype": "ext4",
}


def secrets(namespace: str, **names: str) -> dict[str, str]:
    """Each use's Secret, as CSI's sidecars look for it."""
    found = {}
    for use, name in names.items():
        key = f"csi.storage.k8s.io/{use.replace('_', '-')}-secret"
        found |= {f"{key}-name": name, f"{key}-namespace": namespace}
    return found


def disks(changes: dict[str, Any]) -> Recording:
    """The storage component alone, as the program makes it."""
    found = settings(changes)
    args = StorageArgs(
        settings=found.storage,
        cloud=found.facts.storage,
        instance=str(found.instance),
        reclaim_policy=found.reclaim_policy,
    )

    def program() -> None:
        PersonalStorage("storage", args)

    return record(program)


def class_of(changes: dict[str, Any]) -> dict[str, Any]:
    (found,) = objects(disks(changes), "StorageClass").values()
    return dict(found)


@pytest.mark.parametrize("changes", [{}, {"environment": "prod"}], ids=["dev", "prod"])
def test_the_stack_has_the_class_that_its_settings_describe(changes: dict[str, Any]) -> None:
    assert objects(unmonitored(changes), "StorageClass") == {"elab-disk": class_of(changes)}


def test_ceph_csi_is_told_its_pool_and_a_secret_for_every_use() -> None:
    found = class_of({"cloud.ceph.namespace": "csi", "cloud.ceph.secret": "rbd"})
    uses = secrets("csi", provisioner="rbd", controller_expand="rbd", node_stage="rbd")
    assert found["provisioner"] == "rbd.csi.ceph.com"
    assert found["parameters"] == CEPH_CSI | uses
    assert found["mountOptions"] == ["discard"]


def test_rook_is_told_its_pool_and_a_secret_for_every_use() -> None:
    found = class_of(CLOUDS["onprem-rook"])
    controller, node = "rook-csi-rbd-provisioner", "rook-csi-rbd-node"
    uses = secrets(
        "rook-ceph",
        provisioner=controller,
        controller_expand=controller,
        controller_publish=controller,
        node_stage=node,
    )
    assert found["provisioner"] == "rook-ceph.rbd.csi.ceph.com"
    assert found["parameters"] == ROOK | uses
    assert "mountOptions" not in found


def test_a_rook_in_another_namespace_changes_driver_cluster_and_secrets() -> None:
    found = class_of({"cloud.ceph": {"kind": "rook", "pool": "replicapool", "namespace": "storage"}})
    assert found["provisioner"] == "storage.rbd.csi.ceph.com"
    elsewhere = {key: value for key, value in found["parameters"].items() if value == "rook-ceph"}
    assert elsewhere == {}


@pytest.mark.parametrize(
    ("cloud", "changes", "parameters"),
    [
        ("aws", {}, {"type": "gp3", "encrypted": "true"}),
        ("aws", {"cloud.kms_key": _KEY}, {"encrypted": "true", "kmsKeyId": _KEY}),
        ("gcp", {}, {"type": "pd-balanced"}),
        ("gcp", {"cloud.regional": True}, {"type": "pd-balanced", "replication-type": "regional-pd"}),
        ("azure", {}, {"skuName": "Premium_ZRS"}),
        ("azure", {"cloud.disk": "StandardSSD_LRS"}, {"skuName": "StandardSSD_LRS"}),
    ],
)
def test_a_clouds_driver_is_told_which_disk(cloud: str, changes: dict[str, Any], parameters: dict[str, str]) -> None:
    found = class_of({**CLOUDS[cloud], **changes})["parameters"]
    assert found.items() >= {**parameters, "csi.storage.k8s.io/fstype": "ext4"}.items()


def test_a_class_that_an_operator_owns_is_named_and_neither_made_nor_snapshotted() -> None:
    assert list(disks(CLOUDS["openshift"]).kubernetes()) == []
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS["openshift"], "storage": {"class_name": "elab-disk", "snapshots": True}})
    problems = {problem.where: problem.fix for problem in refused.value.problems}
    assert "ocs-storagecluster-ceph-rbd" in problems.pop("storage.create")
    assert set(problems) == {"storage.snapshots"}


def test_a_filesystem_that_the_stack_names_is_made() -> None:
    assert class_of({"cloud.ceph.filesystem": "xfs"})["parameters"]["csi.storage.k8s.io/fstype"] == "xfs"


@pytest.mark.parametrize(
    ("cloud", "binding"),
    [
        ("onprem-ceph-csi", "Immediate"),
        ("onprem-rook", "Immediate"),
        # The lab has one node.
        ("local", "Immediate"),
        *((cloud, "WaitForFirstConsumer") for cloud in ("aws", "gcp", "azure")),
    ],
)
def test_disks_grow_and_are_bound_where_they_can_be_used(cloud: str, binding: str) -> None:
    found = class_of(CLOUDS[cloud])
    assert found["allowVolumeExpansion"] is True
    assert found["volumeBindingMode"] == binding


def test_another_provisioner_on_one_machine_is_asked_for_no_more_than_it_can() -> None:
    found = class_of({**CLOUDS["local"], "cloud.provisioner": "rancher.io/local-path", "cloud.expandable": False})
    assert found["allowVolumeExpansion"] is False
    assert found["provisioner"] == "rancher.io/local-path"
    assert found["volumeBindingMode"] == "WaitForFirstConsumer"


PROD = {"environment": "prod"}


@pytest.mark.parametrize(
    ("changes", "policy"),
    [
        ({}, "Delete"),
        (PROD, "Retain"),
        ({"storage.reclaim_policy": "Retain"}, "Retain"),
        ({**PROD, "storage.reclaim_policy": "Delete"}, "Delete"),
    ],
    ids=["dev", "prod", "dev-retains", "prod-deletes"],
)
def test_deleting_a_claim_frees_its_disk_but_in_prod(changes: dict[str, Any], policy: str) -> None:
    assert class_of(changes)["reclaimPolicy"] == policy


def test_a_class_that_is_there_already_is_not_made() -> None:
    assert objects(disks({"storage": {"class_name": "fast", "create": False}}), "StorageClass") == {}


def test_the_hubs_claim_is_bound_to_the_class_and_to_no_default() -> None:
    claim = objects(unmonitored(), "PersistentVolumeClaim")["elab-hub/hub-db"]
    assert claim["spec"]["storageClassName"] == "elab-disk"
    other = objects(unmonitored({"storage.platform_class_name": "platform"}), "PersistentVolumeClaim")[
        "elab-hub/hub-db"
    ]
    assert other["spec"]["storageClassName"] == "platform"


def test_two_elabs_on_one_owners_class_make_a_snapshot_class_each() -> None:
    theirs = {**CLOUDS["onprem-rook"], "storage": {"class_name": "fast", "create": False, "snapshots": True}}
    (made,) = objects(unmonitored(theirs), "VolumeSnapshotClass").values()
    assert made["metadata"]["name"] == "elab-fast"


def test_snapshots_are_made_only_where_they_are_asked_for() -> None:
    assert objects(unmonitored(), "VolumeSnapshotClass") == {}


@pytest.mark.parametrize(
    ("cloud", "driver", "parameters"),
    [
        (
            "onprem-ceph-csi",
            "rbd.csi.ceph.com",
            {"clusterID": CEPH_CSI["clusterID"], **secrets("ceph-csi", snapshotter="csi-rbd-secret")},
        ),
        (
            "onprem-rook",
            "rook-ceph.rbd.csi.ceph.com",
            {"clusterID": "rook-ceph", **secrets("rook-ceph", snapshotter="rook-csi-rbd-provisioner")},
        ),
        ("aws", "ebs.csi.aws.com", {}),
        ("gcp", "pd.csi.storage.gke.io", {}),
        ("azure", "disk.csi.azure.com", {"incremental": "true"}),
    ],
)
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_snapshots_outlive_their_object_everywhere(
    cloud: str, driver: str, parameters: dict[str, str], environment: str
) -> None:
    changes = {**CLOUDS[cloud], "environment": environment, "storage.snapshots": True}
    (found,) = objects(disks(changes), "VolumeSnapshotClass").values()
    assert found["apiVersion"] == "snapshot.storage.k8s.io/v1"
    assert found["deletionPolicy"] == "Retain"
    assert (found["driver"], found.get("parameters", {})) == (driver, parameters)


def test_snapshots_of_disks_that_have_none_are_refused_with_the_fix() -> None:
    with pytest.raises(StackError) as refused:
        settings({**CLOUDS["local"], "storage.snapshots": True})
    (problem,) = refused.value.problems
    assert problem.where == "storage.snapshots"
    assert problem.fix == "set storage.snapshots to false"
