"""Dependent rows with known laws, and the counts that a reference would keep of them."""

import numpy as np
from scipy.signal import lfilter

from detectors.base import FloatArray, IntArray

WARM_UP = 3_000
"""Rows after which a series has forgotten its beginning: .99 to that power is below 1e-13."""


def autoregression(phi: float, rows: int, rng: np.random.Generator) -> FloatArray:
    """Stationary first-order autoregression with standard normal rows."""
    noise = rng.normal(size=rows + WARM_UP) * np.sqrt(1 - phi**2)
    series: FloatArray = lfilter([1.0], [1.0, -phi], noise)[WARM_UP:]
    return series


def sticky(stay: float, shares: list[float], rows: int, rng: np.random.Generator) -> IntArray:
    """Categories that stay with a chance, else are drawn anew: correlation `stay` at distance 1."""
    drawn = rng.choice(len(shares), size=rows, p=shares)
    fresh = rng.random(rows) >= stay
    fresh[0] = True
    held: IntArray = drawn[np.maximum.accumulate(np.where(fresh, np.arange(rows), 0))]
    return held


def edges_of(values: FloatArray, bins: int = 10) -> FloatArray:
    """Upper edges of bins of equal share."""
    edges: FloatArray = np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf")
    return edges


def chunk_counts(places: IntArray, spans: int) -> IntArray:
    """Rows per group in consecutive spans of equal length, shape ``(spans, groups)``."""
    groups = int(places.max()) + 1
    span = np.arange(len(places)) * spans // len(places)
    return np.bincount(span * groups + places, minlength=spans * groups).reshape(spans, groups)


def inflation_of_a_mean(phi: float, rows: int) -> float:
    """Variance of the mean of an autoregression's rows, over that of independent rows.

    ``1 + 2 sum (1 - k/n) phi^k`` summed: Priestley (1981), Spectral Analysis and Time Series, 5.3.2.
    """
    return (1 + phi) / (1 - phi) - 2 * phi * (1 - phi**rows) / (rows * (1 - phi) ** 2)


def correlation_of_blocks(phi: float, rows: int) -> float:
    """Correlation of the means of neighbouring blocks of an autoregression.

    The covariances of the ``rows * rows`` pairs, which stand 1 to ``2 rows - 1`` apart, over the variance.
    """
    covariance = phi * ((1 - phi**rows) / (1 - phi)) ** 2
    return covariance / (rows * inflation_of_a_mean(phi, rows))
