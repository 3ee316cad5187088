"""Prometheus is asked at the pod that stays, and what can't be answered is said."""

import pytest

from operate import rig
from operate.metrics import Prometheus
from operate.steps import OperationError


@pytest.mark.parametrize(
    "listed",
    [":10.98.0.7 ", "2026-11-23T21:00:00Z:10.98.0.6 :10.98.0.7 ", ": :10.98.0.7 "],
    ids=["one", "another on its way out", "another without an address yet"],
)
def test_the_pod_that_stays_is_asked(listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig, "kubectl", lambda *_: listed)
    assert Prometheus(namespace="elab-monitoring").address() == "10.98.0.7"


@pytest.mark.parametrize("listed", ["", ": ", "2026-11-23T21:00:00Z:10.98.0.6 "])
def test_no_pod_is_an_error_with_the_namespace(listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig, "kubectl", lambda *_: listed)
    with pytest.raises(OperationError, match="elab-monitoring"):
        Prometheus(namespace="elab-monitoring").query("up")


def test_a_prometheus_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing listens there.
    monkeypatch.setattr(Prometheus, "address", lambda _self: "127.0.0.1")
    with pytest.raises(OperationError, match="does not answer"):
        Prometheus(namespace="elab-monitoring").query("up")
