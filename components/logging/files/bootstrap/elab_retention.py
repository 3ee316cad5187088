"""Whether everything that is kept will be deleted, and from when to when each stream reaches."""

import socket
import ssl
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elab_http import Client
from elab_log_values import Values, seconds

JOB = "elab-logs-audit"
BY_LIFECYCLE = "Data stream lifecycle"
"""How Elasticsearch says that an index is deleted by its stream's retention, and by no policy."""
_SECONDS = 20
_MOST_NODES = 10000
"""Twice what Kubernetes is made for (its page on large clusters)."""


@dataclass(kw_only=True)
class Audit:
    """What was found."""

    problems: list[str] = field(default_factory=list)
    """What nothing deletes, or too late, of what elab and people write."""
    internal: list[str] = field(default_factory=list)
    """The same of what Elasticsearch and Kibana write for themselves."""
    newest: dict[str, float] = field(default_factory=dict)
    """When each stream's newest event was, in seconds since 1970."""
    oldest: dict[str, float] = field(default_factory=dict)
    nodes: dict[str, float] = field(default_factory=dict)
    """When the newest event of each node's own system was, in seconds since 1970."""
    failed: dict[str, float] = field(default_factory=dict)
    """How many of each stream's documents went to its failure store in the last day."""
    snapshot: float | None = None
    """When the last snapshot was done, in seconds since 1970; 0: never; None: none are to be made."""


def audit(client: Client, values: Values) -> Audit:
    """Look at every data stream and index."""
    found = Audit()
    streams = client.ask("GET", "/_data_stream/*?expand_wildcards=all")["data_streams"]
    policies = client.ask("GET", "/_ilm/policy")
    ours = {values.stream(dataset) for dataset in values.streams}
    for stream in streams:
        name = stream["name"]
        problem = _stream_problem(stream, policies, values.retention if name in ours else None)
        if problem:
            (found.internal if name.startswith(".") else found.problems).append(f"data stream {name}: {problem}")
        if name in ours:
            _reach(client, name, found)
            found.failed[name] = _failed(client, name)
    found.nodes = _nodes(
        client, [values.stream(dataset) for dataset in values.streams if dataset.startswith("system.")]
    )
    if values.snapshots is not None:
        name = values.snapshots["name"]
        done = client.ask("GET", f"/_slm/policy/{name}")[name].get("last_success")
        found.snapshot = done["time"] / 1000 if done else 0.0
    for index in client.ask("GET", "/_cat/indices?format=json&h=index&expand_wildcards=all"):
        if not index["index"].startswith("."):
            found.problems.append(f"index {index['index']}: belongs to no data stream, so that nothing deletes it")
    return found


def _stream_problem(stream: dict[str, Any], policies: dict[str, Any], wanted: str | None) -> str | None:
    """Why nothing deletes a stream's events, or not when it should; None: all is well."""
    if stream.get("system"):
        return None
    managers = {stream.get("next_generation_managed_by"), *(one.get("managed_by") for one in stream.get("indices", ()))}
    if wanted is None and managers == {"Index Lifecycle Management"}:
        phases = policies.get(stream.get("ilm_policy"), {}).get("policy", {}).get("phases", {})
        return None if "delete" in phases else f"its policy {stream.get('ilm_policy')} has no delete phase"
    lifecycle = stream.get("lifecycle") or {}
    if managers != {BY_LIFECYCLE} or not lifecycle.get("enabled", True):
        return "has no lifecycle"
    kept = lifecycle.get("effective_retention") or lifecycle.get("data_retention")
    if kept is None:
        return "has a lifecycle without retention"
    if wanted is not None and seconds(kept) != seconds(wanted):
        return f"is kept for {kept} instead of {wanted}"
    return None


def _reach(client: Client, stream: str, found: Audit) -> None:
    bounds = {"oldest": {"min": {"field": "@timestamp"}}, "newest": {"max": {"field": "@timestamp"}}}
    answer = client.ask("POST", f"/{stream}/_search", {"size": 0, "aggs": bounds})["aggregations"]
    for name, kept in (("oldest", found.oldest), ("newest", found.newest)):
        if answer[name]["value"] is not None:
            kept[stream] = answer[name]["value"] / 1000


def _nodes(client: Client, streams: list[str]) -> dict[str, float]:
    newest = {"newest": {"max": {"field": "@timestamp"}}}
    nodes = {"nodes": {"terms": {"field": "host.name", "size": _MOST_NODES}, "aggs": newest}}
    # There is no stream before its first line.
    path = f"/{','.join(streams)}/_search?ignore_unavailable=true"
    answer = client.ask("POST", path, {"size": 0, "aggs": nodes})
    # Without any stream there are no aggregations either.
    buckets = answer.get("aggregations", {}).get("nodes", {}).get("buckets", [])
    return {one["key"]: one["newest"]["value"] / 1000 for one in buckets}


def _failed(client: Client, stream: str) -> float:
    """Whoever sent them was told that all went well."""
    lately = {"query": {"range": {"@timestamp": {"gte": "now-1d"}}}}
    # There is no such index before the first failure.
    return client.ask("POST", f"/{stream}::failures/_count?ignore_unavailable=true", lately)["count"]


def metrics(found: Audit, certificates: dict[str, float], now: float) -> str:
    """What was found, as Prometheus reads it."""
    series = {
        # What Elasticsearch and Kibana write for themselves is theirs to keep, and nobody's to mend.
        "streams_without_lifecycle": {"": float(len(found.problems))},
        "audit_timestamp_seconds": {"": now},
        "newest_timestamp_seconds": {f'{{stream="{name}"}}': value for name, value in found.newest.items()},
        "oldest_timestamp_seconds": {f'{{stream="{name}"}}': value for name, value in found.oldest.items()},
        "node_newest_timestamp_seconds": {f'{{node="{name}"}}': value for name, value in found.nodes.items()},
        "failed_documents": {f'{{stream="{name}"}}': value for name, value in found.failed.items()},
        "snapshot_timestamp_seconds": {} if found.snapshot is None else {"": found.snapshot},
        "certificate_expiry_timestamp_seconds": {
            f'{{certificate="{name}"}}': value for name, value in certificates.items()
        },
    }
    lines = []
    for name, values in series.items():
        lines.append(f"# TYPE elab_logs_{name} gauge")
        lines += [f"elab_logs_{name}{labels} {value:.0f}" for labels, value in sorted(values.items())]
    return "\n".join(lines) + "\n"


def expiries(servers: dict[str, str | None], authority: Path) -> dict[str, float]:
    """When certificates end, in seconds since 1970: the authorities' that are trusted, and what each server shows."""
    context = ssl.create_default_context(cafile=str(authority))
    trusted = sorted(ssl.cert_time_to_seconds(str(one["notAfter"])) for one in context.get_ca_certs())
    found = {f"authority-{place}": float(end) for place, end in enumerate(trusted)}
    for name, url in servers.items():
        where = urllib.parse.urlsplit(url or "")
        if where.scheme == "https" and where.hostname:
            with (
                socket.create_connection((where.hostname, where.port or 443), timeout=_SECONDS) as plain,
                context.wrap_socket(plain, server_hostname=where.hostname) as shown,
            ):
                found[name] = float(ssl.cert_time_to_seconds(str((shown.getpeercert() or {})["notAfter"])))
    return found


def push(url: str, text: str) -> None:
    """Tell the Pushgateway; what was told before is replaced."""
    request = urllib.request.Request(f"{url.rstrip('/')}/metrics/job/{JOB}", text.encode(), method="PUT")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=_SECONDS):
        pass
