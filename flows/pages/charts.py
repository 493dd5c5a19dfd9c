"""Charts as SVG: specifications of Vega-Lite, drawn by vl-convert without a browser or a network."""

from typing import Any

import numpy as np

from service.bars import bars_of
from state.event_data import Histogram

REFERENCE, CURRENT, INK, LINES = "#010101", "#020202", "#030303", "#040404"
"""Stand for colours in a drawing; the page's style sheet gives each its colour, in light and in dark."""

MOST_CATEGORIES = 12
"""Categories that a chart names; the others are one bar."""

_WIDTH, _HEIGHT, _BAR = 320, 120, 18

_Spec = dict[str, Any]


def histogram_svg(found: Histogram, *, low: float | None, high: float | None, both: bool = True) -> str:
    """Draw the reference, and the current side over it where there is `both`.

    Parameters
    ----------
    low, high
        Smallest and largest value of both sides; not looked at for categories.
    """
    if found.categories is not None:
        return _drawn(_categories(found, found.categories, both=both))
    return _drawn(_numbers(found, low, high, both=both))


def _drawn(spec: _Spec) -> str:
    # Loaded here: it brings an engine of its own, and only pages draw.
    import vl_convert  # noqa: PLC0415

    drawn: str = vl_convert.vegalite_to_svg(spec | {"config": _CONFIG, "background": None})
    return drawn


def _numbers(found: Histogram, low: float | None, high: float | None, *, both: bool) -> _Spec:
    edges = np.array(found.edges or [0.0])
    first = float(edges[0]) if low is None else low
    last = float(edges[-1]) if high is None else high
    counts = [np.array(side, dtype=np.int64) for side in (found.reference, found.current)]
    bars = bars_of(edges, counts[0], counts[1], first, last)
    left, right = bars.borders[:-1].tolist(), bars.borders[1:].tolist()
    rows = [
        {"from": a, "to": b, "reference": p, "current": q}
        for a, b, p, q in zip(left, right, bars.reference.tolist(), bars.current.tolist(), strict=True)
    ]
    axis = {"tickCount": 6, "labelOverlap": "greedy", "tickMinStep": 1 if bars.whole else 0}
    x = {"field": "from", "type": "quantitative", "bin": "binned", "title": None, "axis": axis}
    layers: list[_Spec] = [
        {
            "mark": {"type": "bar", "color": REFERENCE, "binSpacing": 0},
            "encoding": {"x": x, "x2": {"field": "to"}, "y": _share("reference")},
        }
    ]
    if both:
        # A step of its own at the right end closes the line.
        outline = [{"at": row["from"], "current": row["current"]} for row in rows]
        outline.append({"at": rows[-1]["to"], "current": rows[-1]["current"]})
        layers.append(
            {
                "data": {"values": outline},
                "mark": {"type": "line", "color": CURRENT, "interpolate": "step-after", "strokeWidth": 2},
                "encoding": {
                    "x": {"field": "at", "type": "quantitative", "title": None},
                    "y": _share("current"),
                },
            }
        )
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "data": {"values": rows},
        "layer": layers,
        # Without this the line would pull the axis to zero.
        "encoding": {"x": {"scale": {"zero": False, "nice": False}}},
    }


def _categories(found: Histogram, names: list[str], *, both: bool) -> _Spec:
    totals = [max(sum(found.reference), 1), max(sum(found.current), 1)]
    shares = [
        (name, before / totals[0], now / totals[1])
        for name, before, now in zip(names, found.reference, found.current, strict=True)
        if before or now
    ]
    shares.sort(key=lambda share: -max(share[1:]))
    shown, rest = shares[:MOST_CATEGORIES], shares[MOST_CATEGORIES:]
    if rest:
        before, now = sum(share[1] for share in rest), sum(share[2] for share in rest)
        shown.append((f"{len(rest)} others", before, now))
    rows = [_bar(name, "reference", before) for name, before, _ in shown]
    if both:
        rows += [_bar(name, "current", now) for name, _, now in shown]
    return {
        "width": _WIDTH,
        "height": {"step": _BAR},
        "data": {"values": rows},
        "mark": {"type": "bar", "height": {"band": 0.85}},
        "encoding": {
            "y": {"field": "name", "type": "nominal", "sort": [row[0] for row in shown], "title": None},
            "yOffset": {"field": "side", "sort": ["reference", "current"]},
            "x": _share("share"),
            "color": {
                "field": "side",
                "scale": {"domain": ["reference", "current"], "range": [REFERENCE, CURRENT]},
                "legend": None,
            },
        },
    }


def _bar(name: str, side: str, share: float) -> _Spec:
    return {"name": name, "side": side, "share": share}


def _share(field: str) -> _Spec:
    axis = {"format": "~%", "tickCount": 3, "title": "share of rows"}
    return {"field": field, "type": "quantitative", "axis": axis, "scale": {"zero": True}}


_CONFIG: _Spec = {
    "font": "sans-serif",
    "padding": {"left": 10, "right": 12, "top": 6, "bottom": 4},
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "tickColor": LINES,
        "domainColor": LINES,
        "gridColor": LINES,
        "gridOpacity": 0.5,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "labelLimit": 140,
    },
}
