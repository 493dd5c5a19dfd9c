import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from state.durations import Axis
from state.grid import END, Grid, WindowSpec, build_grid
from state.watermark import Watermark
from tests.strategies import HOUR, MINUTE

times = st.lists(st.integers(-1_000, 1_000), max_size=40)


def grid_of(length: int) -> Grid:
    spec = WindowSpec(name="w", size=length, slide=length)
    return build_grid((spec,), axis=Axis.ROWS, zone="UTC", origin=None)


@given(rows=times, length=st.integers(1, 50), lateness=st.integers(0, 300))
def test_a_row_is_late_when_its_pane_had_ended_at_the_watermark_before_it(
    rows: list[int], length: int, lateness: int
) -> None:
    mark = Watermark(grid_of(length), lateness)
    placed = mark.place(np.array(rows, dtype=np.int64))
    so_far: int | None = None
    for i, time in enumerate(rows):
        ended = (time // length + 1) * length
        late = so_far is not None and ended <= so_far - lateness
        assert bool(placed.late[i]) is late
        assert placed.panes[i] == time // length
        if late and so_far is not None:
            assert placed.standing[i] == so_far // length
        so_far = time if so_far is None else max(so_far, time)
    assert mark.max_time == so_far
    if so_far is not None:
        assert mark.frontier == (so_far - lateness) // length
        assert mark.last_pane == so_far // length


@given(rows=times, cuts=st.lists(st.integers(0, 40)), length=st.integers(1, 50), lateness=st.integers(0, 300))
def test_the_cut_of_batches_makes_no_difference(
    rows: list[int], cuts: list[int], length: int, lateness: int
) -> None:
    array = np.array(rows, dtype=np.int64)
    whole = Watermark(grid_of(length), lateness)
    placed = whole.place(array)
    late, panes = list[bool](), list[int]()
    max_time: int | None = None
    for piece in np.split(array, sorted(min(cut, len(rows)) for cut in cuts)):
        # What is between two batches is one number.
        mark = Watermark(grid_of(length), lateness, max_time)
        part = mark.place(piece)
        late += part.late.tolist()
        panes += part.panes.tolist()
        max_time = mark.max_time
    assert (late, panes, max_time) == (placed.late.tolist(), placed.panes.tolist(), whole.max_time)


def test_before_the_first_row_everything_is_open() -> None:
    mark = Watermark(grid_of(10), 0)
    assert (mark.frontier, mark.last_pane, mark.max_time) == (-END, -END, None)
    assert not mark.place(np.array([], dtype=np.int64)).late.size
    assert mark.max_time is None


def test_a_repeated_hour_is_late_only_when_the_clock_has_passed_it_twice() -> None:
    spec = WindowSpec(name="w", size=HOUR, slide=HOUR)
    grid = build_grid((spec,), axis=Axis.MILLISECONDS, zone="Europe/Berlin", origin=None)
    # 2025-10-26: 00:30Z and 01:30Z are both half past two in Berlin; at 02:00Z it is three.
    first, second, three = (1_761_440_400_000 + m * MINUTE for m in (-30, 30, 60))
    placed = Watermark(grid, 0).place(np.array([first, second, first, three, second, first]))
    assert placed.late.tolist() == [False, False, False, False, True, True]
    assert len(set(placed.panes[[0, 1]].tolist())) == 1
