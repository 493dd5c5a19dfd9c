from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.batch import Batch, DeadLetter
from flows.decode.base import Decoder, Reason
from flows.partition import Partition
from flows.record_watch import RecordWatch
from flows.time_bounds import TimeBounds
from state.codec import FingerprintMismatchError
from state.durations import Axis
from state.grid import END, WindowSpec
from state.joined import FROM_START
from tests.state.window_oracle import local
from tests.strategies import HOUR, Case, row_number_cases, timed_cases
from tests.streams import PRINT, MemoryDecoder, MemoryReader, Row


@dataclass
class Opened:
    """A partition over rows in memory, and the readers that it opened."""

    rows: Sequence[Row]
    case: Case
    cuts: Sequence[int]
    earliest: int | None = None
    latest: int | None = None
    keep_late: bool = True
    batch_rows: int = 1_000
    watch: Callable[[Decoder], RecordWatch] | None = None
    readers: list[MemoryReader] = field(default_factory=list)

    def at(
        self, resume: bytes | None = None, fingerprint: bytes = PRINT, *, timeless: bool = False
    ) -> Partition:
        def open_reader(position: bytes | None) -> tuple[MemoryReader, MemoryDecoder]:
            self.readers.append(MemoryReader(self.rows, self.cuts, position))
            return self.readers[-1], MemoryDecoder(self.rows, self.case.axis is Axis.MILLISECONDS)

        return Partition(
            "p",
            grid=self.case.grid,
            bounds=TimeBounds(lateness=self.case.lateness, earliest=self.earliest, latest=self.latest),
            open_reader=open_reader,
            fingerprint=fingerprint,
            batch_rows=self.batch_rows,
            keep_late=self.keep_late,
            resume=resume,
            timeless=timeless,
            watch=self.watch,
        )


def drained(partition: Partition) -> list[Batch]:
    found = []
    while (batch := partition.poll()) is not None:
        found.append(batch)
    assert partition.ended
    assert partition.poll() is None
    return found


def check_form(batch: Batch) -> None:
    """Hold a batch to what its docstring says."""
    assert (np.diff(batch.panes) > 0).all()
    assert len(batch.panes) == len(batch.starts)
    assert (np.diff(batch.starts) > 0).all()
    assert not len(batch.starts) or (batch.starts[0] == 0 and batch.starts[-1] < batch.rows)
    assert all(len(values) == batch.rows for values in batch.numeric.values())
    assert all(len(values) == batch.rows for values in batch.categorical.values())
    numbers = [letter.number for letter in batch.dead_letters]
    assert numbers == sorted(numbers)
    assert not batch.quiet or not (batch.rows or batch.late)


def check_forms(batches: Sequence[Batch]) -> None:
    for batch in batches:
        check_form(batch)
    # Frontiers never step back: what was closed stays closed.
    frontiers = [batch.frontier for batch in batches]
    assert frontiers == sorted(frontiers)


def pane_rows(batches: Sequence[Batch]) -> dict[int, list[tuple[float | None, str | None]]]:
    """Rows of each pane in the order in which they came."""
    found = dict[int, list[tuple[float | None, str | None]]]()
    for batch in batches:
        ends = [*batch.starts.tolist(), batch.rows][1:]
        for pane, start, end in zip(batch.panes.tolist(), batch.starts.tolist(), ends, strict=True):
            values, names = batch.numeric["x"][start:end].tolist(), batch.categorical["c"][start:end]
            held = [None if isnan(x) else x for x in values]
            found.setdefault(pane, []).extend(zip(held, names, strict=True))
    return found


def late_counts(batches: Sequence[Batch]) -> dict[int, int]:
    found = dict[int, int]()
    for batch in batches:
        for pane, count in batch.late.items():
            found[pane] = found.get(pane, 0) + count
    return found


cases = st.one_of(timed_cases(), row_number_cases())
bounds = st.none() | st.integers(-2 * HOUR, 20 * HOUR)


@settings(max_examples=150)
@given(
    case=cases, earliest=bounds, latest=bounds, cuts=st.lists(st.integers(1, 9), min_size=1), data=st.data()
)
def test_every_record_is_a_row_or_late_or_a_dead_letter(
    case: Case, earliest: int | None, latest: int | None, cuts: list[int], data: st.DataObject
) -> None:
    rows = case.streams[0]
    begin = rows[0].time if rows else 0
    earliest, latest = (None if bound is None else begin + bound for bound in (earliest, latest))
    opened = Opened(rows, case, cuts, earliest=earliest, latest=latest)
    batches = drained(opened.at())
    wanted, late, late_rows = dict[int, list[tuple[float | None, str | None]]](), dict[int, int](), []
    dead = list[tuple[int, Reason]]()
    grid, so_far = case.grid, None

    def pane_of(time: int) -> int:
        there = local(case.zone, time) if case.axis is Axis.MILLISECONDS else time
        return (there - grid.origin) // grid.length

    for number, row in enumerate(rows):
        if row.too_long or row.refused:
            dead.append((number, Reason.TOO_LONG if row.too_long else Reason.MALFORMED))
        elif (earliest is not None and row.time < earliest) or (latest is not None and row.time > latest):
            dead.append((number, Reason.TIME_OUT_OF_RANGE))
        elif so_far is not None and pane_of(row.time) < pane_of(so_far - case.lateness):
            late[pane_of(so_far)] = late.get(pane_of(so_far), 0) + 1
            late_rows.append((number, row.time))
        else:
            wanted.setdefault(pane_of(row.time), []).append((None if isnan(row.x) else row.x, row.c))
            so_far = row.time if so_far is None else max(so_far, row.time)
    check_forms(batches)
    assert pane_rows(batches) == wanted
    assert late_counts(batches) == late
    assert [(r.number, r.time) for b in batches for r in b.late_rows] == late_rows
    assert [(r.number, r.reason) for b in batches for r in b.dead_letters] == dead
    assert sum(b.size for b in batches) == len(rows)
    last = batches[-1]
    assert (last.frontier, last.rows) == (END, 0)
    assert last.last == (-END if so_far is None else pane_of(so_far))
    again = drained(Opened(rows, case, [data.draw(st.integers(1, 50))], earliest, latest).at())
    assert (pane_rows(again), late_counts(again)) == (wanted, late)


@settings(max_examples=100)
@given(case=cases, cuts=st.lists(st.integers(1, 9), min_size=1), at=st.sets(st.integers(0, 30)))
def test_a_resumed_partition_goes_on_as_if_nothing_had_happened(
    case: Case, cuts: list[int], at: set[int]
) -> None:
    opened = Opened(case.streams[0], case, cuts)
    whole = drained(opened.at())
    partition, found = opened.at(), list[Batch]()
    while True:
        if len(found) in at:
            partition = opened.at(partition.snapshot())
        batch = partition.poll()
        if batch is None:
            break
        found.append(batch)
    assert [repr(batch) for batch in found] == [repr(batch) for batch in whole]


def simple(times: Sequence[int], *, lateness: int = 0, **options: object) -> Opened:
    specs = (WindowSpec(name="w", size=10, slide=10),)
    case = Case(specs=specs, axis=Axis.MILLISECONDS, zone="UTC", lateness=lateness, streams=())
    return Opened([Row(t, float(i), str(i)) for i, t in enumerate(times)], case, [1_000], **options)  # type: ignore[arg-type]  # options of the tests below


def test_a_resumed_partition_still_knows_what_is_late() -> None:
    opened = simple([0, 100, 5])
    opened.cuts = [2, 1]
    partition = opened.at()
    partition.poll()
    batch = opened.at(partition.snapshot()).poll()
    assert batch is not None
    assert (batch.rows, len(batch.late_rows)) == (0, 1)


def test_an_ended_partition_stays_ended_and_says_nothing_more() -> None:
    opened = simple([0])
    partition = opened.at()
    drained(partition)
    again = opened.at(partition.snapshot())
    assert again.ended
    assert again.poll() is None


def test_a_snapshot_of_another_configuration_is_refused() -> None:
    opened = simple([0])
    with pytest.raises(FingerprintMismatchError, match="partition was written under parameters"):
        opened.at(opened.at().snapshot(), fingerprint=bytes(16))


def test_batches_are_no_larger_than_asked_for_and_the_reader_is_closed_once() -> None:
    opened = simple(range(10), batch_rows=4)
    partition = opened.at()
    assert [batch.rows for batch in drained(partition)] == [4, 4, 2, 0]
    partition.close()
    assert [reader.closed for reader in opened.readers] == [1]


def test_late_rows_are_counted_also_when_they_are_not_kept() -> None:
    (batch, _) = drained(simple([100, 0, 1], keep_late=False).at())
    # 1970-01-01 was a Thursday: panes are counted from the Monday after.
    assert list(batch.late.values()) == [2]
    assert batch.late_rows == ()


def test_dead_letters_say_what_was_found() -> None:
    opened = simple([5, 7], earliest=6)
    letter = drained(opened.at())[0].dead_letters[0]
    assert letter == DeadLetter(
        partition="p",
        number=0,
        reason=Reason.TIME_OUT_OF_RANGE,
        detail="event time 5 is outside time.earliest/latest",
        raw=b"0",
    )


def test_a_time_out_of_bounds_moves_no_watermark() -> None:
    first, _ = drained(simple([5, 9_999, 6], latest=100).at())
    assert (first.rows, first.late) == (2, {})


def test_one_batch_may_hold_all_that_can_go_wrong() -> None:
    opened = simple([2_000, 100, 5, 115, 7, 3_000, 104, 90], latest=1_000, lateness=10)
    first, _ = drained(opened.at())
    # At 115 less 10 the pane of 100 to 109 is open (panes of 10 start at multiples of 10), that of 90 is not.
    assert first.numeric["x"].tolist() == [1.0, 6.0, 3.0]
    assert first.categorical["c"] == ["1", "6", "3"]
    assert [row.number for row in first.late_rows] == [2, 4, 7]
    assert [letter.number for letter in first.dead_letters] == [0, 5]


def test_only_batches_that_change_nothing_are_quiet() -> None:
    opened = simple([])
    opened.rows = [Row(0, refused=True), Row(1, refused=True), Row(2), Row(3, refused=True)]
    opened.cuts = [1]
    # The first tells that the partition is there, the third has a row, the last that it has ended.
    assert [batch.quiet for batch in drained(opened.at())] == [False, True, False, True, False]


def test_the_input_of_the_decoder_is_not_written_to() -> None:
    opened = simple([30, 0, 20, 10], lateness=100)
    partition = opened.at()
    batch = partition.poll()
    assert batch is not None
    assert batch.numeric["x"].tolist() == [1.0, 3.0, 2.0, 0.0]
    assert batch.categorical["c"] == ["1", "3", "2", "0"]


def test_rows_without_a_time_come_before_everything_else() -> None:
    # None is late, whatever time it names, and nothing is closed before the end.
    times = [5 * HOUR, 3 * HOUR, 9 * HOUR, HOUR]
    rows = [Row(time, float(i), "a") for i, time in enumerate(times)]
    case = Case((WindowSpec(name="w", size=HOUR, slide=HOUR),), Axis.MILLISECONDS, "UTC", 0, (tuple(rows),))
    partition = Opened(rows, case, cuts=(2,)).at(timeless=True)
    first = partition.poll()
    assert first is not None
    assert (first.panes.tolist(), first.rows, first.late) == ([FROM_START], 2, {})
    assert (first.frontier, first.last, partition.pace) == (-END, -END, -END)
    resumed = Opened(rows, case, cuts=(2,)).at(partition.snapshot(), timeless=True)
    second, last = drained(resumed)
    assert (second.rows, second.numeric["x"].tolist()) == (2, [2.0, 3.0])
    assert (last.frontier, last.last) == (END, -END)
