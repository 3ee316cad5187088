"""What a run of a Pulumi program registered: plain data, so that plans, checks and tests need no engine to read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# Any JSON value: None, bool, int, float, str, list or dict.
Json = Any
# A place inside a resource's inputs: property names and list indices, outermost first.
Path = tuple[str | int, ...]

KUBERNETES = "kubernetes:"
STACK_TYPE = "pulumi:pulumi:Stack"
STACK_REFERENCE = "pulumi:pulumi:StackReference"


class _Unknown:
    """The value of an output that a preview cannot know yet."""

    def __repr__(self) -> str:
        return "<unknown until applied>"


UNKNOWN = _Unknown()


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One RegisterResource request, with secrets unwrapped and their places remembered."""

    urn: str
    type: str
    name: str
    parent: str
    """The parent's URN; the stack's for a resource without one, empty for the stack itself."""
    custom: bool
    """True for a resource that a provider manages, False for a component."""
    inputs: Mapping[str, Any]
    """Inputs by their wire names; whole numbers are ints, secrets are in clear (fakes: see `planning.fakes`)."""
    secret_paths: frozenset[Path] = frozenset()
    protect: bool = False
    retain_on_delete: bool = False
    dependencies: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """URNs, or `name=…,type=…,parent=…` for an alias that is given in parts."""
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    delete_before_replace: bool = False
    provider: str = ""
    """`<provider URN>::<provider id>`, or empty where the default provider would be taken."""
    import_id: str = ""
    timeouts: Mapping[str, str] = field(default_factory=dict)
    read: bool = False
    """True for `.get()`: the program looks the resource up, and does not manage it."""

    @property
    def is_kubernetes(self) -> bool:
        """Whether this is an object of the cluster (the provider itself is not)."""
        return self.custom and self.type.startswith(KUBERNETES)


@dataclass(frozen=True, kw_only=True)
class Message:
    """A line that the program logged: severity is info, warning or error."""

    severity: str
    text: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """A whole run: resources in the order of their registration, outputs and log messages. No run is another."""

    project: str
    stack: str
    resources: tuple[Recorded, ...]
    registered_outputs: Mapping[str, Mapping[str, Any]]
    """By component URN; a component that never called register_outputs is missing."""
    outputs: Mapping[str, Any]
    """The stack's outputs, secrets unwrapped."""
    secret_outputs: frozenset[str]
    secrets: frozenset[str]
    """Every string known to be secret in this run: nothing that is shown or written may contain one."""
    messages: tuple[Message, ...] = ()

    def __getitem__(self, name: str) -> Recorded:
        """The one resource of this logical name. Raises KeyError naming the candidates unless there is exactly one."""
        found = [resource for resource in self.resources if resource.name == name]
        if len(found) != 1:
            listed = ", ".join(resource.urn for resource in found) or "none"
            raise KeyError(f"{len(found)} resources are called {name!r}: {listed}")
        return found[0]

    def of_type(self, type_token: str) -> list[Recorded]:
        """Resources of exactly this type token, in order of registration."""
        return [resource for resource in self.resources if resource.type == type_token]

    def children(self, urn: str) -> list[Recorded]:
        """The direct children of a component."""
        return [resource for resource in self.resources if resource.parent == urn]

    def kubernetes(self) -> Iterator[Recorded]:
        """Objects of the cluster that the program manages."""
        return (resource for resource in self.resources if resource.is_kubernetes and not resource.read)


def value_at(inputs: Json, path: Path) -> Json:
    """The value at a path. Raises KeyError, IndexError or TypeError where there is none."""
    for step in path:
        inputs = inputs[step]
    return inputs


def strings_in(value: Json) -> Iterator[str]:
    """Every string below a value, without mapping keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for child in value.values():
            yield from strings_in(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from strings_in(child)
