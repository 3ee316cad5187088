"""Grok in Python's regular expressions: the patterns of Elasticsearch's library that elab's pipelines use."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

PATTERNS = {
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "INT": r"(?:[+-]?(?:[0-9]+))",
    "IPORHOST": r"(?:[0-9A-Fa-f:.]+|[\w.-]+)",
    "NOTSPACE": r"\S+",
    "NUMBER": r"(?:[+-]?(?:[0-9]+(?:\.[0-9]+)?))",
    "POSINT": r"\b(?:[1-9][0-9]*)\b",
    "SPACE": r"\s*",
    "WORD": r"\b\w+\b",
}
_TYPES: Mapping[str | None, Callable[[str], Any]] = {
    None: str,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
}
_USE = re.compile(r"%\{(\w+)(?::([\w.@\[\]]+))?(?::(\w+))?\}")


@lru_cache(maxsize=256)
def _compiled(
    pattern: str, definitions: tuple[tuple[str, str], ...]
) -> tuple[re.Pattern[str], dict[str, tuple[str, str | None]]]:
    known = {**PATTERNS, **dict(definitions)}
    fields: dict[str, tuple[str, str | None]] = {}

    def use(found: re.Match[str]) -> str:
        inner = _USE.sub(use, known[found[1]])
        if found[2] is None:
            return f"(?:{inner})"
        group = f"g{len(fields)}"
        fields[group] = found[2], found[3]
        return f"(?P<{group}>{inner})"

    # The end of the text is `\z` to Elasticsearch, and `\Z` to Python before 3.14.
    return re.compile(_USE.sub(use, pattern).replace(r"\z", r"\Z")), fields


def grok(text: str, patterns: Sequence[str], definitions: Mapping[str, str]) -> dict[str, Any] | None:
    """What the first pattern that matches anywhere in the text finds; None: none does."""
    for pattern in patterns:
        regex, fields = _compiled(pattern, tuple(sorted(definitions.items())))
        found = regex.search(text)
        if found:
            # A group that took no part sets no field.
            return {
                name: _TYPES[kind](found[group]) for group, (name, kind) in fields.items() if found[group] is not None
            }
    return None
