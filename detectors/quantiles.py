"""Quantiles of counted values: between which borders each lies, and whether it is above a limit."""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from detectors.base import FloatArray, Summary
from detectors.checks import CALM_LEVEL, Check, CheckStatus, Family, Sensitivity
from detectors.effects import ONE_SIDED
from detectors.shares import tail_above_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A quantile of values of which only bins are known.

    Attributes
    ----------
    value
        Between the borders of its bin, as far in as its rank.
    low, high
        The quantile of the values themselves lies in ``[low, high]``: that is certain.
    """

    value: float
    low: float
    high: float


def quantile(current: Summary, share: float) -> Quantile | None:
    """Return the smallest value that a share of the values does not exceed; None without values or extremes.

    That is the inverse of the empirical distribution function (type 1 of Hyndman & Fan, *Sample quantiles in
    statistical packages*, The American Statistician 50, 1996).

    Parameters
    ----------
    current
        Of a numeric column, with its moments.
    share
        Above 0 and at most 1.
    """
    borders = _borders(current)
    return None if borders is None else _at(current, borders, _rank(share * current.n, current.n))


def quantile_interval(current: Summary, share: float, *, clump: float) -> tuple[float, float] | None:
    """Return an interval that holds the true quantile in 90 % of windows, or more for the width of bins.

    The ranks that hold it are a normal interval about ``n p`` with variance ``n p (1 - p)``, times `clump`
    (David & Nagaraja, *Order Statistics*, 2003, 7.1).
    """
    n, borders = current.n, _borders(current)
    if borders is None:
        return None
    reach = ONE_SIDED * sqrt(n * share * (1.0 - share) * clump)
    low, high = _rank(n * share - reach, n), _rank(n * share + reach + 1.0, n)
    return _at(current, borders, low).low, _at(current, borders, high).high


def check_quantile(
    name: str,
    family: Family,
    current: Summary,
    share: float,
    sensitivity: Sensitivity,
    *,
    limit: float,
    reference: float | None,
    source: str,
    clump: float = 1.0,
) -> Check:
    """Ask whether a quantile is above a limit: whether more values are than the share leaves.

    Only values that are certainly above are counted, those of bins that begin at the limit or behind it. So
    the width of bins can hide a violation, and cannot make one.

    Parameters
    ----------
    sensitivity
        `min_excess` is not used: the limit says what matters.
    clump
        Variance of a share over that of independent rows, at least 1.
    """
    found, interval = quantile(current, share), quantile_interval(current, share, clump=clump)
    status, p_value = CheckStatus.INSUFFICIENT, None
    if found is not None and current.n >= sensitivity.min_rows:
        above = _certainly_above(current, limit)
        p_value = tail_above_rate(above / clump, current.n / clump, 1.0 - share)
        if p_value <= sensitivity.level:
            status = CheckStatus.VIOLATED
        else:
            status = CheckStatus.SUSPECT if p_value <= CALM_LEVEL else CheckStatus.OK
    return Check(
        name=name,
        family=family,
        status=status,
        value=None if found is None else found.value,
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
        reference=reference,
        upper=limit,
        source=source,
        p_value=p_value,
        level=sensitivity.level,
        n=current.n,
        detail="" if found is None else f"of these rows between {found.low:.6g} and {found.high:.6g}",
    )


def _rank(rank: float, n: int) -> int:
    return min(max(ceil(rank - 1e-9), 1), n)


def _borders(current: Summary) -> FloatArray | None:
    """Return the borders of all bins, within the extremes, shape ``(bins + 1,)``; None without extremes."""
    if current.edges is None or current.moments is None:
        return None
    low, high = current.moments.minimum, current.moments.maximum
    borders = np.concatenate(([low], current.edges, [high]))
    return np.clip(borders, low, high)


def _at(current: Summary, borders: FloatArray, rank: int) -> Quantile:
    """Return the value of a rank, 1 for the smallest."""
    below = np.cumsum(current.counts)
    place = int(np.searchsorted(below, rank, side="left"))
    low, high = float(borders[place]), float(borders[place + 1])
    held = int(current.counts[place])
    inside = (rank - (int(below[place]) - held)) / held
    return Quantile(value=low + (high - low) * inside, low=low, high=high)


def _certainly_above(current: Summary, limit: float) -> int:
    """Count the values of bins that begin at a limit or behind it."""
    edges = np.asarray(current.edges, dtype=np.float64)
    first = int(np.searchsorted(edges, limit, side="left")) + 1
    return int(current.counts[first:].sum())
