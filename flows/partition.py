"""One source partition: reader, decoder and watermark, with one position for all three."""

from collections.abc import Callable, Sequence
from itertools import compress

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray
from flows.batch import Batch, DeadLetter, LateRow
from flows.config import TimeBounds
from flows.decode.base import Decoded, Decoder, Reason
from flows.sources.base import RawBatch, Reader
from state.codec import pack, unpack
from state.grid import END, Grid
from state.watermark import Placed, Watermark

_KIND, _VERSION = "partition", 1


class _State(msgspec.Struct):
    position: bytes
    max_time: int | None
    told: int | None
    ended: bool


class Partition:
    """Polls batches of one partition.

    The resume state holds the reader's position and the largest event time together: a watermark that fell
    behind its rows on resume would call rows on time that were late before.
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
    ) -> None:
        """Open at the start, or where `snapshot` was taken."""
        state = None
        if resume is not None:
            payload = unpack(resume, kind=_KIND, versions=(_VERSION,), fingerprint=fingerprint).payload
            state = msgspec.msgpack.decode(payload, type=_State)
        self.name = name
        self._bounds = bounds
        self._batch_rows = batch_rows
        self._keep_late = keep_late
        self._fingerprint = fingerprint
        self._reader, self._decoder = open_reader(state.position if state else None)
        self._watermark = Watermark(grid, bounds.lateness, state.max_time if state else None)
        self._told = state.told if state else None
        self._ended = state.ended if state else False

    @property
    def max_time(self) -> int | None:
        """Largest event time so far."""
        return self._watermark.max_time

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
        decoded = self._decoder.decode(raw.records)
        if decoded.time_ms is None:
            times = np.asarray(raw.numbers, dtype=np.int64)[decoded.kept]
        else:
            times = decoded.time_ms
        inside = self._inside(times)
        dead = self._dead_letters(raw, decoded, times, inside)
        kept = decoded.kept if inside is None else decoded.kept[inside]
        return self._batch(raw, decoded, times if inside is None else times[inside], kept, inside, dead)

    def snapshot(self) -> bytes:
        """Pack the position behind the last batch."""
        state = _State(self._reader.position(), self._watermark.max_time, self._told, self._ended)
        return pack(_KIND, _VERSION, self._fingerprint, msgspec.msgpack.encode(state))

    def close(self) -> None:
        """Release the reader."""
        self._reader.close()

    def _inside(self, times: IntArray) -> NDArray[np.bool_] | None:
        """Which event times are within bounds; None where all are."""
        earliest, latest = self._bounds.earliest, self._bounds.latest
        if earliest is None and latest is None:
            return None
        inside = np.ones(len(times), dtype=np.bool_)
        if earliest is not None:
            inside &= times >= earliest
        if latest is not None:
            inside &= times <= latest
        return None if inside.all() else inside

    def _dead_letters(
        self, raw: RawBatch, decoded: Decoded, times: IntArray, inside: NDArray[np.bool_] | None
    ) -> tuple[DeadLetter, ...]:
        letters = [
            DeadLetter(partition=self.name, number=r.number, reason=r.reason, detail=r.detail, raw=r.raw)
            for r in raw.refused
        ]
        refused = [(r.index, r.reason, r.detail) for r in decoded.refused]
        if inside is not None:
            outside = zip(decoded.kept[~inside].tolist(), times[~inside].tolist(), strict=True)
            refused += [
                (index, Reason.TIME_OUT_OF_RANGE, f"event time {time} is outside time.earliest/latest")
                for index, time in outside
            ]
        letters += [
            DeadLetter(
                partition=self.name,
                number=raw.numbers[index],
                reason=reason,
                detail=detail,
                raw=raw.records[index],
            )
            for index, reason, detail in refused
        ]
        return tuple(sorted(letters, key=lambda letter: letter.number))

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
        return Batch(
            partition=self.name,
            rows=len(panes),
            panes=present,
            starts=starts.astype(np.int64, copy=False),
            late=late,
            numeric=decoded.numeric if rows is None else _taken(decoded.numeric, rows),
            categorical=decoded.categorical if rows is None else _picked(decoded.categorical, rows.tolist()),
            frontier=frontier,
            last=self._watermark.last_pane,
            quiet=quiet,
            size=raw.size,
            dead_letters=dead,
            late_rows=late_rows,
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
