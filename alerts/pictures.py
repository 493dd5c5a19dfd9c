"""A picture of reference against current, for channels that can show one."""

from collections.abc import Sequence
from typing import Any

from alerts.signals import Signal
from alerts.wording import one_line

MOST_COLUMNS = 3
_MOST_LABEL = 24
_REFERENCE, _CURRENT = "#9ca3af", "#1d4ed8"
_WIDTH, _STEP, _SCALE = 420, 11, 2


def picture_of(signals: Sequence[Signal]) -> bytes | None:
    """Draw the worst columns that have a histogram; signals come with the most severe first.

    Returns
    -------
    bytes or None
        A PNG on white; None where no column has a histogram, or where vl-convert is not installed.
    """
    shown = [signal for signal in signals if signal.bars is not None and signal.bars.labels][:MOST_COLUMNS]
    if not shown:
        return None
    try:
        # Loaded here: it brings an engine of its own, and most channels draw nothing.
        import vl_convert  # noqa: PLC0415
    except ModuleNotFoundError:
        return None
    spec = {
        "background": "white",
        "padding": 12,
        "vconcat": [_chart(signal) for signal in shown],
        "config": {
            "font": "sans-serif",
            "view": {"stroke": None},
            "axis": {"grid": False, "labelFontSize": 11, "titleFontSize": 11},
            "title": {"anchor": "start", "fontSize": 13, "offset": 8},
            "legend": {"orient": "top", "title": None},
        },
        "resolve": {"scale": {"color": "shared"}},
    }
    drawn: bytes = vl_convert.vegalite_to_png(spec, scale=_SCALE)
    return drawn


def _chart(signal: Signal) -> dict[str, Any]:
    bars = signal.bars
    assert bars is not None
    names = [f"{place:02d}{one_line(label, _MOST_LABEL)}" for place, label in enumerate(bars.labels)]
    rows = [
        {"name": name, "side": side, "share": share}
        for side, shares in (("reference", bars.reference), ("current", bars.current))
        for name, share in zip(names, shares, strict=True)
    ]
    # Two labels may read the same once they are cut: a number in front keeps them apart, and is not shown.
    axis = {"labelExpr": "slice(datum.label, 2)", "ticks": False, "domain": False, "labelLimit": 180}
    return {
        "title": one_line(signal.feature, 60) or signal.kind.value,
        "width": _WIDTH,
        "height": {"step": _STEP, "for": "position"},
        "data": {"values": rows},
        "mark": {"type": "bar"},
        "encoding": {
            "y": {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": axis},
            "yOffset": {"field": "side", "sort": ["reference", "current"]},
            "x": {
                "field": "share",
                "type": "quantitative",
                "title": "share of rows",
                "axis": {"format": "~%", "tickCount": 5},
            },
            "color": {
                "field": "side",
                "scale": {"domain": ["reference", "current"], "range": [_REFERENCE, _CURRENT]},
            },
        },
    }
