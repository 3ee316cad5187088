"""What is recorded of an exporter is what its text says, under the names that queries use."""

import yaml

from tests.harness.record_vocabulary import Metric, metrics_of, rewritten, together

_TEXT = """\
# TYPE spawn_seconds histogram
spawn_seconds_bucket{status="success",le="1.0"} 2
spawn_seconds_bucket{status="success",le="+Inf"} 3
spawn_seconds_count{status="success"} 3
spawn_seconds_sum{status="success"} 2.5
# TYPE failures_total counter
failures_total{reason="full"} 1
failures_total{reason="disk",pool="a"} 1
# TYPE size summary
size{quantile="0.5"} 1
size_count 1
size_sum 1
# TYPE load gauge
load 1
# TYPE old counter
old{path="a}b\\"c\\\\",y="z"} 1 1795466110889
bare{x="y"} 1
"""


def _metric(kind: str, *labels: str) -> Metric:
    return Metric(kind=kind, labels=frozenset(labels))


def test_names_types_and_labels_are_those_of_the_text() -> None:
    assert metrics_of(_TEXT) == {
        "spawn_seconds": _metric("histogram", "status"),
        "failures_total": _metric("counter", "reason", "pool"),
        "size": _metric("summary"),
        "load": _metric("gauge"),
        "old": _metric("counter", "path", "y"),
        "bare": _metric("untyped", "x"),
    }


def test_targets_of_one_job_add_up() -> None:
    found = together([{"a": _metric("gauge", "x")}, {"a": _metric("gauge", "y"), "b": _metric("counter")}])
    assert found == {"a": _metric("gauge", "x", "y"), "b": _metric("counter")}


def test_a_new_recording_takes_the_earlier_ones_place_and_leaves_what_is_listed() -> None:
    listed = "listed:\n  - source: by hand\n    metrics:\n      c: {type: gauge, labels: []}\n"
    first = rewritten(listed, "one", {"old": _metric("gauge")})
    second = rewritten(first, "two:v1 in the lab", {"new_total": _metric("counter", "b", "a")})
    assert yaml.safe_load(second) == {
        "recorded": {
            "source": "two:v1 in the lab",
            "metrics": {"new_total": {"type": "counter", "labels": ["a", "b"]}},
        },
        "listed": yaml.safe_load(listed)["listed"],
    }
    assert second.endswith(listed)


def test_what_the_same_program_showed_earlier_stays() -> None:
    first = rewritten("", "ksm:v2 in the lab", {"kube_job_info": _metric("gauge", "job_name")})
    same = rewritten(first, "ksm:v2 in the lab", {"kube_pod_info": _metric("gauge", "pod")})
    assert yaml.safe_load(same)["recorded"]["metrics"].keys() == {"kube_job_info", "kube_pod_info"}
    newer = rewritten(first, "ksm:v3 in the lab", {"kube_pod_info": _metric("gauge", "pod")})
    assert yaml.safe_load(newer)["recorded"]["metrics"].keys() == {"kube_pod_info"}


def test_labels_of_objects_are_left_to_each_stacks_allow_list() -> None:
    seen = {"kube_pod_labels": _metric("gauge", "namespace", "pod", "label_app"), "x": _metric("gauge", "label_app")}
    assert yaml.safe_load(rewritten("", "here", seen))["recorded"]["metrics"] == {
        "kube_pod_labels": {"type": "gauge", "labels": ["namespace", "pod"], "allowlist": "pods"},
        "x": {"type": "gauge", "labels": ["label_app"]},
    }
