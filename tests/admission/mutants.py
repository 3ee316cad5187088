"""Objects with one place changed, as a mistake would: what elab's own schemas and the real definitions make of them."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from planning import schemas

Json = Any
Place = tuple[str | int, ...]
IDENTITY = ("apiVersion", "kind", "metadata")
"""Held by Kubernetes itself, whatever a definition says."""
_TEXTS = ("", "0", "-1", "a b", "*", "A_b", "é", "a/b", "a.b/c:d", "x" * 64, "x" * 300, "x" * 5000)
_NUMBERS = (-(10**12), -1, 0, 1, 65, 101, 65536, 10**12)
_KEYS = ("", "a b", "a/b/c", "kubernetes.io/hostname", "karpenter.sh/nodepool", "elab.dev/é", "x" * 400)
_MANY = 101


def places(body: Json, at: Place = ()) -> Iterator[Place]:
    """Every place below the object itself, identity aside."""
    steps = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for step, value in steps:
        if at or step not in IDENTITY:
            yield (*at, step)
            yield from places(value, (*at, step))


def value_at(body: Json, place: Place) -> Json:
    """What stands there."""
    return functools.reduce(lambda value, step: value[step], place, body)


def changed(body: Json, place: Place, value: Json) -> Json:
    """A copy with another value there."""
    result = copy.deepcopy(body)
    value_at(result, place[:-1])[place[-1]] = value
    return result


def without(body: Json, place: Place) -> Json:
    """A copy with nothing there."""
    result = copy.deepcopy(body)
    del value_at(result, place[:-1])[place[-1]]
    return result


def mutants(body: Json) -> Iterator[tuple[str, Json]]:
    """The object with each place left out, and with each value there that may be wrong; and what was changed."""
    schema = _schema(body["kind"])
    for place in places(body):
        name = ".".join(str(step) for step in place)
        yield f"{name} left out", without(body, place)
        value = value_at(body, place)
        for other in (*_others(value), *_allowed(schema, _at(schema, place))):
            if other != value:
                yield f"{name}: {json.dumps(other)[:80]}", changed(body, place, other)


def _others(value: Json) -> Iterator[Json]:
    if isinstance(value, bool):
        yield from (not value, "true")
    elif isinstance(value, int):
        yield from (*_NUMBERS, "7")
    elif isinstance(value, str):
        yield from (*_TEXTS, 7, True)
    elif isinstance(value, list):
        yield []
        if value:
            yield from ([*value, value[0]], [value[0]] * _MANY)
            if isinstance(value[0], str):
                yield [f"{value[0]}{index}" for index in range(_MANY)]
    elif isinstance(value, dict):
        yield {}
        for key in _KEYS:
            yield {**value, key: "x"}
            yield {**value, key: "x" * 100}


@functools.cache
def _schema(kind: str) -> Json:
    return json.loads((Path(schemas.__file__).with_name("crds") / f"{kind}.json").read_text(encoding="utf-8"))


def _at(schema: Json, place: Place) -> Json:
    """What elab's schema says of a place."""
    found = schema
    for step in place:
        found = _resolved(schema, found)
        found = (
            found["items"]
            if isinstance(step, int)
            else found.get("properties", {}).get(step) or found.get("additionalProperties") or {}
        )
    return _resolved(schema, found)


def _resolved(schema: Json, part: Json) -> Json:
    reference = part.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else part


def _allowed(schema: Json, part: Json) -> Iterator[Json]:
    """What it lets through at the edges: each of its words, its least and its most."""
    for choice in (part, *part.get("oneOf", ()), *part.get("anyOf", ())):
        found = _resolved(schema, choice)
        yield from found.get("enum", ())
        yield from (found[bound] for bound in ("minimum", "maximum") if bound in found)
        if "maxLength" in found:
            yield "x" * found["maxLength"]
