"""The PSI of many pairs of samples at once, with its interval: `detectors.effects`, row by row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from detectors.base import FloatArray, IntArray
from detectors.effects import ONE_SIDED
from detectors.elementary import log

BoolArray = NDArray[np.bool_]

ONE_SIDE = 0.05
"""Chance of a true figure beyond either end of an interval."""

HALF_A_ROW = 0.5
"""Added to each group that holds a row on either side, as in `detectors.effects.psi_divergence`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DivergenceRows:
    """PSI of pairs of samples; each of shape ``(pairs,)``, NaN where a side of a pair holds no rows.

    Attributes
    ----------
    debiased
        The PSI less its expectation without drift, at least 0.
    low, high
        Ends of its 90 % interval; NaN too where one group holds everything.
    """

    debiased: FloatArray
    low: FloatArray
    high: FloatArray

    def __getitem__(self, pairs: slice) -> "DivergenceRows":
        """Return some of the pairs."""
        return DivergenceRows(debiased=self.debiased[pairs], low=self.low[pairs], high=self.high[pairs])


def psi_rows(reference: FloatArray, current: FloatArray, *, inflation: float = 1.0) -> DivergenceRows:
    """Take the PSI of each pair of rows, as `detectors.effects.psi_divergence` and its interval do.

    Parameters
    ----------
    reference, current
        Rows per group, shape ``(pairs, groups)``; whole numbers, or effective ones.
    inflation
        Variance of shares over that of independent rows, at least 1.
    """
    held = reference + current > 0
    n_reference, n_current = reference.sum(axis=1), current.sum(axis=1)
    empty = (n_reference <= 0) | (n_current <= 0)
    n_reference, n_current = np.where(empty, 1.0, n_reference), np.where(empty, 1.0, n_current)
    p = _shares(reference, held, n_reference)
    q = _shares(current, held, n_current)
    log_ratio = np.where(held, log(q / p), 0.0)
    value = ((q - p) * log_ratio * held).sum(axis=1)
    variance = _variance(q * held, log_ratio + 1 - p / q) / n_current
    variance += _variance(p * held, 1 - q / p - log_ratio) / n_reference
    plain = 1 / n_reference + 1 / n_current
    degrees = np.maximum(held.sum(axis=1) - 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(value > 0, variance / (4 * value * plain), 1.0)
    spread = np.where(np.isfinite(spread), np.maximum(spread, 1.0), 1.0)
    return _with_interval(value, degrees, inflation * plain, spread, empty)


def _with_interval(
    value: FloatArray, degrees: IntArray, noise: FloatArray, spread: FloatArray, empty: BoolArray
) -> DivergenceRows:
    """See `detectors.effects.Divergence.interval`."""
    debiased = np.maximum(value - degrees * noise, 0.0)
    unit, rest = noise * spread, (degrees - 1) / 2
    found = debiased / unit + degrees
    root = np.sqrt(np.maximum(found - rest, 0.0))
    low = (np.square(np.maximum(root - ONE_SIDED, 0.0)) - rest) * unit
    high = np.maximum((np.square(root + ONE_SIDED) - rest) * unit, debiased)
    low = np.where(chdtrc(degrees, found) > ONE_SIDE, 0.0, low)
    low = np.minimum(np.maximum(low, 0.0), debiased)
    nothing = empty | (degrees == 0)
    return DivergenceRows(
        debiased=np.where(empty, np.nan, debiased),
        low=np.where(nothing, np.nan, low),
        high=np.where(nothing, np.nan, high),
    )


def _shares(counts: FloatArray, held: BoolArray, rows: FloatArray) -> FloatArray:
    """Return the shares with half a row in each group that is held; 1 in those that are not."""
    added = HALF_A_ROW * held.sum(axis=1)
    return np.where(held, (counts + HALF_A_ROW) / (rows + added)[:, None], 1.0)


def _variance(shares: FloatArray, gradient: FloatArray) -> FloatArray:
    weighted = shares * gradient
    found: FloatArray = (weighted * gradient).sum(axis=1) - np.square(weighted.sum(axis=1))
    return np.maximum(found, 0.0)
