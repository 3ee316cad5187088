"""What changes between two plans: objects, and their fields."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .recording import Json
from .snapshot import Entry, Snapshot

_CONTEXT = 1
"""Lines shown around a changed line of a text."""
_ABSENT = "(absent)"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field: its dotted path, and what stood and will stand there."""

    path: str
    before: Json
    after: Json


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One object that both plans have."""

    identity: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """All that differs between two plans of a stack."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Changed, ...]

    @property
    def empty(self) -> bool:
        """Whether the plans agree."""
        return not (self.added or self.removed or self.changed)


def difference(before: Snapshot, after: Snapshot) -> Difference:
    """Objects by what they are in the cluster (kind, namespace, name), other resources by URN."""
    old = {entry.identity: entry for entry in before.entries}
    new = {entry.identity: entry for entry in after.entries}
    changed = []
    for identity in sorted(old.keys() & new.keys()):
        changes = tuple(_fields("", _shown(old[identity]), _shown(new[identity])))
        if changes:
            changed.append(Changed(identity=identity, changes=changes))
    return Difference(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(changed),
    )


def _shown(entry: Entry) -> dict[str, Json]:
    return {**entry.inputs, "(urn)": entry.urn, "(protect)": entry.protect, "(retainOnDelete)": entry.retain}


def _fields(path: str, before: Json, after: Json) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else str(name)
            yield from _fields(inner, before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif _named(before) and _named(after):
        old, new = ({item["name"]: item for item in items} for items in (before, after))
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _fields(f"{path}[{name}]", old.get(name, _ABSENT), new.get(name, _ABSENT))
        if old == new:
            yield Change(path=f"{path} (order)", before=list(old), after=list(new))
    else:
        yield Change(path=path, before=before, after=after)


def _named(value: Json) -> bool:
    """Whether a list is a mapping in disguise: containers, ports, volumes, variables."""
    if not isinstance(value, list) or not value:
        return False
    names = [item.get("name") if isinstance(item, Mapping) else None for item in value]
    return None not in names and len(set(names)) == len(names)


def lines(found: Difference) -> Iterator[str]:
    """The difference as text: `+` added, `-` removed, `~` changed."""
    yield from (f"+ {identity}" for identity in found.added)
    yield from (f"- {identity}" for identity in found.removed)
    for changed in found.changed:
        yield f"~ {changed.identity}"
        for change in changed.changes:
            yield from (f"    {line}" for line in _change(change))


def _change(change: Change) -> Iterator[str]:
    before, after = change.before, change.after
    if isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
        yield f"{change.path}:"
        diff = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=_CONTEXT)
        yield from (f"  {line}" for line in _body(list(diff)))
    else:
        yield f"{change.path}: {before} → {after}"


def _body(diff: Sequence[str]) -> Sequence[str]:
    """A unified diff without the two lines that name its files."""
    return diff[2:]
