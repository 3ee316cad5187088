"""What the local stack's Prometheus takes, and how many series each of its jobs yields and keeps."""

from operate.metrics import Prometheus
from operate.steps import OperationError


def table(instance: str = "elab") -> str:
    """Programs and jobs of a stack that runs for five minutes or more; a line that says why where none does."""
    try:
        return _table(Prometheus(namespace=f"{instance}-monitoring"), f'namespace=~"{instance}-(monitoring|node)"')
    except OperationError as error:
        return f"metrics: not measured, since {error}; `make up` starts stack local, which has them"


def _table(prometheus: Prometheus, rooms: str) -> str:
    memory = prometheus.by("container", f"max by (container) (container_memory_working_set_bytes{{{rooms}}})")
    processor = prometheus.by(
        "container", f"sum by (container) (rate(container_cpu_usage_seconds_total{{{rooms}}}[5m]))"
    )
    scraped = prometheus.by("job", "sum by (job) (scrape_samples_scraped)")
    kept = prometheus.by("job", "sum by (job) (scrape_samples_post_metric_relabeling)")
    lines = [f"{'metrics':22}{'MiB':>8}{'cores':>9}"]
    lines += [f"{name:22}{memory[name] / 2**20:>8.0f}{processor.get(name, 0):>9.4f}" for name in sorted(memory)]
    lines += ["", f"{'job':22}{'yields':>8}{'kept':>9}{'saved':>9}"]
    lines += [
        f"{job:22}{scraped[job]:>8.0f}{kept.get(job, 0):>9.0f}{scraped[job] - kept.get(job, 0):>9.0f}"
        for job in sorted(scraped)
    ]
    total, left = sum(scraped.values()), sum(kept.values())
    head = prometheus.value('prometheus_tsdb_head_series{job="prometheus"}') or 0
    lines.append(f"{'all':22}{total:>8.0f}{left:>9.0f}{total - left:>9.0f}   (in Prometheus' head: {head:.0f})")
    return "\n".join(lines)
