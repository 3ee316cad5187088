"""Whether a PromQL expression uses only metrics and labels that are there, and which labels its result has."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import promql_parser as promql

from .scraped import Series

Labels = frozenset[str]
NONE: Labels = frozenset()

_OF_COUNTERS = {"rate", "irate", "increase", "resets"}
_OF_GAUGES = {"delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing"}
_WITHOUT_LABELS = {"scalar", "vector", "time", "pi"}
_KEEP_THEIR_SERIES = {"topk", "bottomk", "limitk", "limit_ratio"}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What there is to query."""

    series: Mapping[str, Sequence[Series]]
    """By name."""
    jobs: Collection[str]
    """The scrape jobs of the plan."""
    elsewhere: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Jobs that yield a metric elsewhere, or would if nothing left it out, by the metric's name."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What an expression comes to."""

    labels: Labels
    """Those that its result may have."""
    faults: tuple[str, ...]


def judge(expression: str, known: Known) -> Judgement:
    """Reads an expression. One that can't be parsed has that as its only fault."""
    try:
        tree = promql.parse(expression)
    except ValueError as error:
        return Judgement(labels=NONE, faults=(f"it is no PromQL: {error}",))
    judge = _Judge(known)
    labels = judge.labels(tree)
    # Of a metric that is not there no labels are known either: what follows from that need not be said.
    return Judgement(labels=labels, faults=tuple(dict.fromkeys(judge.unknown or judge.faults)))


def selects(selector: str, label: str, value: str) -> bool:
    """Whether a selector's matchers of a label fit this value."""
    tree = promql.parse(selector)
    assert isinstance(tree, promql.VectorSelector)
    return all(_matches(matcher, value) for matcher in tree.matchers.matchers if matcher.name == label)


class _Judge:
    """Walks one expression."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.unknown: list[str] = []
        """Metrics that nothing yields."""
        self.faults: list[str] = []
        """Everything else."""

    def labels(self, node: promql.Expr) -> Labels:
        """The labels of a part's result."""
        match node:
            case promql.VectorSelector():
                return self._selector(node)
            case promql.MatrixSelector():
                return self._selector(node.vector_selector)
            case promql.AggregateExpr():
                return self._aggregation(node)
            case promql.BinaryExpr():
                return self._operation(node)
            case promql.Call():
                return self._call(node)
            case promql.SubqueryExpr() | promql.ParenExpr() | promql.UnaryExpr():
                return self.labels(node.expr)
            case _:
                return NONE

    def _selector(self, selector: promql.VectorSelector) -> Labels:
        found = self._found(selector)
        labels = frozenset(label for series in found for label in series.labels)
        if found:
            for matcher in selector.matchers.matchers:
                if matcher.name != "__name__":
                    self._has(matcher.name, labels, selector.name or "what it selects")
        return labels

    def _found(self, selector: promql.VectorSelector) -> list[Series]:
        """The series of the name that is selected, from the jobs that are selected."""
        name, matchers = selector.name, selector.matchers.matchers
        if name is not None:
            named = list(self.known.series.get(name, ()))
        else:
            named = [
                series
                for one, many in self.known.series.items()
                for series in many
                if all(_matches(matcher, one) for matcher in matchers if matcher.name == "__name__")
            ]
            if not any(matcher.name == "__name__" for matcher in matchers):
                self.unknown.append(f"{selector.prettify()} names no metric")
                return []
        if not named:
            self.unknown.append(self._unknown(name or selector.prettify()))
            return []
        of_job = [matcher for matcher in matchers if matcher.name == "job"]
        found = [one for one in named if one.job is None or all(_matches(matcher, one.job) for matcher in of_job)]
        if not found:
            jobs = ", ".join(sorted({one.job for one in named if one.job}))
            asked = ", ".join(f"job{_SIGNS[str(matcher.op)]}{matcher.value!r}" for matcher in of_job)
            self.unknown.append(f"{name}: no scrape job of the stack that fits {asked} yields it; it comes from {jobs}")
        return found

    def _unknown(self, name: str) -> str:
        jobs = self.known.elsewhere.get(name)
        if jobs:
            absent = sorted(job for job in jobs if job not in self.known.jobs)
            if absent:
                return f"{name} comes from the scrape job {' or '.join(absent)}, which the stack does not have"
            job = " or ".join(sorted(jobs))
            return f"{name} is not kept: the scrape job {job} drops it, or its exporter leaves it out"
        near = difflib.get_close_matches(name, self.known.series, n=1, cutoff=0.8)
        return f"{name} is yielded by no scrape job and no rule" + (f"; {near[0]} is" if near else "")

    def _has(self, label: str, labels: Labels, what: str) -> None:
        if label not in labels:
            self.faults.append(f"{what} has no label {label}; it has {', '.join(sorted(labels)) or 'none'}")

    def _aggregation(self, node: promql.AggregateExpr) -> Labels:
        labels = self.labels(node.expr)
        by = NONE
        if node.modifier is not None:
            for label in node.modifier.labels:
                self._has(label, labels, f"{node.op} {_kind(node.modifier.type)}: its operand")
            chosen = frozenset(node.modifier.labels)
            by = chosen if _kind(node.modifier.type) == "by" else labels - chosen
        if str(node.op) in _KEEP_THEIR_SERIES:
            return labels
        if str(node.op) == "count_values" and isinstance(node.param, promql.StringLiteral):
            return by | {node.param.val}
        return by

    def _operation(self, node: promql.BinaryExpr) -> Labels:
        left, right = self.labels(node.lhs), self.labels(node.rhs)
        if _is_number(node.lhs) or _is_number(node.rhs):
            return left | right
        op, modifier = str(node.op), node.modifier
        matching = modifier.matching if modifier is not None else None
        matched = frozenset(matching.labels) if matching is not None else NONE
        on = matching is not None and _kind(matching.type) == "include"
        for label in sorted(matched):
            for side, labels in (("left", left), ("right", right)) if on else (("own", left | right),):
                self._has(label, labels, f"{op} {'on' if on else 'ignoring'}: its {side} side")
        if op == "or":
            return left | right
        card = _kind(modifier.card) if modifier is not None else ""
        if card in ("manytoone", "onetomany") and modifier is not None:
            many, one = (left, right) if card == "manytoone" else (right, left)
            for label in modifier.group_labels or ():
                self._has(label, one, f"{op} {'group_left' if many is left else 'group_right'}: the side of one")
            return many | frozenset(modifier.group_labels or ())
        if not on:
            self._same(left, right, matched, op)
        if op in ("and", "unless"):
            return left
        return matched if on else left - matched

    def _same(self, left: Labels, right: Labels, ignored: Labels, op: str) -> None:
        """Without `on`, both sides must have the same labels, or nothing matches."""
        if left - ignored != right - ignored:
            only = sorted((left ^ right) - ignored)
            self.faults.append(f"{op}: only one side has {', '.join(only)}, so nothing matches; say on or ignoring")

    def _call(self, node: promql.Call) -> Labels:
        name, arguments = node.func.name, list(node.args)
        if name in ("absent", "absent_over_time"):
            return self._absent(arguments[0])
        labels = NONE
        for argument in arguments:
            labels |= self.labels(argument)
        if name in _WITHOUT_LABELS:
            return NONE
        if name in _OF_COUNTERS | _OF_GAUGES:
            self._kind_of(name, arguments)
        texts = [argument.val for argument in arguments if isinstance(argument, promql.StringLiteral)]
        if name == "label_replace":
            self._has(texts[2], labels, "label_replace: its operand")
            return labels | {texts[0]}
        if name == "label_join":
            for label in texts[2:]:
                self._has(label, labels, "label_join: its operand")
            return labels | {texts[0]}
        if name.startswith("histogram_") and name.endswith("quantile"):
            self._has("le", labels, f"{name}: its operand")
            return labels - {"le"}
        return labels

    def _absent(self, argument: promql.Expr) -> Labels:
        """Its result has the labels that the selector fixes."""
        self.labels(argument)
        selector = argument.vector_selector if isinstance(argument, promql.MatrixSelector) else argument
        if not isinstance(selector, promql.VectorSelector):
            return NONE
        return frozenset(
            matcher.name
            for matcher in selector.matchers.matchers
            if matcher.op == promql.MatchOp.Equal and matcher.name != "__name__"
        )

    def _kind_of(self, function: str, arguments: Sequence[promql.Expr]) -> None:
        for argument in arguments:
            if isinstance(argument, promql.MatrixSelector) and argument.vector_selector.name:
                name = argument.vector_selector.name
                kinds = {series.kind for series in self.known.series.get(name, ())}
                if function in _OF_COUNTERS and kinds == {"gauge"}:
                    self.faults.append(f"{function} is for counters, and {name} is a gauge")
                if function in _OF_GAUGES and kinds == {"counter"}:
                    self.faults.append(f"{function} is for gauges, and {name} is a counter")


_SIGNS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


def _matches(matcher: promql.Matcher, value: str) -> bool:
    match matcher.op:
        case promql.MatchOp.Equal:
            return matcher.value == value
        case promql.MatchOp.NotEqual:
            return matcher.value != value
        case promql.MatchOp.Re:
            return re.fullmatch(matcher.value, value) is not None
        case _:
            return re.fullmatch(matcher.value, value) is None


def _kind(value: object) -> str:
    """The plain name of one of the parser's constants."""
    return str(value).rsplit(".", 1)[-1].lower()


def _is_number(node: promql.Expr) -> bool:
    """Whether a side of an operation has no labels to match."""
    match node:
        case promql.NumberLiteral():
            return True
        case promql.Call():
            return node.func.name in ("scalar", "time", "pi")
        case promql.ParenExpr() | promql.UnaryExpr():
            return _is_number(node.expr)
        case promql.BinaryExpr():
            return _is_number(node.lhs) and _is_number(node.rhs)
        case _:
            return False
