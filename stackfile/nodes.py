"""The nodes of a YAML file, each with its line, or one clear error."""

import re
from pathlib import Path
from typing import Final

import yaml

from stackfile.problems import Problem, StackError

# Deeper than any reader here goes; PyYAML's own composer gives up at about a thousand.
_LEVELS: Final = 500


def line_of(node: yaml.Node) -> int:
    """The line in which a node begins, counted from 1."""
    mark = node.start_mark
    return mark.line + 1 if mark else 0


def compose(path: Path) -> yaml.MappingNode:
    """The one mapping that a file holds.

    Raises:
        StackError: it can't be read, isn't YAML, or is something else than one mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8"
        raise _unreadable(path.name, f"{reason}", "a readable file of UTF-8 text", "save it as UTF-8 text") from None
    invisible = re.search("[\x85\u2028\u2029]", text)
    if invisible:
        where = f"{path.name}:{text.count(chr(10), 0, invisible.start()) + 1}"
        found, allowed = "an invisible line break of Unicode", "line breaks that every reader of YAML sees"
        raise _unreadable(where, found, allowed, "remove it; retype the line if it can't be seen")
    try:
        documents = _documents(text)
    except RecursionError:
        fix = "remove the brackets that are not closed, or closed too late"
        raise _unreadable(path.name, "brackets within brackets without end", "a readable file", fix) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        found = " ".join(part for part in (error.context, error.problem) if part)
        raise _unreadable(where, f"invalid YAML: {found}", "valid YAML", _syntax_fix(found)) from None
    except yaml.YAMLError as error:
        found = "invalid YAML: " + str(error).splitlines()[0]
        raise _unreadable(path.name, found, "valid YAML", "remove the character") from None
    if len(documents) > 1:
        where = f"{path.name}:{line_of(documents[1])}"
        fix = "remove the line --- and what follows it, or move that to another file"
        raise _unreadable(where, "a second document, which Pulumi ignores", "one document", fix)
    if not documents or not isinstance(documents[0], yaml.MappingNode):
        fix = "begin the file with `config:` (or, in Pulumi.yaml, with `name:`)"
        raise _unreadable(path.name, "no keys at its top", "a mapping", fix)
    return documents[0]


def _documents(text: str) -> list[yaml.Node]:
    """What a text holds, by libyaml, of which the CLI's own parser is a translation.

    What libyaml refuses PyYAML's parser reads, which takes 16 times as long and says better what is wrong.
    """
    try:
        _refuse_endless(text)
        return list(yaml.compose_all(text, Loader=yaml.CBaseLoader))
    except yaml.YAMLError:
        return list(yaml.compose_all(text, Loader=yaml.BaseLoader))


def _refuse_endless(text: str) -> None:
    """Raises RecursionError for levels that would overflow the stack of libyaml's composer, which counts none."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CBaseLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _LEVELS:
                raise RecursionError
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax_fix(found: str) -> str:
    if "\\t" in found:
        return "indent with spaces; YAML allows no tabs"
    if "alias" in found:
        return "define the anchor (&name) above the place that uses it (*name)"
    return "mend the line: look for a missing space after a colon, a quote left open, or a wrong indentation"


def _unreadable(where: str, found: str, allowed: str, fix: str) -> StackError:
    return StackError([Problem(where=where, found=found, allowed=allowed, fix=fix)])
