"""Options of charts: what is drawn where, with its unit, and never as HTML."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from service.dashboard import ink
from service.dashboard.charts import bands_options, heat_options, line_options, sides_options
from service.dashboard.login import inside
from service.dashboard.parts import table_html
from service.views.heat import HeatMap
from service.views.lines import Line
from service.views.sides import Bands, Sides
from state.durations import Axis

STYLE = (Path(ink.__file__).parent / "dashboard.css").read_text()
HOSTILE = "<img src=x onerror=alert(1)>`${1}`"

HEAT = HeatMap(
    ends=(0, 3_600_000),
    features=(HOSTILE, "b"),
    effects=((0.5, None), (0.0, 0.125)),
    levels=((3, 0), (0, 2)),
    page=0,
    pages=1,
    windows=2,
)
SHARE = Line(
    feature="", metric="drift_share", title="Columns in drift", unit="share", points=((0, 0.5), (1, 1.0))
)
SIDES = Sides(
    labels=(HOSTILE, "b"), reference=(0.5, 0.5), current=(1.0, 0.0), numeric=False, rows=9, start=0, end=1
)
BANDS = Bands(ends=(1, 2), values=((1.0, 2.0),) * 5, reference=(1.0,) * 5)


def parts(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # whatever the options hold
    if isinstance(value, dict):
        for key, part in value.items():
            yield key, part
            yield from parts(part)
    elif isinstance(value, list):
        for part in value:
            yield from parts(part)


def luminance(colour: str) -> float:
    """Give the relative luminance of a colour, by WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_of_charts_is_legible_on_both_papers() -> None:
    papers = re.findall(r"--card: (#[0-9a-f]{6})", STYLE)
    dark_ink, light_ink = re.findall(r"#[0-9a-f]{6}", ink._INKS)
    for paper, text in zip(papers, (light_ink, dark_ink), strict=True):
        low, high = sorted((luminance(paper), luminance(text)))
        # What WCAG 2.2 asks of small text (1.4.3, level AA).
        assert (high + 0.05) / (low + 0.05) >= 4.5
    for options in (heat_options(HEAT, Axis.ROWS), line_options([SHARE], Axis.ROWS), sides_options(SIDES)):
        assert ink.INK not in [part for _key, part in parts(ink.themed(options))]


def test_names_from_data_are_never_code_or_html() -> None:
    for options in (
        heat_options(HEAT, Axis.MILLISECONDS),
        line_options([SHARE], Axis.ROWS),
        sides_options(SIDES),
        bands_options(BANDS, Axis.ROWS),
    ):
        assert options["tooltip"]["renderMode"] == "richText"
        scripts = [part for key, part in parts(options) if key.startswith(":")]
        assert not any(HOSTILE in script for script in scripts)
        assert options["toolbox"]["feature"]["saveAsImage"]
        orjson.dumps(options)
    assert "<img" not in table_html(HOSTILE, [HOSTILE], [[HOSTILE, (HOSTILE, HOSTILE)]])


def test_a_heat_map_has_a_cell_wherever_something_was_compared() -> None:
    options = heat_options(HEAT, Axis.MILLISECONDS)
    assert options["series"][0]["data"] == [[0, 0, 3, 0.5], [0, 1, 0, 0.0], [1, 1, 2, 0.125]]
    assert options["xAxis"]["data"] == ["1970-01-01 00:00", "1970-01-01 01:00"]


def test_shares_are_percent_with_their_limits_and_episodes() -> None:
    options = line_options([SHARE], Axis.MILLISECONDS, limits=[("limit", 0.25)], spans=[(0, 1)])
    (series,) = options["series"]
    assert series["data"] == [[0, 50.0], [1, 100.0]]
    assert [line["yAxis"] for line in series["markLine"]["data"]] == [25.0]
    assert series["markArea"]["data"] == [[{"xAxis": 0}, {"xAxis": 1}]]
    assert options["yAxis"]["name"] == "%"


def test_orders_of_magnitude_leave_out_what_has_none() -> None:
    line = Line(feature="x", metric="p_value", title="p", unit="p-value", points=((0, 0.0), (1, 0.5)))
    options = line_options([line], Axis.ROWS, log=True)
    assert options["series"][0]["data"] == [[1, 0.5]]
    assert (options["yAxis"]["type"], options["xAxis"]["type"]) == ("log", "value")


def test_who_has_shown_a_key_is_sent_nowhere_else() -> None:
    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "", "/a\r\nSet-Cookie: b"):
        assert inside(path) == "/"
    assert inside("/models/fraud") == "/models/fraud"
