from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings

from flows.batch import Batch
from flows.summarize import summarize
from state.grid import END
from state.segments import SegmentColumn, Segments
from state.sketches.base import HEADER, LATE, MISSING, NON_FINITE, ROWS, from_bytes
from tests.strategies import Case, timed_cases
from tests.streams import Run, in_turn, small_features

NOTHING = np.zeros(0, dtype=np.int64)


def batch(*, quiet: bool = False, late: dict[int, int] | None = None) -> Batch:
    """Three rows in pane 4, one in pane 6."""
    return Batch(
        partition="p",
        rows=4,
        panes=np.array([4, 6]),
        starts=np.array([0, 3]),
        late=late or {},
        numeric={"x": np.array([1.0, nan, inf, 2.5])},
        categorical={"c": ["a", None, "new", "b"]},
        frontier=5,
        last=6,
        quiet=quiet,
        size=0,
    )


def test_a_batch_becomes_one_partial_per_column() -> None:
    found = dict(summarize(batch(late={6: 2, 7: 3}), [small_features()]))
    assert list(found) == ["x", "c"]
    for name, (partition, frontier, last, panes, _) in found.items():
        assert (partition, frontier, last) == ("p", 5, 6)
        sketches = {pane: from_bytes(data) for pane, _, data in panes}
        assert {pane: s.rows for pane, s in sketches.items()} == {4: 3, 6: 1, 7: 0}
        # Late rows are counted where time stood, also in a pane to which this batch adds no row.
        assert {pane: int(s.counters[LATE]) for pane, s in sketches.items()} == {4: 0, 6: 2, 7: 3}
        assert int(sketches[4].counters[MISSING]) == 1
        assert int(sketches[4].counters[NON_FINITE]) == (1 if name == "x" else 0)
    (_, name), *_ = from_bytes(found["c"][3][0][2]).names
    assert name == "new"


def test_a_quiet_batch_sends_nothing() -> None:
    assert list(summarize(batch(quiet=True), [small_features()])) == []


def test_without_rows_the_frontier_still_goes_on() -> None:
    end = Batch(
        partition="p",
        rows=0,
        panes=NOTHING,
        starts=NOTHING,
        late={3: 1},
        numeric={},
        categorical={},
        frontier=END,
        last=3,
        quiet=False,
        size=0,
    )
    for feature, (name, (_, frontier, last, panes, _)) in zip(
        small_features(), summarize(end, [small_features()]), strict=True
    ):
        assert name == feature.column.name
        assert (frontier, last, len(panes)) == (END, 3, 1)
        sketch = from_bytes(panes[0][2])
        assert len(sketch.counters) == feature.bins.width
        assert (sketch.rows, int(sketch.counters[LATE])) == (0, 1)


@pytest.mark.parametrize("segments", [("a",), ("a", "b", "new")])
def test_rows_are_counted_by_segment_however_many_panes_a_batch_has(segments: tuple[str, ...]) -> None:
    panes = 1_300
    names: list[str | None] = [("a", "b", None)[i % 3] for i in range(2 * panes)]
    many = replace(
        batch(),
        rows=2 * panes,
        panes=np.arange(panes),
        starts=np.arange(0, 2 * panes, 2),
        numeric={"x": np.arange(2.0 * panes)},
        categorical={"c": names},
    )
    split = Segments((SegmentColumn("c", segments),))
    plain = dict(summarize(many, [small_features()]))
    for name, partial in summarize(many, [small_features()], segments=[split]):
        assert [pane for pane, _, _ in partial[3]] == list(range(panes))
        for (pane, _, data), (_, _, whole) in zip(partial[3], plain[name][3], strict=True):
            sketch = from_bytes(data)
            assert sketch.whole().to_bytes() == whole
            assert sketch.segments is not None
            codes = split.columns[0].coded(names[2 * pane : 2 * pane + 2])
            assert sketch.segments[:, ROWS].tolist() == np.bincount(codes, minlength=split.size).tolist()


@settings(max_examples=50)
@given(case=timed_cases())
def test_no_row_is_lost_or_counted_twice(case: Case) -> None:
    run = Run(grid=case.grid, streams=case.streams, lateness=case.lateness, cuts=[[3]] * len(case.streams))
    run.to_the_end(in_turn())
    for each in run.batches:
        for feature, (_, partial) in zip(run.features, summarize(each, [run.features]), strict=False):
            sketches = [from_bytes(data) for _, _, data in partial[3]]
            assert sum(int(s.counters[ROWS]) for s in sketches) == each.rows
            assert sum(int(s.counters[LATE]) for s in sketches) == sum(each.late.values())
            counts = slice(HEADER, HEADER + feature.bins.bins)
            told = sum(int(s.counters[MISSING] + s.counters[NON_FINITE]) for s in sketches)
            assert told + sum(int(s.counters[counts].sum()) for s in sketches) == each.rows
            panes = [pane for pane, _, _ in partial[3]]
            assert len(set(panes)) == len(panes)
