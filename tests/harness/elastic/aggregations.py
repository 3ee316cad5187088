"""What a search aggregates: as much of it as the audit asks for."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.harness.elastic import mapping
from tests.harness.elastic.streams import Refusal


def aggregated(documents: Iterable[Mapping[str, Any]], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The least and greatest `@timestamp`; or those of each node."""
    held = list(documents)
    times = [one["@timestamp"] for one in held]
    values = {"min": min(times, default=None), "max": max(times, default=None)}
    made: dict[str, Any] = {}
    for name, one in wanted.items():
        kind = next(iter(one))
        if kind == "terms" and one[kind]["field"] == "host.name":
            nodes = {document["host"]["name"] for document in held if "host" in document}
            made[name] = {"buckets": [_bucket(held, node, one.get("aggs", {})) for node in sorted(nodes)]}
        elif one == {kind: {"field": "@timestamp"}} and kind in values:
            made[name] = mapping.moment(values[kind])
        else:
            raise Refusal(501, "harness", f"the harness does not aggregate {one}")
    return made


def _bucket(held: list[Mapping[str, Any]], node: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    own = [document for document in held if document.get("host", {}).get("name") == node]
    return {"key": node, "doc_count": len(own), **aggregated(own, wanted)}
