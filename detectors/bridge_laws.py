"""Laws of the integrals of a squared Brownian bridge: Cramer-von Mises and Anderson-Darling."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from detectors.base import FloatArray
from detectors.elementary import cos, exp, sin

_INTERVALS, _NODES = 16, 96
"""Of the quadrature: at statistics where a tail is not 1 to ten digits, terms behind the 16th are nothing."""

_NOTHING = 100.0
"""Statistic times node from which a term is below ``exp(-50)`` of one."""

_HALVINGS = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BridgeLaw:
    """Law of a sum of independent chi-square variables with weights ``1 / poles``.

    Its tail is ``sum over i of weights[i] exp(-x nodes[i] / 2)``: Smirnov's alternating sum of integrals
    between neighbouring poles of the Fredholm determinant D, ``1 / pi`` times the integral of
    ``exp(-x y / 2) / (y sqrt(abs(D(y))))``, by Gauss-Chebyshev quadrature, which takes in the poles' square
    roots. Terms do not cancel where the tail is small, so small p-values are right to many digits too.

    Attributes
    ----------
    nodes, weights
        Shape ``(intervals, nodes)``.
    smallest
        Statistic below which the tail is 1 to ten digits.

    References
    ----------
    Smirnov (1936), Sur la distribution de omega^2, Comptes Rendus de l'Academie des Sciences 202, 449-452.
    Anderson & Darling (1952), Asymptotic theory of certain goodness of fit criteria based on stochastic
    processes, Annals of Mathematical Statistics 23, 193-212 (the determinants).
    """

    nodes: FloatArray
    weights: FloatArray
    smallest: float

    def tail(self, statistic: float) -> float:
        """Chance of a statistic at least this large."""
        if statistic <= self.smallest:
            return 1.0
        # Nodes fall inside an interval, so the first is the one that the next interval begins behind.
        used = 1 + int(np.searchsorted(self.nodes[:, 0], _NOTHING / statistic))
        terms = self.weights[:used] * exp(self.nodes[:used] * (-statistic / 2))
        found = float(terms.sum())
        return min(max(found, 0.0), 1.0)

    def quantile(self, level: float) -> float:
        """Statistic that is exceeded with probability `level`, between 0 and 1."""
        low, high = 0.0, 1.0
        while self.tail(high) > level:
            low, high = high, 2 * high
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.tail(middle) > level else (low, middle)
        return high


@cache
def cramer_von_mises_law() -> BridgeLaw:
    """Limit of ``nm / (n + m)`` times the integral of ``(F - G)^2``: poles ``(k pi)^2``.

    Examples
    --------
    The 5 % point of Anderson & Darling (1952), table 1.

    >>> round(cramer_von_mises_law().tail(0.46136), 6)
    0.05
    """
    return _law(lambda k: (math.pi * k) ** 2, _cramer_von_mises_determinant, smallest=0.004)


@cache
def anderson_darling_law() -> BridgeLaw:
    """Limit of the same with the weight ``1 / (H (1 - H))``: poles ``k (k + 1)``.

    Examples
    --------
    The 5 % point of Anderson & Darling (1954), A test of goodness of fit, Journal of the American Statistical
    Association 49, 765-769.

    >>> round(anderson_darling_law().tail(2.492), 4)
    0.05
    """
    return _law(lambda k: k * (k + 1.0), _anderson_darling_determinant, smallest=0.04)


def _cramer_von_mises_determinant(y: FloatArray) -> FloatArray:
    root = np.sqrt(y)
    return np.asarray(sin(root) / root, dtype=np.float64)


def _anderson_darling_determinant(y: FloatArray) -> FloatArray:
    return np.asarray(-cos(math.pi / 2 * np.sqrt(1 + 4 * y)) / (math.pi * y), dtype=np.float64)


def _law(
    pole: Callable[[int], float], determinant: Callable[[FloatArray], FloatArray], *, smallest: float
) -> BridgeLaw:
    angles = (np.arange(_NODES) + 0.5) * math.pi / _NODES
    nodes, weights = [], []
    for interval in range(_INTERVALS):
        low, high = pole(2 * interval + 1), pole(2 * interval + 2)
        half = (high - low) / 2
        y = (low + high) / 2 + half * cos(angles)
        density = half * sin(angles) / (y * np.sqrt(np.abs(determinant(y))))
        nodes.append(y)
        weights.append((-1) ** interval * density / _NODES)
    return BridgeLaw(nodes=np.array(nodes), weights=np.array(weights), smallest=smallest)
