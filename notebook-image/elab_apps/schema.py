"""Checks by app.schema.json, in the words of its descriptions."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema

from .problems import Problem

SCHEMA = Path(__file__).parents[1] / "app.schema.json"
_SHOWN = 120
"""How many characters of a value a problem shows."""


class Schema:
    """The schema of an application's file."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema

    @classmethod
    def read(cls) -> Schema:
        """The schema beside this package."""
        return cls(json.loads(SCHEMA.read_text(encoding="utf-8")))

    def application(self, found: Mapping[str, Any], file: str) -> Iterator[Problem]:
        """What is wrong with an application's fields, each by itself."""
        return self._problems(self.schema, found, file)

    def replacements(self, found: Mapping[str, Any], file: str, names: Sequence[str]) -> Iterator[Problem]:
        """What is wrong with a file of other downloads."""
        properties = self.schema["properties"]
        one = {
            "description": "the version and downloads of an application",
            "type": "object",
            "additionalProperties": False,
            "required": ["downloads"],
            "properties": {"version": properties["version"], "downloads": properties["downloads"]},
        }
        schema = {
            "$defs": self.schema["$defs"],
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(names, one),
        }
        return self._problems(schema, found, file)

    def _problems(self, schema: Mapping[str, Any], found: Mapping[str, Any], file: str) -> Iterator[Problem]:
        validator = jsonschema.Draft202012Validator(schema)
        for error in sorted(validator.iter_errors(found), key=lambda error: list(map(str, error.absolute_path))):
            yield from _explained(error, file, schema)


def _explained(error: jsonschema.ValidationError, file: str, whole: Mapping[str, Any]) -> Iterator[Problem]:
    path = ".".join(map(str, error.absolute_path))
    schema: Any = error.schema
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(schema["properties"])
        for key in sorted(set(map(str, error.instance)) - set(known)):
            near = difflib.get_close_matches(key, known, n=1)
            fix = f"write {near[0]}" if near else "remove it"
            yield Problem(_where(file, path, key), "a field that is not known", ", ".join(known), fix)
    elif error.validator == "required":
        key = next(key for key in error.validator_value if f"'{key}' is" in error.message)
        allowed = schema["properties"][key].get("description", "a value")
        fix = f"add {key}"
        if key == "checksum":
            fix = "add what its publisher names, or the output of: curl -fsSL <url> | sha256sum"
        yield Problem(_where(file, path, key), "nothing", allowed, fix)
    else:
        allowed = schema.get("description") or _of_parent(whole, error)
        yield Problem(_where(file, path), _shown(error.instance), allowed, "correct it")


def _of_parent(schema: Any, error: jsonschema.ValidationError) -> str:  # noqa: ANN401
    """What the nearest field above with a description allows: items of lists have none of their own."""
    found = ""
    for part in error.absolute_schema_path:
        schema = schema[part]
        if isinstance(schema, dict) and isinstance(schema.get("description"), str):
            found = schema["description"]
    return found


def _where(file: str, *path: str) -> str:
    return f"{file}: {'.'.join(part for part in path if part)}" if any(path) else file


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
