"""Counts by segment are those of the rows of the segment alone, however a stream is cut."""

from collections.abc import Sequence
from functools import reduce
from itertools import compress
from math import inf, nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from state.blocks import Block, BlockSpec
from state.grid import END
from state.layout import categories, numeric_bins
from state.panes import PanesClosed
from state.reference import Bins
from state.segments import NO_VALUE, REST, SegmentColumn, Segments, frozen_values
from state.sketches.base import HEADER, LATE, Sketch, empty, from_bytes, merge_all
from state.sketches.numeric import NumericBins
from state.windows import ClosedWindow, Windows
from tests.evidence import grid_of

COUNTRY = SegmentColumn("country", ("DE", "FR"))
DEVICE = SegmentColumn("device", ("phone",))
SEGMENTS = Segments((COUNTRY, DEVICE))
NUMERIC = numeric_bins(np.array([-3.0, -1.0, 0.0, 0.0, 2.5, 7.0]))
CATEGORICAL = categories({"a": 5, "b": 3, "rare": 1, "rarer": 1}, top=2)

VALUES = st.sampled_from([-4.0, -1.0, 0.0, 1.0, 2.5, 9.0, nan, inf, -inf])
NAMES = st.sampled_from(["a", "b", "rare", "new", None])
COUNTRIES = st.sampled_from(["DE", "FR", "US", REST, None])
DEVICES = st.sampled_from(["phone", "tablet", None])
ROWS = st.lists(st.tuples(VALUES, NAMES, COUNTRIES, DEVICES), max_size=40)

_Row = tuple[float, str | None, str | None, str | None]


def sketches(bins: Bins, panes: Sequence[Sequence[_Row]], *, split: bool = True) -> list[Sketch]:
    """One sketch per pane, each with at least one row."""
    rows = [row for pane in panes for row in pane]
    starts = np.cumsum([0, *(len(pane) for pane in panes[:-1])])
    late = np.zeros(len(panes), dtype=np.int64)
    fields = {"country": [row[2] for row in rows], "device": [row[3] for row in rows]}
    places = SEGMENTS.rows(fields, starts) if split else None
    if isinstance(bins, NumericBins):
        values = np.array([row[0] for row in rows])
        values.setflags(write=False)
        return bins.summarize(values, starts, late, places)
    return bins.summarize([row[1] for row in rows], starts, late, places)


def segment_of(row: _Row) -> tuple[int, int]:
    """Places of a row's segments in a sketch, found the slow way."""
    country = {"DE": 0, "FR": 1, None: 3}.get(row[2], 2)
    device = {"phone": 4, None: 6}.get(row[3], 5)
    return country, device


@given(panes=st.lists(ROWS.filter(bool), min_size=1, max_size=4))
def test_a_segment_holds_what_its_rows_alone_would(panes: list[list[_Row]]) -> None:
    for bins in (NUMERIC, CATEGORICAL):
        for sketch, pane in zip(sketches(bins, panes), panes, strict=True):
            assert sketch.segments is not None
            assert sketch.segments.shape == (SEGMENTS.size, HEADER + bins.bins)
            for segment, counted in enumerate(sketch.segments):
                own = list(compress(pane, (segment in segment_of(row) for row in pane)))
                wanted = sketches(bins, [own], split=False)[0] if own else empty(bins.width)
                assert counted.tolist() == wanted.counters[: HEADER + bins.bins].tolist()


@given(panes=st.lists(ROWS.filter(bool), min_size=1, max_size=4))
def test_everything_else_of_a_sketch_is_as_without_segments(panes: list[list[_Row]]) -> None:
    for bins in (NUMERIC, CATEGORICAL):
        plain = [sketch.to_bytes() for sketch in sketches(bins, panes, split=False)]
        assert [sketch.whole().to_bytes() for sketch in sketches(bins, panes)] == plain


@given(parts=st.lists(ROWS.filter(bool), min_size=1, max_size=5), data=st.data())
def test_a_split_stream_is_the_whole_stream_bit_for_bit_in_any_order(
    parts: list[list[_Row]], data: st.DataObject
) -> None:
    for bins in (NUMERIC, CATEGORICAL):
        whole = sketches(bins, [[row for part in parts for row in part]])[0].to_bytes()
        late = empty(bins.width)
        mixed = data.draw(st.permutations([*(sketches(bins, [part])[0] for part in parts), late]))
        assert reduce(Sketch.merge, mixed).to_bytes() == whole
        assert reduce(lambda held, part: part.merge(held), reversed(mixed)).to_bytes() == whole
        assert merge_all(mixed).to_bytes() == whole
        assert from_bytes(whole).to_bytes() == whole


def test_merging_leaves_both_sides_as_they_were() -> None:
    (sketch,) = sketches(NUMERIC, [[(1.0, None, "DE", None)]])
    assert sketch.segments is not None
    sketch.segments.setflags(write=False)
    before = sketch.to_bytes()
    late = empty(NUMERIC.width)
    late.counters[LATE] = 1
    merge_all([late, sketch, sketch.merge(late), sketch])
    assert sketch.to_bytes() == before


def test_evidence_blocks_carry_no_segments() -> None:
    (sketch,) = sketches(NUMERIC, [[(1.0, None, "DE", None)] * 20])
    windows = Windows.start(grid_of().windows, blocks=BlockSpec(rows=10, panes=1))
    told = windows.add(PanesClosed(END, 3, ((0, 0, sketch), (3, 0, sketch))))
    blocks = [found for found in told if isinstance(found, Block)]
    assert [block.sketch.to_bytes() for block in blocks] == [sketch.whole().to_bytes()] * 2
    closed = [found.sketch for found in told if isinstance(found, ClosedWindow)]
    assert all(each.segments is not None for each in closed)


def test_values_of_a_segment_are_the_most_frequent_ones() -> None:
    counts = {"FR": 3, "DE": 3, "US": 9, REST: 50, NO_VALUE: 40, "CH": 1}
    assert frozen_values(counts, 3) == ("US", "DE", "FR")
    assert frozen_values(counts, 9) == ("US", "DE", "FR", "CH")
    assert frozen_values({}, 3) == ()


def test_segments_are_picked_in_the_order_asked_for() -> None:
    assert SEGMENTS.picked(["device", "country"]).names == ("device", "country")
    assert [(column.name, place) for column, place in SEGMENTS.spans()] == [
        ("country", slice(0, 4)),
        ("device", slice(4, 7)),
    ]
    assert COUNTRY.labels == ("DE", "FR", REST, NO_VALUE)
