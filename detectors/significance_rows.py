"""The tests that decide for a column, of many pairs of samples at once."""

import numpy as np
from scipy.special import chdtrc, kolmogorov

from detectors.base import FloatArray, IntArray
from detectors.divergence_rows import BoolArray
from detectors.ordered import OVERSHOOT
from detectors.significance import SMALL_CELL, chi_square_test


def ks_rows(reference: IntArray, current: IntArray, *, inflation: float = 1.0) -> FloatArray:
    """P-value of each pair, as `detectors.ordered.ks_grid_p_value` gives it; NaN where a side has no rows.

    Parameters
    ----------
    reference, current
        Rows per bin in order, shape ``(pairs, bins)``.
    inflation
        Variance of shares over that of independent rows, at least 1.
    """
    n_reference, n_current, empty = _rows(reference, current)
    distance = current.cumsum(axis=1) / n_current[:, None] - reference.cumsum(axis=1) / n_reference[:, None]
    score = np.abs(distance).max(axis=1)
    bins = np.maximum(np.count_nonzero(reference + current, axis=1), 1)
    effective = n_reference / (n_reference + n_current) * n_current / inflation
    found = kolmogorov(np.sqrt(effective) * score + OVERSHOOT / np.sqrt(bins))
    # A distance needs an edge, and an edge makes two bins.
    return np.where(empty, np.nan, np.where(bins > 1, found, 1.0))


def chi_square_rows(
    reference: IntArray, current: IntArray, *, ratios: tuple[float, float] = (1.0, 1.0)
) -> FloatArray:
    """P-value of each pair, as `detectors.significance.chi_square_test` gives it.

    NaN where a side has no rows. Pairs with cells that expect few rows, where more than one law is asked, are
    tested one by one.

    Parameters
    ----------
    reference, current
        Rows per group, shape ``(pairs, groups)``.
    ratios
        Mean and variance of the statistic over those of independent rows.
    """
    n_reference, n_current, empty = _rows(reference, current)
    cells = reference + current
    held = cells > 0
    fewest = np.where(held, cells, cells.max(initial=1)).min(axis=1)
    smaller = np.minimum(n_reference, n_current)
    plain = ~empty & (fewest * smaller >= SMALL_CELL * (n_reference + n_current))
    difference = current / n_current[:, None] - reference / n_reference[:, None]
    statistic = (difference * difference / np.where(held, cells, 1)).sum(axis=1) * n_reference * n_current
    found = _gamma_tails(statistic, held.sum(axis=1) - 1, ratios)
    for i in np.flatnonzero(~plain & ~empty).tolist():
        found[i] = chi_square_test(reference[i], current[i], ratios=ratios).p_value
    found[empty] = np.nan
    return found


def _rows(reference: IntArray, current: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Rows of both sides of each pair, 1 in place of none, and whether a side has none."""
    n_reference, n_current = reference.sum(axis=1), current.sum(axis=1)
    empty = (n_reference == 0) | (n_current == 0)
    return np.where(empty, 1, n_reference), np.where(empty, 1, n_current), empty


def _gamma_tails(statistic: FloatArray, degrees: IntArray, ratios: tuple[float, float]) -> FloatArray:
    """Tail of the gamma law with the moments of chi-square and these ratios; 1 with one cell alone."""
    # With the variance 2d times its ratio, half of the gamma law's shape and scale are these.
    shape = np.maximum(degrees, 1) * ratios[0] ** 2 / ratios[1]
    found: FloatArray = chdtrc(shape, statistic * ratios[0] / ratios[1])
    return np.where(degrees > 0, found, 1.0)
