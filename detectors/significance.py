"""Tests of whether two columns differ: pooled chi-square, and which test decides."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.special import bdtrc, chdtrc, chdtri, ndtri

from detectors.base import IntArray, Kind, Reading, Status, Summary
from detectors.coarse import absent, chi_square_ratios, coarsen, matched_rows, totals

SMALL_CELL = 5
"""Expected count from which the chi-square law holds as it is (Cochran's rule)."""

_SMALLEST_P = 1e-300
"""Floor under the p-value of the rare rest, so that its quantile stays finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquareResult:
    """Outcome of a chi-square test: statistic (0 and above), degrees of freedom, p-value."""

    statistic: float
    degrees: int
    p_value: float


def chi_square_test(
    reference: IntArray, current: IntArray, *, ratios: tuple[float, float] = (1.0, 1.0)
) -> ChiSquareResult:
    """Pearson's test that two samples of categories come from one distribution.

    The expected counts are those of the two samples pooled, so the reference counts as a sample too. Cells
    empty on both sides are dropped. Cells whose expected count on the smaller side is below 1 are merged
    into one rest. Where even the rest expects less than 1, its term is not chi-square: it is replaced by the
    chi-square quantile of its exact tail (binomial, given its rows on both sides), one degree of freedom,
    independent of the other cells. Merging it into a large cell instead would hide a category that the
    reference never saw.

    The p-value is that of the chi-square law. Where a cell expects fewer than 5, the statistic varies more
    than that law says, and the largest of three p-values is given: that one, the one of the gamma law with
    the statistic's exact mean and variance (Haldane), and the one of Pearson's type III law with the third
    moment that small Poisson cells have.

    Parameters
    ----------
    reference, current
        Rows per group, shape ``(groups,)``, each side with at least one row.
    ratios
        Mean and variance of the statistic over those of independent rows, where rows depend on each other:
        the p-value is then that of the gamma law with these moments (Rao & Scott 1981).

    Returns
    -------
    ChiSquareResult
        Statistic 0, no degrees of freedom and p-value 1 where only one cell is left.

    Raises
    ------
    IncompatibleSummaryError
        The two sides do not have the same number of groups.
    EmptyCountsError
        A side holds no rows.

    References
    ----------
    Cochran (1954), Some methods for strengthening the common chi-square tests, Biometrics 10(4), 417-451
    (expected counts of 1 and 5). Haldane (1940), The mean and variance of chi-square when used as a test of
    homogeneity, when expectations are small, Biometrika 31, 346-355. Lancaster (1961), The combination of
    probabilities, Australian Journal of Statistics 3(1), 20-33 (sums of chi-square quantiles). Rao & Scott
    (1981), The analysis of categorical data from complex sample surveys, Journal of the American Statistical
    Association 76, 221-230.

    Examples
    --------
    >>> round(chi_square_test(np.array([50, 50]), np.array([70, 30])).p_value, 5)
    0.00389
    """
    n_reference, n_current = totals(reference, current)
    reference, current, tail = _merge_rare(reference, current, n_reference, n_current)
    degrees = reference.size - 1
    if tail is not None:
        n_reference, n_current = int(reference.sum()), int(current.sum())
    cells = reference + current
    statistic = _pearson(reference, current, n_reference, n_current)
    if tail is not None:
        statistic, degrees = statistic + tail, degrees + 1
    if degrees == 0:
        return ChiSquareResult(statistic=0.0, degrees=0, p_value=1.0)
    laws = [_Moments(float(degrees), 2.0 * degrees, 8.0 * degrees)]
    smaller = min(n_reference, n_current)
    if smaller > 0 and int(cells.min()) * smaller < SMALL_CELL * (n_reference + n_current):
        laws += _small_cell_laws(cells, n_reference, n_current, 0 if tail is None else 1)
    p_value = max(law.tail(statistic, ratios) for law in laws)
    return ChiSquareResult(statistic=statistic, degrees=degrees, p_value=p_value)


def pearson_moments(cells: IntArray, n_reference: int, n_current: int) -> tuple[float, float]:
    """Exact mean and variance of Pearson's statistic of a two-sample table with these margins.

    Parameters
    ----------
    cells
        Rows of each cell on both sides together, shape ``(cells,)``, all above 0.
    n_reference, n_current
        Rows of each side, at least 1; together the sum of `cells`.

    Returns
    -------
    tuple[float, float]
        Over the tables with these margins when both sides come from one distribution; variance 0 for up to 3
        rows, where the formula has no value.

    References
    ----------
    Haldane (1940), see `chi_square_test`; in the form of Dawson (1954), A simplified expression for the
    variance of the chi-square function on a contingency table, Biometrika 41, 280.
    """
    rows, groups = n_reference + n_current, cells.size
    if rows <= 3:  # noqa: PLR2004  the formula divides by rows - 3
        return float(groups - 1), 0.0
    sides = (rows - 2) / (rows - 1)
    sides_excess = (rows / n_reference + rows / n_current - 4) / (rows - 2)
    columns = (groups - 1) * (rows - groups) / (rows - 1)
    columns_excess = (rows * float((1 / cells).sum()) - groups * groups) / (rows - 2)
    variance = 2 * rows / (rows - 3) * (sides - sides_excess) * (columns - columns_excess)
    variance += rows * rows / (rows - 1) * sides_excess * columns_excess
    return (groups - 1) * rows / (rows - 1), variance


def primary_test(reference: Summary) -> Literal["ks", "chi2"]:
    """Name the detector whose p-value decides for this column.

    The grid KS for continuous columns, because it uses their order and finds a shift with fewer rows; where
    single values hold much of the column, and for categories, its p-value does not hold and the pooled
    chi-square decides.
    """
    return "ks" if reference.continuous else "chi2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquare:
    """Pooled Pearson chi-square on the groups; `debiased` is the statistic less its degrees of freedom."""

    name: ClassVar[str] = "chi2"
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the groups, see `chi_square_test`."""
        n_reference, n_current = matched_rows(reference, current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        ratios = chi_square_ratios(reference, n_current)
        result = chi_square_test(
            coarsen(reference.counts, reference.groups),
            coarsen(current.counts, reference.groups),
            ratios=ratios,
        )
        return Reading(
            method=self.name,
            status=Status.OK,
            score=result.statistic,
            p_value=result.p_value,
            debiased=max(0.0, result.statistic - result.degrees * ratios[0]),
            n_effective=n_current / ratios[0],
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the law of the groups that the reference holds, as if each expected 5 rows."""
        groups = np.count_nonzero(coarsen(reference.counts, reference.groups))
        if groups == 0:
            return None
        if groups == 1:
            return 0.0
        # With the variance 2d times its ratio, half of the gamma law's shape and scale are these.
        mean, variance = chi_square_ratios(reference, n)
        degrees = float(groups - 1) * mean * mean / variance
        return float(chdtri(degrees, level)) * variance / mean


@dataclass(frozen=True, slots=True)
class _Moments:
    """Mean, variance and third central moment of a statistic."""

    mean: float
    variance: float
    third: float

    def tail(self, statistic: float, ratios: tuple[float, float]) -> float:
        """Chance that a gamma variable, shifted so that it has these moments, exceeds the statistic.

        The ratios of mean and variance bring the third moment along as they do in a gamma law.
        """
        mean, variance = self.mean * ratios[0], self.variance * ratios[1]
        third = self.third * ratios[1] * ratios[1] / ratios[0]
        shape = 4 * variance**3 / (third * third)
        scaled = shape + 2 * variance * (statistic - mean) / third
        return float(chdtrc(2 * shape, 2 * scaled)) if scaled > 0 else 1.0


def _small_cell_laws(cells: IntArray, n_reference: int, n_current: int, rests: int) -> list[_Moments]:
    """Laws where cells expect few rows: gamma, and Pearson's type III; `rests` chi-square terms beside them.

    A Poisson cell that expects e rows adds 2 + 1/e to the variance and 8 + 22/e + 1/e^2 to the third moment,
    more than the 8 + 8/e + ... of a gamma law. The exact variance tells the sum of the 1/e.
    """
    mean, variance = pearson_moments(cells, n_reference, n_current)
    if variance <= 0:
        return []
    excess = max(0.0, variance - 2 * mean)
    third = 8 * mean + 22 * excess + excess * excess / max(mean, 1.0)
    mean, variance, third = mean + rests, variance + 2 * rests, third + 8 * rests
    return [_Moments(mean, variance, 2 * variance * variance / mean), _Moments(mean, variance, third)]


def _merge_rare(
    reference: IntArray, current: IntArray, n_reference: int, n_current: int
) -> tuple[IntArray, IntArray, float | None]:
    """Cells that expect at least 1, and the term of the rest where that expects less (else None)."""
    share = min(n_reference, n_current) / (n_reference + n_current)
    rare = (reference + current) * share < 1
    if not rare.any():
        return reference, current, None
    rest_reference, rest_current = int(reference[rare].sum()), int(current[rare].sum())
    reference, current = reference[~rare], current[~rare]
    rest = rest_reference + rest_current
    if rest == 0:
        return reference, current, None
    if rest * share >= 1:
        return np.append(reference, rest_reference), np.append(current, rest_current), None
    if n_reference == n_current:
        # A rest that expects less than 1 on either side is one row, and that had to be on some side.
        return reference, current, 0.0
    in_smaller = rest_current if n_current < n_reference else rest_reference
    return reference, current, _tail_term(in_smaller, rest, share)


def _pearson(reference: IntArray, current: IntArray, n_reference: int, n_current: int) -> float:
    if n_reference == 0 or n_current == 0:
        return 0.0
    # Both rows of Pearson's sum in one: their terms of a cell add up to n m (q - p)^2 / (rows of the cell).
    difference = current / n_current - reference / n_reference
    weighted = difference * difference / (reference + current)
    return float(weighted.sum()) * n_reference * n_current


def _tail_term(observed: int, rows: int, share: float) -> float:
    if observed == 0:
        return 0.0
    tail = max(float(bdtrc(observed - 1, rows, share)), _SMALLEST_P)
    return float(ndtri(tail / 2)) ** 2
