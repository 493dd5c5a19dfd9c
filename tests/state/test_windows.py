from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from state.blocks import Block, BlockSpec
from state.durations import Axis
from state.grid import END, PanedWindow, WindowSpec
from state.panes import PanesClosed
from state.schedule import Schedule
from state.sketches.base import LATE, ROWS, Sketch, empty
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins
from state.windows import Closed, ClosedWindow, EmptySpan, Told, Windows
from tests.state.window_oracle import Found, categorical_counters, numeric_counters, windows_of
from tests.strategies import HOUR, MINUTE, Case, row_number_cases, timed_cases
from tests.streams import Row, Run, in_turn, small_features, windows_only

cuts = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def run_of(case: Case, read_sizes: Sequence[Sequence[int]]) -> Run:
    return Run(
        grid=case.grid,
        streams=case.streams,
        lateness=case.lateness,
        cuts=read_sizes,
        clock=case.axis is Axis.MILLISECONDS,
    )


def plain(found: Sequence[Closed]) -> list[tuple[object, ...]]:
    """Windows as values that can be compared."""
    return [
        (f.spec, f.start, f.end, f.partial, f.sketch.to_bytes()) if isinstance(f, ClosedWindow) else tuple(f)
        for f in found
    ]


def expected(case: Case, column: int) -> list[tuple[object, ...]]:
    """What the oracle says of one column: borders on the wall clock, and the sketch in plain values."""
    bins, said = small_features()[column].bins, list[tuple[object, ...]]()
    for window in windows_of(case):
        if not isinstance(window, Found):
            said.append((window.spec, window.start, window.end, window.windows))
        elif isinstance(bins, NumericBins):
            content = numeric_counters(bins, window.rows, window.late)
            said.append((window.spec, window.start, window.end, window.partial, *content))
        else:
            counters, names = categorical_counters(bins, window.rows, window.late)
            said.append((window.spec, window.start, window.end, window.partial, counters, names))
    return said


def seen(case: Case, column: int, windows: Sequence[Closed]) -> list[tuple[object, ...]]:
    """The same of what came out."""
    grid, bins, said = case.grid, small_features()[column].bins, list[tuple[object, ...]]()
    for window in windows:
        borders = (
            window.spec,
            grid.origin + window.start * grid.length,
            grid.origin + window.end * grid.length,
        )
        if isinstance(window, EmptySpan):
            said.append((*borders, window.windows))
            continue
        counters, sketch = window.sketch.counters.tolist(), window.sketch
        if isinstance(bins, Categories):
            said.append((*borders, window.partial, counters, sketch.names))
        else:
            said.append((*borders, window.partial, counters, sketch.low, sketch.high))
    return said


GAP = Case(
    specs=(
        WindowSpec(name="a", size=45 * MINUTE, slide=30 * MINUTE),
        WindowSpec(name="b", size=HOUR, slide=HOUR),
    ),
    axis=Axis.MILLISECONDS,
    zone="UTC",
    lateness=0,
    streams=((Row(0, 1.0, "a"), Row(9 * HOUR, 2.0, None), Row(8 * HOUR, 2.0, "late")),),
)


@settings(max_examples=250)
@given(case=st.one_of(timed_cases(), timed_cases(), row_number_cases()), data=st.data())
@example(case=GAP, data=None)
def test_windows_are_those_of_the_brute_force(case: Case, data: st.DataObject | None) -> None:
    straight = run_of(case, [[1_000]] * len(case.streams)).to_the_end(in_turn())
    for column, name in enumerate(straight):
        assert seen(case, column, straight[name]) == expected(case, column)
    if data is None:
        return
    cut = run_of(case, [data.draw(cuts) for _ in case.streams])
    cut.restart = lambda: data.draw(st.integers(0, 5), "restart") == 5
    again = cut.to_the_end(lambda names: data.draw(st.sampled_from(names), "next"))
    assert {c: plain(w) for c, w in again.items()} == {c: plain(w) for c, w in straight.items()}


@settings(max_examples=100)
@given(case=timed_cases())
def test_all_columns_send_the_same_windows_in_one_order(case: Case) -> None:
    windows = run_of(case, [[3]] * len(case.streams)).to_the_end(in_turn())
    x, c = ([(type(w), *w[:3]) for w in windows[name]] for name in ("x", "c"))
    assert x == c
    ends = [w.end for w in windows["x"] if isinstance(w, ClosedWindow)]
    assert ends == sorted(ends)


@settings(max_examples=100)
@given(case=timed_cases())
def test_tumbling_windows_hold_each_row_once(case: Case) -> None:
    case = Case(
        specs=tuple(WindowSpec(name=s.name, size=s.size, slide=s.size) for s in case.specs),
        axis=case.axis,
        zone=case.zone,
        lateness=case.lateness,
        streams=case.streams,
    )
    run = run_of(case, [[4]] * len(case.streams))
    windows = run.to_the_end(in_turn())["x"]
    on_time = sum(batch.rows for batch in run.batches)
    late = sum(len(batch.late_rows) for batch in run.batches)
    for spec in range(len(case.specs)):
        counters = [w.sketch.counters for w in windows if isinstance(w, ClosedWindow) and w.spec == spec]
        assert sum(int(c[ROWS]) for c in counters) == on_time
        assert sum(int(c[LATE]) for c in counters) == late


def window(size: int, slide: int, index: int = 0) -> PanedWindow:
    return PanedWindow(index=index, name=f"w{index}", size=size, slide=slide)


def rows_of(found: Sequence[Told]) -> list[tuple[int, ...]]:
    return [
        (f.spec, f.start, f.end, f.sketch.rows) if isinstance(f, ClosedWindow) else tuple(f)
        for f in windows_only(found)
    ]


def closed(upto: int, *panes: tuple[int, int], last: int = 0) -> PanesClosed:
    made = []
    for place, rows in panes:
        sketch = empty(5)
        sketch.counters[ROWS] = rows
        made.append((place, 0, sketch))
    return PanesClosed(upto, last, tuple(made))


def test_sliding_windows_share_panes() -> None:
    windows = Windows.start((window(4, 2),))
    assert rows_of(windows.add(closed(4, (1, 10), (2, 100)))) == [(0, -2, 2, 10), (0, 0, 4, 110)]
    assert rows_of(windows.add(closed(6, (5, 1_000)))) == [(0, 2, 6, 1_100)]


def test_windows_at_the_ends_of_a_stream_say_so() -> None:
    windows = Windows.start((window(2, 2),))
    found = [*windows.add(closed(6, (0, 1), (1, 1), (3, 1), (5, 1)))]
    assert [(w.start, w.edge) for w in found if isinstance(w, ClosedWindow)] == [
        (0, True),
        (2, False),
        (4, False),
    ]
    found = [*windows.add(closed(END, (6, 1), (8, 1), last=8))]
    assert [(w.start, w.edge) for w in found if isinstance(w, ClosedWindow)] == [(6, False), (8, True)]


def test_a_long_gap_is_one_message_told_by_the_window_that_ends_it() -> None:
    windows = Windows.start((window(2, 2),))
    assert rows_of(windows.add(closed(2, (0, 1)))) == [(0, 0, 2, 1)]
    assert windows.add(closed(1_000_000)) == []
    assert rows_of(windows.add(closed(1_000_002, (1_000_001, 7)))) == [
        (0, 2, 1_000_000, 499_999),
        (0, 1_000_000, 1_000_002, 7),
    ]


@pytest.mark.parametrize(
    ("last", "wanted"),
    # Window k is [2k, 2k + 4); the stream ends with the first that ends behind its last row.
    [(0, [(0, -2, 2, 1)]), (1, [(0, -2, 2, 1)]), (2, [(0, -2, 2, 1), (0, 0, 4, 1)])],
)
def test_a_stream_ends_with_the_first_window_behind_its_last_row(
    last: int, wanted: list[tuple[int, ...]]
) -> None:
    assert rows_of(Windows.start((window(4, 2),)).add(closed(END, (0, 1), last=last))) == wanted


def test_windows_with_one_end_come_in_the_order_of_the_configuration() -> None:
    windows = Windows.start((window(2, 2, 0), window(4, 4, 1), window(1, 1, 2)))
    found = windows.add(closed(4, (0, 1), (1, 1), (2, 1), (3, 1)))
    order = [(f.end, f.spec) for f in windows_only(found)]
    assert order == sorted(order)
    assert order == [(1, 2), (2, 0), (2, 2), (3, 2), (4, 0), (4, 1), (4, 2)]


def test_what_was_empty_before_the_first_row_is_not_told() -> None:
    windows = Windows.start((window(2, 2),))
    assert windows.add(closed(100)) == []
    assert rows_of(windows.add(closed(104, (101, 1)))) == [(0, 100, 102, 1)]


def test_closed_windows_are_forgotten() -> None:
    windows = Windows.start((window(8, 2), window(3, 3, 1)))
    sizes = []
    for start in range(0, 4_000, 4):
        windows.add(closed(start + 4, *((start + i, 1) for i in range(4))))
        sizes.append(len(windows.snapshot()))
    # A longer stream does not make the state grow, but for the digits of the pane's number.
    assert max(sizes[500:]) <= max(sizes[:100]) + 2 * 8 * len(windows.rings)
    assert all(len(ring.slices) <= 4 for ring in windows.rings)


def rows(count: int) -> Sketch:
    sketch = empty(6)
    sketch.counters[ROWS] = count
    return sketch


def test_around_a_change_of_reference_blocks_are_cut_in_both_generations() -> None:
    # Windows of 4 panes that start before pane 6 end before pane 9: so long the first generation goes on.
    schedule = Schedule(later=((6, "new"),), longest=4)
    spec = BlockSpec(rows=2, panes=1)
    windows = Windows.start((window(4, 4),), schedule=schedule, blocks=spec)
    told = list[Told]()
    for pane in range(14):
        panes = tuple((pane, generation, rows(1)) for generation in schedule.of_pane(pane))
        told += windows.add(PanesClosed(pane + 1, pane, panes))
        windows = Windows.start((window(4, 4),), windows.snapshot(), schedule=schedule, blocks=spec)
    blocks = [(f.generation, f.start, f.end) for f in told if isinstance(f, Block)]
    first, new = [b for b in blocks if b[0] == 0], [b for b in blocks if b[0] == 1]
    assert first == [(0, 0, 2), (0, 2, 4), (0, 4, 6), (0, 6, 8)]
    assert new == [(1, 6, 8), (1, 8, 10), (1, 10, 12), (1, 12, 14)]
    # By their end; the older generation first.
    assert blocks == sorted(blocks, key=lambda b: (b[2], b[0]))
    assert list(windows.blocks) == [1]


@settings(max_examples=80)
@given(case=st.one_of(timed_cases(), row_number_cases()), data=st.data())
def test_a_window_knows_how_many_of_its_panes_have_rows(case: Case, data: st.DataObject) -> None:
    run = run_of(case, [data.draw(cuts) for _ in case.streams])
    run.restart = lambda: data.draw(st.integers(0, 5), "restart") == 5
    windows = run.to_the_end(lambda names: data.draw(st.sampled_from(names), "next"))["x"]
    with_rows = {pane for batch in run.batches for pane in batch.panes.tolist()}
    for window in windows:
        if isinstance(window, ClosedWindow):
            assert window.filled == len(with_rows.intersection(range(window.start, window.end)))
