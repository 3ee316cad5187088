"""Objects with one place changed, as a mistake would: what elab's own schemas and the real definitions make of them."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from planning import schemas

Json = Any
Place = tuple[str | int, ...]
IDENTITY = ("apiVersion", "kind", "metadata")
"""Held by Kubernetes itself, whatever a definition says."""
_TEXTS = ("", "0", "-1", "a b", "*", "A_b", "é", "a/b", "a.b/c:d", "x" * 64, "x" * 300, "x" * 5000)
_NUMBERS = (-(10**12), -1, 0, 1, 65, 101, 65536, 10**12)
_KEYS = ("", "a b", "a/b/c", "elab.dev/é", "x" * 400)
_MANY = 101
_NUMBER = re.compile(r"\d+")
_KEY = re.compile(r"\w/\w")
"""What stands in a key, not in a value."""
_QUOTED = re.compile(r"""['"]([A-Za-z0-9./:-]+)['"]""")


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


def words(definition: Json) -> Iterator[str]:
    """What a definition's own rules name: labels that nobody may set, words that exclude each other."""
    if isinstance(definition, dict):
        for key, value in definition.items():
            if key == "rule" and isinstance(value, str):
                yield from _QUOTED.findall(value)
            else:
                yield from words(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from words(value)


def mutants(body: Json, at: Iterable[Place], named: Collection[str]) -> Iterator[tuple[str, Json]]:
    """The object with each of these places left out, and with each value there that may be wrong, what the definitions'
    rules have `named` included; and what was changed.
    """
    schema = _schema(body["kind"])
    for place in at:
        name = ".".join(str(step) for step in place)
        yield f"{name} left out", without(body, place)
        value = value_at(body, place)
        for other in (*_others(value, named), *_allowed(schema, _at(schema, place))):
            if other != value:
                yield f"{name}: {json.dumps(other)[:80]}", changed(body, place, other)


def _others(value: Json, named: Collection[str]) -> Iterator[Json]:
    if isinstance(value, bool):
        yield from (not value, "true")
    elif isinstance(value, int):
        yield from (*_NUMBERS, "7")
    elif isinstance(value, str):
        yield from (*_TEXTS, *(word for word in named if not _KEY.search(word)), 7, True)
        yield from (f"x{value}", f"{value}x", value[1:], value[:-1], value.upper())
        yield from (_NUMBER.sub(number, value) for number in ("0", "1.5", "007", "99999"))
    elif isinstance(value, list):
        yield []
        if value:
            yield from ([*value, value[0]], [value[0]] * _MANY)
            if isinstance(value[0], str):
                yield [f"{value[0]}{index}" for index in range(_MANY)]
    elif isinstance(value, dict):
        yield {}
        yield from ({**value, key: text} for key in (*_KEYS, *named) for text in ("x", "x" * 100))


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
