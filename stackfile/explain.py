"""Pydantic's errors in the words of a stack file: where it stands there, what is allowed, and how to mend it."""

import difflib
import json
import re
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from stackfile.annotations import Place, follow, kinds_in, sections_in
from stackfile.problems import Problem
from stackfile.secrets import without_keys

_FOUND_LENGTH: Final = 120
_MAPPINGS: Final = ("model_type", "model_attributes_type", "dict_type")
_LISTS: Final = ("tuple_type", "list_type")
_ALLOWED: Final = {
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "string_type": "text",
    "string_unicode": "text of Unicode's characters",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "too_short": "{min_length} or more entries",
    "string_too_short": "text of {min_length} characters or more",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "text of the form {pattern}",
    "literal_error": "{expected}",
}
"""Pydantic's kinds of errors, and what they mean for the one who writes the file."""


_REST: Final = r'(?:\\.|[^\s"\\])*'
"""What goes on with a text of JSON up to a space or the text's end."""
_ADDRESS: Final = re.compile(
    r'//(?P<door>[^/\s"]*@|[^?#\s"]*@)?(?P<host>[^/?#\s"]*)(?P<path>[^?#\s"]*)' + rf"(?P<query>[?#]{_REST})?"
)


def problems_of(model: type[BaseModel], top: str, error: ValidationError) -> Iterator[Problem]:
    """What is wrong with the value of the model's field ``top``."""
    errors = error.errors()
    for details in errors:
        # A list whose only entry is refused is empty to pydantic; that it is too short would be said for nothing.
        consequence = details["type"] == "too_short" and any(
            len(other["loc"]) > len(details["loc"]) and other["loc"][: len(details["loc"])] == details["loc"]
            for other in errors
        )
        if not consequence:
            yield _problem(model, top, details)


def unknown_key(where: str, key: str, known: list[str], outside: str | None = None) -> Problem:
    """A key that there is not, with the one that may have been meant; `outside`: where the section around has it."""
    close = difflib.get_close_matches(key, known, 1)
    fix = f"write {close[0]}" if close else "remove it, or look the name up in docs/stack.schema.json"
    if outside:
        fix = f"it belongs one level up: write {outside}"
    return Problem(where=where, found=f"the unknown key {key}", allowed=", ".join(known), fix=fix)


def missing(where: str, field: FieldInfo | None) -> Problem:
    """A key that must be there, with what it means."""
    described = field.description if field else None
    found_by = getattr(field.annotation, "found_by", None) if field else None
    sections = sections_in(field.annotation) if field else []
    fix = f"set {where} to {found_by}" if found_by else f"set {where}"
    meaning = described or (sections[0].__doc__ if sections else None) or "a value"
    return Problem(where=where, found="nothing", allowed=" ".join(meaning.split()), fix=fix)


def _problem(model: type[BaseModel], top: str, details: ErrorDetails) -> Problem:
    place = follow(model, (top, *details["loc"]))
    where = ".".join(place.path)
    context, kind, found = details.get("ctx", {}), details["type"], _found(details["input"])
    if kind == "elab":
        return Problem(where=where, found=found, allowed=context["allowed"], fix=context["fix"])
    if kind == "extra_forbidden":
        known = sorted(place.owner.model_fields) if place.owner else []
        return unknown_key(where, place.path[-1], known, _outside(place, follow(model, (top, *details["loc"][:-2]))))
    if kind == "missing":
        return missing(where, place.owner.model_fields[place.path[-1]] if place.owner else None)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tag = str(context["discriminator"]).strip("'")
        allowed = ", ".join(kinds_in(place.annotation, tag))
        found = _found(context.get("tag"))
        return Problem(where=f"{where}.{tag}", found=found, allowed=allowed, fix=f"set {where}.{tag} to one of these")
    allowed = _allowed(place, details)
    return Problem(where=where, found=found, allowed=allowed, fix=_fix(kind, where, allowed, details["input"]))


def _outside(place: Place, around: Place) -> str | None:
    """Where an unknown key would be known, if that is right around the section that it stands in."""
    *path, _, key = place.path
    is_known = any(key in section.model_fields for section in sections_in(around.annotation))
    return ".".join((*path, key)) if is_known and around.path == tuple(path) else None


def _allowed(place: Place, details: ErrorDetails) -> str:
    kind = details["type"]
    if kind in ("model_type", "model_attributes_type"):
        keys = dict.fromkeys(key for section in sections_in(place.annotation) for key in section.model_fields)
        return f"a mapping with keys of these: {', '.join(keys)}"
    words = _ALLOWED.get(kind)
    return words.format(**details.get("ctx", {})).replace("'", "") if words else details["msg"]


def _fix(kind: str, where: str, allowed: str, value: object) -> str:
    if kind in _MAPPINGS:
        return f"write {where} as a mapping: its keys indented below it"
    if kind in _LISTS:
        return f"write {where} as a list: one item a line, each after a hyphen"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f'quote it: "{json.dumps(value)}"'
    return f"set {where} to {allowed}"


def _found(value: object) -> str:
    """A value as it stands in the file, shortened, and without the secrets that it may hold by mistake."""
    if value is None:
        return "nothing"
    if "PRIVATE KEY" in str(value):
        return "a private key"
    shown = _ADDRESS.sub(_without_keys, json.dumps(value, ensure_ascii=False, default=str))
    shown = re.sub(rf"\?(?=[\w.%-]+=){_REST}", "?…", shown)
    return shown if len(shown) <= _FOUND_LENGTH else f"{shown[:_FOUND_LENGTH]}…"


def _without_keys(address: re.Match[str]) -> str:
    """An address less all that may open a door: who comes, what is asked, and what looks like a key in its path."""
    path = "/…" if address["host"].lower().startswith("hooks.slack") else without_keys(address["path"])
    door, query = "…@" if address["door"] else "", "?…" if address["query"] else ""
    return f"//{door}{address['host']}{path}{query}"
