"""A stack's configuration as the Pulumi CLI would hand it to the program, read without the CLI.

Secrets stay encrypted: their values are replaced by a placeholder, and a plan shows no more than that they are set.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from stackfile.document import Reader, is_ciphertext
from stackfile.nodes import compose, line_of
from stackfile.problems import Problem, StackError
from stackfile.project import Project, load_project, value_text

PLACEHOLDER: Final = "(a secret: set, and not decrypted)"

_STACK_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_STACK_KEYS: Final = ("config", "encryptedkey", "encryptionsalt", "secretsprovider")
# The engine's own options (`pulumi:disable-default-providers`), which concern no program.
_ENGINE: Final = "pulumi"


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """What a program would receive. ``config`` maps full keys (``elab:hub``) to the CLI's text of each value."""

    project: str
    stack: str
    config: dict[str, str]
    secret_keys: frozenset[str]
    lines: Mapping[str, int]

    def located(self, error: StackError) -> StackError:
        """The same problems in the file's order, with file and line before the path; first what the file lacks."""
        problems = sorted(error.problems, key=lambda problem: self._line(problem.where))
        return StackError(map(self._located, problems), of=error.of)

    def _located(self, problem: Problem) -> Problem:
        line = self._line(problem.where)
        where = f"{stack_file_name(self.stack)}:{line} {problem.where}" if line else problem.where
        return Problem(where=where, found=problem.found, allowed=problem.allowed, fix=problem.fix)

    def _line(self, path: str) -> int:
        """The line of a path, or of the nearest section around it that the file holds; 0 if it holds none."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path, 0)


def stack_file_name(stack: str) -> str:
    """The file that holds a stack's configuration."""
    return f"Pulumi.{stack}.yaml"


def load_stack(project_dir: Path, stack: str) -> StackFile:
    """Read the configuration of one stack.

    Raises:
        StackError: with all problems of Pulumi.yaml and of the stack's file.
    """
    project = load_project(project_dir)
    root = compose(_existing(project_dir, stack))
    reader = Reader(file=stack_file_name(stack), prefix=f"{project.name}:", secret_keys=project.secret_keys)
    problems = list(project.problems)
    config: dict[str, str] = {}
    secret_keys: set[str] = set()
    for name, key, node in reader.entries(root, ""):
        if name == "config":
            for full, item in _keys(reader, node, project):
                if is_ciphertext(item) and not _ciphertext(item):
                    fix = f"`pulumi config set --secret {full}`, or remove the key"
                    found = "an empty text in place of an encrypted value"
                    path = full.removeprefix(f"{project.name}:")
                    reader.refuse(item, path, found=found, allowed="what Pulumi makes of a secret", fix=fix)
                elif is_ciphertext(item):
                    config[full] = PLACEHOLDER
                    secret_keys.add(full)
                else:
                    config[full] = _text(reader, full, item, project)
        elif name not in _STACK_KEYS:
            fix = "put the values under config:" if name == "environment" else "indent it below config:, or remove it"
            reader.refuse(key, name, found=f"the key {name} at the file's top", allowed=", ".join(_STACK_KEYS), fix=fix)
    problems += reader.problems
    if problems:
        raise StackError(problems)
    return StackFile(
        project=project.name,
        stack=stack,
        config={**project.defaults, **config},
        secret_keys=frozenset(secret_keys),
        lines=reader.lines,
    )


def _existing(project_dir: Path, stack: str) -> Path:
    """The stack's file, or an error that lists the stacks there are."""
    there = sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in project_dir.glob("Pulumi.*.yaml"))
    if not _STACK_NAME.fullmatch(stack):
        found, fix = f'the stack name "{stack}"', "name a stack by letters, digits, hyphens, underscores and dots"
        raise StackError([Problem(where="stack", found=found, allowed=", ".join(there), fix=fix)])
    path = project_dir / stack_file_name(stack)
    if not path.is_file():
        allowed = f"the stacks there are: {', '.join(there) or 'none'}"
        fix = f"name one of these, or write {path.name}"
        raise StackError([Problem(where=path.name, found="no such file", allowed=allowed, fix=fix)])
    return path


def _keys(reader: Reader, node: yaml.Node, project: Project) -> list[tuple[str, yaml.Node]]:
    """The keys below ``config`` in full, with their values; keys that are no business of this program are refused."""
    if isinstance(node, yaml.ScalarNode) and node.value in ("", "null", "~"):
        return []
    if not isinstance(node, yaml.MappingNode):
        fix = f"write the keys below config:, each as {project.name}:NAME"
        reader.refuse(node, "config", found="a value that is no mapping", allowed="keys with their values", fix=fix)
        return []
    kept: dict[str, yaml.Node] = {}
    for name, key, item in reader.entries(node, ""):
        namespace, _, rest = name.rpartition(":")
        full = f"{namespace or project.name}:{rest}"
        path = full.removeprefix(f"{project.name}:")
        reader.lines.setdefault(path, line_of(key))
        if full in kept:
            found, fix = f"{name}, which is the key {full} a second time", "remove one of the two"
            reader.refuse(key, path, found=found, allowed="each key once", fix=fix)
        elif name == "<<" or namespace not in ("", project.name, _ENGINE):
            allowed, fix = f"keys of {project.name}", _foreign(namespace, rest, project.name)
            reader.refuse(key, path, found=f"the key {name}", allowed=allowed, fix=fix)
        else:
            kept[full] = item
    return list(kept.items())


def _foreign(namespace: str, name: str, project: str) -> str:
    if name == "<<":
        return "write the keys out; values below them may use anchors and merge keys"
    if namespace == "kubernetes":
        return f"remove it: the program makes its own provider; name the cluster under {project}:cluster"
    return f"write {project}:{name} if it is meant for this program, or remove it"


def _ciphertext(node: yaml.Node) -> str:
    """What stands below `secure`; empty for nothing."""
    ((_, item),) = node.value
    return "" if item.tag.endswith(":null") else item.value.strip()


def _text(reader: Reader, full: str, node: yaml.Node, project: Project) -> str:
    """What the CLI hands on for one key that isn't encrypted."""
    path = full.removeprefix(f"{project.name}:")
    if full in project.secret_keys:
        fix = f"change the secret, since it was readable; then `pulumi config set --secret {full}`"
        reader.refuse(node, path, found="a secret in clear text", allowed="an encrypted value", fix=fix)
        return ""
    value = reader.value(node, path)
    if value is None:
        allowed = "a value (Pulumi would make an empty text of it)"
        fix = 'remove the key so that the default holds, or write ""'
        reader.refuse(node, path, found="null", allowed=allowed, fix=fix)
    return value_text(value)
