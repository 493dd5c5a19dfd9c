"""How large a drift is, with its uncertainty: intervals, and tests against "at most this much".

With enough rows every difference is significant. So a drift has to be more than a declared size as well, and
that claim needs a test of its own: an estimate above the size is wrong half the time where the truth sits
exactly at it.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chndtr, kolmogorov, ndtr

from detectors.base import FloatArray, IntArray
from detectors.coarse import totals
from detectors.elementary import dot, log

_ONE_SIDE = 0.05
"""Chance of a true figure beyond either end of the interval, which is one of 90 %."""

ONE_SIDED = 1.6448536269514722
"""Standard normal quantile of one less that chance."""

_EXACT_P = 1e-9
"""Below, one less a distribution function is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """A divergence of two samples and its law: ``unit`` times a non-central chi-square variable.

    Of a divergence on the scale of the PSI (twice the Kullback-Leibler, eight times the Jensen-Shannon
    divergence in nats) the first-order law at a true value delta is ``v`` times chi-square with ``degrees``
    degrees of freedom and non-centrality delta / v, v = lambda (1 / n + 1 / m): mean delta + degrees v,
    variance 2 degrees v^2 + 4 delta v. Where a group all but vanishes or appears, the variance is larger: by
    the delta method it is sum(gradient^2 share) - (sum gradient share)^2 over n, plus the same for the
    reference. ``spread`` is how much larger, at least 1, and what is above the expectation without drift is
    read in units of ``spread v``.

    Attributes
    ----------
    value
        The estimate, at least 0.
    degrees
        Groups with a row, less one.
    noise
        v: ``degrees * noise`` is the expectation without drift.
    spread
        Variance by the delta method over ``4 value noise``, at least 1.

    References
    ----------
    Yurdakul & Naranjo (2020), Statistical properties of the population stability index, Journal of Risk Model
    Validation 14(4). van der Vaart (1998), Asymptotic Statistics, 3.1 (delta method). Sankaran (1963),
    Approximations to the non-central chi-square distribution, Biometrika 50, 199-204 (its root is normal).
    """

    value: float
    degrees: int
    noise: float
    spread: float

    @property
    def debiased(self) -> float:
        """The estimate less its expectation without drift, at least 0."""
        return max(0.0, self.value - self.degrees * self.noise)

    def p_value_above(self, delta: float) -> float:
        """Chance of an estimate at least this large where the true divergence is `delta` (or less).

        Simulated sizes with 2 and 10 groups at delta .02, .1 and .25, for n from 200 to 1,000,000 and shifts
        of location, of scale, groups that vanish and groups that appear: .05, .01 and .001 within the
        simulation's error, and far below where the group that moves expects less than a few rows.
        """
        if self.degrees == 0:
            return 1.0
        unit = self.noise * self.spread
        found, center = self.debiased / unit + self.degrees, max(delta, 0.0) / unit
        if center == 0:
            return float(chdtrc(self.degrees, found))
        p_value = 1 - float(chndtr(found, self.degrees, center))
        if p_value > _EXACT_P:
            return p_value
        rest = (self.degrees - 1) / 2
        return float(ndtr(math.sqrt(center + rest) - math.sqrt(found - rest)))

    def interval(self) -> tuple[float, float] | None:
        """Ends of the 90 % interval of the true divergence; None where one group holds everything."""
        if self.degrees == 0:
            return None
        unit, rest = self.noise * self.spread, (self.degrees - 1) / 2
        root = math.sqrt(self.debiased / unit + self.degrees - rest)
        low = (max(root - ONE_SIDED, 0.0) ** 2 - rest) * unit
        high = ((root + ONE_SIDED) ** 2 - rest) * unit
        if self.p_value_above(0.0) > _ONE_SIDE:
            # The root is normal only above 0: at 0 itself, one group more or less would be significant.
            low = 0.0
        return min(max(low, 0.0), self.debiased), max(high, self.debiased)


def psi_divergence(
    reference: IntArray, current: IntArray, *, inflation: float = 1.0, pseudocount: float = 0.5
) -> Divergence:
    """PSI of two samples with its law, see `detectors.divergences.psi` and `Divergence`.

    With half a row added to each group the expectation stays ``delta + degrees v`` for shifted shares too, to
    the first order: the logarithm of a count plus one half is all but unbiased.

    Parameters
    ----------
    reference, current
        Rows per group, shape ``(groups,)``, each side with at least one row.
    inflation
        Variance of shares over that of independent rows, at least 1.

    Raises
    ------
    IncompatibleSummaryError
        The two sides do not have the same number of groups.
    EmptyCountsError
        A side holds no rows.

    Examples
    --------
    >>> round(psi_divergence(np.array([500, 500]), np.array([750, 250])).value, 4)
    0.274
    """
    n_reference, n_current, p, q = _shares(reference, current, pseudocount)
    log_ratio = log(q / p)
    variance = _variance(q, log_ratio + 1 - p / q) / n_current
    variance += _variance(p, 1 - q / p - log_ratio) / n_reference
    return _divergence(float(dot(q - p, log_ratio)), variance, p.size, n_reference, n_current, inflation)


def jensen_shannon_divergence(
    reference: IntArray, current: IntArray, *, inflation: float = 1.0
) -> Divergence:
    """Eight times the Jensen-Shannon divergence in nats, which is about the PSI, with its law.

    Parameters, errors and law as for `psi_divergence`; no pseudocount.
    """
    n_reference, n_current, p, q = _shares(reference, current, 0.0)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        # A share of 0 adds nothing, whatever its logarithm.
        up, down = np.where(q > 0, log(q / middle), 0.0), np.where(p > 0, log(p / middle), 0.0)
    variance = 16 * (_variance(q, up) / n_current + _variance(p, down) / n_reference)
    value = max(0.0, 4 * float(dot(q, up) + dot(p, down)))
    return _divergence(value, variance, p.size, n_reference, n_current, inflation)


def min_effect_p_value(
    reference: IntArray, current: IntArray, delta: float, *, inflation: float = 1.0
) -> float:
    """Chance of a PSI at least this large where the true one is at most `delta`; parameters as above.

    Examples
    --------
    A million rows make a shift of the mean by .05 standard deviations certain, and no larger.

    >>> reference, current = np.array([500_000, 500_000]), np.array([480_000, 520_000])
    >>> min_effect_p_value(reference, current, 0.0) < 1e-100
    True
    >>> min_effect_p_value(reference, current, 0.02)
    1.0
    """
    return psi_divergence(reference, current, inflation=inflation).p_value_above(delta)


def ks_min_effect_p_value(ks: float, effective_rows: float, delta: float, *, overshoot: float) -> float:
    """Chance of a grid Kolmogorov-Smirnov statistic of at least `ks` where the true one is at most `delta`.

    ``Q(sqrt(n_e) max(ks - delta, 0) + overshoot)``: by the triangle inequality the statistic exceeds the true
    distance by no more than the sampling noise, whose law is Kolmogorov's. It is careful: the largest noise
    seldom sits where the distance does.

    Parameters
    ----------
    effective_rows
        nm / (n + m), over the inflation.
    overshoot
        ``detectors.ordered.OVERSHOOT / sqrt(bins)`` for a continuous column, 0 for any other.
    """
    return float(kolmogorov(math.sqrt(effective_rows) * max(ks - delta, 0.0) + overshoot))


def _shares(
    reference: IntArray, current: IntArray, pseudocount: float
) -> tuple[int, int, FloatArray, FloatArray]:
    n_reference, n_current = totals(reference, current)
    held = reference + current > 0
    reference, current = reference[held], current[held]
    added = pseudocount * reference.size
    p = (reference.astype(np.float64) + pseudocount) / (n_reference + added)
    q = (current.astype(np.float64) + pseudocount) / (n_current + added)
    return n_reference, n_current, p, q


def _variance(shares: FloatArray, gradient: FloatArray) -> float:
    weighted = shares * gradient
    return max(0.0, float(dot(weighted, gradient)) - float(weighted.sum()) ** 2)


def _divergence(
    value: float, variance: float, groups: int, n_reference: int, n_current: int, inflation: float
) -> Divergence:
    plain = 1 / n_reference + 1 / n_current
    spread = variance / (4 * value * plain) if value > 0 else 1.0
    return Divergence(
        value=value,
        degrees=groups - 1,
        noise=inflation * plain,
        # Rounding of a value next to 0 must not pass for spread.
        spread=max(1.0, spread) if math.isfinite(spread) else 1.0,
    )
