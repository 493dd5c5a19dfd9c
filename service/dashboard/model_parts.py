"""Parts of the pages of a model and of a column: what charts lead to, and their values as tables."""

from collections.abc import Sequence
from functools import partial

from nicegui import ui
from nicegui.events import EChartPointClickEventArguments

from service.dashboard.charts import line_options, number_text, time_text
from service.dashboard.frame import feature_path
from service.dashboard.parts import Cell, Values, chart, table
from service.models import WatchedModel
from service.views.heat import LEVELS, HeatMap
from service.views.lines import Line
from service.views.sides import QUANTILES, Bands, Sides
from service.views.telling import told_lines


def heat_values(found: HeatMap, model: WatchedModel) -> Values:
    """Return a heat map as a table, the last window first."""
    rows = [
        [time_text(end, model.axis), *(LEVELS[levels[cell]] for levels in found.levels)]
        for cell, end in enumerate(found.ends)
    ]
    return Values(head=["window ends", *found.features], rows=rows[::-1])


def lines_values(lines: Sequence[Line], model: WatchedModel) -> Values:
    """Return several lines as one table, the last window first."""
    times = sorted({time for line in lines for time, _value in line.points}, reverse=True)
    columns = [dict(line.points) for line in lines]
    rows = [[time_text(time, model.axis), *(column.get(time, "") for column in columns)] for time in times]
    return Values(head=["window ends", *(f"{line.title} ({line.unit})" for line in lines)], rows=rows)


def line_chart(
    title: str,
    lines: Sequence[Line],
    model: WatchedModel,
    *,
    limits: Sequence[tuple[str, float]] = (),
    spans: Sequence[tuple[int, int]] = (),
) -> None:
    """Show lines over time, with the levels they are held against and shaded spans."""
    options = line_options(
        lines, model.axis, limits=limits, spans=spans, log=all(line.metric == "p_value" for line in lines)
    )
    told = told_lines(lines, partial(time_text, axis=model.axis), number_text, limits)
    chart(title, options, partial(lines_values, lines, model), told=told)


def open_feature(model: WatchedModel, found: HeatMap, event: EChartPointClickEventArguments) -> None:
    """Go to the page of the column whose cell was clicked."""
    if isinstance(event.value, list):
        ui.navigate.to(feature_path(model.name, found.features[int(event.value[1])]))


def column_table(found: HeatMap, model: WatchedModel) -> None:
    """List the columns of a page of a heat map, each with its last window and a link to its own page."""
    rows: list[list[Cell]] = [
        [(name, feature_path(model.name, name)), LEVELS[levels[-1]], number_text(effects[-1])]
        for name, levels, effects in zip(found.features, found.levels, found.effects, strict=True)
        if levels
    ]
    table("Columns", ("column", "last window", "effect (PSI)"), rows)


def sides_values(found: Sides) -> Values:
    """Return both sides as a table."""
    head = ["bar" if found.numeric else "category", "reference (share)", "current (share)"]
    return Values(head=head, rows=list(zip(found.labels, found.reference, found.current, strict=True)))


def bands_values(found: Bands, model: WatchedModel) -> Values:
    """Return quantiles as a table, the last pane first."""
    rows = [
        [time_text(end, model.axis), *values] for end, *values in zip(found.ends, *found.values, strict=True)
    ]
    return Values(head=["pane ends", *(f"{each:.0%}" for each in QUANTILES)], rows=rows[::-1])
