"""Quantiles of counted values: between which borders each lies, and whether it is above a limit."""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.checks import CALM_LEVEL, Check, CheckStatus, Family, Sensitivity
from detectors.effects import ONE_SIDED
from detectors.shares import tail_above_rate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Binned:
    """Values of which only counts are known, and the extremes.

    Attributes
    ----------
    counts
        Values per bin, shape ``(bins,)``.
    edges
        Upper edges of all bins but the last, shape ``(bins - 1,)``, increasing; a bin is ``(low, high]``.
    low, high
        Smallest and largest value; plus and minus infinity without any.
    """

    counts: IntArray
    edges: FloatArray
    low: float
    high: float

    @property
    def n(self) -> int:
        """Number of values."""
        return int(self.counts.sum())

    @property
    def borders(self) -> FloatArray:
        """Borders of all bins, within the extremes, shape ``(bins + 1,)``."""
        return np.clip(np.concatenate(([self.low], self.edges, [self.high])), self.low, self.high)


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


def quantile(current: Binned, share: float) -> Quantile | None:
    """Return the smallest value that a share of the values does not exceed; None without values.

    That is the inverse of the empirical distribution function (type 1 of Hyndman & Fan, *Sample quantiles in
    statistical packages*, The American Statistician 50, 1996).

    Parameters
    ----------
    share
        Above 0 and at most 1.
    """
    n = current.n
    return _at(current, _rank(share * n, n)) if n else None


def quantile_interval(current: Binned, share: float, *, clump: float) -> tuple[float, float] | None:
    """Return an interval that holds the true quantile in 90 % of windows, or more for the width of bins.

    The ranks that hold it are a normal interval about ``n p`` with variance ``n p (1 - p)``, times `clump`
    (David & Nagaraja, *Order Statistics*, 2003, 7.1).
    """
    n = current.n
    if not n:
        return None
    reach = ONE_SIDED * sqrt(n * share * (1.0 - share) * clump)
    low, high = _rank(n * share - reach, n), _rank(n * share + reach + 1.0, n)
    return _at(current, low).low, _at(current, high).high


def check_quantile(
    name: str,
    family: Family,
    current: Binned,
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


def _at(current: Binned, rank: int) -> Quantile:
    """Return the value of a rank, 1 for the smallest."""
    below, borders = np.cumsum(current.counts), current.borders
    place = int(np.searchsorted(below, rank, side="left"))
    low, high = float(borders[place]), float(borders[place + 1])
    held = int(current.counts[place])
    inside = (rank - (int(below[place]) - held)) / held
    return Quantile(value=low + (high - low) * inside, low=low, high=high)


def _certainly_above(current: Binned, limit: float) -> int:
    """Count the values of bins that begin at a limit or behind it."""
    first = int(np.searchsorted(current.edges, limit, side="left")) + 1
    return int(current.counts[first:].sum())
