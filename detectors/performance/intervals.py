"""Intervals of 95 % for shares and for smooth functions of means."""

import math

from detectors.performance.base import Metric

QUANTILE = 1.959963984540054
"""Standard normal quantile of .975."""


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Interval of a share: the values that a score test at 5 % would not reject.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.
    Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science 16(2).

    Examples
    --------
    >>> low, high = wilson(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    square = QUANTILE**2
    share = successes / n
    center = (share + square / (2 * n)) / (1 + square / n)
    reach = QUANTILE / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # Rounding must not leave the estimate itself, or a share of 1, outside.
    return min(max(center - reach, 0.0), share), max(min(center + reach, 1.0), share)


def share_metric(name: str, successes: float, n: int, *, missing: str) -> Metric:
    """Return a share with its interval; `missing` says why there is none where `n` is 0."""
    if n == 0:
        return Metric(name=name, value=None, n=0, reason=missing)
    share = successes / n
    low, high = wilson(successes, n)
    error = math.sqrt(share * (1 - share) / n)
    return Metric(name=name, value=share, low=low, high=high, error=error, n=n)


def delta_metric(
    name: str,
    value: float,
    variance: float,
    n: int,
    *,
    least: float = -math.inf,
    most: float = math.inf,
    bound: float = 0.0,
) -> Metric:
    """Return a smooth function of means with its interval by the delta method.

    Parameters
    ----------
    variance
        Of the estimate itself, not of one row; below zero by rounding only.
    least, most
        What the figure can be: the interval is cut there.

    References
    ----------
    van der Vaart (1998), Asymptotic Statistics, 3.1.
    """
    error = math.sqrt(max(variance, 0.0))
    low, high = max(value - QUANTILE * error, least), min(value + QUANTILE * error, most)
    return Metric(
        name=name, value=value, low=min(low, value), high=max(high, value), error=error, bound=bound, n=n
    )
