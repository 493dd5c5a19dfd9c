"""Kuiper's distance between two columns on ordered bins: Kolmogorov-Smirnov for circles."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import IntArray, Kind, Reading, Status, Summary
from detectors.coarse import absent, matched_rows

OVERSHOOT = 0.5825971579390107
"""Mean gap between a maximum of a Brownian path and that on a grid of step 1 (Siegmund 1979)."""

_TERMS = np.arange(1, 101, dtype=np.float64)
_CERTAIN = 0.4
"""Below, the chance is 1 to more than six digits, and the series does not converge."""


def kuiper_grid(reference: IntArray, current: IntArray) -> float:
    """Largest distance upwards plus largest distance downwards at the edges; in [0, 1].

    Parameters
    ----------
    reference, current
        Rows per bin in order, shape ``(bins,)``, each side with at least one row.

    References
    ----------
    Kuiper (1960), Tests concerning random points on a circle, Indagationes Mathematicae 63, 38-47.

    Examples
    --------
    >>> kuiper_grid(np.array([4, 4, 4]), np.array([6, 0, 6]))
    0.3333
    """
    distance = current.cumsum() / current.sum() - reference.cumsum() / reference.sum()
    return float(max(distance.max(), 0.0) - min(distance.min(), 0.0))


def kuiper_tail(scaled: float) -> float:
    """Chance of a distance, times the root of the effective rows, of at least `scaled` without drift.

    Examples
    --------
    1.747 is the 5 % point of Stephens (1970).

    >>> round(kuiper_tail(1.747), 3)
    0.05
    """
    if scaled < _CERTAIN:
        return 1.0
    squares = (_TERMS * scaled) ** 2
    return min(1.0, float((2 * (4 * squares - 1) * np.exp(-2 * squares)).sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kuiper:
    """Kuiper's distance on the fine bins; p-value for continuous columns.

    It does not depend on where a circle is cut, so it suits hours of the day and angles.
    """

    name: ClassVar[str] = "kuiper"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure; UNAVAILABLE for categories."""
        n_reference, n_current = matched_rows(reference, current)
        if reference.kind is not Kind.NUMERIC:
            return absent(self.name, Status.UNAVAILABLE, n_reference, n_current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        score = kuiper_grid(reference.counts, current.counts)
        p_value = None
        if reference.continuous:
            bins = int(np.count_nonzero(reference.counts + current.counts))
            p_value = kuiper_tail(score * _root(n_reference, n_current) + _lost(bins)) if score else 1.0
        return Reading(
            method=self.name,
            status=Status.OK,
            score=score,
            p_value=p_value,
            n_effective=float(n_current),
            reason=None if reference.continuous else "single values hold much of the column",
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Invert the p-value by halving; None where there is none."""
        if not reference.continuous or reference.n == 0:
            return None
        low, high = 0.0, 10.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if kuiper_tail(middle) > level else (low, middle)
        found = (high - _lost(int(np.count_nonzero(reference.counts)))) / _root(reference.n, n)
        return min(max(found, 0.0), 1.0)


def _root(n_reference: int, n_current: int) -> float:
    return math.sqrt(n_reference / (n_reference + n_current) * n_current)


def _lost(bins: int) -> float:
    """What both maxima lose to the grid."""
    return 2 * OVERSHOOT / math.sqrt(bins)
