"""Sketches of numeric columns: counts and exact sums in bins frozen with the reference."""

from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray, Kind, Moments, Summary
from state.sketches.base import HEADER, LATE, MISSING, NON_FINITE, ROWS, Sketch, pane_lengths
from state.sketches.binning import BinFinder
from state.sketches.segments import SegmentRows, attached

SUM_BITS = 16
"""Binary places of the fixed-point values that are summed, in units of the reference's scale."""

SQUARE_BITS = 12
"""The same for squares."""

SUM_CAP = 2.0**20
"""Values further than this many units from the centre count as this far in sums."""

LARGEST = 2.0**500
"""Values beyond have no moments: their squares come near the end of what a double can hold."""

SQUARE_CAP = 2.0**27
"""Squares are capped here, so that a batch of 8,192 rows adds up exactly in float64 on the way."""


_ZEROS, _BELOW, _ABOVE, _EXTRA = range(4)
"""Places of what is counted of single values, behind the sum of squares; and how many those are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddities:
    """Values of a span that are zero, and that lie outside the reference's range."""

    zeros: int
    below: int
    above: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumericBins:
    """How a numeric column is summarized: frozen with the reference.

    A sum over floating-point numbers depends on the order in which they come, and workers come in any order.
    So every value is first rounded to a whole number of ``unit * 2**-16`` from the centre, and whole numbers
    add up the same in any order.

    Attributes
    ----------
    edges
        Upper edges of all bins but the last, shape ``(bins - 1,)``, increasing; a bin is ``(low, high]``.
    groups
        Coarse group of each bin, shape ``(bins,)``.
    continuous
        Whether no value holds so much of the reference that the law of the grid KS would be wrong.
    center, unit
        Origin and scale of the fixed-point sums; the unit is a power of two.
    extent
        Smallest and largest value of the reference; None in references that do not know them, which count
        no `Oddities` either.
    """

    edges: FloatArray
    groups: IntArray
    continuous: bool
    center: float
    unit: float
    extent: tuple[float, float] | None = None
    _finder: BinFinder = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_finder", BinFinder.over(self.edges))

    @property
    def kind(self) -> Kind:
        """Numeric."""
        return Kind.NUMERIC

    @property
    def bins(self) -> int:
        """Number of bins."""
        return len(self.edges) + 1

    @property
    def width(self) -> int:
        """Number of counters of a sketch: header, counts, sums, the sum of squares, and oddities."""
        return self._squares + 1 + (0 if self.extent is None else _EXTRA)

    @property
    def _squares(self) -> int:
        """Place of the sum of squares."""
        return HEADER + 2 * self.bins

    def summarize(
        self, values: FloatArray, starts: IntArray, late: IntArray, segments: SegmentRows | None = None
    ) -> list[Sketch]:
        """Summarize rows that are sorted by pane.

        Parameters
        ----------
        values
            Shape ``(rows,)``; NaN: missing, infinite: present but not finite.
        starts
            First row of each pane, shape ``(panes,)``, increasing from 0.
        late
            Late rows to count in each pane, shape ``(panes,)``.
        segments
            Where the same rows stand among panes and segments; None: they are not counted by segment.

        Returns
        -------
        list of Sketch
            One per pane.
        """
        panes, bins = len(starts), self.bins
        counters = np.zeros((panes, self.width), dtype=np.int64)
        counters[:, ROWS] = pane_lengths(starts, len(values))
        counters[:, LATE] = late
        every, finite = values, np.isfinite(values)
        if not finite.all():
            missing = np.isnan(values)
            counters[:, MISSING] = np.add.reduceat(missing, starts, dtype=np.int64)
            counters[:, NON_FINITE] = np.add.reduceat(~finite & ~missing, starts, dtype=np.int64)
            starts = np.concatenate(([0], np.cumsum(finite)))[starts]
            values = values[finite]
        place = self._finder.find(values)
        split = None if segments is None else segments.count(_cells(every, finite, place), HEADER + bins)
        if not len(values):
            return attached([Sketch(row) for row in counters], split)
        if panes > 1:
            place += np.repeat(np.arange(0, panes * bins, bins), pane_lengths(starts, len(values)))
        scaled, squares = self._fixed_point(values)
        size = panes * bins
        counters[:, HEADER : HEADER + bins] = np.bincount(place, minlength=size).reshape(panes, bins)
        sums = np.bincount(place, weights=scaled, minlength=size)
        counters[:, HEADER + bins : HEADER + 2 * bins] = sums.reshape(panes, bins)
        return attached(self._with_extremes(counters, values, squares, starts), split)

    def oddities(self, sketch: Sketch) -> Oddities | None:
        """Return what a sketch counts of single values; None where the reference does not know its range."""
        if self.extent is None:
            return None
        zeros, below, above = sketch.counters[self._squares + 1 :].tolist()
        return Oddities(zeros=zeros, below=below, above=above)

    def _count_oddities(
        self, counters: IntArray, values: FloatArray, starts: IntArray, lowest: float, highest: float
    ) -> None:
        """Count zeros and values outside the range, where the extremes of all panes allow any."""
        if self.extent is None:
            return
        low, high = self.extent
        first = self._squares + 1
        if lowest <= 0 <= highest:
            counters[:, first + _ZEROS] = _per_pane(values == 0, starts)
        if lowest < low:
            counters[:, first + _BELOW] = _per_pane(values < low, starts)
        if highest > high:
            counters[:, first + _ABOVE] = _per_pane(values > high, starts)

    def places(self, values: FloatArray) -> IntArray:
        """Return the bin of each value, -1 where it is missing or not finite; same shape."""
        finite = np.isfinite(values)
        places = np.full(len(values), -1, dtype=np.int64)
        places[finite] = self._finder.find(values[finite])
        return places

    def _fixed_point(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return values and squares as whole numbers of fixed-point units."""
        # What overflows is infinite, and capped like everything that is far away.
        with np.errstate(over="ignore"):
            scaled = (values - self.center) * (1.0 / self.unit)
            squares = np.minimum(scaled * scaled, SQUARE_CAP)
        squares *= 2.0**SQUARE_BITS
        np.rint(squares, out=squares)
        np.clip(scaled, -SUM_CAP, SUM_CAP, out=scaled)
        scaled *= 2.0**SUM_BITS
        np.rint(scaled, out=scaled)
        return scaled, squares

    def _with_extremes(
        self, counters: IntArray, values: FloatArray, squares: FloatArray, starts: IntArray
    ) -> list[Sketch]:
        """Add the sums of squares and the extremes of each pane; a pane may have no value."""
        filled = np.flatnonzero(pane_lengths(starts, len(values)))
        first = starts[filled]
        counters[filled, self._squares] = np.add.reduceat(squares, first)
        # Adding zero makes -0.0 to 0.0: which of the two a minimum shows would depend on the order.
        low, high = np.minimum.reduceat(values, first) + 0.0, np.maximum.reduceat(values, first) + 0.0
        self._count_oddities(counters, values, starts, float(low.min()), float(high.max()))
        lows = dict(zip(filled.tolist(), low.tolist(), strict=True))
        highs = dict(zip(filled.tolist(), high.tolist(), strict=True))
        return [Sketch(row, lows.get(i, inf), highs.get(i, -inf)) for i, row in enumerate(counters)]

    def summary(self, sketch: Sketch) -> Summary:
        """Return what detectors see of a sketch."""
        counts = sketch.counters[HEADER : HEADER + self.bins]
        return Summary(
            kind=Kind.NUMERIC,
            counts=counts,
            groups=self.groups,
            continuous=self.continuous,
            edges=self.edges,
            moments=self._moments(sketch, counts),
        )

    def _moments(self, sketch: Sketch, counts: IntArray) -> Moments | None:
        n = int(counts.sum())
        if n == 0 or not self._sums_hold(sketch, n):
            return None
        sums = sketch.counters[HEADER + self.bins : HEADER + 2 * self.bins] / 2.0**SUM_BITS
        mean = float(sums.sum()) / n
        square = float(sketch.counters[self._squares]) / 2.0**SQUARE_BITS / n
        return Moments(
            bin_sums=sums * self.unit + counts * self.center,
            mean=self.center + mean * self.unit,
            variance=max(square - mean * mean, 0.0) * self.unit**2,
            minimum=sketch.low,
            maximum=sketch.high,
        )

    def _sums_hold(self, sketch: Sketch, n: int) -> bool:
        """Say whether the int64 sums are the true ones: no value capped, and too few rows to wrap around."""
        if max(abs(sketch.low), abs(sketch.high)) > LARGEST:
            return False
        reach = max(abs(sketch.low - self.center), abs(sketch.high - self.center)) / self.unit
        # Near the centre a value adds more to its sum than to the squares; rounding adds up to one half.
        largest = max(reach * reach * 2.0**SQUARE_BITS, reach * 2.0**SUM_BITS) + 1.0
        return reach * reach <= SQUARE_CAP and n * largest < 2.0**63


def _cells(values: FloatArray, finite: NDArray[np.bool_], place: IntArray) -> IntArray:
    """Return the counter of each row, from the bins of the finite values; same shape as the values."""
    if len(place) == len(values):
        return place + HEADER
    cells = np.where(np.isnan(values), MISSING, NON_FINITE)
    cells[finite] = place + HEADER
    return cells


def _per_pane(marked: NDArray[np.bool_], starts: IntArray) -> IntArray:
    """Count the marked rows of each pane; a pane may have no row."""
    total = np.count_nonzero(marked)
    if len(starts) == 1 or not total:
        return np.full(len(starts), total, dtype=np.int64)
    before = np.concatenate(([0], np.cumsum(marked, dtype=np.int64)))
    counted: IntArray = np.diff(before[np.append(starts, len(marked))])
    return counted
