"""What elab registers of others' kinds, and elab's own schemas of them, held against the real definitions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planning import schemas
from tests.admission.mutants import IDENTITY, changed, mutants, places, value_at
from tests.admission.registered import Body, every_custom, manifest
from tests.admission.server import Server
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


def _seeds() -> Iterator[Body]:
    """Of each kind the fullest that a stack registers, and one with every field that its schema knows."""
    fullest = {body["kind"]: body for body in sorted(every_custom(), key=lambda body: len(list(places(body))))}
    yield from fullest.values()
    yield from documents(EVERY_FIELD).values()


@NEWEST
def test_each_schema_is_of_a_kind_that_stacks_register_and_that_is_defined(server: Server) -> None:
    registered = {body["kind"] for body in every_custom()}
    assert registered == {file.stem for file in CRDS.glob("*.json")}
    assert {body["kind"] for body in every_custom() if server.knows(body)} == registered


def test_every_custom_resource_of_the_stacks_is_created(server: Server) -> None:
    for namespace in sorted({body["metadata"].get("namespace", "default") for body in every_custom()}):
        server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for body in _known(server, iter(every_custom())):
        assert server.applied(body) is None, _title(body)
        server.create(body)
        server.delete(body)


def test_every_field_that_the_schemas_know_is_taken(server: Server) -> None:
    server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rooms"}})
    refused = {_title(body): server.applied(body) for body in _known(server, iter(documents(EVERY_FIELD).values()))}
    assert {title: why for title, why in refused.items() if why} == {}


def test_the_schemas_let_nothing_through_that_the_definitions_refuse(server: Server) -> None:
    refused, asked = {}, 0
    for body in _known(server, _seeds()):
        for what, mutant in mutants(body, server.named[body["kind"]]):
            if schemas.custom_violations(manifest(mutant)) == []:
                asked += 1
                if why := server.created(mutant):
                    refused[f"{_title(body)}, {what}"] = why
    assert asked > 100
    assert refused == {}


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
