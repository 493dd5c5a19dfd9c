"""Windows of outcomes against brute force over rows, whatever the cut, the interleaving and the restarts."""

from dataclasses import dataclass
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.grid import END, PanedWindow
from state.joined import Count
from state.outcome_windows import OutcomeWindow, OutcomeWindows
from state.outcomes import OutcomePartial
from state.panes import UnknownPartitionError
from state.sketches.base import Sketch

ORIGINS = ("a", "b", "c")
KINDS = ((2, 2), (3, 1), (4, 2), (5, 3))

Told = tuple[int, int, int, int, bool, bool, int, int]
"""Specification, start, end, revision, final, partial, predictions, labelled."""


@dataclass(frozen=True)
class Row:
    """A prediction: who sends it, its pane, and the pane in which its label becomes known."""

    origin: str
    pane: int
    known: int | None


@dataclass(frozen=True)
class Case:
    rows: tuple[Row, ...]
    windows: tuple[PanedWindow, ...]
    horizon: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    horizon = draw(st.integers(0, 5))
    row = st.builds(
        lambda origin, pane, delay: Row(origin, pane, None if delay is None else pane + delay),
        st.sampled_from(ORIGINS),
        st.integers(-3, 14),
        st.none() | st.integers(0, max(horizon - 1, 0)),
    )
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2))
    windows = tuple(
        PanedWindow(index=i, name=str(i), size=size, slide=slide) for i, (size, slide) in enumerate(kinds)
    )
    return Case(tuple(draw(st.lists(row, min_size=1, max_size=25))), windows, horizon)


def told_of(found: OutcomeWindow) -> Told:
    counts = found.sketch.counters
    rows, labelled = int(counts[Count.PREDICTIONS]), int(counts[Count.LABELLED])
    return (*found[:4], found.final, found.partial, rows, labelled)


def expected(case: Case) -> list[Told]:
    """Say what must be told, row by row."""
    last = max(max(row.pane, row.pane if row.known is None else row.known) for row in case.rows)
    first = min(row.pane for row in case.rows)
    told = []
    for window in case.windows:
        for k in range(-20, 40):
            start, end = k * window.slide, k * window.slide + window.size
            rows = [row for row in case.rows if start <= row.pane < end]
            if not rows or end - window.slide >= last + 1:
                continue
            before = -END
            for due in (*range(end, end + case.horizon, window.slide), end + case.horizon):
                final = due == end + case.horizon
                seen = [row.known for row in rows if row.known is not None and row.known < due]
                news = due == end or any(known >= before for known in seen)
                if news or final:
                    cut = start < first or end > last + 1
                    told.append((window.index, start, end, due, final, cut, len(rows), len(seen)))
                before = due
    return sorted(told, key=lambda each: (each[3], each[2], each[1], each[0]))


def partials(case: Case, random: Random) -> list[OutcomePartial]:
    """Cut each origin's part at random panes, and let origins come in any order."""
    queues: list[list[OutcomePartial]] = []
    for origin in ORIGINS:
        cells = _once(case, origin)
        last = max((known for known, _, _ in cells), default=-END)
        ends = sorted(random.sample(range(-4, 20), random.randint(0, 4)))
        queue, start, reached = list[OutcomePartial](), -END, -END
        for end in (*[min(end, last) for end in ends], END):
            part = [cell for cell in cells if start <= cell[0] < end]
            reached = max([reached, *(known for known, _, _ in part)]) if end < END else last
            queue.append((origin, end, max(reached, min(end, last)), tuple(_packed(c) for c in part), ()))
            start = max(start, end)
        queues.append(queue)
    order = [i for i, queue in enumerate(queues) for _ in queue]
    random.shuffle(order)
    return [queues[i].pop(0) for i in order]


def _once(case: Case, origin: str) -> list[tuple[int, int, Count]]:
    """List what an origin tells: each prediction in its own pane, each label when it becomes known."""
    rows = [row for row in case.rows if row.origin == origin]
    made = [(row.pane, row.pane, Count.PREDICTIONS) for row in rows]
    return made + [(row.known, row.pane, Count.LABELLED) for row in rows if row.known is not None]


def _packed(cell: tuple[int, int, Count]) -> tuple[int, int, bytes]:
    known, pane, place = cell
    counters = np.zeros(len(Count), dtype=np.int64)
    counters[place] = 1
    return known, pane, Sketch(counters).to_bytes()


def run(case: Case, random: Random, *, restarts: bool) -> list[OutcomeWindow]:
    logic = OutcomeWindows.start(ORIGINS, case.windows, case.horizon)
    found = []
    for partial in partials(case, random):
        logic.add(partial)
        found += logic.close()
        if restarts and random.random() < 0.3:
            logic = OutcomeWindows.start(ORIGINS, case.windows, case.horizon, logic.snapshot())
    assert not logic.pending
    assert not logic.held
    assert not logic.cells
    return found


@given(cases(), st.randoms(use_true_random=False), st.booleans())
def test_tells_what_brute_force_tells(case: Case, random: Random, restarts: bool) -> None:  # noqa: FBT001
    assert [told_of(each) for each in run(case, random, restarts=restarts)] == expected(case)


def test_a_label_that_comes_late_corrects_its_window() -> None:
    case = Case(
        (Row("a", 0, 0), Row("a", 1, 4), Row("a", 2, None), Row("a", 9, None)),
        (PanedWindow(index=0, name="w", size=2, slide=2),),
        horizon=5,
    )
    found = [told_of(each) for each in run(case, Random(1), restarts=False)]  # noqa: S311  # a test's order
    # Told when it has ended, when the label of pane 4 has come, and when nothing can come any more.
    assert [(told[3], told[4], told[-1]) for told in found if told[1] == 0] == [
        (2, False, 1),
        (6, False, 2),
        (7, True, 2),
    ]


def test_memory_is_bounded_by_the_horizon() -> None:
    windows = (PanedWindow(index=0, name="w", size=4, slide=2),)
    logic = OutcomeWindows.start(("a",), windows, horizon=10)
    for pane in range(2_000):
        cells = [(pane, pane, Count.PREDICTIONS), (pane, max(pane - 9, 0), Count.LABELLED)]
        logic.add(("a", pane + 1, pane, tuple(_packed(cell) for cell in cells), ()))
        logic.close()
    # Horizon, size, and one slide of windows that have begun.
    assert len(logic.held) <= 10 + 4 + 2
    assert len(logic.pending) <= 9
    assert not logic.cells


def test_rows_of_closed_panes_are_counted_as_late() -> None:
    logic = OutcomeWindows.start(("a",), (PanedWindow(index=0, name="w", size=2, slide=2),), horizon=0)
    logic.add(("a", 4, 3, tuple(_packed((pane, pane, Count.PREDICTIONS)) for pane in (0, 3)), ()))
    assert len(logic.close()) == 2
    logic.add(("a", 6, 5, tuple(_packed((pane, pane, Count.PREDICTIONS)) for pane in (1, 4)), ()))
    (found,) = logic.close()
    assert int(found.sketch.counters[Count.LATE_PREDICTIONS]) == 1


def test_an_unknown_origin_is_refused() -> None:
    logic = OutcomeWindows.start(("a",), (), horizon=0)
    with pytest.raises(UnknownPartitionError, match="found outcomes of 'b', wanted one of a"):
        logic.add(("b", END, 0, (), ()))


def test_windows_that_a_time_out_closed_say_so() -> None:
    windows = (PanedWindow(index=0, name="w", size=2, slide=2),)
    logic, found = OutcomeWindows.start(("a",), windows, horizon=3), list[OutcomeWindow]()
    for pane in range(12):
        skipped = ((4, 5),) if pane == 5 else ()
        logic.add(("a", pane + 1, pane, (_packed((pane, pane, Count.PREDICTIONS)),), skipped))
        found += logic.close()
        logic = OutcomeWindows.start(("a",), windows, 3, logic.snapshot())
    assert {each.start for each in found if each.incomplete} == {4}
    assert [each.final for each in found if each.incomplete] == [False, True]
    assert not logic.skipped
