"""With the inflation of the reference's own chunks, dependent rows do not make false alarms."""

import numpy as np
import pytest
from scipy.special import chdtrc, kolmogorov

from detectors.base import FloatArray, IntArray
from detectors.dependence import dependence
from detectors.ordered import OVERSHOOT
from tests.series import autoregression, chunk_counts, edges_of

pytestmark = pytest.mark.statistical

ROWS, WINDOW = 20_000, 500
BINS, GROUPS = 64, 10
REFERENCES, WINDOWS = 30, 60

GROUP = np.arange(BINS) * GROUPS // BINS


def _counts(places: IntArray, bins: int) -> IntArray:
    """Rows per bin of each window, shape ``(windows, bins)``."""
    offsets = np.arange(len(places))[:, None] * bins
    return np.bincount((places + offsets).ravel(), minlength=len(places) * bins).reshape(-1, bins)


def _p_values(phi: float, rng: np.random.Generator) -> FloatArray:
    """Naive KS, KS with effective rows, naive chi-square and its gamma law, shape ``(windows, 4)``."""
    values = autoregression(phi, ROWS, rng)
    edges = edges_of(values, BINS)
    places = np.searchsorted(edges, values)
    known = dependence(chunk_counts(GROUP[places], ROWS // 50), ordered=True)
    windows = np.searchsorted(edges, autoregression(phi, WINDOW * WINDOWS, rng).reshape(WINDOWS, WINDOW))
    before, now = np.bincount(places, minlength=BINS), _counts(windows, BINS)
    effective = ROWS * WINDOW / (ROWS + WINDOW)
    ks = np.abs(now.cumsum(axis=1) / WINDOW - before.cumsum() / ROWS).max(axis=1)
    grouped, coarse = _counts(GROUP[windows], GROUPS), np.bincount(GROUP[places])
    pooled = (grouped + coarse) / (WINDOW + ROWS)
    statistic = effective * (np.square(grouped / WINDOW - coarse / ROWS) / pooled).sum(axis=1)
    mean, variance = known.chi_square_ratios(WINDOW)
    degrees = GROUPS - 1
    return np.stack(
        [
            kolmogorov(np.sqrt(effective) * ks + OVERSHOOT / np.sqrt(BINS)),
            kolmogorov(np.sqrt(effective / known.inflation(WINDOW)) * ks + OVERSHOOT / np.sqrt(BINS)),
            chdtrc(degrees, statistic),
            # Gamma of this mean and variance, as a chi-square law of fractional degrees.
            chdtrc(degrees * mean * mean / variance, statistic * mean / variance),
        ],
        axis=1,
    )


@pytest.mark.parametrize(
    ("phi", "naive"),
    # Sizes at .05 without any correction, from the same simulation: what there is to lose.
    [(0.0, 0.05), (0.3, 0.13), (0.6, 0.30), (0.9, 0.74)],
)
def test_both_tests_hold_their_level_on_autoregressions(phi: float, naive: float) -> None:
    rng = np.random.default_rng([6, round(phi * 10)])
    p_values = np.concatenate([_p_values(phi, rng) for _ in range(REFERENCES)])
    naive_ks, ks, naive_chi_square, chi_square = (p_values <= 0.05).mean(axis=0)
    assert naive_ks == pytest.approx(naive, abs=0.04)
    assert naive_chi_square >= naive * 0.6
    # Above by four standard errors of 1,800 windows at most. KS is timid: lambda is that of the mean square
    # of D, and the largest D of a few slow waves is smaller than of many fast ones.
    assert 0.01 <= ks <= 0.05 + 0.02
    assert 0.025 <= chi_square <= 0.05 + 0.02
