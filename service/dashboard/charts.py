"""Options of ECharts for what views found; each says its unit, and can be zoomed and saved as a picture."""

from collections.abc import Sequence
from datetime import UTC, datetime

from service.dashboard.ink import INK, Options
from service.views.heat import LEVELS, HeatMap
from service.views.lines import Line
from service.views.sides import QUANTILES, Bands, Sides
from state.durations import Axis

REFERENCE, CURRENT, LIMIT = "#7f9cbc", "#e0641b", "#c4342b"

_OTHERS = ("#5aa469", "#a06bc4", "#c79a16", "#3a9fbf", "#c45a8a", "#8a7f6b")
"""Colours of more lines: as many as there are segments on one chart."""

HEAT = ("#7f9cbc40", "#d9c441", "#e8892b", "#c4342b")
"""Colours of the levels of a heat map, beside their names in the legend."""

_PLACES = ("insideStartTop", "insideMiddleTop", "insideEndTop")
"""Where the names of levels stand."""

_LARGE, _LARGEST = 10_000, 10_000_000
"""Between these values are written whole."""

_DAYS = {
    "year": "{yyyy}",
    "month": "{d} {MMM}",
    "day": "{d} {MMM}",
    "hour": "{HH}:{mm}",
    "minute": "{HH}:{mm}",
    "second": "{HH}:{mm}:{ss}",
}
"""How an axis of time is labelled: a day alone might be of any month."""

_ROW = 22
"""Height of a row of a heat map, in pixels."""

_GRID = {"left": 8, "right": 20, "top": 44, "bottom": 48, "containLabel": True}

_SAVE = {"feature": {"saveAsImage": {"title": "Save picture"}}, "right": 0, "iconStyle": {"borderColor": INK}}


def time_text(value: int, axis: Axis) -> str:
    """Write a point in event time for people.

    Examples
    --------
    >>> time_text(1_767_571_200_000, Axis.MILLISECONDS), time_text(500, Axis.ROWS)
    ('2026-01-05 00:00', 'row 500')
    """
    if axis is Axis.ROWS:
        return f"row {value:,}"
    return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def number_text(value: float | None, unit: str = "") -> str:
    """Write a value with its unit.

    Examples
    --------
    >>> number_text(0.3333, "share"), number_text(2880, "rows")
    ('33.3 %', '2,880')
    """
    if value is None:
        return "–"  # noqa: RUF001  # an en dash is how tables say that there is nothing
    if unit == "share":
        return f"{100 * value:.3g} %"
    # Sums of money and the like are read with all their digits.
    whole = unit == "rows" or _LARGE <= abs(value) < _LARGEST
    return f"{value:,.0f}" if whole else f"{value:.4g}"


def heat_options(found: HeatMap, axis: Axis) -> Options:
    """Draw columns over time, coloured by how severe their drift was."""
    cells = [
        [x, y, level, round(effect, 4)]
        for y, (levels, effects) in enumerate(zip(found.levels, found.effects, strict=True))
        for x, (level, effect) in enumerate(zip(levels, effects, strict=True))
        if effect is not None
    ]
    return _base() | {
        "grid": {"left": 8, "right": 16, "top": 48, "bottom": 56, "containLabel": True},
        "tooltip": {
            # Names of columns come from data: they are drawn as text, and never as HTML.
            "renderMode": "richText",
            "confine": True,
            ":formatter": f"p => `${{p.name}}\\nPSI ${{p.value[3]}}, ${{{list(LEVELS)}[p.value[2]]}}`",
        },
        "xAxis": {
            "type": "category",
            "data": [time_text(end, axis) for end in found.ends],
            # The last one would be cut off.
            "axisLabel": {"color": INK, "hideOverlap": True, "alignMaxLabel": "right"},
            "axisTick": {"show": False},
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": list(found.features),
            "axisLabel": {"color": INK, "width": 110, "overflow": "truncate"},
            "axisTick": {"show": False},
            "triggerEvent": True,
        },
        "visualMap": {
            "type": "piecewise",
            "dimension": 2,
            "orient": "horizontal",
            "top": 0,
            "left": 0,
            "textStyle": {"color": INK},
            "itemWidth": 14,
            "itemGap": 10,
            "pieces": [
                {"value": level, "label": name, "color": HEAT[level]} for level, name in enumerate(LEVELS)
            ],
        },
        "dataZoom": _zoom(),
        "series": [{"type": "heatmap", "data": cells, "progressive": 0, "animation": False}],
    }


def heat_height(found: HeatMap) -> int:
    """Return the height that a heat map needs, in pixels."""
    return 120 + _ROW * max(len(found.features), 1)


def line_options(
    lines: Sequence[Line],
    axis: Axis,
    *,
    limits: Sequence[tuple[str, float]] = (),
    spans: Sequence[tuple[int, int]] = (),
    log: bool = False,
) -> Options:
    """Draw metrics over time.

    Parameters
    ----------
    limits
        Name and value of levels to draw across.
    spans
        Begin and end of what is shaded: episodes.
    log
        Whether the values are spread by their order of magnitude.
    """
    unit = lines[0].unit if lines else ""
    scale = 100 if unit == "share" else 1
    series = [
        _line(line.title, [[time, value * scale] for time, value in line.points if value > 0 or not log])
        for line in lines
    ]
    if series and limits:
        series[0]["markLine"] = {
            "silent": True,
            "symbol": "none",
            "lineStyle": {"color": LIMIT, "type": "dashed"},
            # Side by side: levels may lie close together.
            "data": [
                {
                    "yAxis": value * scale,
                    "name": name,
                    "label": {"position": place, "color": INK, "formatter": "{b}"},
                }
                for (name, value), place in zip(limits, _PLACES, strict=False)
            ],
        }
    if series and spans:
        series[0]["markArea"] = {
            "silent": True,
            "itemStyle": {"color": LIMIT, "opacity": 0.14},
            "data": [[{"xAxis": begin}, {"xAxis": end}] for begin, end in spans],
        }
    name = {"share": "%"}.get(unit, unit)
    return _base() | {
        "xAxis": _time_axis(axis),
        "yAxis": _value_axis(name, log=log),
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        # One row, to be paged: several would lie over the lines of a narrow chart.
        "legend": _legend() | {"show": len(series) > 1},
        "dataZoom": _zoom(),
        "series": series,
    }


def sides_options(found: Sides) -> Options:
    """Draw the reference beside the current window: bars of numbers, or of categories."""
    both = (("reference", REFERENCE, found.reference), ("current", CURRENT, found.current))
    names = {"type": "category", "data": list(found.labels), "axisLabel": {"color": INK, "hideOverlap": True}}
    shares = _value_axis("% of rows")
    return _base() | {
        "xAxis": names if found.numeric else shares | {"nameLocation": "middle", "nameGap": 28},
        "yAxis": shares if found.numeric else names | {"inverse": True},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "legend": _legend(),
        # Nothing to zoom with stands below.
        "grid": _GRID | {"bottom": 12 if found.numeric else 30},
        "series": [
            {
                "type": "bar",
                "name": name,
                "itemStyle": {"color": colour},
                "barGap": "0%",
                "barCategoryGap": "15%",
                "data": [round(100 * share, 3) for share in side],
            }
            for name, colour, side in both
        ],
    }


def bands_options(found: Bands, axis: Axis) -> Options:
    """Draw quantiles over time, and those of the reference as levels."""
    series = []
    for quantile, values, reference in zip(QUANTILES, found.values, found.reference, strict=True):
        line = _line(f"{quantile:.0%}", [list(point) for point in zip(found.ends, values, strict=True)])
        middle = quantile == 0.5  # noqa: PLR2004  # the median
        line["lineStyle"] = {"color": CURRENT, "width": 2.5 if middle else 1}
        line["itemStyle"] = {"color": CURRENT}
        line["markLine"] = {
            "silent": True,
            "symbol": "none",
            "label": {"show": False},
            "lineStyle": {"color": REFERENCE, "type": "dashed", "width": 2 if middle else 1},
            "data": [{"yAxis": reference}],
        }
        series.append(line)
    return _base() | {
        "xAxis": _time_axis(axis),
        "yAxis": _value_axis("value") | {"scale": True},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "dataZoom": _zoom(),
        "series": series,
    }


def _base() -> Options:
    return {
        "useUTC": True,
        "animation": False,
        "textStyle": {"color": INK},
        "toolbox": _SAVE,
        "color": [CURRENT, REFERENCE, *_OTHERS],
        "grid": _GRID,
    }


def _legend() -> Options:
    return {
        "type": "scroll",
        "textStyle": {"color": INK},
        "pageTextStyle": {"color": INK},
        "pageIconColor": INK,
        "top": 0,
        "left": 60,
        "right": 40,
    }


def _zoom() -> list[Options]:
    return [{"type": "inside"}, {"type": "slider", "height": 18, "bottom": 8, "textStyle": {"color": INK}}]


def _line(name: str, points: list[list[float]]) -> Options:
    return {"type": "line", "name": name, "data": points, "showSymbol": len(points) == 1, "symbolSize": 5}


def _time_axis(axis: Axis) -> Options:
    label: Options = {"color": INK, "hideOverlap": True}
    if axis is Axis.ROWS:
        # Its name would stand outside of a narrow chart.
        label |= {"alignMinLabel": "left", "alignMaxLabel": "right"}
        label[":formatter"] = "v => `row ${v.toLocaleString('en-US')}`"
        return {"type": "value", "axisLabel": label, "splitLine": {"show": False}, "scale": True}
    return {"type": "time", "axisLabel": label | {"formatter": _DAYS}, "scale": True}


def _value_axis(name: str, *, log: bool = False) -> Options:
    label: Options = {"color": INK}
    if log:
        label |= {"alignMinLabel": "left", "alignMaxLabel": "right"}
        label[":formatter"] = "v => v === 1 ? '1' : v.toExponential(0)"
    return {
        "type": "log" if log else "value",
        "name": name,
        "nameTextStyle": {"color": INK, "align": "left"},
        "axisLabel": label,
        "splitLine": {"lineStyle": {"color": INK, "opacity": 0.2}},
    }
