"""Counts over frozen bins as bars of equal width, which show the shape that quantile bins hide."""

from dataclasses import dataclass

import numpy as np

from detectors.base import FloatArray, IntArray

BARS = 24
"""Bars of a chart."""

_TAIL = 0.01
"""Share of either side's rows that may lie outside of the bars; the outermost bars count them."""

_MOST_NUMBERS = 40
"""Whole numbers that get a bar each."""


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Shares of both sides over the same bars.

    Attributes
    ----------
    borders
        Increasing, shape ``(bars + 1,)``.
    reference, current
        Share of the rows with a value, shape ``(bars,)``; each sums to 1, or to 0 where a side has no row.
    whole
        Whether every bar stands for one whole number.
    """

    borders: FloatArray
    reference: FloatArray
    current: FloatArray
    whole: bool = False


def bars_of(
    edges: FloatArray, reference: IntArray, current: IntArray, low: float, high: float, *, bars: int = BARS
) -> Bars:
    """Spread the rows of each bin evenly over its width, and count them again over bars of equal width.

    Parameters
    ----------
    edges
        Upper edges of all bins but the last, shape ``(bins - 1,)``, increasing.
    reference, current
        Rows per bin, shape ``(bins,)``.
    low, high
        Smallest and largest value of both sides: where the first bin begins and the last one ends.
    """
    ends = np.concatenate(([min([low, *edges[:1]])], edges, [max([high, *edges[-1:]])]))
    whole = _all_whole(ends)
    if whole:
        # Whole numbers up to an edge are all numbers below the next half.
        ends = np.floor(ends) + 0.5
        ends[0] -= 1.0
    before, now = (_cumulated(counts) for counts in (reference, current))
    filled = [side for side in (before, now) if side[-1] > 0] or [before]
    first = min(_quantile(ends, side, _TAIL) for side in filled)
    last = max(_quantile(ends, side, 1.0 - _TAIL) for side in filled)
    if not first < last:
        # One value: a bar around it.
        half = max(abs(first), 1.0) / 2
        first, last = first - half, first + half
    borders = np.linspace(first, last, bars + 1)
    whole = whole and bool(np.ceil(last) - np.floor(first) <= _MOST_NUMBERS)
    if whole:
        borders = np.arange(np.floor(first - 0.5) + 0.5, np.ceil(last + 0.5) + 0.5)
    return Bars(borders, _counted(ends, before, borders), _counted(ends, now, borders), whole=whole)


def _all_whole(ends: FloatArray) -> bool:
    """Say whether all borders of bins are whole numbers, or the last number before one."""
    nearest = np.rint(ends)
    return bool(((ends == nearest) | (np.nextafter(ends, np.inf) == nearest)).all())


def _cumulated(counts: IntArray) -> FloatArray:
    """Share of the rows in all bins before each, and in all; zeros where there is no row."""
    summed = np.concatenate(([0], np.cumsum(counts)))
    return summed / max(int(summed[-1]), 1)


def _quantile(ends: FloatArray, cumulative: FloatArray, share: float) -> float:
    """Find where a share of the rows lies below; rows lie evenly within their bin."""
    place = int(np.searchsorted(cumulative[1:], share * cumulative[-1]))
    place = min(place, len(ends) - 2)
    mass = cumulative[place + 1] - cumulative[place]
    part = (share * cumulative[-1] - cumulative[place]) / mass if mass > 0 else 0.0
    return float(ends[place] + np.clip(part, 0.0, 1.0) * (ends[place + 1] - ends[place]))


def _counted(ends: FloatArray, cumulative: FloatArray, borders: FloatArray) -> FloatArray:
    # By the part of a bin that lies below: rows per unit of a bin that is 1e-310 wide are no number.
    inner = np.clip(borders[1:-1], ends[0], ends[-1])
    place = np.clip(np.searchsorted(ends, inner, side="right") - 1, 0, len(ends) - 2)
    widths = ends[place + 1] - ends[place]
    part = np.divide(inner - ends[place], widths, out=np.ones_like(inner), where=widths > 0)
    below = cumulative[place] + part * (cumulative[place + 1] - cumulative[place])
    return np.diff(np.concatenate(([0.0], below, [cumulative[-1]])))
