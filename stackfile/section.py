"""The base of all settings, and the way from plain data to them with every problem at once."""

import functools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from stackfile.explain import missing, problems_of, unknown_key
from stackfile.problems import Problem, StackError


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
    known = sorted(model.model_fields)
    problems = [unknown_key(key, key, known) for key in data if key not in model.model_fields]
    for name, field in model.model_fields.items():
        if name not in data:
            if field.is_required():
                problems.append(missing(name, field))
            continue
        try:
            value = _adapter(model, name).validate_python(data[name])
        except ValidationError as error:
            problems.extend(problems_of(model, name, error))
        else:
            problems.extend(_problems_below(value, name))
    if problems:
        raise StackError(problems)
    settings = model.model_validate(dict(data))
    problems = list(settings.problems())
    if problems:
        raise StackError(problems)
    return settings


@functools.cache
def _adapter(model: type[Section], name: str) -> TypeAdapter[Any]:
    """What reads one field; to make one costs more than to read with it."""
    field = model.model_fields[name]
    # The field beside its annotation: it says by which key the kinds of a union are told apart.
    annotation: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotation)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
