"""How the rows of a scenario are spread over event time: by hour and day, in bursts and in lulls."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from detectors.base import FloatArray, IntArray

_HOUR_MS: Final = 3_600_000
_HOURS: Final = 24 * 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests over time.

    Attributes
    ----------
    hours
        How busy each hour of the day is, 24 weights; empty: all alike.
    days
        How busy each day of the week is from Monday on, 7 weights; empty: all alike.
    paces
        ``(start, end, factor)``: within this part of the stream's rows, in ``0..1``, requests come `factor`
        times as fast. Parts are increasing and apart.
    """

    hours: tuple[float, ...] = ()
    days: tuple[float, ...] = ()
    paces: tuple[tuple[float, float, float], ...] = ()

    def __post_init__(self) -> None:
        cuts = [cut for start, end, _ in self.paces for cut in (start, end)]
        right = len(self.hours) in (0, 24) and len(self.days) in (0, 7)
        if not right or any(low > high for low, high in pairwise([0.0, *cuts, 1.0])):
            raise ValueError(f"{self}: wanted 24 hours, 7 days and increasing parts within 0..1")

    def offsets_ms(self, numbers: IntArray, *, rows: int, step_ms: int) -> IntArray:
        """Return how long after row 0 rows happen; over whole weeks their mean distance is `step_ms`.

        Parameters
        ----------
        numbers
            Row numbers, shape ``(count,)``; negative ones are the reference's, which has no `paces`.
        rows
            Length of the stream.

        Returns
        -------
        IntArray
            Milliseconds, not decreasing with the number, shape ``(count,)``.
        """
        if not (self.hours or self.days or self.paces):
            return numbers * step_ms
        steps = numbers.astype(np.float64)
        for start, end, factor in self.paces:
            low, high = round(start * rows), round(end * rows)
            steps += (1 / factor - 1) * np.clip(numbers - low, 0, high - low)
        return np.floor(self._clock(steps * step_ms)).astype(np.int64)

    def _clock(self, work_ms: FloatArray) -> FloatArray:
        """Turn time of an even stream into time of this one: the inverse of its cumulative intensity."""
        if not (self.hours or self.days):
            return work_ms
        weights = np.outer(self.days or (1.0,) * 7, self.hours or (1.0,) * 24).ravel()
        sums = np.concatenate([[0.0], np.cumsum(weights)]) * (_HOURS * _HOUR_MS / weights.sum())
        week_ms = float(_HOURS * _HOUR_MS)
        weeks = np.floor(work_ms / week_ms)
        within: FloatArray = np.interp(work_ms - weeks * week_ms, sums, np.arange(_HOURS + 1.0) * _HOUR_MS)
        return weeks * week_ms + within


EVEN: Final = Traffic()
"""One row each step."""

OFFICE_HOURS: Final = Traffic(
    hours=(
        *(0.3, 0.2, 0.2, 0.2, 0.2, 0.3, 0.5, 0.9, 1.3, 1.6, 1.7, 1.6),
        *(1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.4, 1.4, 1.3, 1.1, 0.8, 0.5),
    ),
    days=(1.05, 1.05, 1.05, 1.05, 1.05, 0.9, 0.85),
)
"""People who are awake by day and a little less busy on weekends."""
