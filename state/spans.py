"""Consecutive spans of a reference in which rows are counted apart."""

from dataclasses import dataclass

import numpy as np

from detectors.base import IntArray

MOST_SPANS = 2_048
"""So many, that windows of a fiftieth of a long reference hold many, and a count of each is a few bytes."""

SPAN_ROWS = 50
"""Rows of a span below which more spans tell nothing more."""

FEW_SPANS = 32
"""A short reference has spans of fewer rows instead of fewer spans: scatter is learnt from their number."""

FEWEST_ROWS = 10
"""Rows that a span has even then."""

MOST_COUNTS = 20_480
"""Counts that are kept of a column; with many categories its spans are longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Where the spans of a reference begin.

    Attributes
    ----------
    borders
        First position of each span but the first, shape ``(spans - 1,)``, increasing. A position is an event
        time, or the number of a row where there are no times.
    """

    borders: IntArray

    @classmethod
    def over(cls, positions: IntArray, rows: int) -> "Spans":
        """Lay spans with about equally many rows: spans of equal length would leave gaps and nights empty.

        Parameters
        ----------
        positions
            Of all rows or of a sample of them, in any order, shape ``(sample,)``; may be empty.
        rows
            How many rows there are.
        """
        spans = min(MOST_SPANS, max(rows // SPAN_ROWS, min(FEW_SPANS, rows // FEWEST_ROWS)))
        if spans < 2 or not len(positions):  # noqa: PLR2004  one span has no border
            return cls(np.zeros(0, dtype=np.int64))
        ordered = np.sort(positions)
        borders = np.unique(ordered[np.arange(1, spans) * len(ordered) // spans])
        return cls(borders[borders > ordered[0]])

    def count(self, positions: IntArray, places: IntArray, groups: IntArray) -> IntArray:
        """Count rows by span and group.

        Parameters
        ----------
        positions, places
            Of each row its position and its bin (-1: it holds no value), shape ``(rows,)``, in any order.
        groups
            Group of each bin, shape ``(bins,)``, values ``0..k-1``.

        Returns
        -------
        IntArray
            Shape ``(spans, k)``.
        """
        held = places >= 0
        width, spans = int(groups.max()) + 1, len(self.borders) + 1
        span = np.searchsorted(self.borders, positions[held], side="right")
        cells = span * width + groups[places[held]]
        return np.bincount(cells, minlength=spans * width).reshape(spans, width)

    def tally(self, positions: IntArray) -> IntArray:
        """Count rows by span, given the positions of each; shape ``(spans,)``."""
        span = np.searchsorted(self.borders, positions, side="right")
        return np.bincount(span, minlength=len(self.borders) + 1)


def bounded(chunks: IntArray) -> IntArray:
    """Join neighbouring spans until at most `MOST_COUNTS` counts are left, shape ``(fewer, groups)``."""
    return joined(chunks, groups=chunks.shape[1])


def joined(counts: IntArray, *, groups: int) -> IntArray:
    """Join neighbouring spans as `bounded` joins those of so many groups; shape ``(fewer, ...)``."""
    factor = -(-len(counts) // max(MOST_COUNTS // groups, 1))
    return np.add.reduceat(counts, np.arange(0, len(counts), factor))
