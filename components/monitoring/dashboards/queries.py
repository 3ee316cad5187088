"""Every query of a dashboard, its variables filled in: for whoever runs or checks them without Grafana."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

INTERVALS: Mapping[str, str] = {"__rate_interval": "5m", "__interval": "1m", "__range": "6h"}
"""What Grafana fills in from the time range and the scrape interval."""

EVERYTHING = ".+"
"""What a variable with all its values chosen stands for; such variables are used in regular expressions only."""

EMPTY_IS_WELL = "none"
"""What a panel shows that has nothing to show while nothing is wrong."""

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::\w+)?\}|([A-Za-z_]\w*))")
_LABEL_VALUES = re.compile(r"label_values\((?P<selector>.+),\s*(?P<label>\w+)\)")


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query of a dashboard."""

    dashboard: str
    """The dashboard's uid."""
    panel: str
    """The panel's title, or `$` and the name of the variable whose values it gives."""
    expr: str
    """PromQL without Grafana's variables."""
    instant: bool
    """Whether Grafana asks for the last value only."""
    may_be_empty: bool
    """Whether no result is a good one: the panel lists what is wrong."""


def queries(
    dashboard: Mapping[str, Any],
    values: Mapping[str, str] = {},
) -> Iterator[Query]:
    """The queries of a dashboard's JSON, with these values of its variables; of those not named, all values."""
    uid = str(dashboard["uid"])
    for variable in dashboard.get("templating", {}).get("list", ()):
        if variable["type"] == "query":
            expr = filled(_variable_query(variable["query"]["query"]), values)
            yield Query(dashboard=uid, panel=f"${variable['name']}", expr=expr, instant=True, may_be_empty=False)
    for panel in panels(dashboard):
        may_be_empty = panel["fieldConfig"]["defaults"].get("noValue") == EMPTY_IS_WELL
        for target in panel.get("targets", ()):
            yield Query(
                dashboard=uid,
                panel=panel["title"],
                expr=filled(target["expr"], values),
                instant=bool(target.get("instant")),
                may_be_empty=may_be_empty,
            )


def panels(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The panels of a dashboard, those in closed rows too, without the rows themselves."""
    for panel in dashboard.get("panels", ()):
        if panel["type"] == "row":
            yield from panels(panel)
        else:
            yield panel


def filled(expr: str, values: Mapping[str, str]) -> str:
    """A query as Grafana would send it."""
    known = {**INTERVALS, **values}
    return _VARIABLE.sub(lambda found: known.get(found[1] or found[2], EVERYTHING), expr)


def _variable_query(query: str) -> str:
    """The series whose label gives a variable's values, as PromQL."""
    found = _LABEL_VALUES.fullmatch(query)
    if found is None:
        raise ValueError(f'the variable query "{query}" is not of the form label_values(selector, label)')
    return f"count by ({found['label']}) ({found['selector']})"
