"""No panel, rule or alert of a plan may use a metric or a label that no scrape job of the plan yields."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from components.monitoring.alerting_settings import Route
from components.monitoring.dashboards.queries import queries

from .findings import Finding
from .manifests import Manifest
from .pods import pod_templates
from .promql import Judgement, Known, judge, selects
from .scraped import VOCABULARY, Objects, Series, objects, scraped, vocabulary

_TEMPLATED = re.compile(r"(?:\$labels|\.Labels)\.(\w+)")
_OF_ALERTS = frozenset({"alertname", "alertstate"})
_FIX = "use what a scrape job or a rule yields (components/monitoring/files/vocabulary), or add a job that yields it"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule of one of the plan's rule files."""

    file: str
    record: str | None
    alert: str | None
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def where(self) -> str:
        """Its place, for people."""
        return f"rules {self.file}, {self.record or self.alert}"


@dataclass(frozen=True, kw_only=True)
class Monitored:
    """What a plan's ConfigMaps hold for Prometheus and Grafana."""

    scrape_configs: tuple[Mapping[str, Any], ...]
    rules: tuple[Rule, ...]
    dashboards: Mapping[str, Mapping[str, Any]]
    """By the name of their file."""
    objects: Objects


def monitored(plan: tuple[Manifest, ...]) -> Monitored:
    """Finds scrape configurations, rules and dashboards among the plan's ConfigMaps."""
    configs: list[Mapping[str, Any]] = []
    rules: list[Rule] = []
    dashboards: dict[str, Mapping[str, Any]] = {}
    for manifest in plan:
        if manifest.kind != "ConfigMap":
            continue
        for name, text in (manifest.body.get("data") or {}).items():
            if name.endswith(".json") and '"panels"' in text:
                dashboards[name] = json.loads(text)
            elif name.endswith((".yaml", ".yml")) and ("scrape_configs:" in text or "groups:" in text):
                document = yaml.load(text, yaml.CSafeLoader)
                configs += document.get("scrape_configs") or ()
                rules += _rules(name, document)
    arguments = [
        argument
        for template in pod_templates(plan)
        for container in template.containers
        for argument in container.get("args") or ()
    ]
    return Monitored(
        scrape_configs=tuple(configs), rules=tuple(rules), dashboards=dashboards, objects=objects(arguments)
    )


def _rules(file: str, document: Mapping[str, Any]) -> Iterator[Rule]:
    for group in document.get("groups") or ():
        for rule in group.get("rules") or ():
            yield Rule(
                file=file,
                record=rule.get("record"),
                alert=rule.get("alert"),
                expr=str(rule["expr"]),
                labels=rule.get("labels") or {},
                annotations=rule.get("annotations") or {},
            )


def findings(plan: tuple[Manifest, ...], routes: Sequence[Route] = ()) -> Iterator[Finding]:
    """Every metric and label that is used and that nothing yields; nothing for a plan that scrapes nothing.

    `routes` are the stack's own exceptions for alerts, which match by labels too.
    """
    found = monitored(plan)
    if not found.scrape_configs:
        return
    known = known_of(found)
    for rule in found.rules:
        judgement = judge(rule.expr, known)
        yield from _faults(rule.where, judgement)
        if not judgement.faults:
            yield from _templates(rule, judgement)
    for name, dashboard in sorted(found.dashboards.items()):
        try:
            for query in queries(dashboard):
                yield from _faults(f"dashboard {name}, {query.panel}", judge(query.expr, known))
        except (KeyError, ValueError) as error:
            what = f"its queries can't be read: {type(error).__name__} {error}"
            yield Finding(level="error", where=f"dashboard {name}", what=what, fix="correct the dashboard's JSON")

    yield from _routes(routes, found.rules, known)


def _routes(routes: Sequence[Route], rules: Sequence[Rule], known: Known) -> Iterator[Finding]:
    """Matchers that fit no alert: whoever wrote them would never be told."""
    alerts = {rule.alert for rule in rules if rule.alert}
    for index, route in enumerate(routes):
        for number, matcher in enumerate(route.matchers):
            where = f"monitoring.alerting.routes.{index}.matchers.{number}"
            # A matcher of Alertmanager's is one of PromQL's too.
            selector = f"ALERTS{{{matcher}}}"
            faults = list(judge(selector, known).faults)
            if not faults and not any(selects(selector, "alertname", alert) for alert in alerts):
                faults = [f"no alert has a name that fits {matcher}"]
            for fault in faults:
                yield Finding(level="error", where=where, what=fault, fix="name a label and a value that alerts have")


def _faults(where: str, judgement: Judgement) -> Iterator[Finding]:
    for fault in judgement.faults:
        yield Finding(level="error", where=where, what=fault, fix=_FIX)


def _templates(rule: Rule, judgement: Judgement) -> Iterator[Finding]:
    """Labels that an alert's texts show, and that it won't have."""
    texts = " ".join([*rule.labels.values(), *rule.annotations.values()])
    for label in sorted(set(_TEMPLATED.findall(texts)) - judgement.labels - set(rule.labels)):
        has = ", ".join(sorted(judgement.labels)) or "none"
        what = f"its texts show the label {label}, which its expression does not have; it has {has}"
        yield Finding(level="error", where=rule.where, what=what, fix="show another label, or keep this one in `by`")


def known_of(found: Monitored) -> Known:
    """What the plan's panels and rules can query: what is scraped, and what the rules make of it."""
    series: dict[str, list[Series]] = defaultdict(list)
    for one in scraped(found.scrape_configs, found.objects):
        series[one.name].append(one)
    jobs = {str(config["job_name"]) for config in found.scrape_configs}
    known = Known(series=series, jobs=jobs, elsewhere=_elsewhere())
    _add_recorded(series, known, [rule for rule in found.rules if rule.record])
    alerts = [judge(rule.expr, known).labels | rule.labels.keys() for rule in found.rules if rule.alert]
    labels = _OF_ALERTS.union(*alerts)
    for name in ("ALERTS", "ALERTS_FOR_STATE"):
        series[name].append(Series(name=name, kind="gauge", labels=labels, job=None))
    return known


def _add_recorded(series: dict[str, list[Series]], known: Known, rules: Sequence[Rule]) -> None:
    """A rule may stand on other rules, in whatever order their files are read."""
    open_rules = list(rules)
    while open_rules:
        names = {rule.record for rule in open_rules}
        ready = [rule for rule in open_rules if not any(name and name in rule.expr for name in names - {rule.record})]
        # Rules that stand on each other in a circle are taken as they come; the check itself names what is missing.
        for rule in ready or open_rules:
            labels = judge(rule.expr, known).labels | rule.labels.keys()
            name = rule.record or ""
            series[name].append(Series(name=name, kind="gauge", labels=labels, job=None))
        open_rules = [rule for rule in open_rules if rule not in (ready or open_rules)]


def _elsewhere() -> Mapping[str, set[str]]:
    """Every job that has a vocabulary, by the names that it may yield."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in VOCABULARY.glob("*.yaml"):
        for metric in vocabulary(path.stem).values():
            for name, _, _ in metric.series():
                found[name].add(path.stem)
    return found
