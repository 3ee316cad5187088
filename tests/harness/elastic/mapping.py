"""How a document fits its data stream's mapping, as far as log lines can miss it."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any

TYPES = frozenset(
    {"alias", "boolean", "byte", "constant_keyword", "date", "date_nanos", "double", "flattened", "float", "geo_point"}
    | {"half_float", "integer", "ip", "keyword", "long", "match_only_text", "nested", "object", "scaled_float", "short"}
    | {"text", "unsigned_long", "version", "wildcard"}
)
_WHOLE = {"byte", "short", "integer", "long", "unsigned_long"}
_NUMBERS = _WHOLE | {"double", "float", "half_float", "scaled_float"}


class Misfit(Exception):
    """The document can't be stored: Elasticsearch's reason."""


def leaves(properties: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field of a mapping by its dotted name."""
    for name, field in properties.items():
        full = f"{path}{name}"
        if "properties" in field:
            yield from leaves(field["properties"], f"{full}.")
        else:
            yield full, field


def problems(mappings: Mapping[str, Any]) -> Iterator[str]:
    """What a mapping says that Elasticsearch does not know."""
    known = {"properties", "dynamic", "dynamic_templates", "date_detection", "numeric_detection", "_meta", "_source"}
    yield from (f"unknown root key [{key}]" for key in sorted(set(mappings) - known - {"subobjects", "_routing"}))
    for name, field in leaves(mappings.get("properties", {})):
        if field.get("type", "object") not in TYPES:
            yield f"No handler for type [{field.get('type')}] declared on field [{name}]"


def expanded(source: Mapping[str, Any]) -> dict[str, Any]:
    """A document with dotted names as objects."""
    made: dict[str, Any] = {}
    for key, value in source.items():
        *way, last = key.split(".")
        here = made
        for part in way:
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                raise Misfit(f"object mapping for [{part}] tried to parse field [{part}] as object, but found a value")
        inner = expanded(value) if isinstance(value, Mapping) else value
        if isinstance(inner, dict) and isinstance(here.get(last), dict):
            here[last].update(inner)
        else:
            here[last] = inner
    return made


def check(source: Mapping[str, Any], mappings: Mapping[str, Any], *, ignore_malformed: bool) -> None:
    """Raise `Misfit` for a document that can't be stored."""
    if source.get("@timestamp") is None:
        raise Misfit("data stream timestamp field [@timestamp] is missing")
    _check_object(expanded(source), mappings.get("properties", {}), "", mappings.get("dynamic", True), ignore_malformed)


def _check_object(
    value: Mapping[str, Any], properties: Mapping[str, Any], path: str, dynamic: object, ignore: bool
) -> None:
    for name, item in value.items():
        full, field = f"{path}{name}", properties.get(name)
        if field is None:
            if dynamic == "strict":
                raise Misfit(f"mapping set to strict, dynamic introduction of [{name}] within [{path}] is not allowed")
            continue
        for one in item if isinstance(item, list) else [item]:
            if one is None:
                continue
            if "properties" in field or field.get("type") == "object":
                if not isinstance(one, Mapping):
                    raise Misfit(
                        f"object mapping for [{full}] tried to parse field [{name}] as object, but found a value"
                    )
                _check_object(one, field.get("properties", {}), f"{full}.", field.get("dynamic", dynamic), ignore)
            else:
                # Of @timestamp nothing malformed is ignored: it is what a data stream stands on.
                may = field.get("ignore_malformed", ignore) and full != "@timestamp"
                _check_leaf(one, field["type"], full, bool(may))


def _check_leaf(value: Any, kind: str, name: str, ignore: bool) -> None:  # noqa: ANN401  any JSON
    if kind == "flattened":
        if not isinstance(value, Mapping):
            raise Misfit(f"failed to parse field [{name}] of type [flattened]")
        return
    if isinstance(value, Mapping):
        # No setting lets an object pass for a text.
        raise Misfit(f"failed to parse field [{name}] of type [{kind}]: Can't get text on a START_OBJECT")
    if not ignore and not _fits(value, kind):
        raise Misfit(f"failed to parse field [{name}] of type [{kind}] in document")


def _fits(value: Any, kind: str) -> bool:  # noqa: ANN401  any JSON
    try:
        if kind in _NUMBERS:
            number = float(value)
            return not isinstance(value, bool) and (kind not in _WHOLE or abs(number) < 2**63)
        if kind == "ip":
            ip_address(value)
        elif kind == "boolean":
            return value in (True, False, "true", "false", "")
        elif kind in ("date", "date_nanos") and isinstance(value, str):
            # The format strict_date_optional_time, whose fraction may be of nine digits.
            datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.replace("Z", "+00:00")))
    except (TypeError, ValueError):
        return False
    return True


def moment(value: str | float | None) -> dict[str, Any]:
    """A time as an aggregation gives it, in milliseconds."""
    if value is None:
        return {"value": None}
    if isinstance(value, str):
        shortened = re.sub(r"(\.\d{6})\d+", r"\1", value.replace("Z", "+00:00"))
        value = datetime.fromisoformat(shortened).timestamp() * 1000
    return {"value": float(value)}
