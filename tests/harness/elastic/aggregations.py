"""What a search aggregates: as much of it as the audit asks for."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.harness.elastic import mapping
from tests.harness.elastic.streams import Refusal


def aggregated(documents: Iterable[Mapping[str, Any]], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The least and greatest `@timestamp`."""
    held = list(documents)
    times = [one["@timestamp"] for one in held]
    values = {"min": min(times, default=None), "max": max(times, default=None)}
    made: dict[str, Any] = {}
    for name, one in wanted.items():
        ((kind, options),) = one.items()
        if kind not in values or options != {"field": "@timestamp"}:
            raise Refusal(501, "harness", f"the harness does not aggregate {one}")
        made[name] = mapping.moment(values[kind])
    return made
