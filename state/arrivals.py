"""When the rows of a reference came: counts over event time, from which windows of any size can be made."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from detectors.base import IntArray

WIDTHS_MS = (1_000, 10_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000)
"""Lengths that a cell may have, each a divisor of the next: from a second to a day."""

MOST_CELLS = 4_500
"""Cells that are kept: three days in minutes, a fortnight in spans of five, a year in spans of six hours."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrivals:
    """Rows per cell of event time.

    Attributes
    ----------
    start_ms
        Where the first cell starts: a multiple of the width since the epoch.
    width_ms
        Length of a cell, one of `WIDTHS_MS`.
    counts
        Rows of each cell, shape ``(cells,)``. The first and the last are covered in part only.
    """

    start_ms: int
    width_ms: int
    counts: IntArray

    @property
    def span_ms(self) -> int:
        """How long they are together, the first and the last included."""
        return len(self.counts) * self.width_ms

    def windows(self, size_ms: int, pane_ms: int) -> tuple[IntArray, IntArray] | None:
        """Return rows and panes without a row of every window of a size; None where cells are too long.

        Windows begin a quarter of their size apart, so that it does not matter where a day begins.

        Returns
        -------
        rows, empty
            Shape ``(windows,)`` each.
        """
        if size_ms % self.width_ms:
            return None
        counts = self.counts[1:-1]
        length = size_ms // self.width_ms
        if len(counts) < length:
            nothing = np.zeros(0, dtype=np.int64)
            return nothing, nothing
        starts = np.arange(0, len(counts) - length + 1, max(length // 4, 1))
        rows = _sums(counts, starts, length)
        if pane_ms % self.width_ms:
            return rows, np.zeros(len(rows), dtype=np.int64)
        pane = pane_ms // self.width_ms
        offsets = np.arange(0, length - pane + 1, pane)
        in_panes = _sums(counts, (starts[:, None] + offsets[None, :]).ravel(), pane)
        return rows, (in_panes == 0).reshape(len(starts), len(offsets)).sum(axis=1)


def _sums(counts: IntArray, starts: IntArray, length: int) -> IntArray:
    total = np.concatenate(([0], np.cumsum(counts)))
    return total[starts + length] - total[starts]


@dataclass(slots=True)
class ArrivalCounter:
    """Counts event times in cells that grow with what they span: their length depends on that alone."""

    _place: int = 0
    _cells: Mapping[int, int] = field(default_factory=dict)
    _known: bool = True

    def add(self, times_ms: IntArray) -> None:
        """Take event times, shape ``(rows,)``, in any order."""
        if not self._known or not len(times_ms):
            return
        cells, counts = np.unique(times_ms // WIDTHS_MS[self._place], return_counts=True)
        held = Counter(self._cells)
        held.update(dict(zip(cells.tolist(), counts.tolist(), strict=True)))
        while max(held) - min(held) >= MOST_CELLS:
            if self._place + 1 == len(WIDTHS_MS):
                self._known, held = False, Counter()
                break
            self._place += 1
            ratio = WIDTHS_MS[self._place] // WIDTHS_MS[self._place - 1]
            joined: Counter[int] = Counter()
            for cell, count in held.items():
                joined[cell // ratio] += count
            held = joined
        self._cells = held

    @property
    def arrivals(self) -> Arrivals | None:
        """What was counted; None without times, and where they span more than can be kept."""
        if not self._cells:
            return None
        width, first = WIDTHS_MS[self._place], min(self._cells)
        counts = np.zeros(max(self._cells) - first + 1, dtype=np.int64)
        for cell, count in self._cells.items():
            counts[cell - first] = count
        return Arrivals(start_ms=first * width, width_ms=width, counts=counts)
