"""Shifts of location and of scale in ranks: no value weighs more for being far out."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from detectors.base import FloatArray, IntArray, Kind, Reading, Status, Summary
from detectors.coarse import absent, inflation, matched_rows, totals
from detectors.elementary import dot
from detectors.means import rows_for_normal_mean
from detectors.scatter import Statistic

_NO_VARIANCE = 1e-12
"""Variance of scores that is a rounding error: of all rows in one bin, or squares of two equal halves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankShift:
    """A mean of scores of ranks on one side against the other.

    Attributes
    ----------
    z
        In standard errors over all ways of dealing the pooled rows to the two sides.
    rows
        Rows that each side needs for the normal law, see `detectors.means.rows_for_normal_mean`.
    """

    z: float
    rows: int


def normal_scores(counts: IntArray) -> FloatArray:
    """Normal quantiles of the middle of each bin's ranks, shape ``(bins,)``, for bins that hold rows.

    Examples
    --------
    >>> normal_scores(np.array([1, 2, 1]))
    array([-1.15,  0.  ,  1.15])
    """
    shares = counts / counts.sum()
    return np.asarray(ndtri(shares.cumsum() - shares / 2), dtype=np.float64)


def rank_shift(reference: IntArray, current: IntArray, *, squared: bool = False) -> RankShift | None:
    """Shift of the mean normal score (van der Waerden), or of its square (Klotz), in standard errors.

    ``sum((q - p) s) / sqrt(V (1 / n + 1 / m) N / (N - 1))`` with s the scores of the pooled rows, V their
    variance and N = n + m: the standard deviation over all permutations of the pooled rows, so ties cost
    nothing.

    Parameters
    ----------
    reference, current
        Rows per bin in order, shape ``(bins,)``, each side with at least one row.

    Returns
    -------
    RankShift | None
        None where the scores do not vary.

    Raises
    ------
    IncompatibleSummaryError
        The two sides do not have the same number of bins.
    EmptyCountsError
        A side holds no rows.

    References
    ----------
    van der Waerden (1952), Order tests for the two-sample problem, Indagationes Mathematicae 14, 453-458.
    Klotz (1962), Nonparametric tests for scale, Annals of Mathematical Statistics 33, 498-512.
    """
    n_reference, n_current = totals(reference, current)
    pooled = reference + current
    held = pooled > 0
    scores = normal_scores(pooled[held])
    shares = pooled[held] / (n_reference + n_current)
    scores = scores * scores if squared else scores
    centered = scores - dot(shares, scores)
    squares = centered * centered
    variance = float(dot(shares, squares))
    if variance <= _NO_VARIANCE:
        return None
    difference = float(dot(current[held] / n_current - reference[held] / n_reference, centered))
    rows = n_reference + n_current
    noise = variance * (1 / n_reference + 1 / n_current) * rows / (rows - 1)
    third = float(dot(shares, squares * centered)) / variance**1.5
    fourth = float(dot(shares, squares * squares)) / variance**2
    return RankShift(z=difference / math.sqrt(noise), rows=rows_for_normal_mean(third, fourth - 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class RankMean:
    """Shift of the mean normal score in standard errors; positive where the window's ranks are higher."""

    name: ClassVar[str] = "rank_mean"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the fine bins, see `rank_shift`; UNAVAILABLE for categories and where nothing varies."""
        return _compare(self.name, reference, current, Statistic.MEAN)

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Normal quantile for both sides; None where there is no p-value."""
        return _limit(reference, n, level, Statistic.MEAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankScale:
    """Shift of the mean squared normal score in standard errors; positive where ranks lie further out."""

    name: ClassVar[str] = "rank_scale"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the fine bins, see `rank_shift`; UNAVAILABLE for categories and where nothing varies."""
        return _compare(self.name, reference, current, Statistic.SCALE)

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Normal quantile for both sides; None where there is no p-value."""
        return _limit(reference, n, level, Statistic.SCALE)


def _compare(name: str, reference: Summary, current: Summary, statistic: Statistic) -> Reading:
    n_reference, n_current = matched_rows(reference, current)
    if reference.kind is not Kind.NUMERIC:
        return absent(name, Status.UNAVAILABLE, n_reference, n_current)
    if n_reference == 0 or n_current == 0:
        return absent(name, Status.INSUFFICIENT, n_reference, n_current)
    found = rank_shift(reference.counts, current.counts, squared=statistic is Statistic.SCALE)
    if found is None:
        reason = "ranks do not vary" if statistic is Statistic.MEAN else "squared ranks do not vary"
        return absent(name, Status.UNAVAILABLE, n_reference, n_current, reason=reason)
    inflated = inflation(reference, n_current, statistic)
    score = found.z / math.sqrt(inflated)
    enough = min(n_reference, n_current) / inflated >= found.rows
    return Reading(
        method=name,
        status=Status.OK,
        score=score,
        p_value=2 * float(ndtr(-abs(score))) if enough else None,
        n_effective=n_current / inflated,
        reason=None if enough else f"ranks like these need {found.rows} independent rows on either side",
        n_reference=n_reference,
        n_current=n_current,
    )


def _limit(reference: Summary, n: int, level: float, statistic: Statistic) -> float | None:
    if reference.kind is not Kind.NUMERIC or reference.n == 0:
        return None
    found = rank_shift(reference.counts, reference.counts, squared=statistic is Statistic.SCALE)
    inflated = inflation(reference, n, statistic)
    if found is None or min(reference.n, n) / inflated < found.rows:
        return None
    return -float(ndtri(level / 2))
