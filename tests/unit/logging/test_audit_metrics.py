"""What the audit tells Prometheus is what the vocabulary lists, so that no alert waits for a series of another name."""

from __future__ import annotations

from elab_retention import Audit, metrics

from planning.scraped import vocabulary
from tests.harness.record_vocabulary import metrics_of

STREAM = "logs-kubernetes.hub-elab"


def test_names_types_and_labels_are_those_of_the_vocabulary() -> None:
    found = Audit(newest={STREAM: 2.0}, oldest={STREAM: 1.0}, failed={STREAM: 4.0}, snapshot=5.0, nodes={"n1": 6.0})
    told = metrics_of(metrics(found, {"authority-0": 3.0, "elasticsearch": 4.0}, 5.0))
    listed = {name: one for name, one in vocabulary("pushgateway").items() if name.startswith("elab_logs_")}
    assert told.keys() == listed.keys()
    for name, metric in told.items():
        assert metric.kind == listed[name].kind
        # The Pushgateway adds the group's own.
        assert metric.labels | {"job", "instance"} == listed[name].labels, name


def test_an_alert_is_made_of_what_somebody_can_mend_alone() -> None:
    """As the exit code: a stream of Kibana's own without an end would be told of for ever, and is not to be deleted."""
    found = Audit(
        problems=["index left: belongs to no data stream"], internal=["data stream .kibana-x: has no lifecycle"]
    )
    assert "elab_logs_streams_without_lifecycle 1\n" in metrics(found, {}, 1.0)
