"""Integrals of the squared distance of two distribution functions: Cramer-von Mises and Anderson-Darling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import FloatArray, IntArray, Kind, Reading, Status, Summary
from detectors.bridge_laws import anderson_darling_law, cramer_von_mises_law
from detectors.coarse import absent, inflation, matched_rows, totals
from detectors.elementary import dot
from detectors.scatter import Statistic

_TIES = "single values hold much of the column"


def cramer_von_mises_grid(reference: IntArray, current: IntArray) -> float:
    """Integral of ``(F - G)^2`` over the pooled distribution, at the edges of the bins; in [0, 1/3].

    ``sum of h[j] D[j]^2`` with h the pooled shares and D the distance at a bin's upper edge. The statistic of
    raw rows without ties, ``T / (nm / (n + m))`` with T as Anderson defines it, is within ``sum of h[j] c[j]
    (2 abs(D[j]) + c[j])`` of it, c the larger of the two shares of a bin (0 where the bin is one value).

    Parameters
    ----------
    reference, current
        Rows per bin in order, shape ``(bins,)``, each side with at least one row.

    Raises
    ------
    IncompatibleSummaryError
        The two sides do not have the same number of bins.
    EmptyCountsError
        A side holds no rows.

    References
    ----------
    Anderson (1962), On the distribution of the two-sample Cramer-von Mises criterion, Annals of Mathematical
    Statistics 33, 1148-1159.

    Examples
    --------
    >>> cramer_von_mises_grid(np.array([4, 4]), np.array([1, 3]))
    0.026
    """
    distance, pooled, _ = _curves(reference, current)
    return float(dot(pooled, distance * distance))


def anderson_darling_grid(reference: IntArray, current: IntArray) -> tuple[float, float]:
    """Integral of ``(F - G)^2 / (H (1 - H))`` over the pooled distribution H, at the edges of the bins.

    Parameters and errors as for `cramer_von_mises_grid`.

    Returns
    -------
    tuple[float, float]
        The integral, and the pooled share of the bins at whose upper edge H is 1: the integrand there has no
        value, so of the statistic's mean without drift, which is 1, that share is missing.

    References
    ----------
    Pettitt (1976), A two-sample Anderson-Darling rank statistic, Biometrika 63, 161-168.

    Examples
    --------
    >>> anderson_darling_grid(np.array([4, 4]), np.array([1, 3]))
    (0.1071, 0.5833)
    """
    distance, pooled, below = _curves(reference, current)
    inside = below < 1
    squares = distance[inside] ** 2
    under = below[inside]
    # Edges below all rows hold nothing and are weighed by nothing.
    spread = np.where(under > 0, under * (1 - under), 1.0)
    return float(dot(pooled[inside], squares / spread)), float(pooled[~inside].sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class CramerVonMises:
    """Integral of the squared distance of the distribution functions; p-value for continuous columns only."""

    name: ClassVar[str] = "cvm"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the fine bins, see `cramer_von_mises_grid`; UNAVAILABLE for categories."""
        missing = _cannot(self.name, reference, current)
        if missing is not None:
            return missing
        score = cramer_von_mises_grid(reference.counts, current.counts)
        inflated = _inflation(reference, current.n)
        scaled = score * _effective(reference, current.n) / inflated
        return _reading(self.name, reference, current, score, inflated, cramer_von_mises_law().tail(scaled))

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Invert the p-value; None where there is none."""
        if not reference.continuous or reference.n == 0:
            return None
        scaled = cramer_von_mises_law().quantile(level)
        return scaled * _inflation(reference, n) / _effective(reference, n)


@dataclass(frozen=True, slots=True, kw_only=True)
class AndersonDarling:
    """The same with more weight in the tails; p-value for continuous columns only."""

    name: ClassVar[str] = "ad"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the fine bins, see `anderson_darling_grid`; UNAVAILABLE for categories."""
        missing = _cannot(self.name, reference, current)
        if missing is not None:
            return missing
        score, lost = anderson_darling_grid(reference.counts, current.counts)
        inflated = _inflation(reference, current.n)
        scaled = score * _effective(reference, current.n) / inflated
        # What the last bin would add, on average; no more than in proportion where nothing differs.
        p_value = anderson_darling_law().tail(scaled + lost * min(1.0, scaled))
        return _reading(self.name, reference, current, score, inflated, p_value)

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Invert the p-value; None where there is none."""
        if not reference.continuous or reference.n == 0:
            return None
        _, lost = anderson_darling_grid(reference.counts, reference.counts)
        whole = anderson_darling_law().quantile(level)
        scaled = whole - lost if whole > 1 + lost else whole / (1 + lost)
        return scaled * _inflation(reference, n) / _effective(reference, n)


def _curves(reference: IntArray, current: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distance at each upper edge, pooled share of each bin, and pooled share up to each upper edge."""
    n_reference, n_current = totals(reference, current)
    distance = current.cumsum() / n_current - reference.cumsum() / n_reference
    rows = reference + current
    return distance, rows / (n_reference + n_current), rows.cumsum() / (n_reference + n_current)


def _cannot(name: str, reference: Summary, current: Summary) -> Reading | None:
    n_reference, n_current = matched_rows(reference, current)
    if reference.kind is not Kind.NUMERIC:
        return absent(name, Status.UNAVAILABLE, n_reference, n_current)
    if n_reference == 0 or n_current == 0:
        return absent(name, Status.INSUFFICIENT, n_reference, n_current)
    return None


def _reading(
    name: str, reference: Summary, current: Summary, score: float, inflated: float, p_value: float
) -> Reading:
    return Reading(
        method=name,
        status=Status.OK,
        score=score,
        p_value=p_value if reference.continuous else None,
        n_effective=current.n / inflated,
        reason=None if reference.continuous else _TIES,
        n_reference=reference.n,
        n_current=current.n,
    )


def _effective(reference: Summary, n: int) -> float:
    return reference.n / (reference.n + n) * n


def _inflation(reference: Summary, n: int) -> float:
    """Take the larger of two: the tail of the integral is that of a shift, which dependence inflates most."""
    return max(inflation(reference, n, each) for each in (Statistic.DISTRIBUTION, Statistic.MEAN))
