"""Event time of one partition: its watermark, and which of its rows are late."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from state.grid import END, Grid


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


@dataclass(slots=True)
class Watermark:
    """The running maximum of a partition's event time, less the allowed lateness.

    Attributes
    ----------
    lateness
        In the unit of the grid's axis.
    max_time
        Largest event time so far, None before the first row.
    """

    grid: Grid
    lateness: int
    max_time: int | None = None

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
        late = panes < self.grid.pane_of(before - self.lateness)
        self.max_time = int(running[-1])
        return Placed(panes, late, self.grid.pane_of(before) if late.any() else panes)

    @property
    def frontier(self) -> int:
        """First pane that is still open here; before the first row all are."""
        return -END if self.max_time is None else self.grid.frontier(self.max_time - self.lateness)

    @property
    def last_pane(self) -> int:
        """Pane that holds the largest event time; ``-END`` before the first row."""
        return -END if self.max_time is None else self.grid.frontier(self.max_time)
