"""Shift of the mean, in standard errors."""

import math
from dataclasses import dataclass
from typing import ClassVar

from scipy.special import ndtr, ndtri

from detectors.base import Kind, Reading, Status, Summary
from detectors.coarse import absent, inflation, matched_rows
from detectors.moments import deviation_margin, why_no_moments
from detectors.scatter import Statistic

_SMALLEST_SAMPLE = 30
"""Rows of a side below which no mean is taken for normal."""

_PER_KURTOSIS, _PER_SQUARED_SKEWNESS = 11.3, 7.6
"""Rows for each unit of what bends the law of the mean, see `rows_for_normal_mean`."""


def rows_for_normal_mean(skewness: float, excess_kurtosis: float) -> int:
    """Rows on each side from which the mean's two-sided normal p-value is within about a tenth at 1 %.

    By the Edgeworth expansion the chance beyond c standard errors on either side is
    ``2 Phi(-c) + 2 phi(c) (kurtosis He3(c) / 24 + skewness^2 He5(c) / 72) / n`` (Hall, The Bootstrap and
    Edgeworth Expansion, 1992, 2.3). At c = 2.576 the two terms are 1.13 kurtosis / n and .76 skewness^2 / n
    of the 1 %; their signs differ, but neither is trusted to make up for the other.

    Examples
    --------
    An exponential column has skewness 2 and excess kurtosis 6.

    >>> rows_for_normal_mean(2.0, 6.0)
    99
    """
    rows = _PER_KURTOSIS * abs(excess_kurtosis) + _PER_SQUARED_SKEWNESS * skewness**2
    return max(_SMALLEST_SAMPLE, math.ceil(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanShift:
    """Shift of the mean in standard errors, signed: positive where the window's mean is larger.

    ``(mean - mean_reference) / (sd_reference sqrt(v))`` with v = 1 / n + 1 / m, times the inflation where
    rows depend on each other. The p-value, of both sides, is that of the normal law with a margin for the
    reference's deviation, and is given where n and m are large for the column's tails.
    """

    name: ClassVar[str] = "mean_shift"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure; UNAVAILABLE for categories, without moments, and where the reference does not vary."""
        n_reference, n_current = matched_rows(reference, current)
        if reference.kind is not Kind.NUMERIC:
            return absent(self.name, Status.UNAVAILABLE, n_reference, n_current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        inflated = inflation(reference, n_current, Statistic.MEAN)
        score = _standardised_shift(reference, current, inflated * (1 / n_reference + 1 / n_current))
        if score is None:
            reason = "the reference does not vary, or a side has no moments"
            return absent(self.name, Status.UNAVAILABLE, n_reference, n_current, reason=reason)
        missing = _why_not_normal(reference, n_current / inflated, inflated)
        return Reading(
            method=self.name,
            status=Status.OK,
            score=score,
            p_value=None if missing else 2 * float(ndtr(-abs(score) / _margin(reference, inflated))),
            n_effective=n_current / inflated,
            reason=missing,
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Normal quantile for both sides; None where there is no p-value."""
        inflated = inflation(reference, n, Statistic.MEAN)
        if reference.n == 0 or _why_not_normal(reference, n / inflated, inflated):
            return None
        return -float(ndtri(level / 2)) * _margin(reference, inflated)


def _why_not_normal(reference: Summary, rows: float, inflated: float) -> str | None:
    """Say why the mean of so many independent rows is not held to be normal; None where it is."""
    tails = None if reference.calibration is None else reference.calibration.tails
    if tails is None:
        return "the reference does not know its tails; build it again"
    wanted = rows_for_normal_mean(tails.skewness, tails.excess_kurtosis)
    if rows < wanted:
        return f"with tails like these the mean is normal from {wanted} independent rows on"
    return why_no_moments(tails, reference.n / inflated)


def _margin(reference: Summary, inflated: float) -> float:
    tails = None if reference.calibration is None else reference.calibration.tails
    return 1.0 if tails is None else deviation_margin(tails, reference.n / inflated)


def _standardised_shift(reference: Summary, current: Summary, noise: float) -> float | None:
    before, now = reference.moments, current.moments
    # A variance computed from sums can be a rounding error above 0; the extremes cannot.
    if before is None or now is None or before.minimum == before.maximum or before.variance <= 0:
        return None
    error = math.sqrt(before.variance) * math.sqrt(noise)
    shift = (now.mean - before.mean) / error if error > 0 else math.inf
    return shift if math.isfinite(shift) else None
