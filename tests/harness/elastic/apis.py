"""Elasticsearch's calls other than bulk: what is put is checked, kept and given back."""

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.harness.elastic import ingest, mapping
from tests.harness.elastic.aggregations import aggregated
from tests.harness.elastic.durations import seconds
from tests.harness.elastic.streams import Refusal, Stream, Streams, flat, manager, merged

VERSION = "9.5.1"
_INDEX_SETTINGS = re.compile(
    r"index\.(number_of_shards|number_of_replicas|auto_expand_replicas|default_pipeline|final_pipeline|codec|mode"
    r"|refresh_interval|hidden|priority|lifecycle\.(name|prefer_ilm)|query\.default_field|translog\.\w+|sort\.\w+"
    r"|mapping\.(ignore_malformed|coerce|(total_fields|depth|nested_fields|field_name_length|dimension_fields)\.limit"
    r"|total_fields\.ignore_dynamic_beyond_limit|source\.mode)|routing\.allocation\..+|unassigned\..+|blocks\.\w+)"
)
_CLUSTER_SETTINGS = re.compile(
    r"data_streams\.lifecycle\.(retention\.(default|max|failures_default)|poll_interval)|cluster\.lifecycle\.default\.rollover"
    r"|data_streams\.failure_store\.enabled|action\.(auto_create_index|destructive_requires_name)|stack\.templates\.enabled"
    r"|cluster\.(routing\..+|max_shards_per_node)|indices\..+|logger\..+|slm\.(retention_schedule|retention_duration)"
)


class Apis:
    """The state of a cluster beside its streams, and what calls make of it."""

    def __init__(self, streams: Streams, version: str = VERSION, nodes: int = 1) -> None:
        self.streams = streams
        self.version = version
        self.nodes = nodes
        self.settings: dict[str, Any] = {}
        self.kept: dict[str, dict[str, Any]] = {"ilm": {}, "slm": {}, "snapshot": {}, "user": {}, "role": {}}
        self.indices: list[str] = []
        """Indices that belong to no stream."""

    def call(self, name: str, holes: Mapping[str, str], query: Mapping[str, str], body: Any) -> Any:  # noqa: ANN401
        """The answer to a call; `Refusal` for any other than 200."""
        handler: Callable[..., Any] | None = getattr(self, "_" + name.replace(".", "_"), None)
        if handler is None:
            raise Refusal(501, "harness", f"the harness does not answer {name}")
        return handler(*holes.values(), **({"body": body} if body is not None else {}))

    def _info(self) -> Any:  # noqa: ANN401
        return {
            "name": "elasticsearch-0",
            "cluster_name": "elab",
            "cluster_uuid": "Zm9ydGhlaGFybmVzc19vbg",
            "version": {
                "number": self.version, "build_flavor": "default", "build_type": "docker", "build_hash": "0",
                "build_date": "2026-09-01T00:00:00Z", "build_snapshot": False, "lucene_version": "10.4.0",
                "minimum_wire_compatibility_version": "8.19.0", "minimum_index_compatibility_version": "8.0.0",
            },
            "tagline": "You Know, for Search",
        }  # fmt: skip

    def _license_get(self) -> Any:  # noqa: ANN401
        return {"license": {"status": "active", "type": "basic", "mode": "basic", "uid": "1"}}

    def _xpack_info(self) -> Any:  # noqa: ANN401
        return {
            "license": self._license_get()["license"],
            "features": {"security": {"available": True, "enabled": True}},
        }

    def _cluster_health(self, index: str = "") -> Any:  # noqa: ANN401
        return {
            "cluster_name": "elab", "status": "green", "timed_out": False, "number_of_nodes": self.nodes,
            "number_of_data_nodes": self.nodes, "active_shards": len(self.streams.streams), "unassigned_shards": 0,
        }  # fmt: skip

    def _nodes_stats(self, *_: str) -> Any:  # noqa: ANN401
        return {
            "_nodes": {"total": self.nodes, "successful": self.nodes, "failed": 0},
            "cluster_name": "elab",
            "nodes": {},
        }

    def _nodes_info(self, *_: str) -> Any:  # noqa: ANN401
        return self._nodes_stats()

    def _cluster_put_settings(self, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        asked = {name.removeprefix("index."): value for name, value in flat(body.get("persistent", {})).items()}
        for name in sorted(asked):
            if not _CLUSTER_SETTINGS.fullmatch(name):
                raise Refusal(400, "illegal_argument_exception", f"persistent setting [{name}], not recognized")
        after = {name: value for name, value in {**self.settings, **asked}.items() if value is not None}
        default, most = (after.get(f"data_streams.lifecycle.retention.{one}") for one in ("default", "max"))
        if default and most and seconds(default) > seconds(most):
            raise Refusal(400, "illegal_argument_exception", f"retention.default [{default}] above max [{most}]")
        self.settings = after
        return {"acknowledged": True, "persistent": asked, "transient": {}}

    def _cluster_get_settings(self) -> Any:  # noqa: ANN401
        return {"persistent": self.settings, "transient": {}}

    def _template(self, template: Mapping[str, Any]) -> None:
        known = {"settings", "mappings", "aliases", "lifecycle", "data_stream_options"}
        wrong = [f"[template] unknown field [{key}]" for key in sorted(set(template) - known)]
        names = flat(template.get("settings", {}))
        wrong += [f"unknown setting [{name}]" for name in sorted(names) if not _INDEX_SETTINGS.fullmatch(name)]
        wrong += list(mapping.problems(template.get("mappings", {})))
        lifecycles = [template.get("lifecycle", {})]
        store = template.get("data_stream_options", {}).get("failure_store", {})
        lifecycles += [store["lifecycle"]] if "lifecycle" in store else []
        for lifecycle in lifecycles:
            wrong += [f"[lifecycle] unknown field [{key}]" for key in set(lifecycle) - {"enabled", "data_retention"}]
            if "data_retention" in lifecycle:
                seconds(lifecycle["data_retention"])
        if wrong:
            raise Refusal(400, "x_content_parse_exception", "; ".join(wrong))

    def _cluster_put_component_template(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        self._template(body["template"])
        self.streams.component_templates[name] = dict(body)
        return {"acknowledged": True}

    def _cluster_get_component_template(self, name: str = "*") -> Any:  # noqa: ANN401
        found = _some(self.streams.component_templates, name)
        return {"component_templates": [{"name": key, "component_template": one} for key, one in found.items()]}

    def _indices_put_index_template(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        self._template(body.get("template", {}))
        missing = [one for one in body.get("composed_of", []) if one not in self.streams.component_templates]
        if missing:
            raise Refusal(400, "invalid_index_template_exception", f"component templates {missing} do not exist")
        if "lifecycle" in body.get("template", {}) and "data_stream" not in body:
            raise Refusal(400, "invalid_index_template_exception", "lifecycle is only supported for data streams")
        for other, template in self.streams.index_templates.items():
            same = template.get("priority", 0) == body.get("priority", 0) and other != name
            if same and any(_overlap(a, b) for a in template["index_patterns"] for b in body["index_patterns"]):
                reason = f"index template [{name}] has index patterns matching patterns from existing [{other}]"
                raise Refusal(400, "illegal_argument_exception", reason)
        self.streams.index_templates[name] = dict(body)
        return {"acknowledged": True}

    def _indices_get_index_template(self, name: str = "*") -> Any:  # noqa: ANN401
        found = _some(self.streams.index_templates, name)
        return {"index_templates": [{"name": key, "index_template": one} for key, one in found.items()]}

    def _ingest_put_pipeline(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        wrong = ingest.problems(body)
        if wrong:
            raise Refusal(400, "parse_exception", "; ".join(wrong))
        self.streams.pipelines[name] = dict(body)
        return {"acknowledged": True}

    def _ingest_get_pipeline(self, name: str = "*") -> Any:  # noqa: ANN401
        return _some(self.streams.pipelines, name)

    def _ingest_simulate(self, name: str = "", body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        assert body is not None
        pipeline = self.streams.pipelines[name] if name else body["pipeline"]
        docs = []
        for one in body["docs"]:
            try:
                made = ingest.run(pipeline, one["_source"], self.streams.pipelines)
                docs.append({"doc": {"_index": "_index", "_source": made}} if made is not None else None)
            except ingest.Failed as failed:
                docs.append({"error": {"type": "illegal_argument_exception", "reason": str(failed)}})
        return {"docs": docs}

    def _indices_get_data_stream(self, name: str = "*") -> Any:  # noqa: ANN401
        return {"data_streams": [self._shown(stream) for stream in self._streams(name)]}

    def _streams(self, name: str) -> list[Stream]:
        found = self.streams.named(name)
        if not found and "*" not in name:
            raise Refusal(404, "index_not_found_exception", f"no such index [{name}]")
        return found

    def _shown(self, stream: Stream) -> dict[str, Any]:
        name, policy, prefer_ilm = self.streams.next_of(stream.name)
        shown: dict[str, Any] = {
            "name": stream.name, "timestamp_field": {"name": "@timestamp"}, "generation": stream.generation,
            "indices": [
                {"index_name": one.index, "index_uuid": "x",
                 "managed_by": manager(stream.lifecycle, one.ilm_policy, prefer_ilm=one.prefer_ilm)}
                for one in (*stream.older, stream)
            ],
            "status": "GREEN", "hidden": stream.hidden, "system": stream.system, "prefer_ilm": prefer_ilm,
            "next_generation_managed_by": manager(stream.lifecycle, policy, prefer_ilm=prefer_ilm),
            "failure_store": stream.options.get("failure_store", {}),
        }  # fmt: skip
        shown |= {"template": name} if name else {}
        shown |= {"ilm_policy": policy} if policy else {}
        if stream.lifecycle is not None:
            shown["lifecycle"] = self._effective(stream.lifecycle)
        return shown

    def _effective(self, lifecycle: Mapping[str, Any]) -> dict[str, Any]:
        asked = lifecycle.get("data_retention") or self.settings.get("data_streams.lifecycle.retention.default")
        most = self.settings.get("data_streams.lifecycle.retention.max")
        effective = min((one for one in (asked, most) if one), key=seconds, default=None)
        return {**lifecycle, **({"effective_retention": effective} if effective else {})}

    def _indices_get_data_lifecycle(self, name: str) -> Any:  # noqa: ANN401
        found = [{"name": one.name, "lifecycle": one.lifecycle} for one in self._streams(name)]
        return {"data_streams": found, "global_retention": {}}

    def _indices_put_data_lifecycle(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        if "data_retention" in body:
            seconds(body["data_retention"])
        for stream in self._streams(name):
            stream.lifecycle = {"enabled": True, **body}
        return {"acknowledged": True}

    def _indices_put_data_stream_options(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        for stream in self._streams(name):
            stream.options = dict(body)
        return {"acknowledged": True}

    def _indices_put_settings(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        assert flat(body) == {"index.lifecycle.prefer_ilm": False}
        for stream in self._streams(name):
            for one in (*stream.older, stream):
                one.prefer_ilm = False
        return {"acknowledged": True}

    def _indices_rollover(self, name: str, body: Any = None) -> Any:  # noqa: ANN401
        """Lazily: with the next document, the stream is as its template says now."""
        (stream,) = self._streams(name)
        fresh = self.streams.create(name)
        fresh.documents, fresh.failures, fresh.generation = stream.documents, stream.failures, stream.generation + 1
        fresh.lifecycle, fresh.options, fresh.older = stream.lifecycle, stream.options, [*stream.older, stream]
        return {"acknowledged": True, "rolled_over": False, "lazy": True}

    def _snapshot_verify_repository(self, name: str) -> Any:  # noqa: ANN401
        return _some(self.kept["snapshot"], name) and {"nodes": {"1": {"name": "elasticsearch-0"}}}

    def _cat_indices(self, index: str = "*") -> Any:  # noqa: ANN401
        return [{"index": one} for one in [*(s.index for s in self.streams.streams.values()), *self.indices]]

    def _count(self, index: str = "*", body: Any = None) -> Any:  # noqa: ANN401
        name, _, selector = index.partition("::")
        failed = selector == "failures"
        return {"count": sum(len(one.failures if failed else one.documents) for one in self.streams.named(name))}

    def _search(self, index: str = "*", body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        """No hits, and aggregations."""
        found = [one for stream in self.streams.named(index) for one in stream.documents.values()]
        made = aggregated(found, (body or {}).get("aggs", {}))
        return {"hits": {"total": {"value": len(found), "relation": "eq"}, "hits": []}, "aggregations": made}

    def _ilm_get_lifecycle(self, name: str = "*") -> Any:  # noqa: ANN401
        return _some(self.kept["ilm"], name)

    def _snapshot_create_repository(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        if (unknown := set(body) - {"type", "settings", "uuid"}) or body["type"] not in (
            "s3",
            "gcs",
            "azure",
            "fs",
            "url",
        ):
            raise Refusal(400, "repository_exception", f"[{name}] {unknown or body['type']}")
        self.kept["snapshot"][name] = dict(body)
        return {"acknowledged": True}

    def _snapshot_get_repository(self, name: str = "*") -> Any:  # noqa: ANN401
        return _some(self.kept["snapshot"], name)

    def _slm_put_lifecycle(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        if body["repository"] not in self.kept["snapshot"]:
            raise Refusal(400, "illegal_argument_exception", f"no such repository [{body['repository']}]")
        unknown = set(body.get("retention", {})) - {"expire_after", "min_count", "max_count"}
        if unknown or len(body["schedule"].split()) not in (1, 6, 7):
            raise Refusal(400, "illegal_argument_exception", f"invalid policy: {unknown or body['schedule']}")
        # What it has done is not forgotten.
        self.kept["slm"][name] = {**self.kept["slm"].get(name, {}), "version": 1, "policy": dict(body)}
        return {"acknowledged": True}

    def _slm_get_lifecycle(self, name: str = "*") -> Any:  # noqa: ANN401
        return _some(self.kept["slm"], name)

    def _security_put_role(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        self.kept["role"][name] = dict(body)
        return {"role": {"created": True}}

    def _security_get_role(self, name: str = "*") -> Any:  # noqa: ANN401
        return _some(self.kept["role"], name)

    def _security_put_user(self, name: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        self.kept["user"][name] = merged(self.kept["user"].get(name, {}), body)
        return {"created": True}


def _some(kept: Mapping[str, Any], pattern: str) -> dict[str, Any]:
    found = {key: one for key, one in kept.items() if any(fnmatchcase(key, part) for part in pattern.split(","))}
    if not found and "*" not in pattern:
        raise Refusal(404, "resource_not_found_exception", f"[{pattern}] is missing")
    return found


def _overlap(one: str, other: str) -> bool:
    """Whether two patterns can match one name; exact where each has stars at the end of parts only."""
    return fnmatchcase(one.replace("*", "x"), other) or fnmatchcase(other.replace("*", "x"), one)
