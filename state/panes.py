"""From partial sketches to closed panes: the low watermark over all partitions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from detectors.base import DriftflowError
from state.grid import END
from state.schedule import UNCHANGED, Schedule
from state.sketches.base import LATE, Sketch, from_bytes


class UnknownPartitionError(DriftflowError):
    """A partition reported that the run did not start with."""


class OtherScheduleError(DriftflowError):
    """A batch was summarized by other generations of the reference than this process knows."""


Partial = tuple[str, int, int, tuple[tuple[int, int, bytes], ...], tuple[tuple[int, int], ...]]
"""What one batch adds to one column: partition, frontier, last pane, packed sketches, skipped panes.

A sketch comes behind its pane and the generation of the reference whose bins it counts in
(`state.schedule`): one per pane, but around a change of the reference.

The frontier is the first pane that the partition's own watermark leaves open, `END` once it has ended; the
last pane is the one that holds its largest event time (`-END` where it has none). A plain tuple of texts,
whole numbers and bytes, because that crosses processes five times faster than objects. Skipped panes are
half-open ranges that a time-out closed for this partition.
"""


class PanesClosed(NamedTuple):
    """Panes that no partition can add to any more.

    Attributes
    ----------
    upto
        Every pane before this one is closed; `END` once all partitions have ended.
    last
        With `upto` at `END`: the last pane that any partition reached.
    panes
        Pane, generation and sketch of those closed since the last message that have rows, in order.
    skipped
        Ranges of panes that a time-out closed for some partition, or whose rows were dropped because they
        came when the pane was closed: they lack rows, or may. Half-open, in order.
    """

    upto: int
    last: int
    panes: tuple[tuple[int, int, Sketch], ...]
    skipped: tuple[tuple[int, int], ...] = ()


class _State(msgspec.Struct):
    upto: int
    frontiers: dict[str, tuple[int, int]]
    panes: list[tuple[int, bytes]]
    skipped: list[tuple[int, int]]
    dropped: int
    # Not in version 1, whose panes were all of the first generation.
    later_panes: list[tuple[int, int, bytes]] = []
    later: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class PaneMerger:
    """Merges the partials of one column and closes panes behind the low watermark.

    A pane closes when every partition's frontier has passed it; nothing closes before every partition has
    reported once. Since a partition sends its frontier in the same stream as its rows, and calls rows late
    by its own watermark alone, the content of a pane does not depend on how partitions interleave.

    A partition that appears when a run has begun may bring rows of panes that are closed: others went on
    before it was known. They are dropped, counted as late in the next pane that closes, and their panes are
    told as skipped. That is the same for every column: until the frontier of the new partition has passed the
    closed panes, nothing else closes.
    """

    frontiers: dict[str, tuple[int, int] | None]
    open: dict[tuple[int, int], Sketch]
    upto: int
    skipped: set[tuple[int, int]]
    dropped: int = 0
    schedule: Schedule = UNCHANGED

    @classmethod
    def start(
        cls, partitions: Sequence[str], resume: bytes | None = None, *, schedule: Schedule = UNCHANGED
    ) -> "PaneMerger":
        """Begin, or go on from what `snapshot` returned; partitions that are new since then must report.

        Raises
        ------
        ScheduleConflictError
            The schedule has changed since then, in panes that had rows.
        """
        frontiers: dict[str, tuple[int, int] | None] = dict.fromkeys(partitions)
        if resume is None:
            return cls(frontiers, {}, -END, set(), schedule=schedule)
        state = msgspec.msgpack.decode(resume, type=_State)
        frontiers.update(state.frontiers)
        schedule.check_known(state.later, max((last for _, last in state.frontiers.values()), default=-END))
        panes = {(pane, 0): from_bytes(data) for pane, data in state.panes}
        panes |= {(pane, generation): from_bytes(data) for pane, generation, data in state.later_panes}
        return cls(frontiers, panes, state.upto, set(state.skipped), state.dropped, schedule)

    def add(self, partial: Partial) -> None:
        """Merge one partial.

        Raises
        ------
        UnknownPartitionError
            The partition is not one of those the run started with.
        OtherScheduleError
            Another process of the run knows other generations.
        """
        partition, frontier, last, panes, skipped = partial
        if partition not in self.frontiers:
            raise UnknownPartitionError(
                f"found a batch of partition {partition!r}, wanted one of "
                f"{', '.join(sorted(self.frontiers))}: restart the run, so that all workers know it"
            )
        self._check_generations(panes)
        self.frontiers[partition] = (frontier, last)
        self.skipped.update(skipped)
        for pane, generation, data in panes:
            sketch = from_bytes(data)
            if pane < self.upto:
                # A row counts once, however many generations summarized it.
                if generation == self.schedule.of_pane(pane).start:
                    self.dropped += sketch.rows + int(sketch.counters[LATE])
                if sketch.rows:
                    # Longer windows that are still open lack these rows.
                    self.skipped.add((pane, pane + 1))
                continue
            held = self.open.get((pane, generation))
            self.open[pane, generation] = sketch if held is None else held.merge(sketch)

    def close(self) -> PanesClosed | None:
        """Close what the low watermark has passed; None while it has not moved over a pane's end."""
        reported = [f for f in self.frontiers.values() if f is not None]
        if len(reported) < len(self.frontiers):
            return None
        upto = min(frontier for frontier, _ in reported)
        if upto <= self.upto:
            return None
        self.upto = upto
        closed = [(*key, self.open.pop(key)) for key in sorted(key for key in self.open if key[0] < upto)]
        if self.dropped and closed:
            first = closed[0][0]
            closed = [
                (pane, generation, _with_late(sketch, self.dropped) if pane == first else sketch)
                for pane, generation, sketch in closed
            ]
            self.dropped = 0
        return PanesClosed(upto, max(last for _, last in reported), tuple(closed), self._take_skipped(upto))

    def _check_generations(self, panes: tuple[tuple[int, int, bytes], ...]) -> None:
        """Find a process that started before a change of the reference beside one that started after it."""
        if not self.schedule.later and not any(generation for _, generation, _ in panes):
            return
        found = {(pane, generation) for pane, generation, _ in panes}
        wanted = {(pane, generation) for pane, *_ in panes for generation in self.schedule.of_pane(pane)}
        if found != wanted:
            raise OtherScheduleError(
                "the processes of this run know different references: start all of them again, so that each "
                "reads the same schedule from the store"
            )

    def _take_skipped(self, upto: int) -> tuple[tuple[int, int], ...]:
        """Hand on the ranges below a pane; what lies above it stays.

        A range comes with the frontier that it moved, so it is here before any of its panes can close.
        """
        told = sorted({(start, min(end, upto)) for start, end in self.skipped if start < upto})
        self.skipped = {(max(start, upto), end) for start, end in self.skipped if end > upto}
        return tuple(told)

    def snapshot(self) -> bytes:
        """Pack the state; `start` goes on from it."""
        packed = [(*key, self.open[key].to_bytes()) for key in sorted(self.open)]
        return msgspec.msgpack.encode(
            _State(
                upto=self.upto,
                frontiers={p: f for p, f in self.frontiers.items() if f is not None},
                panes=[(pane, data) for pane, generation, data in packed if generation == 0],
                skipped=sorted(self.skipped),
                dropped=self.dropped,
                later_panes=[item for item in packed if item[1] > 0],
                later=self.schedule.later,
            )
        )


def _with_late(sketch: Sketch, late: int) -> Sketch:
    counters = sketch.counters.copy()
    counters[LATE] += late
    return replace(sketch, counters=counters)
