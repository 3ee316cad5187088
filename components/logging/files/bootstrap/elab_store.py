"""What Elasticsearch is given: pipelines, templates, retention and snapshots. Given twice, it stays the same."""

import hashlib
import json
from pathlib import Path
from typing import Any

from elab_http import Client
from elab_log_values import Values
from elab_retention import BY_LIFECYCLE

COMPONENT = "elab-logs"
PRIORITY = 500
"""Above the templates that Elasticsearch brings, which have 100 and 200."""
_NO_ROLLOVER_OF_ITS_OWN = "max_primary_shard_size=50gb,min_docs=1,max_primary_shard_docs=200000000"
"""Elasticsearch's defaults besides the age."""


class Store:
    """Puts everything, and remembers what that changed."""

    def __init__(self, client: Client, values: Values, documents: Path) -> None:
        self._client = client
        self._values = values
        self._documents = documents
        self.done: list[str] = []

    def apply(self) -> None:
        """Everything, in the order in which each part needs the one before."""
        self._client.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=20s")
        self._client.ask("PUT", "/_cluster/settings", {"persistent": cluster_settings(self._values)})
        pipelines = self.pipelines()
        for name, pipeline in pipelines.items():
            self._client.ask("PUT", f"/_ingest/pipeline/{name}", pipeline)
        component = json.loads((self._documents / "component-template.json").read_text())
        self._client.ask("PUT", f"/_component_template/{COMPONENT}", component)
        self.done.append(f"{len(pipelines)} pipelines, {len(self._values.streams)} streams' templates")
        for dataset, pipeline in self._values.streams.items():
            self._stream(dataset, index_template(self._values, dataset, pipeline, component))
        if self._values.snapshots is not None:
            self._snapshots(self._values.snapshots)

    def pipelines(self) -> dict[str, Any]:
        """Pipelines by name; those that others call come first."""
        found = {path.stem: json.loads(path.read_text()) for path in (self._documents / "pipelines").glob("*.json")}
        return dict(sorted(found.items(), key=lambda one: ('"pipeline": {' in json.dumps(one[1]), one[0])))

    def _stream(self, dataset: str, template: dict[str, Any]) -> None:
        name, stream = f"elab-{dataset}", self._values.stream(dataset)
        before = self._client.found(f"/_index_template/{name}")
        self._client.ask("PUT", f"/_index_template/{name}", template)
        found = self._client.found(f"/_data_stream/{stream}")
        if found is None:
            return
        # A template is for indices to come; what is there already is changed in its own place.
        held = found["data_streams"][0]
        retention = template["template"]["lifecycle"]
        if (held.get("lifecycle") or {}).get("data_retention") != retention["data_retention"]:
            self._client.ask("PUT", f"/_data_stream/{stream}/_lifecycle", retention)
            self.done.append(f"{stream} is kept for {retention['data_retention']}")
        self._client.ask("PUT", f"/_data_stream/{stream}/_options", template["template"]["data_stream_options"])
        # The template that Elasticsearch names is the one that matches now; by which one it was made, its indices tell:
        # where lines came before elab's, by Elastic's own, whose policy deletes nothing.
        foreign = any(one["managed_by"] != BY_LIFECYCLE for one in held["indices"])
        if foreign or before is None or _digest_of(before) != template["_meta"]["digest"]:
            self._client.ask("POST", f"/{stream}/_rollover?lazy=true")
            self.done.append(f"{stream} begins a new index for its template")
        if foreign:
            # Last, since from then on nothing tells them apart.
            self._client.ask("PUT", f"/{stream}/_settings", {"index": {"lifecycle": {"prefer_ilm": False}}})
            self.done.append(f"{stream} was made by another template, and is taken over")

    def _snapshots(self, snapshots: dict[str, Any]) -> None:
        name = snapshots["name"]
        # Not verified while it is put: the answer would be an error for a bucket that is away for a moment.
        self._client.ask("PUT", f"/_snapshot/{name}?verify=false", snapshots["repository"])
        self._client.ask("POST", f"/_snapshot/{name}/_verify")
        self._client.ask("PUT", f"/_slm/policy/{name}", snapshots["policy"])
        self.done.append(f"snapshots to {name}")


def cluster_settings(values: Values) -> dict[str, Any]:
    """Retention for whatever is not told otherwise, and no longer for anything; the age of an index."""
    return {
        "data_streams.lifecycle.retention.default": values.retention,
        "data_streams.lifecycle.retention.max": values.retention,
        "data_streams.lifecycle.retention.failures_default": values.retention,
        "cluster.lifecycle.default.rollover": f"max_age={values.rollover},{_NO_ROLLOVER_OF_ITS_OWN}",
    }


def index_template(values: Values, dataset: str, pipeline: str | None, component: dict[str, Any]) -> dict[str, Any]:
    """A stream's template. Lines that can't be stored go to its failure store, to be looked at, for the same time."""
    retention = {"enabled": True, "data_retention": values.retention}
    settings = {"index": {"default_pipeline": pipeline}} if pipeline else {}
    digest = hashlib.sha256(json.dumps([component, settings], sort_keys=True).encode()).hexdigest()[:16]
    return {
        # And what docs/operations.md brings back from a snapshot: its next index would be by Elastic's own template.
        "index_patterns": [values.stream(dataset), f"{values.stream(dataset)}_restored"],
        "priority": PRIORITY,
        "data_stream": {},
        "allow_auto_create": True,
        "composed_of": [COMPONENT],
        "template": {
            "settings": settings,
            "lifecycle": retention,
            "data_stream_options": {"failure_store": {"enabled": True, "lifecycle": retention}},
        },
        "_meta": {"managed_by": "elab", "digest": digest},
    }


def _digest_of(answer: dict[str, Any]) -> str | None:
    """What the template in Elasticsearch's answer says of itself."""
    return answer["index_templates"][0]["index_template"].get("_meta", {}).get("digest")
