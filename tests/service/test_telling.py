"""Sentences about charts say what the values say."""

from service.dashboard.charts import number_text
from service.views.heat import HeatMap
from service.views.lines import Line
from service.views.sides import Bands, Sides
from service.views.telling import told_bands, told_heat, told_lines, told_sides


def line(*values: float, title: str = "Effect", unit: str = "PSI") -> Line:
    return Line(feature="x", metric="effect", title=title, unit=unit, points=tuple(enumerate(values)))


def written(time: int) -> str:
    return f"t{time}"


def test_a_line_is_told_by_its_end_and_its_extremes() -> None:
    assert told_lines([line(0.1, 0.5, 0.0, 0.2)], written, number_text) == (
        "0.2 on t3; least 0, most 0.5 on t1."
    )
    assert told_lines([line(0.25, unit="share")], written, number_text, [("limit", 0.5)]) == (
        "25 % on t0; least 25 %, most 25 % on t0. Held against: limit 50 %."
    )


def test_of_many_lines_some_are_named() -> None:
    lines = [line(float(i), title=f"s{i}") for i in range(6)]
    told = told_lines(lines, written, number_text)
    assert told.startswith("s0: 0 on t0")
    assert "s3: 3 on t0" in told
    assert "s4" not in told
    assert told.endswith("2 more lines.")
    assert told_lines([line()], written, number_text) == "Nothing was measured."


def test_sides_are_told_by_what_differs_most() -> None:
    sides = Sides(
        labels=("a", "b", "c"),
        reference=(0.5, 0.3, 0.2),
        current=(0.1, 0.3, 0.6),
        numeric=False,
        rows=9,
        start=0,
        end=1,
    )
    assert told_sides(sides) == "What differs most: a: 50.0% before, 10.0% now; c: 20.0% before, 60.0% now."
    same = Sides(labels=("a",), reference=(1.0,), current=(1.0,), numeric=False, rows=9, start=0, end=1)
    assert told_sides(same) == "Both sides are alike."


def test_bands_are_told_by_median_and_outer_quantiles() -> None:
    bands = Bands(
        ends=(1, 2),
        values=((0.0, 1.0), (0.0, 2.0), (0.0, 3.0), (0.0, 4.0), (0.0, 5.0)),
        reference=(6, 7, 8, 9, 10),
    )
    assert told_bands(bands, number_text) == (
        "The median is 3 (5 to 95 %: 1 to 5), in the reference 8 (5 to 95 %: 6 to 10)."
    )


def heat(*levels: int) -> HeatMap:
    return HeatMap(
        ends=(0, 1),
        features=tuple(f"c{i}" for i in range(len(levels))),
        effects=tuple((0.0, 0.1) for _ in levels),
        levels=tuple((3, level) for level in levels),
        page=0,
        pages=1,
        windows=2,
    )


def test_a_heat_map_is_told_by_its_last_windows() -> None:
    assert told_heat(heat(0, 2, 3), written) == (
        "3 columns to t1; in drift in the last window: c2 (high), c1 (medium)."
    )
    assert told_heat(heat(0, 0), written) == "2 columns to t1; none is in drift in the last window."
    assert told_heat(heat(1, 1, 1, 1, 1), written).endswith("c3 (low) and 1 more.")
