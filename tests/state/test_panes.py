from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.grid import END
from state.panes import OtherScheduleError, PaneMerger, PanesClosed, Partial, UnknownPartitionError
from state.schedule import Schedule, ScheduleConflictError
from state.sketches.base import LATE, ROWS, Sketch, empty
from tests.conftest import Golden


def rows(count: int) -> Sketch:
    sketch = empty(5)
    sketch.counters[ROWS] = count
    return sketch


def partial(partition: str, frontier: int, last: int, *panes: tuple[int, int]) -> Partial:
    return partition, frontier, last, tuple((pane, 0, rows(count).to_bytes()) for pane, count in panes), ()


def plain(closed: PanesClosed | None) -> tuple[object, ...] | None:
    if closed is None:
        return None
    return closed.upto, closed.last, [(pane, sketch.rows) for pane, _, sketch in closed.panes]


def test_nothing_closes_before_every_partition_has_reported() -> None:
    merger = PaneMerger.start(["a", "b"])
    merger.add(partial("a", 10, 11, (3, 1)))
    assert merger.close() is None
    merger.add(partial("b", 4, 5, (3, 10), (4, 100)))
    assert plain(merger.close()) == (4, 11, [(3, 11)])
    assert merger.close() is None
    merger.add(partial("b", END, 5))
    assert plain(merger.close()) == (10, 11, [(4, 100)])
    merger.add(partial("a", END, 12, (12, 7)))
    assert plain(merger.close()) == (END, 12, [(12, 7)])


def test_partitions_that_end_without_a_row_close_nothing_and_hold_nobody_up() -> None:
    merger = PaneMerger.start(["a", "b"])
    merger.add(partial("a", END, -END))
    assert merger.close() is None
    merger.add(partial("b", END, 3, (3, 1)))
    assert plain(merger.close()) == (END, 3, [(3, 1)])


def test_an_unknown_partition_is_refused() -> None:
    with pytest.raises(UnknownPartitionError, match="'c', wanted one of a, b"):
        PaneMerger.start(["b", "a"]).add(partial("c", 0, 0))


def test_a_partition_that_is_new_since_the_snapshot_must_report() -> None:
    merger = PaneMerger.start(["a"])
    merger.add(partial("a", 5, 5, (5, 1)))
    assert plain(merger.close()) == (5, 5, [])
    merger.add(partial("a", 9, 9, (7, 1)))
    resumed = PaneMerger.start(["a", "b"], merger.snapshot())
    assert resumed.close() is None
    resumed.add(partial("b", 8, 8))
    assert plain(resumed.close()) == (8, 9, [(5, 1), (7, 1)])


@st.composite
def reports(draw: st.DrawFn) -> list[Partial]:
    """Draw the partials of up to three partitions; frontiers rise, rows come at or after them."""
    found, names = list[Partial](), ["a", "b", "c"][: draw(st.integers(1, 3))]
    frontiers, last = dict.fromkeys(names, 0), dict.fromkeys(names, -END)
    for name in draw(st.lists(st.sampled_from(names), max_size=20)):
        panes = draw(st.dictionaries(st.integers(0, 5), st.integers(1, 9), max_size=3))
        placed = [(frontiers[name] + pane, count) for pane, count in sorted(panes.items())]
        last[name] = max([last[name], *(pane for pane, _ in placed)])
        frontiers[name] = max(frontiers[name], last[name] - draw(st.integers(0, 3)))
        found.append(partial(name, frontiers[name], last[name], *placed))
    return [*found, *(partial(name, END, last[name]) for name in names)]


def collected(stream: Sequence[Partial], restarts: frozenset[int]) -> tuple[list[tuple[int, int]], int]:
    """All panes that close, in order; and the last."""
    names = sorted({p[0] for p in stream})
    merger, panes, last = PaneMerger.start(names), list[tuple[int, int]](), -END
    for i, item in enumerate(stream):
        merger.add(item)
        closed = merger.close()
        if closed is not None:
            panes += [(pane, sketch.rows) for pane, _, sketch in closed.panes]
            last = closed.last
        if i in restarts:
            merger = PaneMerger.start(names, merger.snapshot())
    assert not merger.open
    return panes, last


@given(stream=reports(), data=st.data(), restarts=st.frozensets(st.integers(0, 25)))
def test_panes_close_once_in_order_with_all_their_rows(
    stream: list[Partial], data: st.DataObject, restarts: frozenset[int]
) -> None:
    panes, last = collected(stream, restarts)
    wanted = dict[int, int]()
    for _, _, _, packed, _ in stream:
        for pane, _, data_bytes in packed:
            count = int.from_bytes(data_bytes[4:12], "little")
            wanted[pane] = wanted.get(pane, 0) + count
    assert panes == sorted(wanted.items())
    assert last == max(p[2] for p in stream)
    # Partitions in any interleaving that keeps each one's own order.
    queues = {name: [p for p in stream if p[0] == name] for name in sorted({p[0] for p in stream})}
    mixed = list[Partial]()
    while any(queues.values()):
        name = data.draw(st.sampled_from([n for n, q in queues.items() if q]))
        mixed.append(queues[name].pop(0))
    assert collected(mixed, frozenset()) == (panes, last)


@pytest.mark.parametrize("length", [100, 1_000])
def test_state_is_bounded_by_how_far_partitions_are_apart(length: int) -> None:
    merger = PaneMerger.start(["a", "b"])
    sizes = []
    for pane in range(length):
        merger.add(partial("a", pane, pane, (pane, 1)))
        merger.add(partial("b", max(pane - 3, 0), max(pane - 3, 0), (max(pane - 3, 0), 1)))
        merger.close()
        sizes.append(len(merger.snapshot()))
        assert len(merger.open) <= 4
    # Four open panes of 5 counters, 20 bytes of length and extremes, and their numbers: below 100 bytes each.
    assert max(sizes) < 4 * 100 + 100


def test_partition_that_appears_late_cannot_open_what_is_closed() -> None:
    merger = PaneMerger.start(["a"])
    merger.add(partial("a", 4, 5, (1, 3), (5, 1)))
    assert plain(merger.close()) == (4, 5, [(1, 3)])
    resumed = PaneMerger.start(["a", "b"], merger.snapshot())
    resumed.add(partial("a", 9, 9, (8, 2)))
    assert resumed.close() is None
    resumed.add(partial("b", 1, 2, (0, 7), (2, 2)))
    assert resumed.close() is None
    again = PaneMerger.start(["a", "b"], resumed.snapshot())
    again.add(partial("b", 7, 7, (6, 4)))
    closed = again.close()
    assert plain(closed) == (7, 9, [(5, 1), (6, 4)])
    assert closed is not None
    # The nine rows that came too late are told with the first pane that closes, and once.
    assert [int(sketch.counters[LATE]) for _, _, sketch in closed.panes] == [9, 0]
    again.add(partial("b", 12, 12))
    rest = again.close()
    assert rest is not None
    assert [int(sketch.counters[LATE]) for _, _, sketch in rest.panes] == [0]


SWITCH = Schedule(later=((5, "new"),), longest=3)
"""Panes 5 and 6 are covered by windows of both generations."""


def both(partition: str, frontier: int, last: int, *panes: tuple[int, int]) -> Partial:
    packed = tuple((pane, g, rows(count).to_bytes()) for pane, count in panes for g in SWITCH.of_pane(pane))
    return partition, frontier, last, packed, ()


def test_generations_of_a_pane_close_together_and_apart() -> None:
    merger = PaneMerger.start(["a"], schedule=SWITCH)
    merger.add(both("a", 5, 7, (4, 1), (5, 10), (7, 100)))
    assert merger.close() is not None
    resumed = PaneMerger.start(["a"], merger.snapshot(), schedule=SWITCH)
    resumed.add(both("a", 8, 8, (5, 2)))
    closed = resumed.close()
    assert closed is not None
    found = [(pane, g, sketch.rows) for pane, g, sketch in closed.panes]
    assert found == [(5, 0, 12), (5, 1, 12), (7, 1, 100)]


def test_dropped_rows_of_two_generations_count_once_in_each() -> None:
    merger = PaneMerger.start(["a"], schedule=SWITCH)
    merger.add(both("a", 6, 6, (5, 1)))
    merger.close()
    resumed = PaneMerger.start(["a", "b"], merger.snapshot(), schedule=SWITCH)
    resumed.add(both("b", 5, 5, (4, 2), (5, 7)))
    resumed.add(both("b", 8, 8, (6, 1)))
    resumed.add(both("a", 8, 8, (7, 1)))
    closed = resumed.close()
    assert closed is not None
    late = [(pane, g, int(sketch.counters[LATE])) for pane, g, sketch in closed.panes]
    assert late == [(6, 0, 9), (6, 1, 9), (7, 1, 0)]


@pytest.mark.parametrize(
    ("schedule", "sent"),
    [
        (SWITCH, partial("a", 5, 5, (5, 1))),
        (Schedule(), both("a", 5, 5, (5, 1))),
        (Schedule(later=((6, "new"),), longest=3), both("a", 5, 5, (5, 1))),
    ],
)
def test_a_process_that_knows_another_schedule_is_refused(schedule: Schedule, sent: Partial) -> None:
    with pytest.raises(OtherScheduleError, match="know different references: start all of them again"):
        PaneMerger.start(["a"], schedule=schedule).add(sent)


def test_a_reference_may_begin_behind_the_last_row_only() -> None:
    merger = PaneMerger.start(["a", "b"])
    merger.add(partial("a", 3, 6, (6, 1)))
    merger.add(partial("b", 2, 4, (4, 1)))
    body = merger.snapshot()
    assert PaneMerger.start(["a", "b"], body, schedule=Schedule(later=((7, "new"),))).schedule.later
    with pytest.raises(ScheduleConflictError, match="reference new begins with pane 6"):
        PaneMerger.start(["a", "b"], body, schedule=Schedule(later=((6, "new"),)))


def test_state_before_there_were_generations_still_loads(golden: Golden) -> None:
    body = golden("panes.v1.bin", lambda: pytest.fail("the first layout cannot be written any more"))
    merger = PaneMerger.start(["a", "b"], body, schedule=Schedule(later=((8, "new"),)))
    merger.add(partial("a", 8, 8))
    merger.add(partial("b", 8, 8))
    closed = merger.close()
    assert closed is not None
    found = [(pane, g, sketch.rows, int(sketch.counters[LATE])) for pane, g, sketch in closed.panes]
    # Two rows had come for pane 2, which was closed.
    assert found == [(5, 0, 2, 2), (6, 0, 1, 0), (7, 0, 1, 0)]
    with pytest.raises(ScheduleConflictError):
        PaneMerger.start(["a", "b"], body, schedule=Schedule(later=((7, "new"),)))
