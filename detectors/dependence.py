"""How much more windows scatter than independent rows would, learnt from consecutive chunks of a reference.

A null law counts rows as independent. Rows of one hour are not: the same customers, the same weather, one
campaign. The mean of n rows with correlations rho_k at distance k has the variance of n / lambda(n)
independent rows, lambda(n) = 1 + 2 sum_{k<n} (1 - k/n) rho_k, and the same holds for the share of rows below
any value. So the reference is cut into consecutive chunks of n rows, and lambda(n) is what their scatter is
over what it should be. With D_c the vector of differences between a chunk's cumulative shares and the
reference's, u_j the reference's cumulative shares and m its rows,

    E |D_c|^2 = lambda(n) sum_j u_j (1 - u_j) (1/n - 1/m) m / (m - 1)

(for lambda = 1 exactly: a chunk is then a draw without replacement). Chunks of different sizes weigh by
their rows, so that each counts alike, and all overlapping chunks of a size are used, which takes a third of
the estimate's variance away. A test then takes n_e / lambda for its effective rows n_e.

What cannot be seen here: dependence over spans longer than a thirtieth of the reference, which moves whole
chunks together (`Dependence.known` and `Dependence.independent_rows` say so where it shows); a season that
the reference does not cover; and anything at all where the order of the rows is not that of time, because a
shuffled file looks independent.

References
----------
Priestley (1981), Spectral Analysis and Time Series, 5.3.2 (variance of a mean). Meketon & Schmeiser (1984),
Overlapping batch means: something for nothing?, Proceedings of the Winter Simulation Conference, 226-230.
Rao & Scott (1981), The analysis of categorical data from complex sample surveys, Journal of the American
Statistical Association 76, 221-230 (chi-square statistics of dependent rows, by their mean and variance).
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, log, sqrt

import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.elementary import expm1, geometric
from detectors.scatter import Statistic, scatter

FEWEST_CHUNKS = 30
"""Chunks of a size from which its scatter is told to about a sixth."""

MAX_CORRELATION = 0.05
"""Between the means of neighbouring blocks; below, e-values of the blocks multiply as if independent."""

_MEASURED = 0.5
"""Lag-1 correlation of the largest chunks up to which the reference holds enough independent pieces: lambda
of the whole is then at most 3 times that of a chunk, and what the reference's own mean hides a tenth."""

_LEVEL = 0.1
"""The same up to which lambda hardly grows further: chunks of twice the size multiply it by 1 + this."""

_NEAR, _FAR = 2.0, 3.0
"""Standard errors beyond which a correlation is more than noise: that of one size, and of any larger one. Of
columns of independent rows 1 to 3 in a hundred fail with 30 to 100 chunks, and none with 400 (simulated)."""

_LENGTHS = geometric(1e-4, 1e4, 801)
_CORRELATIONS = np.square(expm1(-_LENGTHS)) / (2 * (_LENGTHS + expm1(-_LENGTHS)))
"""Correlation of the means of neighbouring blocks by their length, where that of single rows falls as
exp(-distance): the integrated process of Uhlenbeck and Ornstein."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dependence:
    """Scatter of consecutive chunks of a reference, by their size.

    Attributes
    ----------
    rows
        Mean rows of a chunk, shape ``(levels,)``, increasing; empty where the reference is too short.
    inflations
        Lambda by statistic, each of shape ``(levels,)``, at least 1 and never falling.
    variances
        Variance of Pearson's statistic over that of independent rows, shape ``(levels,)``.
    correlations, errors
        Correlation of neighbouring chunks by statistic, and the standard error that independent rows give it,
        each of shape ``(statistics, levels)``.
    """

    rows: FloatArray
    inflations: Mapping[Statistic, FloatArray]
    variances: FloatArray
    correlations: FloatArray
    errors: FloatArray
    _logs: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_logs", tuple(log(rows) for rows in self.rows.tolist()))

    def inflation(self, n: int, statistic: Statistic = Statistic.DISTRIBUTION) -> float:
        """Lambda of a window of n rows, at least 1; 1 where nothing is known.

        Between two sizes it is interpolated over log n; above the largest it stays. Below the smallest, the
        chord through the first two goes on: lambda is concave in n where correlations are positive, so the
        chord lies above it.
        """
        return self._at(n, self.inflations[statistic])

    def largest_inflation(self, n: int) -> float:
        """Lambda of the statistic that scatters most: what a bundle of several tests has to take."""
        return max(self.inflation(n, statistic) for statistic in Statistic)

    def chi_square_ratios(self, n: int) -> tuple[float, float]:
        """Mean and variance of Pearson's statistic over n rows, each over that of independent rows.

        With d degrees of freedom, dependent rows make it about a gamma variable of mean d times the first
        and variance 2d times the second: dividing by the mean alone leaves the tail too light, because
        dependence inflates some directions more than others.
        """
        mean = self.inflation(n, Statistic.CHI_SQUARE)
        return mean, max(self._at(n, self.variances), mean * mean)

    def known(self, n: int) -> bool:
        """Whether the reference is long enough to tell lambda of a window of n rows."""
        if not self.rows.size:
            return False
        errors, limit = (1.0, _MEASURED) if n <= self.rows[-1] else (_NEAR, _LEVEL)
        return float(self._beyond_noise(errors)[-1]) <= limit

    def independent_rows(self, max_correlation: float = MAX_CORRELATION) -> int | None:
        """Rows of blocks whose neighbours are correlated by at most that; None where they are beyond sight.

        1 where the smallest chunks scatter as independent rows do: then no smaller block can be correlated by
        more, because lambda(2n) = lambda(n) (1 + correlation) and it does not fall. Else the smallest chunk
        size whose own correlation is no more than two standard errors above the limit, and that of no larger
        size more than three. The correlation of large chunks is a noisy figure, so that of the smallest is
        carried on to them as a first-order autoregression would have it, and has to be within the limit too,
        unless it is contradicted by two standard errors.
        """
        near, far = (self._beyond_noise(errors) <= max_correlation for errors in (_NEAR, _FAR))
        for level, rows in enumerate(self.rows.tolist()):
            if (
                near[level]
                and far[level:].all()
                and self._forecast(level, max_correlation) <= max_correlation
            ):
                alone = level == 0 and self._scatters_alone(max_correlation)
                return 1 if alone else ceil(rows)
        return None

    def rows_wanted(self, max_correlation: float = MAX_CORRELATION) -> int | None:
        """Rows that a longer reference should have to show independent blocks; None where this one does.

        At least twice as many as now, or as many as the correlation of its smallest chunks asks for.
        """
        if not self.rows.size or self.independent_rows(max_correlation) is not None:
            return None
        lengths = self._lengths(max_correlation)
        blocks = np.interp(-max_correlation, -_CORRELATIONS, _LENGTHS) * lengths.max(initial=0.0)
        return ceil(FEWEST_CHUNKS * max(2 * float(self.rows[-1]), float(blocks)))

    def _lengths(self, max_correlation: float) -> FloatArray:
        """Rows over which the correlation of single rows falls to 1/e; 0 for statistics that show none.

        From the smallest chunks, as if by a first-order autoregression; shape ``(statistics,)``.
        """
        first = self.correlations[:, 0]
        lengths = self.rows[0] / np.interp(-first, -_CORRELATIONS, _LENGTHS)
        return np.where(first - _NEAR * self.errors[:, 0] > max_correlation, lengths, 0.0)

    def _forecast(self, level: int, max_correlation: float) -> float:
        """Largest correlation of chunks of a size that the smallest foretell and the size's own allow."""
        lengths = self._lengths(max_correlation)
        told = np.interp(self.rows[level] / np.maximum(lengths, 1e-9), _LENGTHS, _CORRELATIONS)
        possible = (lengths > 0) & (told <= self.correlations[:, level] + _NEAR * self.errors[:, level])
        return float(told[possible].max(initial=0.0))

    def _beyond_noise(self, errors: float) -> FloatArray:
        """Largest correlation over the statistics, less so many standard errors, shape ``(levels,)``."""
        largest: FloatArray = (self.correlations - errors * self.errors).max(axis=0)
        return largest

    def _scatters_alone(self, tolerance: float) -> bool:
        """Whether no lambda of the smallest chunks is more than two standard errors above 1 + tolerance."""
        noise = _NEAR * sqrt(2) * self.errors[:, 0]
        ratios = np.array([self.inflations[statistic][0] for statistic in Statistic])
        return bool((ratios - noise <= 1 + tolerance).all())

    def _at(self, n: int, values: FloatArray) -> float:
        if not values.size:
            return 1.0
        at, logs = log(max(n, 1)), self._logs
        if at >= logs[-1]:
            return float(values[-1])
        if len(logs) == 1:
            return float(values[0])
        if at >= logs[0]:
            # A tenth of the time of numpy.interp, and this is asked several times per column and window.
            place = bisect_right(logs, at)
            low, high = float(values[place - 1]), float(values[place])
            return low + (high - low) * (at - logs[place - 1]) / (logs[place] - logs[place - 1])
        first, second = float(values[0]), float(values[1])
        slope = min((second - first) / float(self.rows[1] - self.rows[0]), (first - 1) / float(self.rows[0]))
        return first - slope * (float(self.rows[0]) - n)


def dependence(chunks: IntArray, *, ordered: bool) -> Dependence:
    """Measure the scatter of consecutive chunks at one, two, four ... times their size.

    Parameters
    ----------
    chunks
        Rows per group in consecutive spans of the reference, shape ``(spans, groups)``; empty spans are
        passed over.
    ordered
        Whether the groups have an order.

    Returns
    -------
    Dependence
        Without sizes where there are fewer than `FEWEST_CHUNKS` spans that hold a row.
    """
    held = chunks[chunks.any(axis=1)]
    spans, rows = len(held), int(held.sum())
    sizes = [1 << i for i in range(spans.bit_length()) if spans >> i >= FEWEST_CHUNKS]
    found = [scatter(held, size, ordered=ordered) for size in sizes]
    return Dependence(
        rows=np.array([rows * size / spans for size in sizes]),
        inflations={
            statistic: _rising([each.ratios[statistic] for each in found]) for statistic in Statistic
        },
        variances=_rising([each.variance for each in found]),
        correlations=_by_statistic([each.correlations for each in found]),
        errors=_by_statistic([each.errors for each in found]),
    )


def _by_statistic(found: Sequence[Mapping[Statistic, float]]) -> FloatArray:
    return np.array([[each[statistic] for each in found] for statistic in Statistic])


def _rising(values: list[float]) -> FloatArray:
    return np.maximum.accumulate(np.array([1.0, *values]))[1:]
