"""Ingest pipelines, as far as elab's own go: the processors that they use, run on one document."""

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from tests.harness.elastic.grok import grok

_COMMON = frozenset({"if", "description", "tag", "ignore_failure", "on_failure"})
OPTIONS: Mapping[str, frozenset[str]] = {
    "append": frozenset({"field", "value", "allow_duplicates", "copy_from", "media_type", "ignore_empty_values"}),
    "date": frozenset({"field", "formats", "target_field", "timezone", "locale", "output_format"}),
    "dot_expander": frozenset({"field", "path", "override"}),
    "drop": frozenset(),
    "grok": frozenset(
        {"field", "patterns", "pattern_definitions", "ecs_compatibility", "trace_match", "ignore_missing"}
    ),
    "gsub": frozenset({"field", "pattern", "replacement", "target_field", "ignore_missing"}),
    "json": frozenset(
        {"field", "target_field", "add_to_root", "add_to_root_conflict_strategy", "allow_duplicate_keys"}
        | {"strict_json_parsing"}
    ),
    "lowercase": frozenset({"field", "target_field", "ignore_missing"}),
    "pipeline": frozenset({"name", "ignore_missing_pipeline"}),
    "remove": frozenset({"field", "ignore_missing", "keep"}),
    "rename": frozenset({"field", "target_field", "ignore_missing", "override"}),
    "set": frozenset({"field", "value", "copy_from", "override", "ignore_empty_value", "media_type"}),
}
"""What each processor takes besides the common options (the reference's pages on ingest processors)."""
_CONDITION = re.compile(
    r"ctx((?:\??\.\w+)+)(?:\s*(==|!=)\s*(?:'([^']*)'|(null))|(\?)?\.startsWith\('([^']*)'\)\s*==\s*true)"
)


class Failed(Exception):
    """A processor failed, and nothing caught it."""


def problems(pipeline: Mapping[str, Any]) -> list[str]:
    """What a pipeline says that Elasticsearch does not know."""
    found = []
    for processor in [*pipeline.get("processors", []), *pipeline.get("on_failure", [])]:
        ((kind, options),) = processor.items()
        if kind not in OPTIONS:
            found.append(f"No processor type exists with name [{kind}]")
            continue
        found += [f"[{kind}] unknown option [{key}]" for key in sorted(set(options) - OPTIONS[kind] - _COMMON)]
        found += problems({"processors": options.get("on_failure", [])})
        if "if" in options:
            try:
                _holds(options["if"], {})
            except ValueError as error:
                found.append(str(error))
    return found


def run(
    pipeline: Mapping[str, Any], source: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any] | None:
    """The document after the pipeline; None: it was dropped."""
    document = copy.deepcopy(dict(source))
    try:
        kept = _each(pipeline.get("processors", []), document, others)
    except Failed as failed:
        if not pipeline.get("on_failure"):
            raise
        put(document, "_ingest.on_failure_message", str(failed))
        kept = _each(pipeline["on_failure"], document, others)
    document.pop("_ingest", None)
    return document if kept else None


def _each(processors: list[dict[str, Any]], document: dict[str, Any], others: Mapping[str, Mapping[str, Any]]) -> bool:
    for processor in processors:
        ((kind, options),) = processor.items()
        if "if" in options and not _holds(options["if"], document):
            continue
        if kind == "drop":
            return False
        try:
            if kind == "pipeline":
                made = run(others[options["name"]], document, others)
                if made is None:
                    return False
                document.clear()
                document.update(made)
            else:
                _one(kind, options, document)
        except Failed as failed:
            if options.get("ignore_failure"):
                continue
            if "on_failure" not in options:
                raise
            put(document, "_ingest.on_failure_message", str(failed))
            if not _each(options["on_failure"], document, others):
                return False
    return True


def get(document: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401  any JSON
    """A field by its dotted name; None: it is missing. Names with points of their own are fields too."""
    if path in document:
        return document[path]
    first, _, rest = path.partition(".")
    inner = document.get(first)
    return get(inner, rest) if rest and isinstance(inner, Mapping) else None


def put(document: dict[str, Any], path: str, value: Any) -> None:  # noqa: ANN401  any JSON
    """Set a field by its dotted name."""
    *way, last = path.split(".")
    for part in way:
        document = document.setdefault(part, {})
        if not isinstance(document, dict):
            raise Failed(f"cannot set [{last}] with parent object of type [String] as part of path [{path}]")
    document[last] = value


def take(document: dict[str, Any], path: str) -> Any:  # noqa: ANN401  any JSON
    """Remove a field and give what it was."""
    *way, last = path.split(".")
    for part in way:
        document = document.get(part) or {}
    return document.pop(last, None)


def _filled(template: str, document: Mapping[str, Any]) -> str:
    return re.sub(r"\{\{\{?(.*?)\}?\}\}", lambda found: str(get(document, found[1].strip()) or ""), template)


def _needed(kind: str, options: Mapping[str, Any], document: Mapping[str, Any]) -> Any:  # noqa: ANN401  any JSON
    value = get(document, options["field"])
    if value is None and not options.get("ignore_missing"):
        raise Failed(f"field [{options['field']}] not present as part of path, or null, for [{kind}]")
    return value


def _one(kind: str, options: Mapping[str, Any], document: dict[str, Any]) -> None:
    field: Any = options.get("field")
    if kind == "set":
        value = get(document, options["copy_from"]) if "copy_from" in options else options["value"]
        if isinstance(value, str) and "value" in options:
            value = _filled(value, document)
        if value in (None, "") and options.get("ignore_empty_value"):
            return
        if options.get("override", True) or get(document, options["field"]) is None:
            put(document, options["field"], copy.deepcopy(value))
        return
    if kind == "append":
        held = get(document, options["field"])
        held = held if isinstance(held, list) else [] if held is None else [held]
        added = options["value"] if isinstance(options["value"], list) else [options["value"]]
        put(document, options["field"], held + [one for one in added if one not in held])
        return
    if kind == "remove":
        for one in field if isinstance(field, list) else [field]:
            if get(document, one) is None and not options.get("ignore_missing"):
                raise Failed(f"field [{one}] not present as part of path")
            take(document, one)
        return
    value = _needed(kind, options, document)
    if value is None:
        return
    target = options.get("target_field", field)
    if kind == "rename":
        if get(document, target) is not None and not options.get("override"):
            raise Failed(f"field [{target}] already exists")
        take(document, options["field"])
        put(document, target, value)
    elif kind == "lowercase":
        put(document, target, value.lower())
    elif kind == "gsub":
        put(document, target, re.sub(options["pattern"], options["replacement"].replace("$", "\\"), value))
    elif kind == "grok":
        found = grok(value, options["patterns"], options.get("pattern_definitions", {}))
        if found is None:
            raise Failed(f"Provided Grok expressions do not match field value: [{value}]")
        for name, text in found.items():
            put(document, name, text)
    elif kind == "json":
        try:
            parsed = json.loads(value)
        except (TypeError, ValueError) as error:
            raise Failed(f"field [{field}] is no JSON") from error
        put(document, target, parsed)
    elif kind == "dot_expander":
        parent = get(document, options["path"]) if "path" in options else document
        name = str(field)
        if isinstance(parent, dict) and name in parent:
            put(parent, name, parent.pop(name))
    else:
        raise Failed(f"the harness does not run [{kind}]")


def _holds(condition: str, document: Mapping[str, Any]) -> bool:
    """A condition in the few forms of Painless that elab's pipelines keep to, joined by && or ||."""
    if "||" in condition:
        return any(_holds(part, document) for part in condition.split("||"))
    if "&&" in condition:
        return all(_holds(part, document) for part in condition.split("&&"))
    found = _CONDITION.fullmatch(condition.strip())
    if not found:
        raise ValueError(f"the harness does not know the condition: {condition}")
    # Without `?.` a missing parent is an error in Painless; so every step must have it, but the first.
    if re.search(r"\w\.\w", found[1].lstrip("?.")):
        raise ValueError(f"a missing parent would fail the condition: {condition}")
    value: Any = document
    for name in found[1].replace("?", "").lstrip(".").split("."):
        if value is not None and not isinstance(value, Mapping):
            # Whatever `ignore_failure` says: the condition is no part of the processor.
            raise Failed(f"dynamic getter [{name}] not found")
        value = value.get(name) if value is not None else None
    if found[6] is not None:
        return isinstance(value, str) and value.startswith(found[6])
    wanted = None if found[4] else found[3]
    return (value == wanted) == (found[2] == "==")
