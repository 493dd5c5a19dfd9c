from dataclasses import replace

import numpy as np
import pytest

from state.closed_panes import PaneRecorder, read_pane
from state.codec import CodecError
from state.durations import Axis
from state.grid import END, WindowSpec, build_grid
from state.panes import PanesClosed
from state.sketches.base import Sketch
from state.sketches.records import RECORDS
from tests.conftest import Golden
from tests.strategies import HOUR


def recorder(most: int = 10, axis: Axis = Axis.MILLISECONDS) -> PaneRecorder:
    specs = (WindowSpec(name="w", size=2 * HOUR, slide=HOUR),)
    grid = build_grid(specs, axis=axis, zone="Europe/Berlin", origin=None)
    return PaneRecorder(model="m", model_version="2", references=("r1", "r2"), grid=grid, most=most)


def a_sketch(rows: int = 5) -> Sketch:
    return Sketch(np.array([rows, 0, 1, 0, 3, -(2**62)]), low=-0.5, high=1e300, names=((7, "ü"),))


def test_pane_comes_back_with_its_time_and_its_counts() -> None:
    grid = recorder().grid
    # The last Sunday of October 2025 begins in UTC+2 and ends in UTC+1: its fourth hour is two hours long.
    midnight = grid.frontier(1_761_429_600_000)
    assert grid.start_of(midnight) == 1_761_429_600_000
    first, second = recorder().record(
        "x", PanesClosed(END, midnight + 3, ((midnight, 0, a_sketch()), (midnight + 2, 1, a_sketch(6))))
    )
    assert (first.model, first.model_version, first.feature, first.reference) == ("m", "2", "x", "r1")
    assert (first.start, first.end) == (1_761_429_600_000, 1_761_429_600_000 + HOUR)
    assert second.reference == "r2"
    assert second.start == 1_761_429_600_000 + 2 * HOUR
    found = read_pane(first)
    assert not found.incomplete
    assert found.sketch.to_bytes() == a_sketch().to_bytes()
    assert read_pane(second).sketch.rows == 6


def test_pane_that_a_time_out_closed_says_so() -> None:
    closed = PanesClosed(9, 9, tuple((pane, 0, a_sketch()) for pane in range(5)), ((1, 2), (3, 9)))
    assert [read_pane(pane).incomplete for pane in recorder().record("x", closed)] == [
        *(False, True, False),
        *(True, True),
    ]


@pytest.mark.parametrize(("most", "kept"), [(0, []), (2, [3, 4]), (5, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])])
def test_what_the_store_would_drop_is_not_written(most: int, kept: list[int]) -> None:
    closed = PanesClosed(9, 9, tuple((pane, 0, a_sketch(pane)) for pane in range(5)))
    found = recorder(most, Axis.ROWS).record("x", closed)
    assert [pane.start for pane in found] == [pane * HOUR for pane in kept]
    assert [read_pane(pane).sketch.rows for pane in found] == kept


def test_both_references_of_a_pane_are_written() -> None:
    # Which of the two the store drops is the store's to say: it may see them with others.
    places = [(1, 0), (1, 1), (2, 0), (2, 1)]
    closed = PanesClosed(9, 9, tuple((*place, a_sketch()) for place in places))
    found = recorder(3, Axis.ROWS).record("x", closed)
    assert [(pane.start // HOUR, int(pane.reference == "r2")) for pane in found] == places


def test_bytes_of_another_column_or_reference_are_refused() -> None:
    (pane,) = recorder().record("x", PanesClosed(9, 9, ((3, 0, a_sketch()),)))
    for other in (
        replace(pane, feature="y"),
        replace(pane, reference="r2"),
        replace(pane, body=pane.body[:-1]),
    ):
        with pytest.raises(CodecError, match="closed-pane"):
            read_pane(other)


def test_panes_of_the_first_layout_still_load(golden: Golden) -> None:
    (pane,) = recorder().record("x", PanesClosed(9, 9, ((3, 0, a_sketch()),), ((3, 4),)))
    body = golden("closed-pane.v1.bin", lambda: pane.body)
    found = read_pane(replace(pane, body=body))
    assert found.incomplete
    assert found.sketch.to_bytes() == a_sketch().to_bytes()


def test_panes_of_whole_records_are_not_kept() -> None:
    closed = PanesClosed(9, 9, ((1, 0, a_sketch()),))
    assert recorder().record(RECORDS, closed) == []
    assert len(recorder().record("x", closed)) == 1
