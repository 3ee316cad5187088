"""YAML as Pulumi's CLI reads it, with every place refused where what is written is not what arrives.

The CLI reads YAML by another parser than Python's, and reads a number written in an unusual way (``1e3``, ``0123``,
``1_000``, ``1.10``) as another text than the one that stands there. Rather than to imitate that, an unquoted value is
taken only if it arrives in the very characters in which it was written; tests/unit/stackfile/conversions.json holds
what the real CLI makes of each.
"""

import re
from dataclasses import dataclass, field
from typing import Final

import yaml

from stackfile.nodes import line_of
from stackfile.problems import Problem

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

# What PyYAML's BaseLoader makes of a node without a tag.
_NO_TAG: Final = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
_WORDS: Final = {"true": True, "false": False, "null": None}
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]*")
_DECIMAL: Final = re.compile(r"-?[0-9]+\.[0-9]*[1-9]")
# Beyond these the CLI rounds.
_INTEGERS: Final = range(-(2**63), 2**63)
_DEPTH: Final = 50
_VALUES: Final = 50_000
# What one reader of YAML or another takes for something else than text: the words of YAML 1.1 and dates; numbers in any
# base (12:30:45 is one in base 60), their underscores left out.
_WORD_OR_DATE: Final = re.compile(
    r"""(?ix) y|yes|n|no|on|off|true|false|null|~|<<|=
    | [-+]?\.inf | \.nan
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}((t|[ \t]+)[0-9].*)?
    """
)
_NUMBER: Final = re.compile(
    r"""(?ix) [-+]?0[xob][0-9a-f]+
    | [-+]?(?=[0-9]*\.?[0-9])[0-9]*\.?[0-9]*(e[-+]?[0-9]+)?
    | [-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?
    """
)


@dataclass(kw_only=True)
class Reader:
    """Turns the nodes of one file into plain data; what it refuses gathers in ``problems``.

    ``prefix`` is the namespace of the project's keys, which paths leave out.
    """

    file: str
    prefix: str = ""
    secret_keys: frozenset[str] = frozenset()
    lines: dict[str, int] = field(default_factory=dict)
    _problems: list[tuple[int, Problem]] = field(default_factory=list)
    _refused: set[int] = field(default_factory=set)
    _open: list[int] = field(default_factory=list)
    _read: int = 0

    @property
    def problems(self) -> list[Problem]:
        """All that was refused, in the file's order."""
        return [problem for _, problem in sorted(self._problems, key=lambda found: found[0])]

    def refuse(self, node: yaml.Node, path: str, *, found: str, allowed: str, fix: str) -> None:
        """Note a problem, once for a node that several aliases lead to."""
        if id(node) not in self._refused:
            self._refused.add(id(node))
            # A mapping begins below its key, and it is the key that people look for.
            line = line_of(node) if isinstance(node, yaml.ScalarNode) else self.lines.get(path, line_of(node))
            where = f"{self.file}:{line} {path}".rstrip()
            self._problems.append((line, Problem(where=where, found=found, allowed=allowed, fix=fix)))

    def value(self, node: yaml.Node, path: str) -> Plain:
        """The plain data of a node and of everything below it."""
        if id(node) in self._open:
            found, fix = "an alias to what it stands in", "write the value out"
            self.refuse(node, path, found=found, allowed="aliases to other values", fix=fix)
            return None
        self._read += 1
        if len(self._open) > _DEPTH or self._read > _VALUES:
            allowed = f"at most {_DEPTH} levels and {_VALUES} values, aliases written out"
            self.refuse(
                node, path, found="more than a stack can need", allowed=allowed, fix="remove what multiplies it"
            )
            return None
        self.lines.setdefault(path, line_of(node))
        self._open.append(id(node))
        try:
            return self._value(node, path)
        finally:
            self._open.pop()

    def _value(self, node: yaml.Node, path: str) -> Plain:
        if node.tag not in _NO_TAG:
            self.refuse(
                node,
                path,
                found=f"the YAML tag {node.tag}",
                allowed="values without a tag",
                fix="remove the tag; quote the value if it is text",
            )
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}.{index}") for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Plain]:
        """The plain data of a mapping; merge keys (``<<``) give way to keys that are written out."""
        if is_ciphertext(node):
            known = ", ".join(sorted(self.secret_keys)) or "none"
            self.refuse(
                node,
                path,
                found="an encrypted value inside an object",
                allowed=f"secrets as keys of their own: {known}",
                fix=f"remove it here, then `pulumi config set --secret` with one of these keys: {known}",
            )
        own: dict[str, Plain] = {}
        merged: dict[str, Plain] = {}
        for name, key, item in self.entries(node, path):
            if key.value == "<<" and not key.style:
                for source in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    merged = self._merged(source, path) | merged
            else:
                self.lines.setdefault(joined(path, name), line_of(key))
                own[name] = self.value(item, joined(path, name))
        return merged | own

    def _merged(self, source: yaml.Node, path: str) -> dict[str, Plain]:
        found = self.value(source, path)
        if isinstance(found, dict):
            return found
        self.refuse(
            source,
            path,
            found="a merge key (<<) with no mapping after it",
            allowed="an alias to a mapping",
            fix="write <<: *name, with the anchor &name at a mapping above",
        )
        return {}

    def entries(self, node: yaml.MappingNode, path: str) -> list[tuple[str, yaml.ScalarNode, yaml.Node]]:
        """A mapping's entries with their names; keys that aren't text or stand there twice are refused and left out."""
        found: dict[str, tuple[str, yaml.ScalarNode, yaml.Node]] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.refuse(
                    key,
                    path,
                    found="a key that is a list or a mapping",
                    allowed="keys that are text",
                    fix="write a name as the key",
                )
                continue
            name = str(key.value)
            where = joined(path, name.removeprefix(self.prefix))
            if not key.style and name != "<<" and _has_several_readings(name):
                self.refuse(
                    key,
                    where,
                    found=f"the key {name}, which is read as a number or a word of YAML",
                    allowed="keys that are text",
                    fix=f'quote the key: "{name}"',
                )
            elif name in found:
                first = line_of(found[name][1])
                self.refuse(
                    key,
                    where,
                    found=f"the key a second time; it stands in line {first} already",
                    allowed="each key once",
                    fix="remove one of the two",
                )
            else:
                found[name] = (name, key, item)
        return list(found.values())

    def _scalar(self, node: yaml.Node, path: str) -> Plain:
        text = str(node.value)
        if getattr(node, "style", None):
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text) and int(text) in _INTEGERS:
            return int(text)
        if _DECIMAL.fullmatch(text) and repr(float(text)) == text:
            return float(text)
        if text == "":
            self.refuse(
                node,
                path,
                found="nothing after the key",
                allowed="a value",
                fix="write the value, or remove the key so that the default holds",
            )
        elif _has_several_readings(text):
            self.refuse(
                node,
                path,
                found=f"{text}, unquoted",
                allowed="a value that every reader of YAML reads alike",
                fix=_clearer(text),
            )
        return text


def _has_several_readings(text: str) -> bool:
    return bool(_WORD_OR_DATE.fullmatch(text) or _NUMBER.fullmatch(text.replace("_", "")))


def _clearer(text: str) -> str:
    """How to write a value of several readings so that it has one."""
    if text.lower() in ("y", "yes", "on", "true"):
        return f'write true, or quote it if it is text: "{text}"'
    if text.lower() in ("n", "no", "off", "false"):
        return f'write false, or quote it if it is text: "{text}"'
    if text.lower() in ("~", "null"):
        return f'write null, or quote it if it is text: "{text}"'
    return f'quote it: "{text}"; or, if it is a number, write its digits alone, without any to spare'


def is_ciphertext(node: yaml.Node) -> bool:
    """Whether that is what `pulumi config set --secret` writes."""
    if not isinstance(node, yaml.MappingNode) or len(node.value) != 1:
        return False
    ((key, item),) = node.value
    return isinstance(item, yaml.ScalarNode) and key.value == "secure"


def joined(path: str, name: str) -> str:
    """The dotted path of what lies below ``path``."""
    return f"{path}.{name}" if path else name
