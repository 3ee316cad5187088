"""The files of policy/ that people write: YAML, or one clear error that says where it is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import yaml
from yaml.constructor import ConstructorError

from stackfile.problems import Problem, StackError
from stackfile.section import SectionT, load


class _Loader(yaml.SafeLoader):
    """PyYAML's own, which tells neither the line nor the value of a date or a number that there is not."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, OverflowError) as error:
            shown = str(node.value)[:40] if isinstance(node, yaml.ScalarNode) else "a value"
            raise ConstructorError(None, None, f"{shown}: {error}", node.start_mark) from None


def name_of(file: Path) -> str:
    """How errors name a file."""
    return f"policy/{file.name}"


def document(file: Path) -> object:
    """What a file holds.

    Raises:
        StackError: where it is no YAML.
    """
    where = name = name_of(file)
    try:
        return yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except yaml.MarkedYAMLError as error:
        if error.problem_mark:
            where = f"{where}:{error.problem_mark.line + 1}"
        found = error.problem or "no YAML"
        fix = "mend the line: look for a wrong indentation, a quote left open, or a day that the calendar has not"
    except yaml.YAMLError as error:
        found, fix = str(error).splitlines()[0], "remove the character"
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        found, fix = str(error), "write it as UTF-8, or take the last commit's"
    raise StackError([Problem(where=where, found=found, allowed="valid YAML", fix=fix)], of=name)


def shaped(file: Path, model: type[SectionT], data: object, key: str = "") -> SectionT:
    """What a file holds as a model; `key` is the model's one field for a file that is a list.

    Raises:
        StackError: with every place that has another shape.
    """
    name = name_of(file)
    if key:
        data = {key: data}
    elif not isinstance(data, Mapping):
        allowed = ", ".join(model.model_fields)
        fix = f"write {allowed}, each with its list"
        problem = Problem(where=name, found="no keys at its top", allowed=allowed, fix=fix)
        raise StackError([problem], of=name)
    try:
        return load(model, {str(at): value for at, value in data.items()})
    except StackError as error:
        found = (f"{name} {problem.where.removeprefix(key).removeprefix('.')}".strip() for problem in error.problems)
        problems = [replace(problem, where=where) for problem, where in zip(error.problems, found, strict=True)]
        raise StackError(problems, of=name) from None
