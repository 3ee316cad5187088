"""What the dashboards are put together from: four kinds of panels, rows, and the two variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from components.monitoring.dashboards.queries import EMPTY_IS_WELL, EVERYTHING

PROMETHEUS = common.DataSourceRef(type_val="prometheus", uid="prometheus")
"""The data source, by the uid that files/grafana/provisioning gives it."""
NO_DATA = "no data"
TAG = "elab"
"""What the dashboards link each other by."""

Panel = stat.Panel | timeseries.Panel | table.Panel
Steps = tuple[tuple[float | None, str], ...]

CORES = "suffix: cores"
"""Of processors: a bare figure says nothing."""
PLAIN: Steps = ((None, "blue"),)
"""A figure that is neither good nor bad."""


def above(warning: float, critical: float) -> Steps:
    """Thresholds of what should be low."""
    return (None, "green"), (warning, "orange"), (critical, "red")


ANY_IS_BAD = ((None, "green"), (1.0, "red"))
"""Thresholds of what there should be none of."""
UP: Steps = ((None, "red"), (1.0, "green"))
"""Thresholds of 0 for down and 1 for up."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A figure in a table."""

    header: str
    expr: str
    unit: str
    steps: Steps | None = None
    """Colours of its cells; none: plain text."""


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel]


def number(
    title: str,
    description: str,
    expr: str,
    *,
    unit: str = "short",
    steps: Steps = PLAIN,
    width: int = 4,
    words: Mapping[str, str] | None = None,
    leads_to: str | None = None,
) -> stat.Panel:
    """One figure, the last one. `words`: what is shown in place of a value; `leads_to`: which dashboard says more."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .height(4)
        .span(width)
        .thresholds(_thresholds(steps))
        .color_scheme(builders.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .color_mode(common.BigValueColorMode.BACKGROUND if steps != PLAIN else common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value(NO_DATA)
        .with_target(_instant(expr, "A"))
    )
    if words:
        panel.mappings(
            [models.ValueMap({value: models.ValueMappingResult(text=text) for value, text in words.items()})]
        )
    if leads_to:
        panel.links([_link_to(leads_to)])
    return panel


def lines(
    title: str,
    description: str,
    series: Mapping[str, str],
    *,
    unit: str = "short",
    steps: Steps | None = None,
    stacked: bool = False,
    highest: float | None = None,
    width: int = 12,
    quiet: bool = False,
    leads_to: str | None = None,
) -> timeseries.Panel:
    """Figures over time; `series` are queries by legend, with `{{label}}` in it. `quiet`: empty if all is well."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .min(0)
        .height(8)
        .span(width)
        .line_width(1)
        .fill_opacity(30 if stacked else 5)
        .show_points(common.VisibilityMode.NEVER)
        .no_value(EMPTY_IS_WELL if quiet else NO_DATA)
        .tooltip(
            common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
        )
        .legend(
            common_builders.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    if highest is not None:
        panel.max(highest)
    if steps:
        panel.thresholds(_thresholds(steps))
        panel.thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        )
    for letter, (legend, expr) in zip(_LETTERS, series.items(), strict=False):
        panel.with_target(
            prometheus.Dataquery().expr(expr).legend_format(legend).range().ref_id(letter).datasource(PROMETHEUS)
        )
    if leads_to:
        panel.links([_link_to(leads_to)])
    return panel


def listing(
    title: str,
    description: str,
    keys: Mapping[str, str],
    columns: Sequence[Column],
    *,
    width: int = 24,
    order: str | None = None,
    quiet: bool = False,
    leads_to: str | None = None,
) -> table.Panel:
    """A table with a line for each combination of `keys`, which are headers by label.

    Its first figure sorts it, the highest first, or `order`, a key's header. `quiet`: empty if all is well."""
    single = len(columns) == 1
    values = {"Value" if single else f"Value #{letter}": one for letter, one in zip(_LETTERS, columns, strict=False)}
    fields = [*keys, *values]
    headers = {**keys, **{field: one.header for field, one in values.items()}}
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(columns[0].unit)
        .height(8)
        .span(width)
        .no_value(EMPTY_IS_WELL if quiet else NO_DATA)
        .sort_by([common_builders.TableSortByFieldState().display_name(order or columns[0].header).desc(order is None)])
        .with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(
            models.DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": {"Time": True},
                    "indexByName": {field: index for index, field in enumerate(fields)},
                    "renameByName": headers,
                },
            )
        )
    )
    for letter, one in zip(_LETTERS, columns, strict=False):
        panel.with_target(_instant(one.expr, letter).format(PromQueryFormat.TABLE))
        panel.override_by_name(one.header, _properties(one))
    if leads_to:
        panel.links([_link_to(leads_to)])
    return panel


def dashboard(
    name: str, title: str, question: str, rows: Sequence[Row], *, variables: Sequence[builders.QueryVariable] = ()
) -> models.Dashboard:
    """A dashboard with a fixed uid, the variable `cluster`, and links to all others; `question` is what it answers."""
    built = (
        builders.Dashboard(title)
        .uid(f"elab-{name}")
        .description(question)
        .tags([TAG])
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("1m")
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            builders.DashboardLink("elab")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
    )
    for one in (variable("cluster", "Cluster", "up", many=False), *variables):
        built.with_variable(one)
    for row in rows:
        built.with_row(builders.Row(row.title))
        for panel in row.panels:
            built.with_panel(panel)
    return _numbered(built.build())


def variable(
    name: str, label: str, selector: str, *, of: str | None = None, many: bool = True
) -> builders.QueryVariable:
    """A variable with the values of a label (`of`, or its own name) among the series of a selector."""
    found = (
        builders.QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query({"query": f"label_values({selector}, {of or name})", "refId": "variable"})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
    if not many:
        return found
    everything = models.VariableOption(selected=True, text=["All"], value=["$__all"])
    return found.multi(True).include_all(True).all_value(EVERYTHING).current(everything)


_LETTERS = "ABCDEFGH"


def _instant(expr: str, letter: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expr).instant().ref_id(letter).datasource(PROMETHEUS)


def _thresholds(steps: Steps) -> builders.ThresholdsConfig:
    found = [models.Threshold(value=value, color=color) for value, color in steps]
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(found)


def _properties(column: Column) -> list[models.DynamicConfigValue]:
    found = [models.DynamicConfigValue(id_val="unit", value=column.unit)]
    if column.steps:
        found.append(models.DynamicConfigValue(id_val="thresholds", value=_thresholds(column.steps).build()))
        found.append(models.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-background"}))
    return found


def _link_to(name: str) -> builders.DashboardLink:
    """To another dashboard, with the same cluster and time."""
    return (
        builders.DashboardLink("More")
        .type(models.DashboardLinkType.LINK)
        .url(f"/d/elab-{name}?${{cluster:queryparam}}")
        .keep_time(True)
    )


def _numbered(built: models.Dashboard) -> models.Dashboard:
    """Fixed numbers for the panels: Grafana would give them at random, and links to a panel would break."""
    for number_, panel in enumerate(built.panels or (), start=1):
        panel.id_val = number_
    return built
