from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.durations import Axis
from state.grid import MAX_SLICES, MONDAY, Grid, GridError, WindowSpec, build_grid
from tests.strategies import DAY, HOUR, MINUTE, SPANS, STARTS, window_specs


def grid_of(*specs: WindowSpec, axis: Axis = Axis.MILLISECONDS, origin: int | None = None) -> Grid:
    return build_grid(specs, axis=axis, zone="UTC", origin=origin)


def spec(size: int, slide: int | None = None) -> WindowSpec:
    return WindowSpec(name="w", size=size, slide=size if slide is None else slide)


@given(specs=window_specs(SPANS))
def test_a_pane_is_the_longest_span_that_all_borders_share(specs: tuple[WindowSpec, ...]) -> None:
    grid = grid_of(*specs)
    assert all(n % grid.length == 0 for s in specs for n in (s.size, s.slide))
    assert gcd(*(n // grid.length for s in specs for n in (s.size, s.slide))) == 1
    for paned, given_spec in zip(grid.windows, specs, strict=True):
        assert (paned.size * grid.length, paned.slide * grid.length) == (given_spec.size, given_spec.slide)
        assert paned.size % paned.slice_panes == paned.slide % paned.slice_panes == 0
        # The window after `overlap` steps starts where the first has ended, the one before does not.
        assert paned.overlap * paned.slide >= paned.size > (paned.overlap - 1) * paned.slide


@settings(max_examples=200)
@given(zone=st.sampled_from(sorted(STARTS)), data=st.data())
def test_panes_cover_time_without_gap_or_overlap(zone: str, data: st.DataObject) -> None:
    length = data.draw(st.sampled_from([MINUTE, 15 * MINUTE, HOUR, DAY]))
    grid = build_grid((spec(length),), axis=Axis.MILLISECONDS, zone=zone, origin=None)
    time = data.draw(st.sampled_from(STARTS[zone])) + data.draw(st.integers(0, DAY))
    pane = int(grid.pane_of(np.array([time]))[0])
    assert grid.start_of(pane) <= time < grid.start_of(pane + 1)
    assert grid.frontier(time) == pane
    # A pane's end is the first instant that is no longer in it.
    assert grid.frontier(grid.start_of(pane + 1) - 1) == pane
    assert grid.frontier(grid.start_of(pane + 1)) > pane


def test_the_origin_is_a_monday_or_row_0_or_what_is_asked_for() -> None:
    # 1970-01-01 was a Thursday.
    assert grid_of(spec(7 * DAY)).origin == MONDAY == 4 * DAY
    assert grid_of(spec(10), axis=Axis.ROWS).origin == 0
    assert grid_of(spec(DAY), origin=6 * HOUR).start_of(0) == 6 * HOUR
    assert grid_of(spec(DAY), origin=6 * HOUR).frontier(6 * HOUR - 1) == -1


@pytest.mark.parametrize(
    ("size", "slide", "words"),
    [
        (0, 0, "must be positive"),
        (DAY, -HOUR, "must be positive"),
        (HOUR, DAY, "slide 1d is longer than its size 1h"),
        (DAY, MINUTE, "needs 1440 slices; wanted at most 1000"),
    ],
)
def test_windows_that_make_no_grid_are_refused(size: int, slide: int, words: str) -> None:
    with pytest.raises(GridError, match="window 'w'") as error:
        grid_of(spec(size, slide))
    assert words in str(error.value)


def test_the_largest_number_of_slices_is_allowed() -> None:
    assert grid_of(spec(MAX_SLICES * MINUTE, MINUTE)).windows[0].size == MAX_SLICES
    # A long window that does not slide is one slice, however fine the panes of another window are.
    year = grid_of(spec(365 * DAY), spec(MINUTE)).windows[0]
    assert year.size == year.slice_panes == 365 * 24 * 60


def test_only_windows_that_do_not_overlap_are_tumbling() -> None:
    assert spec(HOUR).tumbling
    assert not spec(HOUR, MINUTE).tumbling
