"""A rule for the stack's own piece of hub configuration: what it changes of people's servers nobody else can see."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .model import Context, Resource, Rule

FILE = "extra_config.py"
SPAWNERS = frozenset({"Server", "ServerPod", "KubeSpawner", "Spawner", "LoggingConfigurable", "Configurable"})
"""Sections of configuration that elab's spawner reads: its own classes and those that it inherits from."""
_NAMES = SPAWNERS | {"spawner", "spawners", "spawner_class", "pre_spawn_start", "pre_spawn_hook"}
_INDIRECT = frozenset({"exec", "eval", "compile", "globals", "locals", "vars", "__import__"})
_MODULES = ("kubespawner", "kubernetes", "elab_", "jupyterhub.spawner", "importlib", "runpy", "builtins", "subprocess")
_CONFIG = "c"


def spawner_settings(resource: Resource, _context: Context) -> Iterator[str]:
    """Nothing that reaches for the spawner."""
    text = (resource.inputs.get("data") or {}).get(FILE) if resource.kind == "ConfigMap" else None
    if text is None:
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        yield "policies can't judge what this file sets: it is no Python that could be read"
        return
    for line, what in dict.fromkeys(sorted(_reached(tree))):
        yield f"policies can't judge what this file sets: line {line}, {what}"


def _reached(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Lines that reach for the spawner, or for the configuration by a way that reading can't follow."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        parent = parents.get(node)
        match node:
            case ast.Attribute(attr=name) if name in _NAMES:
                yield node.lineno, _chain(node, parents)
            case ast.Name(id=name) | ast.arg(arg=name) if name in _NAMES:
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if name in _NAMES:
                    yield node.lineno, name
            case ast.Constant(value=str(value)) if value in _NAMES or value.endswith("Spawner"):
                yield node.lineno, "a spawner's name in a text"
            case ast.Import(names=names):
                yield from ((node.lineno, f"import {one.name}") for one in names if one.name.startswith(_MODULES))
            case ast.ImportFrom(module=module):
                if (module or "").startswith(_MODULES) or any(one.name in _NAMES for one in node.names):
                    yield node.lineno, f"import from {module}"
            case ast.Name(id=name) if name in _INDIRECT:
                yield node.lineno, f"{name}, by which any setting can be reached"
            case ast.Name(id=name, ctx=ast.Load()) if name == _CONFIG and not isinstance(parent, ast.Attribute):
                yield node.lineno, "the configuration as a whole is handed on"
            case ast.Call(func=ast.Name(id="get_config")) if not _to_its_name(parent):
                yield node.lineno, "the configuration as a whole is handed on"
            case ast.Attribute(value=ast.Name(id=name), attr=method) if name == _CONFIG and method[:1].islower():
                yield node.lineno, f"c.{method}, by which any setting can be reached"


def _to_its_name(parent: ast.AST | None) -> bool:
    """Whether it is `c = get_config()`, the first line of many such files."""
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name == _CONFIG
    return False


def _chain(node: ast.Attribute, parents: dict[ast.AST, ast.AST]) -> str:
    """`c.KubeSpawner.extra_containers`: names alone, as far as they reach on both sides."""
    names = [node.attr]
    value: ast.AST = node.value
    while isinstance(value, ast.Attribute):
        names.insert(0, value.attr)
        value = value.value
    if isinstance(value, ast.Name):
        names.insert(0, value.id)
    above = parents.get(node)
    while isinstance(above, ast.Attribute):
        names.append(above.attr)
        above = parents.get(above)
    return ".".join(names)


RULES = (
    Rule(
        name="extra-config",
        one=spawner_settings,
        dev="advisory",
        reason="Pods are judged as elab's own configuration makes them; what this file changes of people's servers "
        "(containers, images, volumes, rights) no policy and no inventory of images sees.",
        fix="Use the settings below users (profiles, images, volumes, shared_data, environment); where none does, read "
        "the file line by line and exempt its ConfigMap in policy/exemptions.yaml, saying what it sets.",
    ),
)
