"""Event time of one partition: its watermark, which of its rows are late, and what a time-out passed over."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from state.grid import END, Grid
from state.joined import FROM_START


@dataclass(frozen=True, slots=True)
class Placed:
    """Where rows belong.

    Attributes
    ----------
    panes
        Pane of each row, shape ``(rows,)``.
    late
        Whether the row's pane had ended at the watermark before that row, shape ``(rows,)``.
    standing
        Pane in which time stood when the row came, shape ``(rows,)``. Late rows are counted there: their own
        pane may be closed on one run and not on another, where time stood depends on the partition alone.
    """

    panes: IntArray
    late: NDArray[np.bool_]
    standing: IntArray


class Clock(Protocol):
    """Event time of one partition."""

    @property
    def max_time(self) -> int | None:
        """Largest event time so far, None before the first row."""
        ...

    @property
    def forced(self) -> int | None:
        """A watermark that a time-out set."""
        ...

    @property
    def frontier(self) -> int:
        """First pane that is still open here."""
        ...

    @property
    def last_pane(self) -> int:
        """Pane that holds the largest event time."""
        ...

    def place(self, times: IntArray) -> Placed:
        """Take the event times of the next rows, in order."""
        ...

    def force(self, watermark: int) -> tuple[int, int] | None:
        """Move the watermark without rows, because a time-out fired."""
        ...


@dataclass(slots=True)
class Watermark:
    """The running maximum of a partition's event time, less the allowed lateness.

    Attributes
    ----------
    lateness
        In the unit of the grid's axis.
    max_time
        Largest event time so far, None before the first row.
    forced
        A watermark that a time-out set; rows before it are late from then on, whatever is still to come.
    """

    grid: Grid
    lateness: int
    max_time: int | None = None
    forced: int | None = None

    def place(self, times: IntArray) -> Placed:
        """Take the event times of the next rows, in the order in which they stand in the partition.

        A row is judged by the watermark as it stood before that row, so the answer does not depend on how the
        partition is cut into batches.
        """
        panes = self.grid.pane_of(times)
        if not len(times):
            return Placed(panes, np.zeros(0, dtype=np.bool_), panes)
        first = int(times[0]) if self.max_time is None else self.max_time
        running = np.maximum.accumulate(np.concatenate(([first], times)))
        before = running[:-1]
        marks = before - self.lateness
        if self.forced is not None:
            marks = np.maximum(marks, self.forced)
        late = panes < self.grid.pane_of(marks)
        self.max_time = int(running[-1])
        return Placed(panes, late, self.grid.pane_of(before) if late.any() else panes)

    def force(self, watermark: int) -> tuple[int, int] | None:
        """Move the watermark without rows, because a time-out fired.

        Returns
        -------
        tuple of int, or None
            The panes that are closed here though their rows may still come, as a half-open range; None where
            that is none.
        """
        before = self.frontier
        if self.forced is None or watermark > self.forced:
            self.forced = watermark
        after = self.frontier
        return (before, after) if after > before else None

    @property
    def frontier(self) -> int:
        """First pane that is still open here; before the first row or time-out all are."""
        natural = -END if self.max_time is None else self.grid.frontier(self.max_time - self.lateness)
        return natural if self.forced is None else max(natural, self.grid.frontier(self.forced))

    @property
    def last_pane(self) -> int:
        """Pane that holds the largest event time; ``-END`` before the first row."""
        return -END if self.max_time is None else self.grid.frontier(self.max_time)


@dataclass(frozen=True, slots=True)
class Timeless:
    """The clock of rows without a time: each lies in `FROM_START`, and every pane is open until they end."""

    max_time: None = None
    forced: None = None
    frontier: int = -END
    last_pane: int = -END

    def place(self, times: IntArray) -> Placed:
        """Put all rows into one pane."""
        panes = np.full(len(times), FROM_START, dtype=np.int64)
        return Placed(panes, np.zeros(len(times), dtype=np.bool_), panes)

    def force(self, watermark: int) -> None:
        """Stay: rows without a time wait for nothing."""
