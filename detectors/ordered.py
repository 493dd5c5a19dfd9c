"""Kolmogorov-Smirnov distance between two columns on ordered bins."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogi, kolmogorov

from detectors.base import FloatArray, IntArray, Kind, Moments, Reading, Status, Summary
from detectors.coarse import absent, inflation, matched_rows, occupied, totals
from detectors.scatter import Statistic

OVERSHOOT = 0.5825971579390107
"""``-zeta(1/2) / sqrt(2 pi)``: mean gap between the maximum of a Brownian path and its maximum on a grid of
step 1."""


def atom_bins(
    edges: FloatArray, *, minimum: float = -math.inf, maximum: float = math.inf
) -> NDArray[np.bool_]:
    """Tell which bins ``(low, high]`` have room for one double at most.

    Parameters
    ----------
    edges
        Upper edges of all bins but the last, shape ``(bins - 1,)``, increasing.
    minimum, maximum
        Extremes of all rows of both sides, where they are known; they close the two outer bins.

    Returns
    -------
    NDArray[np.bool_]
        Shape ``(bins,)``.

    Examples
    --------
    >>> atom_bins(np.array([0.0, 5e-324, 1.0]), minimum=0.0)
    array([ True,  True, False, False])
    """
    lows = np.empty(edges.size + 1)
    highs = np.empty(edges.size + 1)
    lows[0], lows[1:] = math.nextafter(minimum, -math.inf), edges
    highs[:-1], highs[-1] = edges, maximum
    with np.errstate(over="ignore"):
        return highs <= np.nextafter(lows, np.inf)


def ks_grid(
    reference: IntArray, current: IntArray, atoms: NDArray[np.bool_] | None = None
) -> tuple[float, float]:
    """Largest distance of the two distribution functions at the edges, and what the raw rows could add.

    Inside bin j the distance D moves from ``D[j-1]`` by at most ``q[j]`` upwards and ``p[j]`` downwards,
    because distribution functions only rise, so ``abs(D) <= max(D[j-1] + q[j], p[j] - D[j-1])`` there. The
    largest of these exceeds the distance at the edges by at most ``max(min(p, q))``.

    Parameters
    ----------
    reference, current
        Rows per bin in order, shape ``(bins,)``, each side with at least one row.
    atoms
        Bins that hold one single value, shape ``(bins,)``: nothing can happen inside them, so they add
        nothing to the bound.

    Returns
    -------
    tuple[float, float]
        ``(score, bound)``: the Kolmogorov-Smirnov statistic of the raw rows is in ``[score, score + bound]``
        (up to the rounding of doubles).

    Raises
    ------
    IncompatibleSummaryError
        The two sides do not have the same number of bins.
    EmptyCountsError
        A side holds no rows.

    Examples
    --------
    >>> ks_grid(np.array([4, 4]), np.array([1, 3]))
    (0.25, 0.5)
    """
    n_reference, n_current = totals(reference, current)
    distance = current.cumsum() / n_current - reference.cumsum() / n_reference
    score = float(np.abs(distance).max())
    before = np.empty_like(distance)
    before[0], before[1:] = 0.0, distance[:-1]
    reach = np.maximum(before + current / n_current, reference / n_reference - before)
    if atoms is not None:
        reach[atoms] = 0.0
    return score, max(0.0, float(reach.max()) - score)


def ks_grid_p_value(
    ks: float, n_reference: int, n_current: int, bins: int, *, inflation: float = 1.0
) -> float:
    """Chance of a grid statistic of at least `ks` when both sides come from one continuous distribution.

    ``Q(sqrt(n_e) ks + 0.5826 / sqrt(bins))`` with Q the survival function of Kolmogorov's law and n_e = nm /
    (n + m): without the second term the p-value is far too large, because the maximum over a grid of equal
    steps falls short of the maximum over all points by that much on average.

    Parameters
    ----------
    ks
        Largest distance at the edges.
    n_reference, n_current
        Rows of each side, at least 1.
    bins
        Bins of about equal share in the reference; 1 bin shows nothing and has p-value 1.
    inflation
        Variance of shares over that of independent rows, at least 1; it divides n_e.

    References
    ----------
    Chernoff (1965), Sequential tests for the mean of a normal distribution IV (discrete case), Annals of
    Mathematical Statistics 36, 55-68. Siegmund (1979), Corrected diffusion approximations in certain random
    walk problems, Advances in Applied Probability 11, 701-719.

    Examples
    --------
    >>> round(ks_grid_p_value(0.06, 100_000, 500, 64), 3)
    0.037
    """
    if bins < 2:  # noqa: PLR2004  a distance needs an edge, and an edge makes two bins
        return 1.0
    effective = n_reference / (n_reference + n_current) * n_current / inflation
    return float(kolmogorov(math.sqrt(effective) * ks + OVERSHOOT / math.sqrt(bins)))


@dataclass(frozen=True, slots=True, kw_only=True)
class KolmogorovSmirnov:
    """Kolmogorov-Smirnov statistic on the fine bins, with the bound of the statistic of the raw rows.

    The p-value is given for continuous columns only: where single values hold much of the column it would be
    far too large, and the chi-square test decides.
    """

    name: ClassVar[str] = "ks"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the fine bins, see `ks_grid` and `ks_grid_p_value`; UNAVAILABLE for categories."""
        n_reference, n_current = matched_rows(reference, current)
        if reference.kind is not Kind.NUMERIC:
            return absent(self.name, Status.UNAVAILABLE, n_reference, n_current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        score, bound = ks_grid(reference.counts, current.counts, _atoms(reference, current))
        inflated = inflation(reference, n_current, Statistic.DISTRIBUTION)
        p_value: float | None = None
        if reference.continuous:
            # A bin empty on both sides is no step of the grid.
            bins = occupied(reference.counts, current.counts)
            p_value = ks_grid_p_value(score, n_reference, n_current, bins, inflation=inflated)
        return Reading(
            method=self.name,
            status=Status.OK,
            score=score,
            p_value=p_value,
            bound=bound,
            n_effective=n_current / inflated,
            reason=None if reference.continuous else "single values hold much of the column",
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Invert `ks_grid_p_value`; None where there is no p-value."""
        bins = int(np.count_nonzero(reference.counts))
        if not reference.continuous or bins == 0:
            return None
        effective = reference.n / (reference.n + n) * n / inflation(reference, n, Statistic.DISTRIBUTION)
        found = (float(kolmogi(level)) - OVERSHOOT / math.sqrt(bins)) / math.sqrt(effective)
        return min(max(found, 0.0), 1.0)


def _atoms(reference: Summary, current: Summary) -> NDArray[np.bool_] | None:
    if reference.edges is None:
        return None
    sides: tuple[Moments | None, Moments | None] = (reference.moments, current.moments)
    if sides[0] is None or sides[1] is None:
        return atom_bins(reference.edges)
    return atom_bins(
        reference.edges,
        minimum=min(sides[0].minimum, sides[1].minimum),
        maximum=max(sides[0].maximum, sides[1].maximum),
    )
