"""Live partitions: who is waited for, who is not, and what a time-out leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from flows.batch import Batch
from flows.decode.base import Decoded, Reason
from flows.partition import Partition
from flows.sources.base import RawBatch
from flows.time_bounds import TimeBounds
from state.durations import Axis
from state.grid import END, Grid, WindowSpec, build_grid
from state.panes import PaneMerger, PanesClosed
from state.sketches.base import ROWS, Sketch, empty
from state.windows import ClosedWindow, Windows

HOUR = 3_600_000
PRINT = bytes(16)


@dataclass
class LiveReader:
    """Plays reads: each is the event times that came, or whether nothing more is there."""

    reads: list[RawBatch]
    done: int = 0

    def read(self, max_records: int) -> RawBatch:  # noqa: ARG002  # the contract's
        self.done += 1
        return self.reads[self.done - 1]

    def position(self) -> bytes:
        return str(self.done).encode()

    def close(self) -> None:
        pass


class TimeDecoder:
    """Each record is its event time in text."""

    def decode(self, records: Sequence[bytes]) -> Decoded:
        times = np.array([int(record) for record in records], dtype=np.int64)
        return Decoded(kept=np.arange(len(times)), numeric={}, categorical={}, time_ms=times, refused=())

    def fields(self, record: bytes) -> tuple[str, ...]:
        return (record.decode(),)


@dataclass
class Clock:
    now: int = 0

    def __call__(self) -> int:
        return self.now


def rows(*times: int, written: int | None = None) -> RawBatch:
    records = [str(time).encode() for time in times]
    return RawBatch(
        records=records,
        numbers=range(len(times)),
        times_ms=[time if written is None else written for time in times],
    )


NOTHING_MORE = RawBatch(records=(), numbers=(), caught_up=True, times_ms=())
NO_ANSWER = RawBatch(records=(), numbers=(), caught_up=False, times_ms=())


@dataclass
class Live:
    reads: list[RawBatch]
    bounds: TimeBounds
    clock: Clock = field(default_factory=Clock)
    grid: Grid = field(
        default_factory=lambda: build_grid(
            (WindowSpec(name="hourly", size=HOUR, slide=HOUR),),
            axis=Axis.MILLISECONDS,
            zone="UTC",
            origin=0,
        )
    )

    def open(self, resume: bytes | None = None) -> Partition:
        reader = LiveReader(self.reads, 0)

        def open_reader(position: bytes | None) -> tuple[LiveReader, TimeDecoder]:
            reader.done = 0 if position is None else int(position)
            return reader, TimeDecoder()

        return Partition(
            "p",
            grid=self.grid,
            bounds=self.bounds,
            open_reader=open_reader,
            fingerprint=PRINT,
            batch_rows=100,
            keep_late=True,
            resume=resume,
            wall_clock=self.clock,
        )


def polled(partition: Partition) -> Batch:
    batch = partition.poll()
    assert batch is not None
    return batch


def bounds(lateness: int = 0, **given: int) -> TimeBounds:
    return TimeBounds(lateness=lateness, **{"earliest": None, "latest": None, **given})


def test_idle_partition_follows_the_clock_after_its_time_out() -> None:
    live = Live([rows(HOUR // 2), *[NOTHING_MORE] * 3], bounds(idle_timeout=10_000, lateness=60_000))
    partition = live.open()
    live.clock.now = HOUR // 2
    assert polled(partition).frontier == 0
    live.clock.now += 1
    assert polled(partition).skipped == ()
    live.clock.now += 9_999
    assert polled(partition).skipped == ()
    live.clock.now = 2 * HOUR + 60_000
    passed = polled(partition)
    assert passed.skipped == ((0, 2),)
    assert passed.frontier == 2
    assert not passed.quiet


def test_lateness_is_kept_for_an_idle_partition() -> None:
    live = Live([NOTHING_MORE, NOTHING_MORE], bounds(idle_timeout=0, lateness=60_000))
    partition = live.open()
    live.clock.now = 2 * HOUR
    polled(partition)
    assert polled(partition).frontier == 1


def test_partition_that_cannot_be_asked_holds_its_windows() -> None:
    live = Live([rows(HOUR // 2), *[NO_ANSWER] * 3], bounds(idle_timeout=10))
    partition = live.open()
    for hour in range(1, 5):
        live.clock.now = hour * HOUR
        assert polled(partition).frontier == 0


def test_rows_end_the_idle_time() -> None:
    live = Live([NOTHING_MORE, rows(5), NOTHING_MORE], bounds(idle_timeout=100))
    partition = live.open()
    for now in (0, 90, 180):
        live.clock.now = now
        assert polled(partition).skipped == ()


def test_rows_before_a_time_out_are_late_and_stay_so_after_a_crash() -> None:
    live = Live([NOTHING_MORE, NOTHING_MORE, rows(HOUR, 3 * HOUR)], bounds(idle_timeout=0))
    partition = live.open()
    live.clock.now = 3 * HOUR
    polled(partition)
    polled(partition)
    resumed = live.open(partition.snapshot())
    for each in (partition, resumed):
        batch = polled(each)
        assert batch.rows == 1
        assert [row.time for row in batch.late_rows] == [HOUR]


def test_laggard_is_waited_for_unless_max_skew_gives_it_up() -> None:
    for given, frontier in ((bounds(), 0), (bounds(max_skew=2 * HOUR), 8)):
        live = Live([rows(HOUR // 2)], given)
        live.clock.now = 10 * HOUR
        assert polled(live.open()).frontier == frontier


def test_timestamp_from_the_future_of_its_record_is_refused() -> None:
    live = Live([rows(HOUR, 100 * HOUR, written=HOUR)], bounds(max_ahead=HOUR))
    batch = polled(live.open())
    assert batch.rows == 1
    (letter,) = batch.dead_letters
    assert letter.reason is Reason.TIME_OUT_OF_RANGE
    assert letter.raw == str(100 * HOUR).encode()


def test_record_without_a_time_of_its_own_is_not_held_against_it() -> None:
    live = Live([rows(100 * HOUR, written=-1)], bounds(max_ahead=HOUR))
    assert polled(live.open()).rows == 1


def _one(count: int) -> Sketch:
    sketch = empty(8)
    sketch.counters[ROWS] = count
    return sketch


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_merger_hands_a_time_out_on_whatever_comes_first(order: Sequence[str]) -> None:
    merger = PaneMerger.start(["a", "b"])
    told = {
        "a": ("a", 5, 1, ((1, 0, _one(1).to_bytes()),), ((2, 5),)),
        "b": ("b", 4, 4, ((3, 0, _one(2).to_bytes()),), ()),
    }
    for name in order:
        merger.add(told[name])
    closed = merger.close()
    assert closed is not None
    assert closed.skipped == ((2, 4),)
    resumed = PaneMerger.start(["a", "b"], merger.snapshot())
    resumed.add(("b", 9, 8, (), ()))
    rest = resumed.close()
    assert rest is not None
    assert (rest.upto, rest.skipped) == (5, ((4, 5),))


def test_windows_over_skipped_panes_say_so() -> None:
    grid = build_grid(
        (WindowSpec(name="s", size=3 * HOUR, slide=HOUR),), axis=Axis.MILLISECONDS, zone="UTC", origin=0
    )
    windows = Windows.start(grid.windows)
    panes = tuple((pane, 0, _one(1)) for pane in range(6))
    found = windows.add(PanesClosed(6, 5, panes, ((2, 3),)))
    # Windows of three panes that hold pane 2 start at panes 0, 1 and 2.
    assert {(w.start, w.incomplete) for w in found if isinstance(w, ClosedWindow)} == {
        (-2, False),
        (-1, False),
        (0, True),
        (1, True),
        (2, True),
        (3, False),
    }


def test_skipped_panes_outlive_a_restart_as_long_as_a_window_holds_them() -> None:
    grid = build_grid(
        (WindowSpec(name="s", size=3 * HOUR, slide=HOUR),), axis=Axis.MILLISECONDS, zone="UTC", origin=0
    )
    windows = Windows.start(grid.windows)
    windows.add(PanesClosed(3, 2, tuple((p, 0, _one(1)) for p in range(3)), ((2, 3),)))
    resumed = Windows.start(grid.windows, windows.snapshot())
    found = resumed.add(PanesClosed(END, 7, tuple((p, 0, _one(1)) for p in range(3, 8))))
    told = {w.start: w.incomplete for w in found if isinstance(w, ClosedWindow)}
    assert told == {1: True, 2: True, 3: False, 4: False, 5: False}
    assert resumed.rings[0].skipped == []
