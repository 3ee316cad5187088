"""What monitoring costs: series and samples by job, the disk that the retention needs, and memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.monitoring.jobs import jobs_of, series
from components.monitoring.sizing import CAP, all_series, needed_bytes, needed_memory, samples_per_second, volume
from settings import Settings

from .findings import Finding


@dataclass(frozen=True, kw_only=True)
class JobCost:
    """One scrape job."""

    job: str
    owner: str
    interval: str
    series: int
    """At most, with every pool at its largest and full."""


@dataclass(frozen=True, kw_only=True)
class MetricsCost:
    """What a stack's metrics cost."""

    jobs: tuple[JobCost, ...]
    series: int
    samples_per_second: float
    retention: str
    needed: int
    """Bytes that the retention needs."""
    disk: int
    """Bytes of Prometheus' disk."""
    cap: int
    """Bytes of it that may be filled, before the oldest metrics go."""
    memory: int
    """Bytes of Prometheus, request and limit."""
    needed_memory: int
    """Bytes that the series need."""


def metrics_cost(settings: Settings) -> MetricsCost | None:
    """What the stack's metrics cost; None where it has no monitoring."""
    if not settings.monitoring.enabled:
        return None
    args = settings.monitoring_args
    jobs, size = args.jobs, args.size
    disk = volume(jobs, size).bytes
    return MetricsCost(
        jobs=tuple(
            JobCost(
                job=job.name,
                owner=job.owner,
                interval=str(job.interval(settings.monitoring)),
                series=series(job, jobs, size),
            )
            for job in jobs_of(jobs)
        ),
        series=all_series(jobs, size),
        samples_per_second=samples_per_second(jobs, size),
        retention=str(settings.monitoring.retention),
        needed=needed_bytes(jobs, size),
        disk=disk,
        cap=int(disk * CAP),
        memory=settings.monitoring.prometheus.resources.memory.limit.bytes,
        needed_memory=needed_memory(jobs, size),
    )


def findings(settings: Settings) -> Iterator[Finding]:
    """A stack that measures and tells nobody; and one that nothing outside watches."""
    alerting = settings.monitoring.alerting
    if not settings.monitoring.enabled:
        return
    if not any(alerting.severities.values()) and not alerting.routes:
        yield Finding(
            level="info",
            where="monitoring.alerting.severities",
            what="nobody is told of alerts: Grafana alone shows them",
            fix="name receivers, and who is told of critical alerts and of warnings",
        )
    elif alerting.heartbeat is None:
        yield Finding(
            level="info",
            where="monitoring.alerting.heartbeat",
            what="nobody notices when Prometheus or Alertmanager itself is down",
            fix="set heartbeat: {interval: 5m}, and the address of a watcher outside as elab:alert_heartbeat_url",
        )
