"""The way through a model's annotations along the location of an error."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a location leads: its path in the file, what is expected there, and the section that the last key is in."""

    path: tuple[str, ...]
    annotation: Any
    owner: type[BaseModel] | None


def follow(model: type[BaseModel], location: Iterable[str | int]) -> Place:
    """Follow a location as far as it goes.

    Pydantic's locations hold more than the file's path: the tag of a discriminated union, the name of a validator, and
    ``[key]`` where a mapping's key is meant.
    """
    path: list[str] = []
    annotation: Any = model
    owner: type[BaseModel] | None = None
    for part in map(str, location):
        sections = sections_in(annotation)
        chosen = [section for section in sections if part in _kinds(section)]
        # Of several kinds the tag comes first, though it may be a field's name too: a gateway has a gateway.
        if chosen and (len(sections) > 1 or part not in sections[0].model_fields):
            annotation = chosen[0]
        elif part != "[key]" and not part.startswith("function-"):
            path.append(part)
            owner = sections[0] if sections else None
            annotation = _step(annotation, part)
    return Place(path=tuple(path), annotation=annotation, owner=owner)


def sections_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401  a typing construct
    """The sections that may stand there: one, or several kinds."""
    return [option for option in _options(annotation) if isinstance(option, type) and issubclass(option, BaseModel)]


def kinds_in(annotation: Any, key: str) -> list[str]:  # noqa: ANN401
    """What may stand under the key that tells kinds of sections apart."""
    return [str(kind) for section in sections_in(annotation) for kind in get_args(section.model_fields[key].annotation)]


def _kinds(section: type[BaseModel]) -> tuple[object, ...]:
    field = section.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _step(annotation: Any, part: str) -> Any:  # noqa: ANN401
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel) and part in option.model_fields:
            return option.model_fields[part].annotation
        if get_origin(option) is tuple:
            return get_args(option)[0]
        if get_origin(option) is dict:
            return get_args(option)[1]
    return None


def _options(annotation: Any) -> list[Any]:  # noqa: ANN401
    """The members of a union, or the annotation itself, without what only annotates it."""
    if get_origin(annotation) in (Union, UnionType):
        return [found for option in get_args(annotation) for found in _options(option)]
    if hasattr(annotation, "__metadata__"):
        return _options(get_args(annotation)[0])
    return [annotation]
