"""Rows that wait under their id: sorted runs of arrays, forgotten by pane."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from state.grid import END
from state.halves import Halves, IdArray, no_halves, together

GROWTH = 4
"""A run is at least so many times as long as the one after it.

Each row is written anew about ``GROWTH * log(rows) / log(GROWTH)`` times at most, and a look-up searches
``log(rows) / log(GROWTH)`` runs: 9 for 250,000 rows. A Python dict takes 168 bytes a row with one number,
measured; this 25.
"""


def row_bytes(width: int) -> int:
    """Bytes of one row: id, pane, a flag, and so many numbers."""
    return 17 + 8 * width


@dataclass(slots=True)
class _Run:
    """Rows sorted by id; those that were taken are no longer `live`."""

    rows: Halves
    live: NDArray[np.bool_]


@dataclass(slots=True)
class IdTable:
    """At most one row per id.

    Attributes
    ----------
    width
        Numbers per row.
    floor
        Rows of panes before this one are forgotten.
    counts
        Rows of each pane that has some.
    size
        Rows of all panes.
    """

    width: int
    floor: int = -END
    counts: dict[int, int] = field(default_factory=dict)
    size: int = 0
    _runs: list[_Run] = field(default_factory=list)

    @property
    def memory(self) -> int:
        """Bytes of the arrays, rows that were taken or forgotten and not yet dropped among them."""
        return sum(
            run.live.nbytes + run.rows.ids.nbytes + run.rows.panes.nbytes + run.rows.payload.nbytes
            for run in self._runs
        )

    def add(self, rows: Halves) -> None:
        """Add rows; ids increasing, none of them held, all of them of panes that are not forgotten."""
        if not len(rows.ids):
            return
        self._count(rows.panes, 1)
        self._runs.append(_Run(rows, np.ones(len(rows.ids), dtype=np.bool_)))
        while len(self._runs) > 1 and _length(self._runs[-2]) < GROWTH * _length(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = self._merged([self._runs[-1], last])

    def holds(self, ids: IdArray) -> NDArray[np.bool_]:
        """Which ids are held, shape as `ids`; ids increasing."""
        held = np.zeros(len(ids), dtype=np.bool_)
        for run in self._runs:
            held[self._found(run, ids)[0]] = True
        return held

    def take(self, ids: IdArray) -> tuple[IntArray, Halves]:
        """Take rows out; ids increasing.

        Returns
        -------
        found, rows
            Index in `ids` of each that was held, increasing, and its row.
        """
        found, parts = [], []
        for run in self._runs:
            which, places = self._found(run, ids)
            if len(which):
                run.live[places] = False
                found.append(which)
                parts.append(run.rows.take(places))
        if not found:
            return np.zeros(0, np.int64), no_halves(self.width)
        which, rows = np.concatenate(found), together(parts)
        order = np.argsort(which, kind="stable")
        self._count(rows.panes, -1)
        self._tidy()
        return which[order], rows.take(order)

    def forget(self, floor: int) -> list[tuple[int, int]]:
        """Forget the rows of all panes before one; return pane and number of rows, in order."""
        before, self.floor = self.floor, max(self.floor, floor)
        # Time moves on by a pane or few, and there may be thousands.
        near = range(before, floor) if floor - before < len(self.counts) else sorted(self.counts)
        told = [(pane, self.counts.pop(pane)) for pane in near if pane < floor and pane in self.counts]
        if told:
            self.size -= sum(rows for _, rows in told)
            self._tidy()
        return told

    def forget_oldest(self, rows: int) -> list[tuple[int, int]]:
        """Forget so many rows, by pane and then by id; return pane and number of rows, in order."""
        if rows <= 0:
            return []
        held = self.held()
        order = np.lexsort((held.ids, held.panes))
        gone = held.take(order[:rows])
        kept = held.take(np.sort(order[rows:]))
        self._runs = [_Run(kept, np.ones(len(kept.ids), dtype=np.bool_))] if len(kept.ids) else []
        self._count(gone.panes, -1)
        panes, counts = np.unique(gone.panes, return_counts=True)
        return list(zip(panes.tolist(), counts.tolist(), strict=True))

    def held(self) -> Halves:
        """Return all rows, ids increasing."""
        return self._merged(self._runs).rows if self._runs else no_halves(self.width)

    def _count(self, panes: IntArray, sign: int) -> None:
        self.size += sign * len(panes)
        for pane, count in Counter(panes.tolist()).items():
            left = self.counts.get(pane, 0) + sign * count
            if left:
                self.counts[pane] = left
            else:
                del self.counts[pane]

    def _found(self, run: _Run, ids: IdArray) -> tuple[IntArray, IntArray]:
        """Return the index in `ids` and the place in the run of each that the run holds."""
        places = np.searchsorted(run.rows.ids, ids)
        which = np.flatnonzero(places < len(run.rows.ids))
        places = places[which]
        held = (
            (run.rows.ids[places] == ids[which]) & run.live[places] & (run.rows.panes[places] >= self.floor)
        )
        return which[held], places[held]

    def _merged(self, runs: list[_Run]) -> _Run:
        parts = [run.rows.take(run.live & (run.rows.panes >= self.floor)) for run in runs]
        rows = together(parts)
        if len(parts) > 1:
            # Runs that are sorted already are merged by a stable sort in one pass.
            rows = rows.take(np.argsort(rows.ids, kind="stable"))
        return _Run(rows, np.ones(len(rows.ids), dtype=np.bool_))

    def _tidy(self) -> None:
        """Drop what was taken or forgotten, once it is more than is held."""
        if sum(_length(run) for run in self._runs) > 2 * self.size:
            self._runs = [self._merged(self._runs)] if self.counts else []


def _length(run: _Run) -> int:
    return len(run.rows.ids)
