"""From partial sketches to closed panes: the low watermark over all partitions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from detectors.base import DriftflowError
from state.grid import END
from state.sketches.base import LATE, Sketch, from_bytes


class UnknownPartitionError(DriftflowError):
    """A partition reported that the run did not start with."""


Partial = tuple[str, int, int, tuple[tuple[int, bytes], ...], tuple[tuple[int, int], ...]]
"""What one batch adds to one column: partition, frontier, last pane, a packed sketch per pane, skipped panes.

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
        Closed since the last message, those with rows only, in order.
    skipped
        Ranges of panes that a time-out closed for some partition: they may lack rows. Half-open, in order.
    """

    upto: int
    last: int
    panes: tuple[tuple[int, Sketch], ...]
    skipped: tuple[tuple[int, int], ...] = ()


class _State(msgspec.Struct):
    upto: int
    frontiers: dict[str, tuple[int, int]]
    panes: list[tuple[int, bytes]]
    skipped: list[tuple[int, int]]
    dropped: int


@dataclass(slots=True)
class PaneMerger:
    """Merges the partials of one column and closes panes behind the low watermark.

    A pane closes when every partition's frontier has passed it; nothing closes before every partition has
    reported once. Since a partition sends its frontier in the same stream as its rows, and calls rows late
    by its own watermark alone, the content of a pane does not depend on how partitions interleave.

    A partition that appears when a run has begun may bring rows of panes that are closed. They are dropped,
    and counted as late in the next pane that closes. That is the same for every column: until the frontier of
    the new partition has passed the closed panes, nothing else closes.
    """

    frontiers: dict[str, tuple[int, int] | None]
    open: dict[int, Sketch]
    upto: int
    skipped: set[tuple[int, int]]
    dropped: int = 0

    @classmethod
    def start(cls, partitions: Sequence[str], resume: bytes | None = None) -> "PaneMerger":
        """Begin, or go on from what `snapshot` returned; partitions that are new since then must report."""
        frontiers: dict[str, tuple[int, int] | None] = dict.fromkeys(partitions)
        if resume is None:
            return cls(frontiers, {}, -END, set())
        state = msgspec.msgpack.decode(resume, type=_State)
        frontiers.update(state.frontiers)
        panes = {pane: from_bytes(data) for pane, data in state.panes}
        return cls(frontiers, panes, state.upto, set(state.skipped), state.dropped)

    def add(self, partial: Partial) -> None:
        """Merge one partial.

        Raises
        ------
        UnknownPartitionError
            The partition is not one of those the run started with.
        """
        partition, frontier, last, panes, skipped = partial
        if partition not in self.frontiers:
            raise UnknownPartitionError(
                f"found a batch of partition {partition!r}, wanted one of "
                f"{', '.join(sorted(self.frontiers))}: restart the run, so that all workers know it"
            )
        self.frontiers[partition] = (frontier, last)
        self.skipped.update(skipped)
        for pane, data in panes:
            sketch = from_bytes(data)
            if pane < self.upto:
                self.dropped += sketch.rows + int(sketch.counters[LATE])
                continue
            held = self.open.get(pane)
            self.open[pane] = sketch if held is None else held.merge(sketch)

    def close(self) -> PanesClosed | None:
        """Close what the low watermark has passed; None while it has not moved over a pane's end."""
        reported = [f for f in self.frontiers.values() if f is not None]
        if len(reported) < len(self.frontiers):
            return None
        upto = min(frontier for frontier, _ in reported)
        if upto <= self.upto:
            return None
        self.upto = upto
        closed = [(pane, self.open.pop(pane)) for pane in sorted(p for p in self.open if p < upto)]
        if self.dropped and closed:
            pane, sketch = closed[0]
            counters = sketch.counters.copy()
            counters[LATE] += self.dropped
            closed[0], self.dropped = (pane, replace(sketch, counters=counters)), 0
        return PanesClosed(upto, max(last for _, last in reported), tuple(closed), self._take_skipped(upto))

    def _take_skipped(self, upto: int) -> tuple[tuple[int, int], ...]:
        """Hand on the ranges below a pane; what lies above it stays.

        A range comes with the frontier that it moved, so it is here before any of its panes can close.
        """
        told = sorted({(start, min(end, upto)) for start, end in self.skipped if start < upto})
        self.skipped = {(max(start, upto), end) for start, end in self.skipped if end > upto}
        return tuple(told)

    def snapshot(self) -> bytes:
        """Pack the state; `start` goes on from it."""
        return msgspec.msgpack.encode(
            _State(
                upto=self.upto,
                frontiers={p: f for p, f in self.frontiers.items() if f is not None},
                panes=[(pane, sketch.to_bytes()) for pane, sketch in sorted(self.open.items())],
                skipped=sorted(self.skipped),
                dropped=self.dropped,
            )
        )
