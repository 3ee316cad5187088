"""Changes between two plans that would lose data. Each is refused, with the reason and a way that keeps the data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stackfile.quantities import Bytes

from .snapshot import Entry, Snapshot

_CLASS_FIELDS = ("provisioner", "parameters", "mountOptions", "volumeBindingMode")


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One change that must not be made as it stands."""

    where: str
    what: str
    why: str
    fix: str


def losses(before: Snapshot, after: Snapshot) -> Iterator[Loss]:
    """Every loss of data between two plans of one stack, in the order of the earlier plan."""
    kept = {entry.identity: entry for entry in after.entries}
    by_urn = {urn: entry for entry in after.entries for urn in (entry.urn, *entry.former)}
    values_before, values_after = _values(before), _values(after)
    people_before, people_after = values_before.get("spawner", {}), values_after.get("spawner", {})
    holding_data = {entry.namespace for entry in before.entries if entry.kind == "PersistentVolumeClaim"}
    holding_data.add(people_before.get("namespace"))
    for entry in before.entries:
        holds_data = entry.kind == "Namespace" and entry.inputs["metadata"]["name"] in holding_data
        if entry.kind == "PersistentVolumeClaim" or holds_data:
            yield from _kept(entry, kept.get(entry.identity), by_urn)
        if entry.kind == "PersistentVolumeClaim" and entry.identity in kept:
            yield from _claim(entry, kept[entry.identity])
        if entry.kind == "StorageClass":
            yield from _storage_class(entry, kept.get(entry.identity), by_urn.get(entry.urn))
        if entry.kind == "StatefulSet":
            yield from _stateful_set(entry, kept.get(entry.identity))
        if entry.type.startswith("random:"):
            yield from _key(entry, by_urn.get(entry.urn))
        if entry.type == "pulumi:providers:kubernetes":
            yield from _provider(entry, by_urn.get(entry.urn))
        other = kept.get(entry.identity) or by_urn.get(entry.urn)
        if (entry.kind == "PersistentVolumeClaim" or holds_data or entry.type.startswith("random:")) and other:
            yield from _unguarded(entry, other)
    yield from _homes(people_before, people_after, before, after)
    yield from _names(values_before, values_after)
    yield from _database(values_before, values_after)


def _kept(entry: Entry, now: Entry | None, by_urn: Mapping[str, Entry]) -> Iterator[Loss]:
    if now is None:
        renamed = by_urn.get(entry.urn)
        yield Loss(
            where=entry.identity,
            what=f"renamed to {renamed.identity}" if renamed else "no longer part of the plan",
            why="the disks behind it would be deleted, or left behind while the platform starts with empty ones",
            fix="keep its name; to move the data, add the new one beside it, copy, and remove the old one by hand",
        )
    elif entry.urn not in (now.urn, *now.former):
        yield Loss(
            where=entry.identity,
            what=f"its URN changes from {entry.urn} to {now.urn}",
            why="the engine would take it for another resource, and delete the one that holds the data",
            fix="give the resource, or its component, aliases=[pulumi.Alias(...)] with the former name, type or parent",
        )


def _claim(entry: Entry, now: Entry) -> Iterator[Loss]:
    spec, new = entry.inputs["spec"], now.inputs["spec"]
    for field in ("storageClassName", "accessModes", "volumeMode", "volumeName", "dataSource"):
        if spec.get(field) != new.get(field):
            yield Loss(
                where=entry.identity,
                what=f"spec.{field} changes from {spec.get(field)} to {new.get(field)}",
                why="a claim can't change it, so the claim would be deleted with its disk and made anew",
                fix="restore it; to move to another class, register a second claim, copy, then switch",
            )
    size, new_size = (Bytes(one["resources"]["requests"]["storage"]) for one in (spec, new))
    if new_size.bytes < size.bytes:
        yield Loss(
            where=entry.identity,
            what=f"its size shrinks from {size} to {new_size}",
            why="a disk can only grow, so the claim would have to be deleted and made anew",
            fix=f"restore {size}, or register a second, smaller claim and copy",
        )


def _storage_class(entry: Entry, now: Entry | None, renamed: Entry | None) -> Iterator[Loss]:
    """A class in whose place the plan has one of another name is no loss: `_homes` compares the two."""
    if now is None:
        if renamed is None:
            yield Loss(
                where=entry.identity,
                what="no longer part of the plan",
                why="the engine would delete the class that people's claims name: none of their disks could grow, and "
                "whoever makes it anew may make it with reclaimPolicy Delete",
                fix="leave storage.create at true; another owner's class is for a stack whose people have no disks yet",
            )
        return
    policy, new_policy = (one.inputs.get("reclaimPolicy", "Delete") for one in (entry, now))
    if (policy, new_policy) == ("Retain", "Delete"):
        yield Loss(
            where=entry.identity,
            what="reclaimPolicy changes from Retain to Delete",
            why="from then on a deleted claim takes the person's disk with it",
            fix="keep storage.reclaim_policy at Retain, or give the class another name (disks keep their policy)",
        )
    elif policy != new_policy:
        yield Loss(
            where=entry.identity,
            what=f"reclaimPolicy changes from {policy} to {new_policy}",
            why="a class can't change it, so that `up` would fail; and disks that it has made go with their claims",
            fix="give people's class another storage.class_name, with storage.platform_class_name at the present one; "
            "to keep the disks there are: "
            """kubectl patch pv <volume> -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'""",
        )
    for field in _CLASS_FIELDS:
        if entry.inputs.get(field) != now.inputs.get(field):
            yield Loss(
                where=entry.identity,
                what=f"{field} changes",
                why="a class can't change in place; deleted and made anew, it no longer describes the disks made by it",
                fix="give the class with the new parameters another name in the settings",
            )


def _stateful_set(entry: Entry, now: Entry | None) -> Iterator[Loss]:
    templates = entry.inputs["spec"].get("volumeClaimTemplates") or []
    if not templates:
        return
    if now is None:
        yield Loss(
            where=entry.identity,
            what="renamed or no longer part of the plan",
            why="its claims are named after it, so another set would start with empty disks",
            fix="keep its name and namespace",
        )
    elif templates != (now.inputs["spec"].get("volumeClaimTemplates") or []):
        yield Loss(
            where=entry.identity,
            what="its claim templates change",
            why="a set can't change them; it would be deleted and made anew",
            fix="restore the templates; grow the claims that are registered for its replicas instead",
        )


def _key(entry: Entry, now: Entry | None) -> Iterator[Loss]:
    if now is None or dict(entry.inputs) != dict(now.inputs):
        yield Loss(
            where=entry.urn,
            what="no longer part of the plan under this URN" if now is None else "its inputs change",
            why="a new random value would take its place: what was encrypted or signed with the old one is lost",
            fix="restore it, or give the resource an alias with its former name, type or parent",
        )


def _provider(entry: Entry, now: Entry | None) -> Iterator[Loss]:
    cluster, new = (one.inputs.get("clusterIdentifier") if one else None for one in (entry, now))
    if cluster != new:
        yield Loss(
            where=entry.urn,
            what=f"clusterIdentifier changes from {cluster} to {new}",
            why="the engine would take every object for one of another cluster, and delete and make all of them anew",
            fix="restore it; another cluster is another stack",
        )


def _unguarded(entry: Entry, now: Entry) -> Iterator[Loss]:
    for flag, was, is_now in (("protect", entry.protect, now.protect), ("retainOnDelete", entry.retain, now.retain)):
        if was and not is_now:
            yield Loss(
                where=entry.identity,
                what=f"{flag} is dropped",
                why="nothing would stop a later change or `destroy` from deleting the data",
                fix="keep the stack's data protection on; `make down` shows how to purge deliberately",
            )


def _values(plan: Snapshot) -> Mapping[str, Any]:
    """What the hub reads: where people's disks are, and after whom they are named."""
    for entry in plan.entries:
        data = entry.inputs.get("data") or {}
        if entry.kind == "ConfigMap" and entry.inputs["metadata"]["name"] == "hub-values":
            return json.loads(data["values.json"])
    return {}


def _names(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Loss]:
    """Whoever logs in is known by an attribute of the directory; where people log in elsewhere there is none here."""
    old, new = (((values.get("directory") or {}).get("people") or {}) for values in (before, after))
    attribute, other = old.get("username_attribute"), new.get("username_attribute")
    if attribute and other and attribute != other:
        yield Loss(
            where="the hub's values, directory.people.username_attribute",
            what=f"changes from {attribute} to {other}",
            why="people's claims are named after it: everyone whose two names differ would get a new, empty disk",
            fix=f"restore {attribute}; by directory.people.filter people may log in with another name all the same",
        )


def _database(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Loss]:
    """From a server to a file; the other way the file's claim leaves the plan, which is told of as such."""
    old, new = (values.get("hub") for values in (before, after))
    if old and new and not old.get("db_url") and new.get("db_url"):
        yield Loss(
            where="the hub's values, hub.db_url",
            what="changes from a PostgreSQL server to a new file of SQLite's",
            why="the hub would know of no running server, no named server and no token: servers would run on unseen",
            fix="keep hub.database at kind: postgresql; to move, let everyone's servers end and copy the database by "
            "hand",
        )


def _homes(
    before: Mapping[str, Any], after: Mapping[str, Any], plan_before: Snapshot, plan_after: Snapshot
) -> Iterator[Loss]:
    if not before:
        return
    meaning = {
        "namespace": "people's disks are claims of this namespace",
        "pvc_name_template": "people's claims are named by it",
        "slug_scheme": "people's names become parts of claim names by it",
    }
    for field, why in meaning.items():
        if before.get(field) != after.get(field):
            yield Loss(
                where=f"the hub's values, spawner.{field}",
                what=f"changes from {before.get(field)} to {after.get(field)}",
                why=f"{why}: everyone would get a new, empty disk",
                fix=f"restore {before.get(field)}",
            )
    policy, new_policy = _policy(before, plan_before), _policy(after, plan_after)
    old, new = before.get("storage_class"), after.get("storage_class")
    if old != new and policy == "Retain" and new_policy != "Retain":
        yield Loss(
            where="the hub's values, spawner.storage_class",
            what=f"changes from {old} (Retain) to {new} ({new_policy or 'not in the plan, its policy is not known'})",
            why="a deleted claim of a new person would take the disk with it",
            fix="let the stack make the new class (storage.create), with storage.reclaim_policy Retain",
        )


def _policy(people: Mapping[str, Any], plan: Snapshot) -> str | None:
    for entry in plan.entries:
        if entry.identity == f"StorageClass/{people.get('storage_class')}":
            return entry.inputs.get("reclaimPolicy", "Delete")
    return None
