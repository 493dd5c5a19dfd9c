from collections import Counter
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from math import inf, isfinite, nan

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detectors.base import FloatArray
from detectors.registry import for_kind
from state.layout import categories, numeric_bins
from state.reference import Bins
from state.sketches.base import (
    HEADER,
    LATE,
    MISSING,
    NAME_LENGTH,
    NAME_SAMPLE,
    NON_FINITE,
    ROWS,
    Sketch,
    empty,
    from_bytes,
    merge_all,
    name_hash,
    sample_names,
)
from state.sketches.categorical import Categories
from state.sketches.numeric import SQUARE_BITS, SQUARE_CAP, SUM_BITS, NumericBins
from tests.state.window_oracle import categorical_counters, numeric_counters
from tests.streams import Row

FINITE = st.floats(allow_nan=False, allow_infinity=False)
FLOATS = st.one_of(st.floats(-100, 100), st.sampled_from([nan, inf, -0.0, 0.0, 1.0]), FINITE)
COLUMN = st.lists(FLOATS, max_size=40)
TEXTS = st.lists(
    st.none() | st.sampled_from(["a", "b", "rare", "x" * 150]) | st.text("ab", max_size=3), max_size=40
)
REFERENCE = st.lists(st.floats(-100, 100), min_size=1, max_size=60)
EXTENT = st.none() | st.tuples(st.sampled_from([-1.0, 0.0]), st.sampled_from([0.0, 50.0]))
LAYOUT = categories({"a": 5, "b": 3, "rare": 1, "rarer": 1}, top=2)
NO_PANES = np.zeros(1, dtype=np.int64)


def array(values: list[float]) -> FloatArray:
    found = np.array(values, dtype=np.float64)
    found.setflags(write=False)
    return found


def sketch_of(bins: Bins, values: Sequence[float | str | None]) -> Sketch:
    if not values:
        return empty(bins.width)
    if isinstance(bins, NumericBins):
        return bins.summarize(np.array(values, dtype=np.float64), NO_PANES, NO_PANES)[0]
    return bins.summarize([v if isinstance(v, str) else None for v in values], NO_PANES, NO_PANES)[0]


@st.composite
def columns(draw: st.DrawFn) -> tuple[Bins, Sequence[float | str | None]]:
    if draw(st.booleans()):
        return LAYOUT, draw(TEXTS)
    return numeric_bins(array(draw(REFERENCE)), extent=draw(EXTENT)), draw(COLUMN)


@given(column=columns(), cuts=st.lists(st.integers(0, 40), max_size=6), data=st.data())
def test_a_split_stream_is_the_whole_stream_bit_for_bit_in_any_order(
    column: tuple[Bins, Sequence[float | str | None]], cuts: list[int], data: st.DataObject
) -> None:
    bins, values = column
    borders = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    parts = [sketch_of(bins, values[a:b]) for a, b in pairwise(borders)]
    whole = sketch_of(bins, values).to_bytes()
    mixed = data.draw(st.permutations(parts))
    assert reduce(Sketch.merge, mixed).to_bytes() == whole
    assert merge_all(mixed).to_bytes() == whole
    # Grouped from the right, where `reduce` groups from the left.
    assert reduce(lambda held, part: part.merge(held), reversed(mixed)).to_bytes() == whole
    assert sketch_of(bins, values).merge(empty(bins.width)).to_bytes() == whole
    assert empty(bins.width).merge(sketch_of(bins, values)).to_bytes() == whole
    shuffled = data.draw(st.permutations(range(len(values))))
    assert sketch_of(bins, [values[i] for i in shuffled]).to_bytes() == whole


@given(column=columns())
def test_bytes_come_back(column: tuple[Bins, Sequence[float | str | None]]) -> None:
    bins, values = column
    sketch = sketch_of(bins, values)
    read = from_bytes(sketch.to_bytes())
    assert read.to_bytes() == sketch.to_bytes()
    assert read.counters.dtype == np.int64
    assert (read.counters == sketch.counters).all()
    assert (read.low, read.high, read.names) == (sketch.low, sketch.high, sketch.names)


@given(column=columns())
def test_merging_leaves_both_sides_as_they_were(
    column: tuple[Bins, Sequence[float | str | None]],
) -> None:
    bins, values = column
    sketch = sketch_of(bins, values)
    sketch.counters.setflags(write=False)
    before = sketch.to_bytes()
    sketch.merge(sketch)
    merge_all([sketch, sketch, sketch])
    assert sketch.to_bytes() == before


@given(reference=REFERENCE, panes=st.lists(st.lists(FLOATS, min_size=1, max_size=9), min_size=1, max_size=5))
def test_numeric_panes_hold_what_brute_force_counts(reference: list[float], panes: list[list[float]]) -> None:
    bins = numeric_bins(array(reference))
    values = array([value for pane in panes for value in pane])
    starts = np.cumsum([0, *(len(pane) for pane in panes[:-1])])
    late = np.arange(len(panes))
    # The array is read-only, so that a write in place raises.
    found = bins.summarize(values, starts, late)
    for i, (sketch, pane) in enumerate(zip(found, panes, strict=True)):
        counters, low, high = numeric_counters(bins, [Row(0, x) for x in pane], i)
        assert sketch.counters.tolist() == counters
        assert (sketch.low, sketch.high) == (low, high)


@given(
    reference=REFERENCE,
    extent=EXTENT,
    panes=st.lists(st.lists(FLOATS, min_size=1, max_size=9), min_size=1, max_size=5),
)
def test_zeros_and_values_outside_the_range_are_counted_by_pane(
    reference: list[float], extent: tuple[float, float] | None, panes: list[list[float]]
) -> None:
    bins = numeric_bins(array(reference), extent=extent)
    values = array([value for pane in panes for value in pane])
    starts = np.cumsum([0, *(len(pane) for pane in panes[:-1])])
    found = bins.summarize(values, starts, np.zeros(len(panes), dtype=np.int64))
    plain = numeric_bins(array(reference)).summarize(values, starts, np.zeros(len(panes), dtype=np.int64))
    for sketch, without, pane in zip(found, plain, panes, strict=True):
        # All else is as it is without a range.
        assert sketch.counters[: len(without.counters)].tolist() == without.counters.tolist()
        odd = bins.oddities(sketch)
        assert (odd is None) == (extent is None)
        if odd is not None and extent is not None:
            held = [value for value in pane if isfinite(value)]
            below, above = sum(v < extent[0] for v in held), sum(v > extent[1] for v in held)
            assert (odd.zeros, odd.below, odd.above) == (held.count(0.0), below, above)


@given(panes=st.lists(TEXTS.filter(bool), min_size=1, max_size=5))
def test_categorical_panes_hold_what_brute_force_counts(panes: list[list[str | None]]) -> None:
    values = [value for pane in panes for value in pane]
    starts = np.cumsum([0, *(len(pane) for pane in panes[:-1])])
    found = LAYOUT.summarize(values, starts, np.arange(len(panes)))
    for i, (sketch, pane) in enumerate(zip(found, panes, strict=True)):
        counters, names = categorical_counters(LAYOUT, [Row(0, c=c) for c in pane], i)
        assert sketch.counters.tolist() == counters
        assert sketch.names == names


@settings(max_examples=200)
@given(reference=REFERENCE, values=st.lists(st.floats(-300, 300), min_size=1, max_size=200))
def test_moments_are_numpys_within_the_rounding_of_fixed_point(
    reference: list[float], values: list[float]
) -> None:
    bins = numeric_bins(array(reference))
    moments = bins.summary(sketch_of(bins, values)).moments
    rows = array(values)
    reach = float(np.abs((rows - bins.center) / bins.unit).max())
    if reach**2 > SQUARE_CAP:
        assert moments is None
        return
    assert moments is not None
    # A value is rounded to half a step of 2**-SUM_BITS units, a square to half a step of 2**-SQUARE_BITS.
    step = bins.unit * 2.0**-SUM_BITS / 2
    doubles = 1e-12 * (np.abs(rows).max() + abs(bins.center) + bins.unit)
    assert moments.mean == pytest.approx(rows.mean(), rel=0, abs=step + doubles)
    mean_error = 2.0**-SUM_BITS / 2
    allowed = 2.0**-SQUARE_BITS / 2 + 2 * reach * mean_error + mean_error**2 + 1e-12 * reach**2
    assert moments.variance == pytest.approx(rows.var(), rel=0, abs=allowed * bins.unit**2 + doubles**2)
    place = np.searchsorted(bins.edges, rows, side="left")
    for index in range(bins.bins):
        inside = rows[place == index]
        allowed = len(inside) * (step + doubles)
        assert moments.bin_sums[index] == pytest.approx(float(inside.sum()), rel=0, abs=allowed)
    assert (moments.minimum, moments.maximum) == (rows.min(), rows.max())


@given(reference=st.lists(FINITE, min_size=1, max_size=20), values=st.lists(FINITE, min_size=1, max_size=20))
def test_any_doubles_give_readings_and_no_warning(reference: list[float], values: list[float]) -> None:
    bins = numeric_bins(array(reference))
    before = bins.summary(sketch_of(bins, reference))
    now = bins.summary(sketch_of(bins, values))
    assert now.n == len(values)
    for moments in (before.moments, now.moments):
        if moments is not None:
            assert isfinite(moments.mean)
            assert isfinite(moments.variance)
            assert np.isfinite(moments.bin_sums).all()
    for detector in for_kind(before.kind):
        reading = detector.compare(before, now)
        assert reading.score is None or isfinite(reading.score)


UNIT = NumericBins(edges=np.array([0.0]), groups=np.array([0, 1]), continuous=True, center=0.0, unit=1.0)


def counted(n: int, value: float) -> Sketch:
    """A sketch of `n` times one value, as int64 would hold it (numpy wraps around in silence)."""
    wrap = 2**64
    numbers = [n, 0, 0, 0, 0, n, 0, round(value * 2**SUM_BITS) * n, round(value**2 * 2**SQUARE_BITS) * n]
    folded = [(x + 2**63) % wrap - 2**63 for x in numbers]
    return Sketch(np.array(folded, dtype=np.int64), value, value)


@pytest.mark.parametrize("value", [2.0**-16, 0.25, 1.0, 3.0, 15.0, 17.0, 1_000.0, 11_585.0])
def test_sums_that_wrapped_around_are_never_shown(value: float) -> None:
    shown = []
    for bits in range(20, 63):
        moments = UNIT.summary(counted(2**bits, value)).moments
        shown.append(moments is not None)
        if moments is not None:
            assert moments.mean == pytest.approx(value, rel=1e-3)
            assert moments.variance == pytest.approx(0, abs=max(value * value, 1) * 2e-3)
    # A billion rows are no trouble, whatever the values.
    assert all(shown[:5])
    # Once they do not hold they never hold again.
    assert shown == sorted(shown, reverse=True)
    assert not shown[-1]


@pytest.mark.parametrize("value", [2.0**13.6, 2.0**20, 1e30, 1e300, -1e308, 1.7976931348623157e308])
def test_values_beyond_the_caps_have_no_moments_but_are_counted(value: float) -> None:
    summary = UNIT.summary(sketch_of(UNIT, [1.0, value]))
    assert summary.moments is None
    assert summary.n == 2


def test_a_full_batch_at_the_cap_adds_up_exactly() -> None:
    # 8,192 rows of the largest square there can be: 2**13 * 2**27 * 2**12 = 2**52.
    value = 2.0**13.5
    values = np.full(8_192, value)
    (sketch,) = UNIT.summarize(values, NO_PANES, NO_PANES)
    one = round(value * value * 2**SQUARE_BITS)
    assert int(sketch.counters[-1]) == 8_192 * min(one, 2**39)
    first, second = UNIT.summarize(values, np.array([0, 1]), np.zeros(2, dtype=np.int64))
    assert first.merge(second).to_bytes() == sketch.to_bytes()


def test_zeros_of_both_signs_are_one_value() -> None:
    there = sketch_of(UNIT, [0.0, -0.0])
    back = sketch_of(UNIT, [-0.0, 0.0])
    assert there.to_bytes() == back.to_bytes()
    apart = UNIT.summarize(np.array([0.0, -0.0]), np.array([0, 1]), np.zeros(2, dtype=np.int64))
    assert merge_all(apart).to_bytes() == merge_all(apart[::-1]).to_bytes() == there.to_bytes()


@pytest.mark.parametrize("bins", [UNIT, LAYOUT])
def test_the_sketch_of_no_rows_has_no_shares_and_no_moments(bins: Bins) -> None:
    summary = bins.summary(empty(bins.width))
    assert summary.n == 0
    assert len(summary.counts) == len(summary.groups) == bins.bins
    assert summary.moments is None
    assert len(empty(bins.width).to_bytes()) == 4 + 8 * bins.width + 16


def test_missing_and_non_finite_values_are_told_apart() -> None:
    sketch = sketch_of(UNIT, [nan, nan, inf, 1.0])
    assert [int(sketch.counters[i]) for i in (ROWS, LATE, MISSING, NON_FINITE)] == [4, 0, 2, 1]
    assert (sketch.low, sketch.high) == (1.0, 1.0)
    nothing = sketch_of(UNIT, [nan, inf])
    assert (nothing.low, nothing.high) == (inf, -inf)
    assert UNIT.summary(nothing).moments is None


def test_categories_are_known_rare_new_or_missing() -> None:
    sketch = sketch_of(LAYOUT, ["a", "a", "b", "rare", "rarer", "unheard", None, ""])
    counts = dict(zip(map(LAYOUT.label, range(LAYOUT.bins)), sketch.counters[HEADER:].tolist(), strict=True))
    assert counts == {"a": 2, "b": 1, "(other)": 2, "(new)": 2}
    assert int(sketch.counters[MISSING]) == 1
    assert {name for _, name in sketch.names} == {"unheard", ""}


def test_where_the_reference_forgot_names_an_unknown_one_is_not_new() -> None:
    layout = categories({"a": 5, "b": 3, "c": 2, "d": 1}, top=2, known=3)
    assert not layout.complete
    assert layout.rare == ("c",)
    sketch = sketch_of(layout, ["d", "unheard", "c", None])
    assert sketch.counters[HEADER:].tolist() == [0, 0, 3, 0]
    assert sketch.names == ()


@given(names=st.sets(st.text(max_size=5), min_size=NAME_SAMPLE, max_size=60), data=st.data())
def test_the_sample_of_new_names_does_not_depend_on_order_or_cut(
    names: set[str], data: st.DataObject
) -> None:
    assume(not names & {"a", "b", "rare", "rarer"})
    ordered = data.draw(st.permutations(sorted(names)))
    cut = data.draw(st.integers(1, len(ordered) - 1))
    parts = [sketch_of(LAYOUT, list(ordered[:cut])), sketch_of(LAYOUT, list(ordered[cut:]))]
    wanted = tuple(sorted((name_hash(name), name) for name in names)[:NAME_SAMPLE])
    assert merge_all(parts).names == parts[1].merge(parts[0]).names == wanted


def test_long_names_are_cut_and_stay_apart() -> None:
    one, other = "x" * 200 + "1", "x" * 200 + "2"
    names = sketch_of(LAYOUT, [one, other]).names
    assert {len(name) for _, name in names} == {NAME_LENGTH}
    assert {key for key, _ in names} == {name_hash(one), name_hash(other)}


def test_hashes_of_names_are_the_same_in_every_process() -> None:
    # BLAKE2b of "abc" in 8 bytes, as `b2sum -l 64` prints it: little-endian, without its lowest bit.
    assert name_hash("abc") == int.from_bytes(bytes.fromhex("d8bb14d833d59559"), "little") >> 1
    assert sample_names([(2, "b"), (1, "a"), (2, "b")]) == ((1, "a"), (2, "b"))


@given(values=TEXTS)
def test_categorical_counts_are_those_of_a_counter(values: list[str | None]) -> None:
    layout = Categories(names=("a", "b"), rare=("rare",), complete=True, groups=np.array([0, 1, 2, 3]))
    sketch, counts = sketch_of(layout, values), Counter(values)
    assert sketch.counters[HEADER : HEADER + 3].tolist() == [counts["a"], counts["b"], counts["rare"]]
    assert sketch.rows == len(values)
    assert int(sketch.counters[HEADER:].sum()) + counts[None] == len(values)
