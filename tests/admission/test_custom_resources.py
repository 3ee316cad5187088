"""What elab registers of others' kinds, and elab's own schemas of them, held against the real definitions."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.labkit import definitions
from planning import schemas
from tests.admission.mutants import IDENTITY, Json, Place, changed, mutants, places, value_at, words
from tests.admission.registered import Body, every_custom, manifest
from tests.admission.server import Server, read
from tests.harness.plans import documents

CRDS = Path(schemas.__file__).with_name("crds")
EVERY_FIELD = Path(__file__).parents[1] / "unit/planning/custom.yaml"
NEWEST = pytest.mark.parametrize("server", ["newest"], indirect=True)


def _known(server: Server, bodies: Iterator[Body]) -> list[Body]:
    """Those of kinds that this set defines."""
    found = [body for body in bodies if server.knows(body)]
    assert found
    return found


def _title(body: Body) -> str:
    return f"{body['kind']} {body['metadata']['name']}"


def _named() -> dict[str, set[str]]:
    """Words in the rules of every set's definitions, by kind."""
    found: dict[str, set[str]] = {}
    for name in definitions.sets():
        for definition in map(read, definitions.files(name)):
            found.setdefault(definition["spec"]["names"]["kind"], set()).update(words(definition))
    return found


@functools.cache
def _let_through() -> tuple[tuple[str, Body], ...]:
    """Objects with one place changed that elab's schemas take all the same, with what was changed.

    Made from the fullest of each kind that a stack registers, and at the places that it lacks from one with every field
    that the schema knows.
    """
    named, found = _named(), []
    for every in documents(EVERY_FIELD).values():
        kind = every["kind"]
        fullest = max((one for one in every_custom() if one["kind"] == kind), key=lambda one: len(list(places(one))))
        known = tuple(places(fullest))
        for body, at in ((fullest, known), (every, tuple(place for place in places(every) if place not in known))):
            for what, mutant in mutants(body, at, sorted(named[kind])):
                if schemas.custom_violations(manifest(mutant)) == []:
                    found.append((f"{_title(body)}, {what}", mutant))
    return tuple(found)


@NEWEST
def test_each_schema_is_of_a_kind_that_stacks_register_and_that_is_defined(server: Server) -> None:
    registered = {body["kind"] for body in every_custom()}
    assert registered == {file.stem for file in CRDS.glob("*.json")}
    assert {body["kind"] for body in every_custom() if server.knows(body)} == registered


def test_every_custom_resource_of_the_stacks_is_created(server: Server) -> None:
    for namespace in sorted({body["metadata"].get("namespace", "default") for body in every_custom()}):
        server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    known = _known(server, iter(every_custom()))
    refused = {_title(body): server.applied(body) for body in known}
    assert {title: why for title, why in refused.items() if why} == {}
    for body in known:
        server.create(body)
        server.delete(body)


def test_every_field_that_the_schemas_know_is_taken(server: Server) -> None:
    server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rooms"}})
    refused = {_title(body): server.applied(body) for body in _known(server, iter(documents(EVERY_FIELD).values()))}
    assert {title: why for title, why in refused.items() if why} == {}


def test_the_schemas_let_nothing_through_that_the_definitions_refuse(server: Server) -> None:
    asked = [(what, body) for what, body in _let_through() if server.knows(body)]
    assert len(asked) > 100
    refused = {what: server.created(body) for what, body in asked}
    assert {what: why for what, why in refused.items() if why} == {}


WRONG_WORDS: dict[str, tuple[Place, Json]] = {
    "NodePool": (("spec", "disruption", "consolidationPolicy"), "WhenUnderutilized"),
    "EC2NodeClass": (("spec", "metadataOptions", "httpTokens"), "forbidden"),
    "VolumeSnapshotClass": (("deletionPolicy",), "Keep"),
    "HTTPRoute": (("spec", "rules", 0, "matches", 0, "path", "type"), "Prefix"),
    "Route": (("spec", "tls", "termination"), "plain"),
    "SecurityContextConstraints": (("allowPrivilegedContainer",), "no"),
    "ClusterAutoscaler": (("spec", "scaleDown", "delayAfterAdd"), "10"),
    "MachineAutoscaler": (("spec", "maxReplicas"), 0),
}


def test_a_wrong_word_is_refused_by_the_definition_and_by_the_schema(server: Server) -> None:
    assert WRONG_WORDS.keys() == {body["kind"] for body in every_custom()}
    for body in _known(server, iter(every_custom())):
        wrong = changed(body, *WRONG_WORDS[body["kind"]])
        assert server.created(wrong), _title(body)
        assert schemas.custom_violations(manifest(wrong)), _title(body)


def test_a_mistake_anywhere_is_refused(server: Server) -> None:
    """Or this server would not look at what elab registers, and its word would be worth nothing."""
    taken = []
    for body in _known(server, iter(every_custom())):
        for place in places(body):
            wrong = [] if isinstance(value_at(body, place), dict) else {"a": {"list": "of"}}
            if not server.created(changed(body, place, wrong)):
                taken.append(f"{_title(body)}: {place} as {wrong}")
        parent = body.get("spec", body)
        assert parent.keys() - set(IDENTITY)
        unknown = {**body, "spec": {**parent, "elab": 1}} if "spec" in body else {**body, "elab": 1}
        assert "unknown field" in (server.created(unknown) or ""), _title(body)
    assert taken == []
