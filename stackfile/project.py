"""What Pulumi.yaml says of a project's configuration."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from stackfile.document import Plain, Reader
from stackfile.nodes import compose
from stackfile.problems import Problem, StackError

_HTML: Final = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


@dataclass(frozen=True, kw_only=True)
class Project:
    """What Pulumi.yaml says: the project's name, the defaults of keys, and which keys are secrets."""

    name: str
    defaults: Mapping[str, str]
    secret_keys: frozenset[str]
    problems: tuple[Problem, ...]


def load_project(project_dir: Path) -> Project:
    """Read Pulumi.yaml; what is wrong below its ``config`` is in the result's problems.

    Raises:
        StackError: there is none, or it has no name.
    """
    path = project_dir / "Pulumi.yaml"
    if not path.is_file():
        fix = f"run this in the project's directory; {project_dir.resolve().name} has none"
        raise StackError([Problem(where=path.name, found="no such file", allowed="a project's Pulumi.yaml", fix=fix)])
    reader = Reader(file=path.name)
    root = compose(path)
    entries = {name: node for name, _, node in reader.entries(root, "")}
    name = reader.value(entries["name"], "name") if "name" in entries else None
    if not isinstance(name, str):
        reader.refuse(root, "name", found="no name", allowed="the project's name", fix="write name: elab")
        raise StackError(reader.problems)
    defaults: dict[str, str] = {}
    secret_keys: set[str] = set()
    declarations = entries.get("config")
    if isinstance(declarations, yaml.MappingNode):
        for key, _, node in reader.entries(declarations, ""):
            full = key if ":" in key else f"{name}:{key}"
            declared = reader.value(node, key)
            details = declared if isinstance(declared, dict) else {"default": declared}
            default = details.get("default", details.get("value"))
            if default is not None:
                defaults[full] = value_text(default)
            if details.get("secret") is True:
                secret_keys.add(full)
    return Project(name=name, defaults=defaults, secret_keys=frozenset(secret_keys), problems=tuple(reader.problems))


def value_text(value: Plain) -> str:
    """The text that the CLI makes of a value: strings as they are, anything else as its JSON (keys in order)."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.translate(_HTML)
