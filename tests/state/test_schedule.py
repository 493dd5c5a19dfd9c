from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.grid import PanedWindow
from state.panes import PanesClosed
from state.schedule import UNCHANGED, Schedule, ScheduleConflictError
from state.sketches.base import ROWS, Sketch, empty
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins
from state.windows import Closed, ClosedWindow, Windows
from tests.conftest import Golden
from tests.state.window_oracle import Found, categorical_counters, numeric_counters, windows_of
from tests.strategies import Case, row_number_cases, timed_cases
from tests.streams import Run, in_turn, other_features, small_features

cuts = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@st.composite
def schedules(draw: st.DrawFn, panes: st.SearchStrategy[int], *, longest: int, most: int = 3) -> Schedule:
    begins = sorted(draw(st.sets(panes, max_size=most)))
    return Schedule(later=tuple((pane, f"v{i}") for i, pane in enumerate(begins, 1)), longest=longest)


small = st.integers(1, 8).flatmap(lambda longest: schedules(st.integers(-5, 20), longest=longest))


@given(schedule=small, pane=st.integers(-30, 40))
def test_a_pane_has_the_generations_of_all_windows_that_may_cover_it(schedule: Schedule, pane: int) -> None:
    starts = range(pane - schedule.longest + 1, pane + 1)
    # The generation of a start, counted one by one.
    generations = {sum(begin <= start for begin, _ in schedule.later) for start in starts}
    assert set(schedule.of_pane(pane)) == generations
    assert {schedule.of_window(start) for start in starts} == generations


@given(schedule=small, panes=st.sets(st.integers(-30, 40)))
def test_spans_are_the_generations_of_each_pane(schedule: Schedule, panes: set[int]) -> None:
    ordered = np.array(sorted(panes), dtype=np.int64)
    found = [
        (int(pane), generation)
        for generation, start, end in schedule.spans(ordered)
        for pane in ordered[start:end]
    ]
    assert sorted(found) == [(pane, g) for pane in sorted(panes) for g in schedule.of_pane(pane)]


@given(schedule=small, seen=st.integers(-6, 21))
def test_what_lies_ahead_of_the_rows_may_change(schedule: Schedule, seen: int) -> None:
    past = tuple(item for item in schedule.later if item[0] <= seen)
    changed = Schedule(later=(*past, (seen + 1, "other")), longest=schedule.longest)
    changed.check_known(schedule.later, seen)
    schedule.check_known(changed.later, seen)
    Schedule(later=past, longest=1).check_known(schedule.later, seen)


@pytest.mark.parametrize(
    ("known", "now", "named"),
    [
        ((), ((7, "new"),), "new"),
        (((7, "gone"),), (), "gone"),
        (((3, "a"), (7, "b")), ((3, "a"), (6, "b")), "b"),
        (((3, "a"),), ((3, "c"),), "a"),
    ],
)
def test_what_has_rows_may_not_change(
    known: tuple[tuple[int, str], ...], now: tuple[tuple[int, str], ...], named: str
) -> None:
    with pytest.raises(ScheduleConflictError) as caught:
        Schedule(later=now).check_known(known, 7)
    assert (caught.value.version, caught.value.seen) == (named, 7)


def test_without_a_change_there_is_one_generation() -> None:
    assert (UNCHANGED.of_window(5), UNCHANGED.of_pane(5)) == (0, range(1))
    assert list(UNCHANGED.spans(np.array([2, 9]))) == [(0, 0, 2)]


def plain(windows: Sequence[Closed]) -> list[tuple[object, ...]]:
    return [
        (*w[:3], w.partial, w.sketch.to_bytes()) if isinstance(w, ClosedWindow) else tuple(w) for w in windows
    ]


def wanted(case: Case, schedule: Schedule, column: int) -> list[tuple[object, ...]]:
    """The windows of the brute force, each counted in the bins of the generation in which it starts."""
    grid, said = case.grid, list[tuple[object, ...]]()
    for window in windows_of(case):
        if not isinstance(window, Found):
            said.append((window.spec, window.start, window.end, window.windows))
            continue
        start = (window.start - grid.origin) // grid.length
        late = sum(begin <= start for begin, _ in schedule.later) % 2
        bins = (small_features, other_features)[late]()[column].bins
        content: tuple[object, ...]
        if isinstance(bins, NumericBins):
            content = numeric_counters(bins, window.rows, window.late)
        else:
            content = categorical_counters(bins, window.rows, window.late)
        said.append((window.spec, window.start, window.end, window.partial, *content))
    return said


def seen(case: Case, column: int, windows: Sequence[Closed]) -> list[tuple[object, ...]]:
    grid, said = case.grid, list[tuple[object, ...]]()
    for window in windows:
        at = (window.spec, *(grid.origin + pane * grid.length for pane in (window.start, window.end)))
        if not isinstance(window, ClosedWindow):
            said.append((*at, window.windows))
            continue
        sketch, counters = window.sketch, window.sketch.counters.tolist()
        names = isinstance(small_features()[column].bins, Categories)
        rest = (sketch.names,) if names else (sketch.low, sketch.high)
        said.append((*at, window.partial, counters, *rest))
    return said


@st.composite
def switches(draw: st.DrawFn) -> tuple[Case, Schedule]:
    """A stream, and up to three changes to and fro among its panes."""
    case = draw(st.one_of(timed_cases(), timed_cases(), row_number_cases()))
    times = [row.time for stream in case.streams for row in stream] or [0]
    first, last = case.grid.frontier(min(times)), case.grid.frontier(max(times))
    longest = max(window.size for window in case.grid.windows)
    # Changes far apart, near to each other, before the first row and behind the last.
    panes = st.integers(first - longest, min(last, first + 40) + longest)
    return case, draw(schedules(panes, longest=longest))


def run_of(case: Case, schedule: Schedule, sizes: Sequence[Sequence[int]]) -> Run:
    others = (other_features(), small_features())
    return Run(
        grid=case.grid,
        streams=case.streams,
        lateness=case.lateness,
        cuts=sizes,
        clock=case.axis.value == "ms",
        schedule=schedule,
        later=tuple(others[i % 2] for i in range(len(schedule.later))),
    )


@given(drawn=switches(), data=st.data())
def test_each_window_is_counted_in_the_bins_of_the_generation_in_which_it_starts(
    drawn: tuple[Case, Schedule], data: st.DataObject
) -> None:
    case, schedule = drawn
    straight = run_of(case, schedule, [[1_000]] * len(case.streams)).to_the_end(in_turn())
    for column, name in enumerate(straight):
        assert seen(case, column, straight[name]) == wanted(case, schedule, column)
    cut = run_of(case, schedule, [data.draw(cuts) for _ in case.streams])
    cut.restart = lambda: data.draw(st.integers(0, 5), "restart") == 5
    again = cut.to_the_end(lambda names: data.draw(st.sampled_from(names), "next"))
    assert {c: plain(w) for c, w in again.items()} == {c: plain(w) for c, w in straight.items()}


def test_a_generation_is_kept_no_longer_than_its_windows_need_it() -> None:
    kinds = (
        PanedWindow(index=0, name="t", size=2, slide=2),
        PanedWindow(index=1, name="s", size=6, slide=2),
    )
    schedule = Schedule(later=((5, "v1"),), longest=6)
    windows = Windows.start(kinds, schedule=schedule)
    held = list[tuple[set[int], ...]]()
    for pane in range(14):
        panes = tuple((pane, generation, small_sketch()) for generation in schedule.of_pane(pane))
        windows.add(PanesClosed(pane + 1, pane, panes))
        held.append(tuple({generation for _, generation in ring.slices} for ring in windows.rings))
    # Of the tumbling windows [4, 6) is the last of generation 0. Of the sliding ones it is [4, 10), and
    # [6, 12) the first of generation 1. A window leaves nothing but what later windows share.
    tumbling = [{0}, set(), {0}, set(), {0}, set(), {1}, set(), {1}, set(), {1}, set(), {1}, set()]
    assert [found for found, _ in held] == tumbling
    both, one = {0, 1}, {1}
    assert [found for _, found in held] == [{0}] * 6 + [both, both, both, one, one, one, one, one]


def test_state_of_windows_before_there_were_generations_still_loads(golden: Golden) -> None:
    # Panes 3 and 4 of two kinds of windows, as the first layout kept them.
    kinds = (
        PanedWindow(index=0, name="t", size=2, slide=2),
        PanedWindow(index=1, name="s", size=4, slide=2),
    )
    body = golden("windows.v1.bin", lambda: pytest.fail("the first layout cannot be written any more"))
    windows = Windows.start(kinds, body, schedule=Schedule(later=((6, "v1"),), longest=4))
    found = windows.add(PanesClosed(6, 6, ((5, 0, small_sketch()),)))
    rows = [(w.spec, w.start, w.sketch.rows) for w in found if isinstance(w, ClosedWindow)]
    # One row on pane 1, two on 3, three on 4; and one on 5 now.
    assert rows == [(0, 4, 4), (1, 2, 6)]


def small_sketch() -> Sketch:
    sketch = empty(small_features()[0].bins.width)
    sketch.counters[ROWS] = 1
    return sketch
