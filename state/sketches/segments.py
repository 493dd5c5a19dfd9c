"""Counting a column's rows by segment, from the places that its sketch has found already."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.base import IntArray
from state.sketches.base import ROWS, Sketch, pane_lengths


@dataclass(frozen=True, slots=True, eq=False)
class SegmentRows:
    """Where the rows of a batch stand among panes and segments, the same for every column.

    Attributes
    ----------
    places
        For each segment column: pane times `sizes` plus segment, shape ``(rows,)``.
    sizes
        Segments of each segment column.
    panes
        Panes of the batch.
    """

    places: tuple[IntArray, ...]
    sizes: tuple[int, ...]
    panes: int

    @classmethod
    def laid(cls, codes: Sequence[IntArray], sizes: Sequence[int], starts: IntArray) -> "SegmentRows":
        """Lay the segments of rows that are sorted by pane over the panes.

        Parameters
        ----------
        codes
            For each segment column the segment of each row, shape ``(rows,)``.
        starts
            First row of each pane, shape ``(panes,)``.
        """
        panes = len(starts)
        if panes == 1:
            return cls(tuple(codes), tuple(sizes), panes)
        pane = np.repeat(np.arange(panes), pane_lengths(starts, len(codes[0]) if codes else 0))
        places = (pane * size + code for code, size in zip(codes, sizes, strict=True))
        return cls(tuple(places), tuple(sizes), panes)

    def count(self, cells: IntArray, width: int) -> IntArray:
        """Count rows by pane, segment and cell.

        Parameters
        ----------
        cells
            Counter of each row beside `ROWS`: that of its bin, or what is wrong with it; shape ``(rows,)``.
        width
            Counters of a segment: header and bins.

        Returns
        -------
        IntArray
            Shape ``(panes, segments, width)``, the segments of one column behind those of the other.
        """
        tables = [
            np.bincount(places * width + cells, minlength=self.panes * size * width).reshape(
                self.panes, size, width
            )
            for places, size in zip(self.places, self.sizes, strict=True)
        ]
        counted = np.concatenate(tables, axis=1)
        counted[:, :, ROWS] = counted.sum(axis=2)
        return counted


def attached(sketches: list[Sketch], segments: IntArray | None) -> list[Sketch]:
    """Give each pane's sketch its segments, shape ``(panes, segments, width)``; None: there are none."""
    if segments is None:
        return sketches
    return [
        Sketch(sketch.counters, sketch.low, sketch.high, sketch.names, counted)
        for sketch, counted in zip(sketches, segments, strict=True)
    ]
