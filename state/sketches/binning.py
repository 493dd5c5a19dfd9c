"""Finds the bin of each value by a table of equal cells, which is exact and needs no search."""

from dataclasses import dataclass

import numpy as np

from detectors.base import FloatArray, IntArray

CELLS = 1024
"""Cells of the table: small enough for the first-level cache, fine enough for one edge per cell."""

MOST_STEPS = 4
"""Edges in one cell from which a binary search is no slower."""

FEWEST_EDGES = 8
"""With fewer a binary search is as fast."""


@dataclass(frozen=True, slots=True, eq=False)
class BinFinder:
    """The number of edges below a value, as ``numpy.searchsorted(edges, values, side="left")`` gives it.

    A value's cell is a monotone function of it (subtract, multiply by a positive number, cut to a whole
    number: each keeps the order, rounding included). So an edge in a lower cell is below the value, one in a
    higher cell is not, and only those in its own cell are compared.

    Attributes
    ----------
    edges
        Shape ``(edges,)``, strictly increasing, finite.
    """

    edges: FloatArray
    _below: IntArray
    _padded: FloatArray
    _per_unit: float
    _steps: int

    @classmethod
    def over(cls, edges: FloatArray) -> "BinFinder":
        """Lay the table; where the edges do not suit one, a search stands in."""
        nothing = cls(edges, np.zeros(0, dtype=np.int64), edges, 0.0, 0)
        if len(edges) < FEWEST_EDGES:
            return nothing
        with np.errstate(over="ignore"):
            per_unit = float(CELLS / (edges[-1] - edges[0]))
        if not 0.0 < per_unit < np.inf:
            return nothing
        held = np.bincount(((edges - edges[0]) * per_unit).astype(np.int64))
        if held.max() > MOST_STEPS:
            return nothing
        below = np.concatenate(([0], np.cumsum(held)[:-1]))
        return cls(edges, below, np.append(edges, np.inf), per_unit, int(held.max()))

    def find(self, values: FloatArray) -> IntArray:
        """Return the bin of each finite value, same shape."""
        if not self._steps:
            return np.searchsorted(self.edges, values, side="left")
        # Values outside are brought to the border first: a difference of two doubles can be too large.
        cells = np.clip(values, self.edges[0], self.edges[-1])
        cells -= self.edges[0]
        cells *= self._per_unit
        place = self._below[cells.astype(np.int64)]
        for _ in range(self._steps):
            place += self._padded[place] < values
        return place
