"""Shares of counted rows: how unlikely one is beside another, from which count on, and its interval."""

from collections.abc import Callable
from functools import lru_cache
from math import ceil, exp, lgamma, sqrt

import numpy as np
from scipy.special import betainc

from detectors.effects import ONE_SIDED

_DEVIATIONS, _MORE_TERMS = 12.0, 64
"""Terms of a tail beyond so many standard deviations and more are below its rounding error."""


def tail_above(count: float, n: float, reference_count: float, n_reference: float) -> float:
    """Chance of a count at least this large where both sides have one share, whatever it is.

    Fisher's exact test of one side: given how many of all rows are counted, the window's part of them is
    hypergeometric. Its size is at most the level for any numbers of rows, a reference without a single one
    among them. Where rows come in clumps of one fate, counts and rows are divided by the size of a clump;
    so the gamma function stands for the factorial, and numbers need not be whole.

    Parameters
    ----------
    count, n
        Counted rows of the window, and all of its rows, above 0; ``0 <= count <= n``.
    reference_count, n_reference
        The same of the reference.

    References
    ----------
    Fisher (1935), The logic of inductive inference, Journal of the Royal Statistical Society 98, 39-82.

    Examples
    --------
    A share that the reference never had: 3 of 1,000 rows beside 0 of 10,000.

    >>> tail_above(3, 1_000, 0, 10_000)
    0.000749
    """
    if count <= 0:
        return 1.0
    counted, rows = count + reference_count, n + n_reference
    expected = n * counted / rows
    if count < expected:
        # From here the sum would have to climb over the summit; the other side's does not.
        rest = n_reference - reference_count - 1
        return 1.0 if count < 1 or rest < 0 else 1.0 - tail_above(n - count + 1, n, rest, n_reference)
    deviation = sqrt(max(expected * (1 - counted / rows) * n_reference / rows, 0.0))
    terms = int(min(n - count, reference_count, _DEVIATIONS * deviation + _MORE_TERMS))
    place = count + np.arange(terms)
    ratios = (counted - place) * (n - place) / ((place + 1) * (n_reference - counted + place + 1))
    first = _log_choose(counted, count) + _log_choose(rows - counted, n - count) - _log_choose(rows, n)
    return min(1.0, exp(first) * (1.0 + float(np.cumprod(ratios).sum())))


def tail_above_rate(count: float, n: float, rate: float) -> float:
    """Chance of a count at least this large where the share is a known `rate`: the binomial tail.

    Examples
    --------
    >>> tail_above_rate(10, 100, 0.05)
    0.0282
    """
    return 1.0 if count <= 0 else float(betainc(count, n - count + 1, rate))


@lru_cache(maxsize=65_536)
def largest_likely(
    n: int, reference_count: int, n_reference: int, *, clump: float, level: float, start: int
) -> int:
    """Largest count of `n` rows, of those from `start` on, whose `tail_above` is above the level.

    Returns
    -------
    int
        ``start - 1`` where that of `start` is not; `n` where all are.
    """

    def likely(count: int) -> bool:
        chance = tail_above(count / clump, n / clump, reference_count / clump, n_reference / clump)
        return chance > level

    return _last(likely, start, n, step=ceil(sqrt(max(start, 1))))


@lru_cache(maxsize=4_096)
def largest_likely_at_rate(n: int, rate: float, *, clump: float, level: float) -> int:
    """Largest count of `n` rows whose `tail_above_rate` is above the level."""
    start = int(n * rate)
    return _last(
        lambda count: tail_above_rate(count / clump, n / clump, rate) > level,
        start,
        n,
        step=ceil(sqrt(max(start, 1))),
    )


def wilson(count: float, n: float) -> tuple[float, float]:
    """Interval of a share that misses it on either side in 5 % of windows.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, Journal of the
    American Statistical Association 22, 209-212.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(5, 100)]
    [0.0245, 0.0992]
    """
    squared = ONE_SIDED**2
    share, weight = count / n, n + squared
    center = (count + squared / 2) / weight
    half = ONE_SIDED * sqrt(share * (1 - share) * n + squared / 4) / weight
    # At no and at all rows an end is the share, up to rounding.
    return min(max(0.0, center - half), share), max(min(1.0, center + half), share)


def _last(likely: Callable[[int], bool], start: int, most: int, *, step: int) -> int:
    """Return the last count of ``start .. most`` that is likely; likely ones come before all others."""
    low, high = start - 1, start
    while high <= most and likely(high):
        low, high, step = high, min(high + step, max(most, high + 1)), 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if likely(middle) else (low, middle)
    return low


def _log_choose(n: float, k: float) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
