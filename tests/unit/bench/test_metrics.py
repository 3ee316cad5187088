"""The table of a stack's metrics: what each job yields and keeps, or why there is none."""

import pytest

from bench import metrics
from operate.metrics import Prometheus
from operate.steps import OperationError

_ROOMS = 'namespace=~"elab-(monitoring|node)"'


def test_what_the_lists_save_stands_beside_what_a_job_yields(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        f"max by (container) (container_memory_working_set_bytes{{{_ROOMS}}})": {"prometheus": 209715200.0},
        f"sum by (container) (rate(container_cpu_usage_seconds_total{{{_ROOMS}}}[5m]))": {"prometheus": 0.0125},
        "sum by (job) (scrape_samples_scraped)": {"apiserver": 20000.0, "hub": 300.0},
        "sum by (job) (scrape_samples_post_metric_relabeling)": {"apiserver": 2500.0, "hub": 300.0},
    }
    monkeypatch.setattr(Prometheus, "by", lambda _self, _label, expr: answers[expr])
    monkeypatch.setattr(Prometheus, "value", lambda _self, _expr: 2950.0)
    lines = [line.split() for line in metrics.table().splitlines()]
    assert ["prometheus", "200", "0.0125"] in lines
    assert ["apiserver", "20000", "2500", "17500"] in lines
    assert lines[-1][:4] == ["all", "20300", "2800", "17500"]


def test_a_stack_without_metrics_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_self: Prometheus) -> str:
        raise OperationError("no Prometheus runs in the namespace elab-monitoring")

    monkeypatch.setattr(Prometheus, "address", none)
    assert "no Prometheus runs in the namespace elab-monitoring; `make up`" in metrics.table()
