"""Recording rules that say what the settings say (prices, bounds, namespaces), for rules and dashboards to join."""

import re
from collections.abc import Sequence
from typing import Any

from clouds.pools import NodePool
from components.kit import INSTANCE_LABEL, NAME_LABEL
from components.monitoring.documents import text
from components.monitoring.jobs import WATERMARKS, ClusterSize, JobsArgs, WatchedLogs, jobs_of, series
from components.namespaces import ROOMS


def label_of(key: str) -> str:
    """A Kubernetes label as kube-state-metrics 2 names it: `label_` and the key in snake case."""
    legal = re.sub(r"[^a-zA-Z0-9_]", "_", key)
    return "label_" + re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", legal).lower()


def _constant(name: str, value: float, **labels: str) -> dict[str, Any]:
    return {"record": name, "expr": f"vector({value})", "labels": labels}


def _text(value: str) -> str:
    """A value as PromQL writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _pool_rules(pool: NodePool, cluster: str) -> list[dict[str, Any]]:
    labels = {"cluster": cluster, "pool": str(pool.name)}
    selector = ",".join(f"{label_of(key)}={_text(value)}" for key, value in sorted(pool.selector.items()))
    return [
        _constant("elab_pool_nodes_max", pool.nodes.max, **labels),
        _constant("elab_pool_placeholders", pool.placeholders, **labels),
        {"record": "elab_node_pool", "expr": f"group by (node) (kube_node_labels{{{selector}}})", "labels": labels},
        # A pool without a price counts as nothing.
        _constant("elab_pool_price_per_hour", pool.price_per_hour or 0, **labels),
    ]


def _other_namespaces(args: JobsArgs) -> dict[str, Any]:
    """The namespaces of other elabs in the cluster: their people and pods are theirs to be told of."""
    elabs = f'{label_of(NAME_LABEL)}="elab",{label_of(INSTANCE_LABEL)}!={_text(args.names.instance)}'
    expr = f"group by (namespace) (kube_namespace_labels{{{elabs}}})"
    return {"record": "elab_other_namespace", "expr": expr, "labels": {"cluster": args.cluster}}


def _logs_rules(logs: WatchedLogs, cluster: str) -> list[dict[str, Any]]:
    return [
        _constant("elab_logs_retention_seconds", logs.retention.seconds, cluster=cluster),
        _constant("elab_logs_rollover_seconds", logs.rollover.seconds, cluster=cluster),
        _constant("elab_logs_nodes", logs.nodes, cluster=cluster),
        *(
            _constant("elab_logs_disk_watermark", share, cluster=cluster, stage=stage)
            for stage, share in WATERMARKS.items()
        ),
    ]


def settings_rules(args: JobsArgs, size: ClusterSize, pools: Sequence[NodePool]) -> dict[str, Any]:
    """The rule file, as data."""
    rules = [rule for pool in pools for rule in _pool_rules(pool, args.cluster)]
    rules.append(_constant("elab_metrics_retention_seconds", args.settings.retention.seconds, cluster=args.cluster))
    rules += [
        _constant("elab_namespace", 1, cluster=args.cluster, room=room, namespace=args.names.of(room)) for room in ROOMS
    ]
    rules.append(_other_namespaces(args))
    rules += [
        _constant("elab_job_series_budget", series(job, args, size), cluster=args.cluster, job=job.name)
        for job in jobs_of(args)
    ]
    if args.logs is not None:
        rules += _logs_rules(args.logs, args.cluster)
    return {"groups": [{"name": "elab.settings", "interval": "1m", "rules": rules}]}


def settings_rules_text(args: JobsArgs, size: ClusterSize, pools: Sequence[NodePool]) -> str:
    """The rule file as Prometheus reads it."""
    return text(settings_rules(args, size, pools))
