"""The table of a stack's metrics: what each job yields and keeps, or why there is none."""

import pytest

from bench import metrics
from operate.metrics import Prometheus
from operate.steps import OperationError


def test_what_the_lists_save_stands_beside_what_a_job_yields(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "max by (job) (process_resident_memory_bytes)": {"prometheus": 209715200.0, "hub": 1.0},
        "sum by (job) (rate(process_cpu_seconds_total[5m]))": {"prometheus": 0.0125, "hub": 1.0},
        "sum by (job) (scrape_samples_scraped)": {"apiserver": 20000.0, "hub": 300.0},
        "sum by (job) (scrape_samples_post_metric_relabeling)": {"apiserver": 2500.0, "hub": 300.0},
    }
    monkeypatch.setattr(Prometheus, "by", lambda _self, _label, expr: answers[expr])
    monkeypatch.setattr(Prometheus, "value", lambda _self, _expr: 2950.0)
    lines = [line.split() for line in metrics.table().splitlines()]
    assert ["prometheus", "200", "0.0125"] in lines
    assert not [line for line in lines if line[:1] == ["hub"] and len(line) == 3], "people's hub is no program of it"
    assert ["apiserver", "20000", "2500", "17500"] in lines
    assert lines[-1][:4] == ["all", "20300", "2800", "17500"]


def test_a_stack_without_metrics_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_self: Prometheus) -> str:
        raise OperationError("no Prometheus runs in the namespace elab-monitoring")

    monkeypatch.setattr(Prometheus, "address", none)
    assert "no Prometheus runs in the namespace elab-monitoring; `make up`" in metrics.table()
