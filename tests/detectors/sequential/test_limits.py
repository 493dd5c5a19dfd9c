"""Limits against exact enumeration, another way to solve for them, and simulation."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import ndtri, rel_entr
from scipy.stats import beta, binom, kstwo, multinomial

from detectors.base import FloatArray
from detectors.sequential.limits import kolmogorov_limit, law_radius, log_mean_limit, share_limits


@pytest.mark.parametrize("rows", [10, 200, 20_000])
@pytest.mark.parametrize("risk", [0.3, 0.01, 1e-6])
def test_the_distance_limit_is_above_the_exact_quantile(rows: int, risk: float) -> None:
    exact = float(kstwo.isf(risk, rows))
    assert exact <= kolmogorov_limit(rows, risk) <= 1.35 * exact


@pytest.mark.parametrize(("held", "rows"), [(0, 30), (1, 30), (7, 30), (30, 30), (150, 20_000)])
def test_share_limits_equal_scipys_beta_quantiles(held: int, rows: int) -> None:
    low, high = share_limits(np.array([held, rows - held], dtype=np.float64), 1e-4)
    assert low[0] == pytest.approx(beta.ppf(1e-4, held, rows - held + 1) if held else 0)
    assert high[0] == pytest.approx(beta.isf(1e-4, held + 1, rows - held) if held < rows else 1)


@pytest.mark.parametrize("share", [0.001, 0.05, 0.3, 0.9])
@pytest.mark.parametrize("risk", [0.2, 0.01])
def test_limits_of_a_share_are_exceeded_with_at_most_the_risk(share: float, risk: float) -> None:
    rows = 60
    held = np.arange(rows + 1)
    chances = binom.pmf(held, rows, share)
    limits = [share_limits(np.array([k, rows - k], dtype=np.float64), risk) for k in held]
    assert chances @ np.array([low[0] > share for low, _ in limits]) <= risk
    assert chances @ np.array([high[0] < share for _, high in limits]) <= risk
    # The same for the mean of a value that is one of two: Chernoff's bound is exact too, and less sharp.
    means = [
        float(
            log_mean_limit(np.array([k, rows - k]) / rows, np.log([[2.0, 1.0]]), math.log(1 / risk) / rows)[0]
        )
        for k in held
    ]
    assert chances @ np.array([math.exp(limit) < 1 + share - 1e-12 for limit in means]) <= risk


@pytest.mark.parametrize("law", [(0.4, 0.3, 0.3), (0.9, 0.09, 0.01), (0.98, 0.01, 0.01)])
@pytest.mark.parametrize("risk", [0.3, 0.05, 0.001])
def test_the_radius_is_exceeded_with_at_most_the_risk(law: tuple[float, ...], risk: float) -> None:
    rows = 24
    radius = law_radius(rows, 3, risk)
    tables = np.array([t for t in product(range(rows + 1), repeat=3) if sum(t) == rows])
    chances = multinomial.pmf(tables, rows, law)
    divergences = rel_entr(tables / rows, np.array(law)).sum(axis=1)
    assert chances[divergences > radius].sum() <= risk


@pytest.mark.parametrize(("rows", "cells", "risk"), [(24, 3, 0.3), (20_000, 10, 1e-6), (500, 200, 0.01)])
def test_the_radius_solves_the_bound(rows: int, cells: int, risk: float) -> None:
    scaled = rows * law_radius(rows, cells, risk)
    degrees = cells - 1
    assert scaled > degrees
    assert -scaled + degrees * (1 + math.log(scaled / degrees)) == pytest.approx(math.log(risk))


def test_a_single_cell_leaves_no_doubt() -> None:
    assert law_radius(100, 1, 0.01) == 0


def solved_limit(shares: FloatArray, values: FloatArray, radius: float) -> float:
    """Take the largest mean from its own equations: P is proportional to p / (g - f)."""
    top = float(values.max())
    held = shares > 0
    if values[held].min() == top:
        return top

    def law(g: float) -> FloatArray:
        weights = shares[held] / (g - values[held])
        return np.asarray(weights / weights.sum())

    def excess(log_gap: float) -> float:
        return float(rel_entr(shares[held], law(top + math.exp(log_gap))).sum()) - radius

    if excess(-25) < 0:
        # Even at the pole the law is inside: the rest goes to the largest value, which has no row.
        weights = shares[held] / (top - values[held])
        kept = math.exp(float(rel_entr(shares[held], weights / weights.sum()).sum()) - radius)
        return kept * float(values[held] @ weights) / float(weights.sum()) + (1 - kept) * top
    return float(values[held] @ law(top + math.exp(brentq(excess, -25, 25))))


@given(
    st.lists(st.integers(0, 50), min_size=2, max_size=8).filter(lambda counts: sum(counts) > 0),
    st.lists(st.integers(-20, 20), min_size=8, max_size=8, unique=True),
    st.floats(1e-4, 1),
)
@settings(max_examples=60)
def test_the_mean_limit_is_the_largest_mean_or_slightly_above(
    counts: list[int], exponents: list[int], radius: float
) -> None:
    shares = np.array(counts) / sum(counts)
    tilts = np.array([exponents[: shares.size]]) / 20
    values = np.exp(tilts[0])
    limit = math.exp(float(log_mean_limit(shares, tilts, radius)[0]))
    solved = solved_limit(shares, values, radius)
    assert limit >= solved - 1e-6 * values.max()
    mean = float(shares @ values)
    assert limit - mean <= 1.1 * (solved - mean) + 0.02 * (values.max() - values.min())


def test_means_under_laws_of_quantile_bins_stay_below_their_limits() -> None:
    # Shares of bins cut at quantiles of m rows follow Dirichlet's law around the counts.
    counts, risk = np.full(32, 10), 0.02
    scores = ndtri((np.arange(32) + 0.5) / 32)
    tilts = np.multiply.outer([-0.8, -0.1, 0.1, 0.8], scores)
    limits = np.exp(log_mean_limit(counts / 320, tilts, math.log(1 / risk) / 320))
    laws = np.random.default_rng(5).dirichlet(counts, 20_000)
    above = (laws @ np.exp(tilts).T > limits).mean(axis=0)
    assert np.all(above <= risk)
    # Chernoff's bound is about a factor sqrt(4 pi ln(1 / risk)) = 7 from the truth, not a thousand.
    assert np.all(above >= risk / 30)
