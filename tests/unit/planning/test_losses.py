"""Each way to lose data between two plans is refused, and harmless changes are not."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_random
import pytest
from pulumi_kubernetes.core.v1 import (
    PersistentVolumeClaim,
    PersistentVolumeClaimSpecArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from planning.losses import Loss, losses
from planning.recorder import record
from planning.snapshot import Entry, Snapshot, snapshot
from tests.harness.plans import Documents, changed, documents
from tests.harness.platform import unmonitored

VALUES: dict[str, Any] = {
    "directory": {"people": {"username_attribute": "uid"}},
    "hub": {"db_url": None},
    "spawner": {
        "namespace": "people",
        "pvc_name_template": "claim-{user}",
        "slug_scheme": "safe",
        "storage_class": "disks",
    },
}
ROOM: Documents = {
    **documents(Path(__file__).parent / "room.yaml"),
    "Namespace/people": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "people"}},
    "ConfigMap/hub-values": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "hub-values", "namespace": "rooms"},
        "data": {"values.json": json.dumps(VALUES)},
    },
    "StorageClass/temporary": {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "temporary"},
        "provisioner": "disks.example.org",
        "reclaimPolicy": "Delete",
    },
    "StatefulSet/search": {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "search", "namespace": "rooms"},
        "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"storageClassName": "disks"}}]},
    },
}
CLUSTER = Entry(
    urn="urn:pulumi:t::elab::pulumi:providers:kubernetes::cluster",
    former=(),
    type="pulumi:providers:kubernetes",
    protect=False,
    retain=False,
    inputs={"clusterIdentifier": "one"},
)
KEY = Entry(
    urn="urn:pulumi:t::elab::random:index/randomBytes:RandomBytes::crypt",
    former=(),
    type="random:index/randomBytes:RandomBytes",
    protect=True,
    retain=True,
    inputs={"length": 32},
)


def _snapshot(found: Documents, *others: Entry) -> Snapshot:
    entries = [
        Entry(urn=f"urn:{key}", former=(), type=f"kubernetes:x:{body['kind']}", protect=True, retain=True, inputs=body)
        for key, body in found.items()
    ]
    return Snapshot(stack="t", entries=(*entries, *others))


def _with_values(**spawner: str) -> str:
    return json.dumps(VALUES | {"spawner": VALUES["spawner"] | spawner})


def _found(before: Snapshot, after: Snapshot) -> list[Loss]:
    return list(losses(before, after))


def test_the_same_plan_loses_nothing() -> None:
    assert _found(_snapshot(ROOM, KEY, CLUSTER), _snapshot(ROOM, KEY, CLUSTER)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("PersistentVolumeClaim/db:spec.resources.requests.storage", "5Gi"),
        ("Deployment/hub:spec.replicas", 2),
        ("ConfigMap/values", None),
        ("ConfigMap/hub-values:data", {"values.json": _with_values(home_path="/home/other")}),
        ("StorageClass/disks:allowVolumeExpansion", True),
        ("StorageClass/disks:metadata.labels", {"a": "b"}),
    ],
)
def test_harmless_changes_pass(path: str, value: object) -> None:
    assert _found(_snapshot(ROOM), _snapshot(changed(ROOM, path, value))) == []


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("PersistentVolumeClaim/db", None, "no longer part of the plan"),
        ("PersistentVolumeClaim/db:metadata.name", "database", "renamed to PersistentVolumeClaim/rooms/database"),
        ("PersistentVolumeClaim/db:spec.storageClassName", "fast", "spec.storageClassName changes from disks to fast"),
        ("PersistentVolumeClaim/db:spec.accessModes", ["ReadWriteMany"], "spec.accessModes changes"),
        ("PersistentVolumeClaim/db:spec.resources.requests.storage", "1Gi", "shrinks from 2Gi to 1Gi"),
        ("StorageClass/disks:reclaimPolicy", "Delete", "reclaimPolicy changes from Retain to Delete"),
        ("StorageClass/disks:reclaimPolicy", None, "reclaimPolicy changes from Retain to Delete"),
        ("StorageClass/temporary:reclaimPolicy", "Retain", "reclaimPolicy changes from Delete to Retain"),
        ("StorageClass/disks:parameters", {"pool": "other"}, "parameters changes"),
        ("StorageClass/disks:provisioner", "other.example.org", "provisioner changes"),
        ("StorageClass/disks", None, "no longer part of the plan"),
        ("Namespace/rooms", None, "no longer part of the plan"),
        ("Namespace/people:metadata.name", "folk", "renamed to Namespace/folk"),
        ("StatefulSet/search:metadata.name", "find", "renamed or no longer part"),
        ("StatefulSet/search:spec.volumeClaimTemplates.0.spec.storageClassName", "fast", "claim templates change"),
        ("ConfigMap/hub-values:data", {"values.json": _with_values(namespace="folk")}, "changes from people to folk"),
        ("ConfigMap/hub-values:data", {"values.json": _with_values(pvc_name_template="c-{user}")}, "to c-{user}"),
        ("ConfigMap/hub-values:data", {"values.json": _with_values(slug_scheme="escape")}, "from safe to escape"),
    ],
)
def test_a_loss_is_refused_and_named(path: str, value: object, what: str) -> None:
    found = _found(_snapshot(ROOM), _snapshot(changed(ROOM, path, value)))
    assert any(what in loss.what for loss in found), found
    assert all(loss.why and loss.fix for loss in found)


def test_new_people_on_a_class_that_deletes_is_refused_where_disks_were_retained() -> None:
    after = changed(ROOM, "ConfigMap/hub-values:data", {"values.json": _with_values(storage_class="temporary")})
    (loss,) = _found(_snapshot(ROOM), _snapshot(after))
    assert "temporary (Delete)" in loss.what


def test_new_people_on_a_class_whose_policy_the_plan_does_not_know_is_refused_where_disks_were_retained() -> None:
    after = changed(ROOM, "ConfigMap/hub-values:data", {"values.json": _with_values(storage_class="owners")})
    (loss,) = _found(_snapshot(ROOM), _snapshot(after))
    assert "owners (not in the plan" in loss.what


def _before_and_after(section: str, value: object) -> list[Loss]:
    after = changed(ROOM, "ConfigMap/hub-values:data", {"values.json": json.dumps(VALUES | {section: value})})
    return _found(_snapshot(ROOM), _snapshot(after))


def test_another_attribute_as_peoples_names_is_refused_since_their_disks_are_named_after_it() -> None:
    (loss,) = _before_and_after("directory", {"people": {"username_attribute": "mail"}})
    assert loss.what == "changes from uid to mail"
    assert _before_and_after("directory", {"people": {"username_attribute": "uid"}, "refresh": 60}) == []
    # At another stack's hub people have the names that it tells.
    assert _before_and_after("directory", None) == []


def test_a_hub_that_leaves_its_database_for_an_empty_file_is_refused() -> None:
    (loss,) = _before_and_after("hub", {"db_url": "sqlite:////srv/jupyterhub/jupyterhub.sqlite"})
    assert "PostgreSQL" in loss.what


def test_both_are_found_in_the_recorded_program() -> None:
    before = {"hub": {"database": {"kind": "postgresql"}}, "directory.people.username_attribute": "mail"}
    told = [loss.where for loss in _found(snapshot(unmonitored(before)), snapshot(unmonitored()))]
    assert told == ["the hub's values, directory.people.username_attribute", "the hub's values, hub.db_url"]


@pytest.mark.parametrize(("policy", "losses"), [("Retain", 0), ("Delete", 1)])
def test_a_class_that_makes_way_for_one_of_another_name_is_judged_by_the_new_policy(policy: str, losses: int) -> None:
    """Another name is how a class gets other parameters: existing disks keep the policy that they were made with."""
    found = changed(ROOM, "StorageClass/disks:metadata.name", "disks-2")
    found = changed(found, "StorageClass/disks:reclaimPolicy", policy)
    found = changed(found, "ConfigMap/hub-values:data", {"values.json": _with_values(storage_class="disks-2")})
    assert len(_found(_snapshot(ROOM), _snapshot(found))) == losses


def test_a_class_that_the_stack_makes_no_longer_is_a_loss_by_the_recorded_program() -> None:
    """The same name with create: false: only the class leaves the plan, and the engine would delete it."""
    made = {"storage.reclaim_policy": "Retain"}
    before = snapshot(unmonitored(made))
    after = snapshot(unmonitored({**made, "storage.create": False}))
    (loss,) = _found(before, after)
    assert (loss.where, loss.what) == ("StorageClass/elab-disk", "no longer part of the plan")


@pytest.mark.parametrize("flag", ["protect", "retain"])
@pytest.mark.parametrize("what", ["PersistentVolumeClaim/rooms/db", "Namespace/people", "Namespace/rooms", KEY.urn])
def test_dropped_protection_of_data_is_refused(what: str, flag: str) -> None:
    before = _snapshot(ROOM, KEY)
    after = Snapshot(
        stack="t",
        entries=tuple(
            dataclasses.replace(
                entry, protect=entry.protect and flag != "protect", retain=entry.retain and flag != "retain"
            )
            if entry.identity == what
            else entry
            for entry in before.entries
        ),
    )
    assert [loss.where for loss in _found(before, after)] == [what]


@pytest.mark.parametrize("now", [None, {"length": 64}, {"length": 32, "keepers": {"version": "2"}}])
def test_a_new_random_key_is_refused(now: dict[str, Any] | None) -> None:
    after = () if now is None else (dataclasses.replace(KEY, inputs=now),)
    assert [loss.where for loss in _found(_snapshot({}, KEY), _snapshot({}, *after))] == [KEY.urn]


def test_another_cluster_under_the_same_stack_is_refused() -> None:
    after = dataclasses.replace(CLUSTER, inputs={"clusterIdentifier": "two"})
    (loss,) = _found(_snapshot({}, CLUSTER), _snapshot({}, after))
    assert loss.what == "clusterIdentifier changes from one to two"


class Room(pulumi.ComponentResource):
    """A component with a claim and a key two levels down, whose own name or type changes."""

    def __init__(self, name: str, kind: str, aliases: list[pulumi.Alias] | None = None, below: str = "-inner") -> None:
        super().__init__(kind, name, None, pulumi.ResourceOptions(aliases=aliases or []))
        inner = pulumi.ComponentResource("elab:test:Inner", f"{name}-inner", None, pulumi.ResourceOptions(parent=self))
        child = pulumi.ResourceOptions(parent=inner)
        PersistentVolumeClaim(
            f"{name}{below}-disk",
            metadata=ObjectMetaArgs(name="disk", namespace="rooms"),
            spec=PersistentVolumeClaimSpecArgs(
                resources=VolumeResourceRequirementsArgs(requests={"storage": "1Gi"}),
            ),
            opts=child,
        )
        pulumi_random.RandomBytes(f"{name}{below}-key", length=32, opts=child)


def _room(
    name: str, kind: str = "elab:test:Room", aliases: list[pulumi.Alias] | None = None, below: str = "-inner"
) -> Snapshot:
    def program() -> None:
        Room(name, kind, aliases, below)

    return snapshot(record(program))


@pytest.mark.parametrize(("name", "kind"), [("den", "elab:test:Room"), ("room", "elab:test:Den")])
def test_a_new_urn_of_data_is_refused_without_an_alias(name: str, kind: str) -> None:
    found = _found(_room("room"), _room(name, kind))
    assert sorted("disk" in loss.where for loss in found) == [False, True]
    assert all("alias" in loss.fix for loss in found)


@pytest.mark.parametrize(
    ("name", "kind", "alias"),
    [
        ("den", "elab:test:Room", pulumi.Alias(name="room")),
        ("room", "elab:test:Den", pulumi.Alias(type_="elab:test:Room")),
        ("den", "elab:test:Den", pulumi.Alias(name="room", type_="elab:test:Room")),
    ],
)
def test_an_alias_of_the_component_covers_everything_in_it(name: str, kind: str, alias: pulumi.Alias) -> None:
    assert _found(_room("room"), _room(name, kind, [alias])) == []


def test_an_alias_of_the_grandparent_misses_children_that_are_not_named_after_their_own_parent() -> None:
    """The engine renames a child along with its parent only where the child's name starts with the parent's."""
    found = _found(_room("room", below=""), _room("den", aliases=[pulumi.Alias(name="room")], below=""))
    assert len(found) == 2
