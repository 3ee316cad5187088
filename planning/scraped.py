"""Which series a plan's scrape jobs yield: their vocabularies, as far as the plan's own configuration keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components.monitoring.recording import label_of

VOCABULARY = Path(__file__).parents[1] / "components/monitoring/files/vocabulary"
"""`<job>.yaml`: the metrics of each scrape job by name, with type and labels; `recorded` in the lab, or `listed`."""

TARGET = frozenset({"job", "instance"})
"""Labels that Prometheus gives to every target."""
PARTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "histogram": {"_bucket": frozenset({"le"}), "_sum": frozenset(), "_count": frozenset()},
    "summary": {"": frozenset({"quantile"}), "_sum": frozenset(), "_count": frozenset()},
}
"""The series of a metric that is more than one, by the end of their names, with the labels that they add."""
_OF_EACH_SCRAPE = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)


@dataclass(frozen=True, kw_only=True)
class Series:
    """The series of one name that one scrape job or one rule yields."""

    name: str
    kind: str
    """counter, gauge or untyped; the parts of histograms and summaries are counters."""
    labels: frozenset[str]
    job: str | None
    """None where the label `job` may hold anything: what rules make, and what a gateway passes on."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """An entry of a vocabulary."""

    name: str
    kind: str
    labels: frozenset[str]
    allowlist: str | None = None
    """The kind of object whose labels kube-state-metrics adds, as far as its arguments allow them."""

    def series(self) -> Iterator[tuple[str, str, frozenset[str]]]:
        """Name, kind and labels of each series that the metric consists of."""
        if self.kind not in PARTS:
            yield self.name, self.kind, self.labels
            return
        for end, added in PARTS[self.kind].items():
            yield self.name + end, "counter" if end else "gauge", self.labels | added


@cache
def vocabulary(job: str) -> Mapping[str, Metric]:
    """What a job can yield, by name; nothing for a job whose targets are not known beforehand."""
    path = VOCABULARY / f"{job}.yaml"
    if not path.exists():
        return {}
    document = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    # What was recorded comes last: it is the exporter itself that speaks.
    parts = [*document.get("listed", ()), *([document["recorded"]] if "recorded" in document else ())]
    return {
        name: Metric(
            name=name,
            kind=entry["type"],
            labels=frozenset(entry.get("labels") or ()),
            allowlist=entry.get("allowlist"),
        )
        for part in parts
        for name, entry in part["metrics"].items()
    }


@dataclass(frozen=True, kw_only=True)
class Objects:
    """What kube-state-metrics is told to tell of."""

    kinds: frozenset[str] | None = None
    """Kinds of objects by their plural (pods); None: all."""
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The objects' own labels that it adds, by kind, as it names them."""

    def tells(self, name: str) -> bool:
        """Whether it yields this metric, if the metric is its own at all."""
        if self.kinds is None or not name.startswith("kube_"):
            return True
        return any(re.match(rf"kube_{kind.removesuffix('s')}(_|$)", name) for kind in self.kinds)


def objects(arguments: Iterable[str]) -> Objects:
    """Reads kube-state-metrics' arguments `--resources` and `--metric-labels-allowlist`."""
    kinds: frozenset[str] | None = None
    labels: dict[str, frozenset[str]] = {}
    for argument in arguments:
        if argument.startswith("--resources="):
            kinds = frozenset(argument.partition("=")[2].split(","))
        if argument.startswith("--metric-labels-allowlist="):
            for kind, names in re.findall(r"([a-z]+)=\[([^\]]*)\]", argument):
                labels[kind] = frozenset(label_of(name.strip()) for name in names.split(","))
    return Objects(kinds=kinds, labels=labels)


def scraped(configs: Iterable[Mapping[str, Any]], objects: Objects) -> Iterator[Series]:
    """The series of these scrape configurations."""
    for config in configs:
        yield from _job(config, objects)


def _job(config: Mapping[str, Any], objects: Objects) -> Iterator[Series]:
    job = config["job_name"]
    target = _target_labels(config)
    for name in _OF_EACH_SCRAPE:
        yield Series(name=name, kind="gauge", labels=target, job=job)
    steps = config.get("metric_relabel_configs") or []
    honored = bool(config.get("honor_labels"))
    for metric in vocabulary(job).values():
        for name, kind, own in metric.series():
            labels = _relabelled(name, own | objects.labels.get(metric.allowlist or "", frozenset()), steps)
            if labels is None or not objects.tells(name):
                continue
            clashing = frozenset() if honored else labels & target
            yield Series(
                name=name,
                kind=kind,
                labels=labels | target | {f"exported_{label}" for label in clashing},
                job=None if honored and "job" in labels else job,
            )


def _target_labels(config: Mapping[str, Any]) -> frozenset[str]:
    static = (group.get("labels") or {} for group in config.get("static_configs") or ())
    added = {step["target_label"] for step in config.get("relabel_configs") or () if _adds(step)}
    named = {label for labels in static for label in labels} | added
    return TARGET | {label for label in named if not label.startswith("__")}


def _adds(step: Mapping[str, Any]) -> bool:
    return step.get("action", "replace") == "replace" and step.get("replacement") != ""


def _relabelled(name: str, labels: frozenset[str], steps: Sequence[Mapping[str, Any]]) -> frozenset[str] | None:
    """A series' labels after the steps that concern all of its name; None where they drop it."""
    for step in steps:
        action, pattern = step.get("action", "replace"), str(step.get("regex", "(.*)"))
        if action in ("keep", "drop") and step.get("source_labels") == ["__name__"]:
            if bool(re.fullmatch(pattern, name)) != (action == "keep"):
                return None
        elif action == "labeldrop":
            labels = frozenset(label for label in labels if not re.fullmatch(pattern, label))
        elif action == "labelkeep":
            labels = frozenset(label for label in labels if re.fullmatch(pattern, label))
        elif action == "replace" and _adds(step):
            labels |= {step["target_label"]}
    return labels
