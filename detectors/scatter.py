"""How the group shares of consecutive chunks scatter, and how far neighbouring chunks go together."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import sqrt

import numpy as np
from scipy.special import ndtri

from detectors.base import FloatArray, IntArray
from detectors.elementary import dot, product

_ONE_ERROR = 0.16
"""Chance that a normal variable exceeds its mean by more than one standard error."""

_NO_VARIANCE = 1e-12
"""Two groups of equal share have one squared score, and its variance is a rounding error."""


class Statistic(StrEnum):
    """What scatters from chunk to chunk."""

    DISTRIBUTION = "distribution"
    """Cumulative shares of ordered groups; over categories as `CHI_SQUARE`."""
    MEAN = "mean"
    """Mean normal score of ordered groups; over categories as `CHI_SQUARE`."""
    SCALE = "scale"
    """Mean squared normal score of ordered groups; over categories as `CHI_SQUARE`."""
    CHI_SQUARE = "chi_square"
    """Pearson's statistic."""
    SHARE = "share"
    """Share of the group that scatters most, less what the largest of so many shows by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """What the chunks of one size show.

    Attributes
    ----------
    ratios
        Variance of each statistic (the mean, of Pearson's) over that of independent rows.
    variance
        Variance of Pearson's statistic over that of independent rows.
    correlations, errors
        Correlation of neighbouring chunks by statistic, and the standard error that independent rows give it.
    """

    ratios: Mapping[Statistic, float]
    variance: float
    correlations: Mapping[Statistic, float]
    errors: Mapping[Statistic, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    ratio: float
    correlation: float
    error: float


@dataclass(frozen=True, kw_only=True)
class _Chunks:
    """Overlapping chunks of one size.

    Attributes
    ----------
    shares
        Of all rows, shape ``(groups,)``, each above 0.
    deviations
        Shares of each chunk less those of all rows, times the root of its rows, shape ``(chunks, groups)``.
    free
        Over the chunks, the sum of what drawing without replacement leaves of a variance.
    size
        Spans of a chunk: so many places further on stands its neighbour.
    number
        How many disjoint chunks there are.
    """

    shares: FloatArray
    deviations: FloatArray
    free: float
    size: int
    number: float

    @cached_property
    def covariance(self) -> FloatArray:
        """What independent rows would have, per row, shape ``(groups, groups)``."""
        covariance: FloatArray = np.diag(self.shares) - np.outer(self.shares, self.shares)
        return covariance

    def neighbours(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Sums over chunks of products with the neighbour, and of squares, each shape ``(components,)``."""
        first, second = values[: -self.size], values[self.size :]
        squares = np.sqrt(np.square(first).sum(axis=0) * np.square(second).sum(axis=0))
        return (first * second).sum(axis=0), squares


def scatter(chunks: IntArray, size: int, *, ordered: bool) -> Scatter:
    """Measure all overlapping chunks of `size` consecutive spans.

    Parameters
    ----------
    chunks
        Rows per group in consecutive spans, shape ``(spans, groups)``, each with at least one row; more spans
        than `size`.
    ordered
        Whether the groups have an order.
    """
    held = chunks[:, chunks.any(axis=0)]
    if held.shape[1] == 1:
        nothing = dict.fromkeys(Statistic, 0.0)
        return Scatter(
            ratios=dict.fromkeys(Statistic, 1.0), variance=1.0, correlations=nothing, errors=nothing
        )
    found = _overlapping(held, size)
    contrasts = _contrasts(found.shares, ordered=ordered)
    measured = {statistic: _pooled(found, weights) for statistic, weights in contrasts.items()}
    common = measured[Statistic.DISTRIBUTION if ordered else Statistic.CHI_SQUARE]
    measured = dict.fromkeys(Statistic, common) | measured
    measured[Statistic.SHARE] = _largest(found, float(held.sum()) / found.number)
    return Scatter(
        ratios={statistic: each.ratio for statistic, each in measured.items()},
        variance=_variance(found, contrasts[Statistic.CHI_SQUARE]),
        correlations={statistic: each.correlation for statistic, each in measured.items()},
        errors={statistic: each.error for statistic, each in measured.items()},
    )


def _overlapping(held: IntArray, size: int) -> _Chunks:
    rows = int(held.sum())
    shares = held.sum(axis=0) / rows
    below = np.concatenate([np.zeros((1, held.shape[1])), held.cumsum(axis=0)])
    counts = below[size:] - below[:-size]
    n: FloatArray = counts.sum(axis=1)
    return _Chunks(
        shares=shares,
        deviations=(counts - n[:, None] * shares) / np.sqrt(n)[:, None],
        free=float((1 - n / rows).sum()) * rows / (rows - 1),
        size=size,
        number=len(held) / size,
    )


def _contrasts(shares: FloatArray, *, ordered: bool) -> dict[Statistic, FloatArray]:
    """Linear functions of the shares by statistic, each of shape ``(components, groups)``."""
    pearson = {Statistic.CHI_SQUARE: np.diag(1 / np.sqrt(shares))}
    if not ordered:
        return pearson
    scores = ndtri(shares.cumsum() - shares / 2)
    squares = np.square(scores - dot(shares, scores))
    found = {
        Statistic.DISTRIBUTION: np.tri(shares.size)[:-1],
        Statistic.MEAN: scores[None, :],
    }
    if dot(shares, np.square(squares - dot(shares, squares))) > _NO_VARIANCE:
        found[Statistic.SCALE] = squares[None, :]
    return found | pearson


def _pooled(found: _Chunks, weights: FloatArray) -> _Measured:
    """Measure a statistic over the sum of its components."""
    values = product(found.deviations, weights.T)
    covariance = product(product(weights, found.covariance), weights.T)
    expected = float(np.trace(covariance))
    products, squares = found.neighbours(values)
    total = float(squares.sum())
    return _Measured(
        ratio=float(np.square(values).sum()) / found.free / expected,
        # A chunk is compared with a mean that it is part of, which takes 1 / chunks off the correlation.
        correlation=(float(products.sum()) / total if total > 0 else 0.0) + 1 / found.number,
        error=sqrt(float(np.square(covariance).sum()) / found.number) / expected,
    )


def _largest(found: _Chunks, rows: float) -> _Measured:
    """Measure each group alone and take the largest, less what the largest of so many shows by chance.

    Parameters
    ----------
    rows
        Mean rows of a chunk.
    """
    shares, error = found.shares, 1 / sqrt(found.number)
    errors = float(ndtri(1 - _ONE_ERROR / shares.size))
    ratios = np.square(found.deviations).sum(axis=0) / found.free / (shares * (1 - shares))
    # The square of a rare group's deviation varies as a Poisson variable's does, more than a normal one's.
    noise = errors * error * np.sqrt(2 + 1 / (rows * shares))
    products, squares = found.neighbours(found.deviations)
    correlations = products / np.maximum(squares, np.finfo(np.float64).tiny)
    return _Measured(
        ratio=float((ratios / (1 + noise)).max()),
        correlation=float(correlations.max()) + 1 / found.number - (errors - 1) * error,
        error=error,
    )


def _variance(found: _Chunks, pearson: FloatArray) -> float:
    """Variance of Pearson's statistic as that of a quadratic form in normal variables: twice a squared norm.

    The norm of an estimated covariance is too large by its own noise, which is taken off: that of disjoint
    chunks, less what overlapping ones save. Chunks of s spans that begin h apart share 1 - h/s of their rows,
    and the squares of these shares average (2 s^2 + 1) / (3 s^2) over s (Meketon & Schmeiser 1984).
    """
    values = product(found.deviations, pearson.T)
    covariance = product(values.T, values) / found.free
    trace = float(np.trace(covariance))
    noise = (2 + 1 / found.size**2) / 3 * trace * trace / found.number
    return (float(np.square(covariance).sum()) - noise) / (found.shares.size - 1)
