"""What the boards are put together from: panels with a query or two, and what can be chosen above them."""

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models import dashboard as d
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

WIDTH: Final = 24
"""Columns of Grafana's grid."""

SOURCE: Final = d.DataSourceRef(type_val="prometheus", uid="${source}")
"""The data source that is chosen above the board: boards fit one that was there before."""

PANEL = Builder[d.Panel]

_STAT_HEIGHT, _CHART_HEIGHT = 4, 8

Limits = Sequence[tuple[float, str]]
"""From which value on which colour; below the first one it is green."""


def board(uid: str, title: str, description: str) -> dashboard.Dashboard:
    """Start a board that cannot be edited in place: its source is this package."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["driftflow"])
        .readonly()
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(d.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("driftflow")
            .type(d.DashboardLinkType.DASHBOARDS)
            .tags(["driftflow"])
            .as_dropdown(True)
            .keep_time(True)
        )
    )


def source_choice() -> dashboard.DatasourceVariable:
    """Let a Prometheus be chosen."""
    return dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus")


def choice(name: str, label: str, query: str, *, several: bool = True) -> dashboard.QueryVariable:
    """Let values of a label be chosen; all of them at first where several may be."""
    made = (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .refresh(d.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(d.VariableSort.ALPHABETICAL_ASC)
    )
    if not several:
        return made
    every = d.VariableOption(selected=True, text="All", value="$__all")
    return made.multi(True).include_all(True).current(every)


def figure(
    title: str, meaning: str, expression: str, *, unit: str = "short", limits: Limits = (), width: int = 4
) -> PANEL:
    """Show one number, large."""
    return (
        stat.Panel()
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .unit(unit)
        .thresholds(_steps(limits))
        .no_value("none")
        .graph_mode(c.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_query(expression, "", "A"))
        .span(width)
        .height(_STAT_HEIGHT)
    )


def chart(
    title: str,
    meaning: str,
    queries: Mapping[str, str],
    *,
    unit: str = "short",
    width: int = 12,
    whole: tuple[float, float] | None = None,
) -> PANEL:
    """Draw lines over time; `queries` are expressions by the legend of their lines."""
    made = (
        timeseries.Panel()
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .unit(unit)
        .min(0 if whole is None else whole[0])
        .line_width(1)
        .fill_opacity(8)
        .show_points(c.VisibilityMode.AUTO)
        .legend(
            common.VizLegendOptions()
            .display_mode(c.LegendDisplayMode.TABLE)
            .placement(c.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(common.VizTooltipOptions().mode(c.TooltipDisplayMode.MULTI).sort(c.SortOrder.DESCENDING))
        .span(width)
        .height(_CHART_HEIGHT)
    )
    if whole is not None:
        made = made.max(whole[1])
    for letter, (legend, expression) in zip("ABCDEF", queries.items(), strict=False):
        made = made.with_target(_query(expression, legend, letter))
    return made


def bars(title: str, meaning: str, expression: str, *, legend: str, width: int = 12) -> PANEL:
    """Draw the latest value of each series as a bar."""
    return (
        bargauge.Panel()
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .min(0)
        .no_value("none")
        .thresholds(_steps(()))
        .orientation(c.VizOrientation.HORIZONTAL)
        .display_mode(c.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_query(expression, legend, "A").instant())
        .span(width)
        .height(_CHART_HEIGHT)
    )


def rows_of(
    title: str, meaning: str, expression: str, *, hidden: Sequence[str] = (), width: int = 12
) -> PANEL:
    """List the latest value of each series with its labels."""
    exclude = dict.fromkeys(["Time", *hidden], True)
    return (
        table.Panel()
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .no_value("none")
        .with_transformation(d.DataTransformerConfig(id_val="organize", options={"excludeByName": exclude}))
        .with_target(_query(expression, "", "A").instant().format(PromQueryFormat.TABLE))
        .span(width)
        .height(_CHART_HEIGHT)
    )


def _query(expression: str, legend: str, letter: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().datasource(SOURCE).expr(expression).legend_format(legend).ref_id(letter)


def _steps(limits: Limits) -> dashboard.ThresholdsConfig:
    steps = [d.Threshold(value=None, color="green"), *(d.Threshold(value=v, color=k) for v, k in limits)]
    return dashboard.ThresholdsConfig().mode(d.ThresholdsMode.ABSOLUTE).steps(steps)
