"""The monitoring itself: whether what the other dashboards show can be believed, and for how long it is kept."""

from grafana_foundation_sdk.models import dashboard as models

from components.monitoring.dashboards.panels import (
    ANY_IS_BAD,
    CORES,
    UP,
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
_PROMETHEUS = f'{_HERE}, job="prometheus"'


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "metrics",
        "Monitoring itself",
        "Can the other dashboards be believed, how far back do they go, and are people told of alerts?",
        [Row("Now", [*_now()]), Row("What is scraped", [*_jobs()]), Row("Prometheus and Alertmanager", [*_programs()])],
    )


def _now() -> list[Panel]:
    words = {"0": "refused", "1": "in use"}
    return [
        number(
            "Prometheus' settings",
            "Whether the last change of settings or rules was taken over. Refused: the ones before go on.",
            f"min(prometheus_config_last_reload_successful{{{_PROMETHEUS}}})",
            steps=UP,
            words=words,
        ),
        number(
            "Alertmanager's settings",
            "Whether the last change of receivers or routes was taken over. Refused: the ones before go on.",
            f"min(alertmanager_config_last_reload_successful{{{_HERE}}})",
            steps=UP,
            words=words,
        ),
        number(
            "Messages that failed, last day",
            "Alerts that Alertmanager could not hand to a receiver: nobody was told.",
            f"round(sum(increase(alertmanager_notifications_failed_total{{{_HERE}}}[1d])))",
            steps=ANY_IS_BAD,
        ),
        number(
            "Rules that failed, last hour",
            "Rules that could not be evaluated: an alert may be missing.",
            f"round(sum(increase(prometheus_rule_evaluation_failures_total{{{_PROMETHEUS}}}[1h])))",
            steps=ANY_IS_BAD,
        ),
        number(
            "Kept for",
            "How old the oldest sample is.",
            f"time() - min(prometheus_tsdb_lowest_timestamp_seconds{{{_PROMETHEUS}}} > 0)",
            unit="s",
        ),
        number(
            "Disk, of what it may take",
            "At 100 % the oldest samples go before the retention's time.",
            f"max((prometheus_tsdb_storage_blocks_bytes{{{_PROMETHEUS}}}"
            f" + prometheus_tsdb_wal_storage_size_bytes{{{_PROMETHEUS}}})"
            f" / (prometheus_tsdb_retention_limit_bytes{{{_PROMETHEUS}}} > 0))",
            unit="percentunit",
            steps=above(0.85, 0.95),
        ),
    ]


def _jobs() -> list[Panel]:
    return [
        listing(
            "Scrape jobs",
            "Of each job: the share of its targets that don't answer, its series, and its slowest target's time.",
            {"job": "Job"},
            [
                Column(
                    header="Silent",
                    expr=f"1 - avg by (job) (up{{{_HERE}}})",
                    unit="percentunit",
                    steps=((None, "green"), (0.001, "red")),
                ),
                Column(header="Targets", expr=f"count by (job) (up{{{_HERE}}})", unit="short"),
                Column(
                    header="Series",
                    expr=f"sum by (job) (scrape_samples_post_metric_relabeling{{{_HERE}}})",
                    unit="short",
                ),
                Column(
                    header="Series, of budget",
                    expr=f"sum by (job) (scrape_samples_post_metric_relabeling{{{_HERE}}})"
                    f" / max by (job) (elab_job_series_budget{{{_HERE}}})",
                    unit="percentunit",
                    steps=above(0.9, 1.2),
                ),
                Column(
                    header="Slowest",
                    expr=f"max by (job) (scrape_duration_seconds{{{_HERE}}})",
                    unit="s",
                    steps=above(5, 10),
                ),
            ],
            width=16,
        ),
        listing(
            "Targets without answer",
            "What Prometheus can't reach now.",
            {"job": "Job", "instance": "Instance"},
            [Column(header="Targets", expr=f"count by (job, instance) (up{{{_HERE}}} == 0)", unit="short")],
            width=8,
            quiet=True,
        ),
    ]


def _programs() -> list[Panel]:
    jobs = f'{_HERE}, job=~"prometheus|alertmanager|grafana|pushgateway|kube-state-metrics|node-exporter"'
    return [
        lines(
            "Series",
            "Series that Prometheus holds in memory; its memory and disk follow them.",
            {"series": f"sum(prometheus_tsdb_head_series{{{_PROMETHEUS}}})"},
            width=8,
        ),
        lines(
            "Memory",
            "Resident memory of the monitoring's own programs, the largest of each job.",
            {"{{job}}": f"max by (job) (process_resident_memory_bytes{{{jobs}}})"},
            unit="bytes",
            width=8,
        ),
        lines(
            "CPU",
            "Cores in use by the monitoring's own programs.",
            {"{{job}}": f"sum by (job) (rate(process_cpu_seconds_total{{{jobs}}}[$__rate_interval]))"},
            unit=CORES,
            width=8,
        ),
        listing(
            "What short jobs pushed",
            "When each group was pushed last. The Pushgateway forgets nothing by itself: an old group is a job that no"
            " longer runs.",
            {"job": "Job"},
            [
                Column(
                    header="Age",
                    expr=f"max by (job) (time() - push_time_seconds{{{_HERE}}})",
                    unit="s",
                )
            ],
            width=12,
            quiet=True,
        ),
        lines(
            "Messages per hour",
            "Messages that Alertmanager sent, by the kind of receiver.",
            {"{{integration}}": f"sum by (integration) (increase(alertmanager_notifications_total{{{_HERE}}}[1h]))"},
            width=12,
        ),
    ]
