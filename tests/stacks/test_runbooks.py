"""Runbooks, and the page on operations, name objects, settings and resources that are there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from settings import SECRETS
from tests.harness.stacks import PROJECT, plan

DOCS = PROJECT / "docs"
PAGES = ["operations.md", *(f"runbooks/{path.name}" for path in sorted((DOCS / "runbooks").glob("*.md")))]
KINDS = {"deploy": "Deployment", "svc": "Service"}
SCHEMA = json.loads((PROJECT / "docs/stack.schema.json").read_text(encoding="utf-8"))


def _text(name: str) -> str:
    """A page with its lines joined as a reader does."""
    return re.sub(r"\s+", " ", (DOCS / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_objects_of_commands_are_in_the_plan(name: str) -> None:
    objects = {(one.namespace, one.kind, one.name) for one in plan("prod").manifests}
    commands = (DOCS / name).read_text(encoding="utf-8")
    for room, kind, named in re.findall(r"-n elab-(\w+) (?:[\w-]+ )+(deploy|svc)/([\w-]+)", commands):
        assert (f"elab-{room}", KINDS[kind], named) in objects


@pytest.mark.parametrize("name", PAGES)
def test_labels_of_commands_select_something_of_the_plan(name: str) -> None:
    components = {
        one.body["metadata"].get("labels", {}).get("app.kubernetes.io/component") for one in plan("prod").manifests
    }
    for component in re.findall(r"app\.kubernetes\.io/component=([\w-]+)(<pool>)?", _text(name)):
        prefix, stands_for_pool = component
        assert any(found == prefix or (stands_for_pool and (found or "").startswith(prefix)) for found in components)


def test_what_is_rotated_is_a_random_value_of_the_plan() -> None:
    known = {one.urn for one in plan("prod").recording.resources}
    named = set(re.findall(r"rotate '(urn:[^']+)'", (DOCS / "operations.md").read_text(encoding="utf-8")))
    assert named - known == set()
    # Each value that elab makes has its line, so that no credential is left that nobody knows how to change.
    assert {urn for urn in known if "$random:index/" in urn} - named == set()


def test_secrets_to_be_set_are_those_that_a_stack_may_need() -> None:
    named = re.findall(r"elab:(\w+) --stack", (DOCS / "operations.md").read_text(encoding="utf-8"))
    assert set(named) <= SECRETS.keys()


@pytest.mark.parametrize("name", PAGES)
def test_settings_are_those_of_stack_files(name: str) -> None:
    known = SCHEMA["properties"]["config"]["properties"]
    for key, path in re.findall(r"`(elab:\w+)`(?: `([a-z_.]+)`)?", _text(name)):
        assert key in known
        assert not path or _has(known[key], path.split(".")), f"{key} {path}"


def _alternatives(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The forms that a setting may have, each as an object's schema."""
    if "$ref" in schema:
        yield from _alternatives(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _alternatives(part)
    if "items" in schema:
        yield from _alternatives(schema["items"])
    if "properties" in schema:
        yield schema


def _has(schema: dict[str, Any], path: list[str]) -> bool:
    if not path:
        return True
    forms = [form["properties"] for form in _alternatives(schema)]
    return any(path[0] in form and _has(form[path[0]], path[1:]) for form in forms)
