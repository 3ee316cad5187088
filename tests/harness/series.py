"""Series made up after the vocabulary, so that a query can be asked where what it is about can't run."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

import promql_parser

from planning.promql import Known
from planning.scraped import Series

BUCKETS = ("0.1", "1", "10", "+Inf")
ALIKE = 2
"""How many of each there are: pods, nodes, disks. What is one of them in one series is it in all."""

Asked = Mapping[tuple[str, str], set[str]]
"""The values that queries name, by metric and label."""


def made_up(known: Known, queries: Iterable[str], cluster: str, minutes: int) -> list[dict[str, str]]:
    """Every series that a plan can yield, with every value that some query names, as promtool's `input_series`."""
    asked = _asked(queries)
    found: dict[str, str] = {}
    for same in known.series.values():
        for one in same:
            for labels in _label_sets(one, known.jobs, asked, cluster):
                text = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
                step = 1 if one.kind == "counter" else 0
                found[f"{one.name}{{{text}}}"] = f"1+{step}x{minutes}"
    return [{"series": series, "values": values} for series, values in found.items()]


def _label_sets(series: Series, jobs: Collection[str], asked: Asked, cluster: str) -> Iterator[dict[str, str]]:
    free = {label: sorted(asked[series.name, label]) for label in series.labels if (series.name, label) in asked}
    free |= {"cluster": [cluster]}
    if "le" in series.labels:
        free["le"] = list(BUCKETS)
    if "job" in series.labels:
        free["job"] = [series.job] if series.job else sorted(jobs)
    for index in range(ALIKE):
        own = {label: f"{label}-{index}" for label in series.labels}
        for values in itertools.product(*free.values()):
            yield own | dict(zip(free, values, strict=True))


def _asked(queries: Iterable[str]) -> Asked:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for query in queries:
        for selector in selectors(promql_parser.parse(query)):
            for matcher in selector.matchers.matchers:
                found[str(selector.name), matcher.name].update(_values(matcher))
    return {key: values for key, values in found.items() if values}


def _values(matcher: promql_parser.Matcher) -> Iterator[str]:
    """Values that fit a matcher: its own, or of a list of values and beginnings of values each."""
    if matcher.op == promql_parser.MatchOp.Equal:
        yield matcher.value
    elif matcher.op == promql_parser.MatchOp.Re:
        alternatives = (re.sub(r"\.[*+]$", "", part) for part in matcher.value.split("|"))
        yield from (part for part in alternatives if part and re.fullmatch(r"[\w -]+", part))


def selectors(expr: promql_parser.Expr) -> Iterator[promql_parser.VectorSelector]:
    """Every vector selector in a query."""
    match expr:
        case promql_parser.VectorSelector():
            yield expr
        case promql_parser.MatrixSelector():
            yield expr.vector_selector
        case promql_parser.BinaryExpr():
            yield from selectors(expr.lhs)
            yield from selectors(expr.rhs)
        case promql_parser.Call():
            for one in expr.args:
                yield from selectors(one)
        case (
            promql_parser.AggregateExpr()
            | promql_parser.ParenExpr()
            | promql_parser.SubqueryExpr()
            | promql_parser.UnaryExpr()
        ):
            yield from selectors(expr.expr)
