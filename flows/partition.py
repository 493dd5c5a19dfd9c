"""One source partition: reader, decoder and watermark, with one position for all three."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import compress

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray
from flows.batch import Batch, DeadLetter, LateRow
from flows.dead_letters import dead_letters
from flows.decode.base import Decoded, Decoder
from flows.record_watch import PlacedRows, RecordWatch, Standing
from flows.sources.base import RawBatch, Reader
from flows.time_bounds import TimeBounds
from state.codec import pack, unpack
from state.grid import END, Grid
from state.watermark import Clock, Placed, Timeless, Watermark

_KIND, _VERSION = "partition", 1


class _State(msgspec.Struct):
    position: bytes
    max_time: int | None
    forced: int | None
    told: int | None
    ended: bool
    waiting: list[tuple[str, str | None, int]] = []


class Partition:
    """Polls batches of one partition.

    The resume state holds the reader's position and the largest event time together: a watermark that fell
    behind its rows on resume would call rows on time that were late before. A time-out that fired is part of
    it too: whatever comes later is judged by it, here and after a crash.
    """

    def __init__(
        self,
        name: str,
        *,
        grid: Grid,
        bounds: TimeBounds,
        open_reader: Callable[[bytes | None], tuple[Reader, Decoder]],
        fingerprint: bytes,
        batch_rows: int,
        keep_late: bool,
        resume: bytes | None = None,
        record_time: bool = False,
        timeless: bool = False,
        wall_clock: Callable[[], int] | None = None,
        watch: Callable[[Decoder], RecordWatch] | None = None,
    ) -> None:
        """Open at the start, or where `snapshot` was taken.

        Parameters
        ----------
        record_time
            Event time is the record's own, as the input keeps it.
        timeless
            Rows have no time: they come before everything else.
        wall_clock
            Milliseconds since the epoch, for the time-outs of a live input; None: no time-out ever fires.
        watch
            Makes what looks at the records beside their columns; None: nothing does.
        """
        state = None
        if resume is not None:
            payload = unpack(resume, kind=_KIND, versions=(_VERSION,), fingerprint=fingerprint).payload
            state = msgspec.msgpack.decode(payload, type=_State)
        self.name = name
        self._grid = grid
        self._bounds = bounds
        self._batch_rows = batch_rows
        self._keep_late = keep_late
        self._fingerprint = fingerprint
        self._reader, self._decoder = open_reader(state.position if state else None)
        self._record_time = record_time
        self._wall_clock = wall_clock
        self._caught_up = False
        self._idle_since: int | None = None
        held = (state.max_time, state.forced) if state else ()
        self._watermark: Clock = Timeless() if timeless else Watermark(grid, bounds.lateness, *held)
        self._timeless = timeless
        self._told = state.told if state else None
        self._ended = state.ended if state else False
        self._watch = None if watch is None else watch(self._decoder)
        if self._watch is not None and state is not None:
            self._watch.resume(state.waiting)

    @property
    def max_time(self) -> int | None:
        """Largest event time so far."""
        return self._watermark.max_time

    @property
    def pace(self) -> int | None:
        """How far others beside this partition may be held to it; None: it holds nobody back.

        Rows without a time come first. A partition that has nothing to give, perhaps for hours, must not keep
        the others from reading.
        """
        if self._timeless:
            return -END
        return None if self._caught_up else self._watermark.max_time

    @property
    def caught_up(self) -> bool:
        """Whether a live input held nothing more at the last poll."""
        return self._caught_up

    @property
    def ended(self) -> bool:
        """Whether everything was delivered, the end itself included."""
        return self._ended

    def poll(self) -> Batch | None:
        """Return the next batch, None once the partition has ended.

        The last batch is empty and carries the frontier `END`, which closes the last windows.
        """
        if self._ended:
            return None
        raw = self._reader.read(self._batch_rows)
        if raw is None:
            self._ended = True
            return self._ending()
        self._caught_up = raw.caught_up
        skipped = self._time_out(raw)
        decoded = self._decoder.decode(raw.records)
        times = self._event_times(raw, decoded)
        inside = self._inside(raw, decoded, times)
        dead = dead_letters(self.name, raw, decoded, times, inside, self._bounds)
        kept = decoded.kept if inside is None else decoded.kept[inside]
        placed = times if inside is None else times[inside]
        mark = self._watermark
        stood = Standing(max_time=mark.max_time, frontier=mark.frontier, pane_of=self._grid.pane_of)
        batch = self._batch(raw, decoded, placed, kept, inside, dead)
        if self._watch is not None and (dead or self._watch.waiting):
            refused = self._watch.refuse(dead, np.asarray(raw.numbers, dtype=np.int64)[kept], placed, stood)
            batch = batch.with_refused(refused)
        return batch if skipped is None else replace(batch, skipped=(skipped,), quiet=False)

    def snapshot(self) -> bytes:
        """Pack the position behind the last batch."""
        mark = self._watermark
        waiting = [] if self._watch is None else self._watch.waiting
        state = _State(self._reader.position(), mark.max_time, mark.forced, self._told, self._ended, waiting)
        return pack(_KIND, _VERSION, self._fingerprint, msgspec.msgpack.encode(state))

    def close(self) -> None:
        """Release the reader."""
        self._reader.close()

    def _time_out(self, raw: RawBatch) -> tuple[int, int] | None:
        """Move the watermark by the wall clock where waiting has lasted long enough; the panes passed over.

        A partition that is caught up and idle follows the wall clock, less the allowed lateness: its next row
        is being written now. One whose broker is away or lags is waited for, unless `max_skew` gives it up.
        """
        if self._wall_clock is None:
            return None
        now, bounds = self._wall_clock(), self._bounds
        if raw.records or raw.refused or not raw.caught_up:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        passed: tuple[int, int] | None = None
        idle = None if self._idle_since is None else now - self._idle_since
        if idle is not None and bounds.idle_timeout is not None and idle >= bounds.idle_timeout:
            passed = self._watermark.force(now - bounds.lateness)
        elif bounds.max_skew is not None and not raw.caught_up:
            passed = self._watermark.force(now - bounds.max_skew)
        return passed

    def _event_times(self, raw: RawBatch, decoded: Decoded) -> IntArray:
        if decoded.time_ms is not None:
            return decoded.time_ms
        source = raw.times_ms if self._record_time and raw.times_ms is not None else raw.numbers
        return np.asarray(source, dtype=np.int64)[decoded.kept]

    def _inside(self, raw: RawBatch, decoded: Decoded, times: IntArray) -> NDArray[np.bool_] | None:
        """Which event times are within bounds; None where all are."""
        earliest, latest = self._bounds.earliest, self._bounds.latest
        ahead = self._bounds.max_ahead if raw.times_ms is not None else None
        if earliest is None and latest is None and ahead is None:
            return None
        inside = np.ones(len(times), dtype=np.bool_)
        if earliest is not None:
            inside &= times >= earliest
        if latest is not None:
            inside &= times <= latest
        if ahead is not None:
            written = np.asarray(raw.times_ms, dtype=np.int64)[decoded.kept]
            # A record that does not say when it was written (-1) cannot be held against it.
            inside &= (written < 0) | (times <= written + ahead)
        return None if inside.all() else inside

    def _batch(
        self,
        raw: RawBatch,
        decoded: Decoded,
        times: IntArray,
        kept: IntArray,
        inside: NDArray[np.bool_] | None,
        dead: tuple[DeadLetter, ...],
    ) -> Batch:
        placed = self._watermark.place(times)
        late, late_rows = self._late(raw, times, kept, placed)
        rows = None if inside is None else np.flatnonzero(inside)
        panes = placed.panes
        if late:
            on_time = np.flatnonzero(~placed.late)
            rows = on_time if rows is None else rows[on_time]
            panes = panes[on_time]
        if len(panes) > 1 and (np.diff(panes) < 0).any():
            order = np.argsort(panes, kind="stable")
            rows = order if rows is None else rows[order]
            panes = panes[order]
        present, starts = np.unique(panes, return_index=True)
        frontier = self._watermark.frontier
        quiet = not len(panes) and not late and frontier == self._told
        self._told = frontier
        numeric = decoded.numeric if rows is None else _taken(decoded.numeric, rows)
        categorical = decoded.categorical if rows is None else _picked(decoded.categorical, rows.tolist())
        starts = starts.astype(np.int64, copy=False)
        records = None
        if self._watch is not None:
            indices = decoded.kept if rows is None else decoded.kept[rows]
            records = self._watch.look(raw, PlacedRows(indices, present, starts, numeric, categorical))
        return Batch(
            partition=self.name,
            rows=len(panes),
            panes=present,
            starts=starts,
            late=late,
            numeric=numeric,
            categorical=categorical,
            frontier=frontier,
            last=self._watermark.last_pane,
            quiet=quiet,
            size=raw.size,
            dead_letters=dead,
            late_rows=late_rows,
            records=records,
        )

    def _late(
        self, raw: RawBatch, times: IntArray, kept: IntArray, placed: Placed
    ) -> tuple[dict[int, int], tuple[LateRow, ...]]:
        if not placed.late.any():
            return {}, ()
        standing, counts = np.unique(placed.standing[placed.late], return_counts=True)
        late = dict(zip(standing.tolist(), counts.tolist(), strict=True))
        if not self._keep_late:
            return late, ()
        rows = compress(zip(kept.tolist(), times.tolist(), strict=True), placed.late.tolist())
        return late, tuple(
            LateRow(partition=self.name, number=raw.numbers[i], time=time, raw=raw.records[i])
            for i, time in rows
        )

    def _ending(self) -> Batch:
        nothing = np.zeros(0, dtype=np.int64)
        return Batch(
            partition=self.name,
            rows=0,
            panes=nothing,
            starts=nothing,
            late={},
            numeric={},
            categorical={},
            frontier=END,
            last=self._watermark.last_pane,
            quiet=False,
            size=0,
        )


def _taken(columns: dict[str, FloatArray], rows: IntArray) -> dict[str, FloatArray]:
    return {name: values[rows] for name, values in columns.items()}


def _picked(columns: dict[str, list[str | None]], rows: Sequence[int]) -> dict[str, list[str | None]]:
    return {name: [values[i] for i in rows] for name, values in columns.items()}
