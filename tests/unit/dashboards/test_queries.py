"""Queries are what Grafana would send: every variable filled in, and nothing else changed."""

from typing import Any

import pytest

from components.monitoring.dashboards.queries import EMPTY_IS_WELL, Query, filled, queries


def dashboard(*panels: dict[str, Any], variables: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"uid": "one", "panels": list(panels), "templating": {"list": list(variables)}}


def panel(title: str, *exprs: str, instant: bool = False, no_value: str = "no data") -> dict[str, Any]:
    return {
        "type": "stat",
        "title": title,
        "fieldConfig": {"defaults": {"noValue": no_value}},
        "targets": [{"expr": expr, "instant": instant} for expr in exprs],
    }


def query(name: str, text: str) -> dict[str, Any]:
    return {"type": "query", "name": name, "query": {"query": text}}


@pytest.mark.parametrize(
    ("expr", "sent"),
    [
        ('up{cluster="$cluster"}', 'up{cluster="here"}'),
        ('up{cluster="${cluster}"}', 'up{cluster="here"}'),
        ('up{cluster=~"${cluster:regex}"}', 'up{cluster=~"here"}'),
        ('up{pod=~"$pod"}', 'up{pod=~".+"}'),
        ("rate(up[$__rate_interval])", "rate(up[5m])"),
        ("increase(up[$__range])", "increase(up[6h])"),
        ('label_replace(up, "a", "$1", "b", "(.+)$")', 'label_replace(up, "a", "$1", "b", "(.+)$")'),
    ],
)
def test_variables_are_filled_in(expr: str, sent: str) -> None:
    assert filled(expr, {"cluster": "here"}) == sent


def test_panels_in_closed_rows_count() -> None:
    row = {"type": "row", "title": "more", "panels": [panel("hidden", "up")]}
    assert [found.panel for found in queries(dashboard(panel("seen", "up"), row))] == ["seen", "hidden"]


def test_every_query_of_a_panel_counts() -> None:
    found = list(queries(dashboard(panel("two", "up", "down", instant=True))))
    assert [(one.expr, one.instant) for one in found] == [("up", True), ("down", True)]


def test_panels_that_list_faults_may_be_empty() -> None:
    found = list(queries(dashboard(panel("faults", "up == 0", no_value=EMPTY_IS_WELL), panel("facts", "up"))))
    assert [one.may_be_empty for one in found] == [True, False]


def test_a_variables_values_are_a_query_too() -> None:
    variable = query("node", 'label_values(kube_node_info{cluster="$cluster"}, node)')
    (found,) = queries(dashboard(variables=(variable,)), {"cluster": "here"})
    expected = 'count by (node) (kube_node_info{cluster="here"})'
    assert found == Query(dashboard="one", panel="$node", expr=expected, instant=True, may_be_empty=False)


def test_a_variable_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="label_values"):
        list(queries(dashboard(variables=(query("node", "query_result(up)"),))))
