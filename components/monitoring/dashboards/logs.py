"""The logs' own way: read on every node, sent, kept in Elasticsearch, and deleted when their time is over."""

from grafana_foundation_sdk.models import dashboard as models

from components.monitoring.dashboards.panels import (
    ANY_IS_BAD,
    Column,
    Panel,
    Row,
    above,
    dashboard,
    lines,
    listing,
    number,
)

_HERE = 'cluster="$cluster"'
_FULL = (
    f"1 - elasticsearch_filesystem_data_available_bytes{{{_HERE}}}"
    f" / elasticsearch_filesystem_data_size_bytes{{{_HERE}}}"
)
_READ = f'{_HERE}, name=~"people|hub|proxy|platform|cluster"'
"""Fluent Bit's inputs that read files. Filters that join lines hand records on by inputs of their own."""
_WATERMARKS = above(0.85, 0.9)
"""Elasticsearch's own low and high watermark, unless a stack says otherwise."""


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "logs",
        "Logs pipeline",
        "Do logs arrive, is any lost, is there room for them, and are they deleted when they should be?",
        [
            Row("Now", [*_now()]),
            Row("On their way", [*_way()]),
            Row("Streams and shippers", [_streams(), _shippers()]),
            Row("Where they are kept", [*_store()]),
        ],
    )


def _now() -> list[Panel]:
    return [
        number(
            "Elasticsearch",
            "Green: every log is there as often as it should be. Yellow: copies are missing. Red: logs can't be read.",
            f'max(elasticsearch_cluster_health_status{{{_HERE}, color="yellow"}})'
            f' + 2 * max(elasticsearch_cluster_health_status{{{_HERE}, color="red"}})',
            steps=((None, "green"), (1.0, "orange"), (2.0, "red")),
            words={"0": "green", "1": "yellow", "2": "red"},
        ),
        number(
            "Nodes that are missing",
            "How many nodes of Elasticsearch are not in its cluster.",
            f"max(elab_logs_nodes{{{_HERE}}}) - max(elasticsearch_cluster_health_number_of_nodes{{{_HERE}}})",
            steps=ANY_IS_BAD,
        ),
        number(
            "Fullest disk",
            "Of Elasticsearch's disks. Beyond 95 % it takes no more logs.",
            f"max({_FULL})",
            unit="percentunit",
            steps=_WATERMARKS,
        ),
        number(
            "Records lost, last day",
            "What Fluent Bit gave up: its retries ended, its buffer was full, or a record was refused for good.",
            f"sum(increase(fluentbit_output_dropped_records_total{{{_HERE}}}[1d]))",
            steps=ANY_IS_BAD,
        ),
        number(
            "Kept for",
            "How old the oldest log was when the audit looked last.",
            f"max(elab_logs_audit_timestamp_seconds{{{_HERE}}}) - min(elab_logs_oldest_timestamp_seconds{{{_HERE}}})",
            unit="s",
        ),
        number(
            "Streams that nothing deletes",
            "Data streams without the stack's lifecycle, as the audit saw them last.",
            f"max(elab_logs_streams_without_lifecycle{{{_HERE}}})",
            steps=ANY_IS_BAD,
        ),
    ]


def _way() -> list[Panel]:
    return [
        lines(
            "Records read and handed over",
            "Of containers' logs on all nodes, per second. Handed over stays a little below read, since lines of one"
            " message are joined; a widening gap is a backlog.",
            {
                "read": f"sum(rate(fluentbit_input_records_total{{{_READ}}}[$__rate_interval]))",
                "handed over": f"sum(rate(fluentbit_output_proc_records_total{{{_HERE}}}[$__rate_interval]))",
            },
            unit="cps",
        ),
        lines(
            "Sent by each node",
            "Bytes per second that each node's Fluent Bit handed over: which node talks most.",
            {
                "{{node}}": f"sum by (node) (rate(fluentbit_output_proc_bytes_total{{{_HERE}}}[$__rate_interval]))",
            },
            unit="Bps",
            leads_to="hosts",
        ),
        lines(
            "Waiting on the nodes' disks",
            "Chunks of logs that are read and not yet taken. Some dozens are usual; some hundreds are an outage.",
            {"{{node}}": f"sum by (node) (fluentbit_storage_fs_chunks{{{_HERE}}})"},
            steps=above(100, 300),
            width=8,
        ),
        lines(
            "From read to stored",
            "How long a record takes on average, by node.",
            {
                "{{node}}": "sum by (node)"
                f" (rate(fluentbit_output_latency_seconds_sum{{{_HERE}}}[$__rate_interval]))"
                " / sum by (node)"
                f" (rate(fluentbit_output_latency_seconds_count{{{_HERE}}}[$__rate_interval]))"
            },
            unit="s",
            steps=above(10, 60),
            width=8,
        ),
        lines(
            "Retries and losses",
            "Per hour: chunks that were tried again, and records that were given up.",
            {
                "tried again": f"sum(increase(fluentbit_output_retries_total{{{_HERE}}}[1h]))",
                "lost": f"sum(increase(fluentbit_output_dropped_records_total{{{_HERE}}}[1h]))",
            },
            width=8,
        ),
    ]


def _streams() -> Panel:
    age = "max by (stream) (time() - elab_logs_{}_timestamp_seconds{{{}}})"
    return listing(
        "Streams",
        "Of each data stream: how old its newest and its oldest event are, as the audit saw them last.",
        {"stream": "Stream"},
        [
            Column(header="Newest event", expr=age.format("newest", _HERE), unit="s"),
            Column(header="Oldest event", expr=age.format("oldest", _HERE), unit="s"),
        ],
        width=14,
    )


def _shippers() -> Panel:
    ready = f'kube_daemonset_status_number_ready{{{_HERE}, daemonset=~"fluent-bit|filebeat"}}'
    nodes = f"count by (cluster) (kube_node_info{{{_HERE}}})"
    return listing(
        "Shippers that are missing",
        "On how many nodes each shipper is missing or not ready; Fluent Bit is not while Elasticsearch takes nothing.",
        {"namespace": "Namespace", "daemonset": "Shipper"},
        [
            Column(
                header="Nodes without",
                expr=f"sum by (namespace, daemonset) ({nodes} - on (cluster) group_right () {ready} > 0)",
                unit="short",
                steps=((None, "green"), (1.0, "orange")),
            )
        ],
        width=10,
        quiet=True,
        leads_to="pods",
    )


def _store() -> list[Panel]:
    return [
        lines(
            "Disk in use",
            "How full each node's disk is. Elasticsearch's watermarks are at 85, 90 and 95 %.",
            {"{{name}}": f"max by (name) ({_FULL})"},
            unit="percentunit",
            steps=_WATERMARKS,
            highest=1,
            width=8,
        ),
        lines(
            "Size of the logs",
            "What each node keeps, copies too: it follows the retention.",
            {"{{name}}": f"sum by (name) (elasticsearch_indices_store_size_bytes{{{_HERE}}})"},
            unit="bytes",
            stacked=True,
            width=8,
        ),
        lines(
            "Documents stored",
            "Per second, by node, copies too.",
            {
                "{{name}}": "sum by (name)"
                f" (rate(elasticsearch_indices_indexing_index_total{{{_HERE}}}[$__rate_interval]))"
            },
            unit="cps",
            width=8,
        ),
        lines(
            "Writes that were refused",
            "Per hour, by node: its queue was full. Shippers try again.",
            {
                "{{name}}": "sum by (name)"
                f' (increase(elasticsearch_thread_pool_rejected_count{{{_HERE}, type="write"}}[1h]))'
            },
            width=8,
        ),
        lines(
            "Heap in use",
            "Share of its heap that each node uses. It goes up and down; what stays above 85 % is too little memory.",
            {
                "{{name}}": "max by (name)"
                f' (elasticsearch_jvm_memory_used_bytes{{{_HERE}, area="heap"}}'
                f' / elasticsearch_jvm_memory_max_bytes{{{_HERE}, area="heap"}})'
            },
            unit="percentunit",
            steps=above(0.85, 0.95),
            highest=1,
            width=8,
        ),
        lines(
            "CPU",
            "Share of the processors that each node may use.",
            {"{{name}}": f"max by (name) (elasticsearch_process_cpu_percent{{{_HERE}}}) / 100"},
            unit="percentunit",
            width=8,
        ),
    ]
