"""The base of all settings, and the way from plain data to them with every problem at once."""

import difflib
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from stackfile.problems import Problem, StackError

_FOUND_LENGTH = 120


class Section(BaseModel):
    """A part of the settings: can't be changed once made, and knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def problems(self) -> Iterator[Problem]:
        """What the fields' types can't see: contradictions between them. ``where`` is relative to this section."""
        return iter(())


SectionT = TypeVar("SectionT", bound=Section)


def problems_within(section: Section, path: str = "") -> Iterator[Problem]:
    """The contradictions in a section and in every section below it."""
    for problem in section.problems():
        yield Problem(where=_joined(path, problem.where), found=problem.found, allowed=problem.allowed, fix=problem.fix)
    for name in type(section).model_fields:
        yield from _problems_below(getattr(section, name), _joined(path, name))


def _problems_below(value: object, path: str) -> Iterator[Problem]:
    if isinstance(value, Section):
        yield from problems_within(value, path)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _problems_below(item, f"{path}.{index}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _problems_below(item, f"{path}.{key}")


def load(model: type[SectionT], data: Mapping[str, object]) -> SectionT:
    """Make the settings from plain data.

    Each top-level section is read on its own, so that a slip in one does not hide the contradictions in another.

    Raises:
        StackError: with every problem that was found.
    """
    problems = list(_unknown(model, data))
    for name, field in model.model_fields.items():
        if name not in data:
            if field.is_required():
                problems.append(_missing(name, field.description))
            continue
        annotation: Any = field.rebuild_annotation()
        try:
            value = TypeAdapter(annotation).validate_python(data[name])
        except ValidationError as error:
            problems.extend(_problem(model, name, details) for details in error.errors())
        else:
            problems.extend(_problems_below(value, name))
    if problems:
        raise StackError(problems)
    settings = model.model_validate(dict(data))
    problems = list(settings.problems())
    if problems:
        raise StackError(problems)
    return settings


def _unknown(model: type[Section], data: Mapping[str, object]) -> Iterator[Problem]:
    for key in data:
        if key not in model.model_fields:
            yield _unknown_key(key, key, sorted(model.model_fields))


def _unknown_key(where: str, key: str, known: list[str]) -> Problem:
    close = difflib.get_close_matches(key, known, 1)
    fix = f"write {close[0]}" if close else "remove it, or look the name up in docs/stack.schema.json"
    return Problem(where=where, found=f"the unknown key {key}", allowed=", ".join(known), fix=fix)


def _missing(where: str, description: str | None) -> Problem:
    meaning = " ".join((description or "a value").split())
    return Problem(where=where, found="nothing", allowed=meaning, fix=f"set {where}")


def _problem(model: type[Section], top: str, details: ErrorDetails) -> Problem:
    parts = [top, *(str(part) for part in details["loc"] if not str(part).startswith("function-"))]
    where = ".".join(_without_tags(model, parts))
    context, kind = details.get("ctx", {}), details["type"]
    if kind == "elab":
        return Problem(where=where, found=_found(details["input"]), allowed=context["allowed"], fix=context["fix"])
    if kind == "extra_forbidden":
        owner = _section_at(model, parts[:-1])
        return _unknown_key(where, parts[-1], sorted(owner.model_fields) if owner else [])
    if kind == "missing":
        owner = _section_at(model, parts[:-1])
        return _missing(where, owner.model_fields[parts[-1]].description if owner else None)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tag = str(context["discriminator"]).strip("'")
        allowed = str(context.get("expected_tags") or ", ".join(_tags(_annotation_at(model, parts), tag)))
        found = _found(context["tag"]) if "tag" in context else "nothing"
        where = f"{where}.{tag}"
        return Problem(where=where, found=found, allowed=allowed, fix=f"set {where} to one of these")
    allowed = str(context.get("expected") or details["msg"])
    return Problem(where=where, found=_found(details["input"]), allowed=allowed, fix=_fix(kind, where, allowed))


def _fix(kind: str, where: str, allowed: str) -> str:
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"write {where} as a mapping: its keys indented below it"
    if kind in ("tuple_type", "list_type"):
        return f"write {where} as a list: one item a line, each after a hyphen"
    return f"set {where} so that this holds: {allowed[0].lower()}{allowed[1:]}"


def _found(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else "nothing" if value is None else f"{value} ({_kind(value)})"
    return text if len(text) <= _FOUND_LENGTH else f"{text[:_FOUND_LENGTH]}…"


def _kind(value: object) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", dict: "a mapping", list: "a list"}
    return kinds.get(type(value), type(value).__name__)


def _annotation_at(model: type[Section], parts: list[str]) -> Any:  # noqa: ANN401  a typing construct
    """The annotation that the path leads to, as far as it can be followed."""
    found: Any = model
    for part in parts:
        found = _step(found, part)
    return found


def _step(annotation: Any, part: str) -> Any:  # noqa: ANN401
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, Section):
            if part in option.model_fields:
                return option.model_fields[part].annotation
            if part in _tag_values(option):
                return option
        elif get_origin(option) in (tuple, dict) and (part.isdigit() or get_origin(option) is dict):
            inner = get_args(option)
            return inner[1] if get_origin(option) is dict else inner[0]
    return None


def _options(annotation: Any) -> list[Any]:  # noqa: ANN401
    origin = get_origin(annotation)
    if origin is None:
        return [annotation]
    if origin in (Union, UnionType):
        return [found for option in get_args(annotation) for found in _options(option)]
    if hasattr(annotation, "__metadata__"):
        return _options(get_args(annotation)[0])
    return [annotation]


def _tag_values(option: type[Section]) -> tuple[object, ...]:
    field = option.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _tags(annotation: Any, tag: str) -> list[str]:  # noqa: ANN401
    sections = [option for option in _options(annotation) if isinstance(option, type) and issubclass(option, Section)]
    return [str(value) for option in sections for value in get_args(option.model_fields[tag].annotation)]


def _section_at(model: type[Section], parts: list[str]) -> type[Section] | None:
    for option in _options(_annotation_at(model, parts)):
        if isinstance(option, type) and issubclass(option, Section):
            return option
    return None


def _without_tags(model: type[Section], parts: list[str]) -> list[str]:
    """The path as it stands in the file: pydantic adds the tag of a discriminated union to it."""
    kept: list[str] = []
    found: Any = model
    for part in parts:
        owners = [option for option in _options(found) if isinstance(option, type) and issubclass(option, Section)]
        chosen = [option for option in owners if part in _tag_values(option)]
        if chosen and all(part not in option.model_fields for option in owners):
            found = chosen[0]
            continue
        kept.append(part)
        found = _step(found, part)
    return kept


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
