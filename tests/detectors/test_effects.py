"""Intervals and minimum-effect tests against derivatives, exact laws and simulation at the boundary."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2, norm

from detectors.base import FloatArray
from detectors.divergences import JensenShannon, Psi
from detectors.effects import (
    Divergence,
    jensen_shannon_divergence,
    ks_min_effect_p_value,
    min_effect_p_value,
    psi_divergence,
)
from detectors.ordered import OVERSHOOT, ks_grid
from detectors.testing.summaries import categorical, count_pairs, frozen_ints

REFERENCE_ROWS = 20_000


def psi_of_shares(p: FloatArray, q: FloatArray) -> float:
    return float(np.dot(q - p, np.log(q / p)))


def shifted(groups: int) -> Callable[[float], tuple[FloatArray, FloatArray]]:
    edges = norm.ppf(np.arange(1, groups) / groups)
    return lambda by: (np.full(groups, 1 / groups), np.diff([0.0, *norm.cdf(edges - by), 1.0]))


def rescaled(p: FloatArray, first: float) -> tuple[FloatArray, FloatArray]:
    """Give the first group a share, and leave the others their proportions."""
    return p, np.array([first, *(p[1:] * (1 - first) / (1 - p[0]))])


EQUAL = np.full(10, 0.1)
RARE = np.array([0.001, *np.full(9, 0.111)])
FAMILIES: dict[str, Callable[[float], tuple[FloatArray, FloatArray]]] = {
    "shift": shifted(10),
    "one group vanishes": lambda by: rescaled(EQUAL, 0.1 * math.exp(-by)),
    "a rare group grows": lambda by: rescaled(RARE, 0.001 + by / 100),
    "two groups": lambda by: rescaled(np.array([0.1, 0.9]), 0.1 * math.exp(-by)),
}


def boundary(family: str, delta: float) -> tuple[FloatArray, FloatArray]:
    """Find the shares of a family whose PSI is delta."""
    law = FAMILIES[family]
    return law(float(brentq(lambda by: psi_of_shares(*law(by)) - delta, 1e-6, 12.0)))


@pytest.mark.statistical
@pytest.mark.parametrize("n", [200, 1_000, 1_000_000])
@pytest.mark.parametrize("delta", [0.02, 0.25])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_minimum_effect_test_holds_its_level_at_the_boundary(family: str, delta: float, n: int) -> None:
    rng = np.random.default_rng([17, n, int(1_000 * delta), len(family)])
    p, q = boundary(family, delta)
    draws = 3_000
    references, windows = rng.multinomial(REFERENCE_ROWS, p, draws), rng.multinomial(n, q, draws)
    p_values = np.array(
        [min_effect_p_value(before, now, delta) for before, now in zip(references, windows, strict=True)]
    )
    for alpha in (0.1, 0.05, 0.01):
        size = float((p_values <= alpha).mean())
        assert size <= alpha + 4 * math.sqrt(alpha * (1 - alpha) / draws)
        if family == "shift":
            # And not careful for nothing; 200 rows in 10 groups fall a little short.
            assert size >= 0.7 * alpha - 4 * math.sqrt(alpha * (1 - alpha) / draws)


@pytest.mark.statistical
def test_without_the_spread_a_group_that_vanishes_would_break_the_level() -> None:
    # The reason for the spread; the plain non-central chi-square gives .10 at .05 here.
    rng = np.random.default_rng(18)
    p, q = boundary("one group vanishes", 0.25)
    n, draws = 1_000, 3_000
    noise = 1 / n + 1 / REFERENCE_ROWS
    psis = np.array(
        [
            psi_divergence(before, now).value
            for before, now in zip(
                rng.multinomial(REFERENCE_ROWS, p, draws), rng.multinomial(n, q, draws), strict=True
            )
        ]
    )
    assert float((ncx2.sf(psis / noise, 9, 0.25 / noise) <= 0.05).mean()) > 0.08


@pytest.mark.statistical
@pytest.mark.parametrize("family", ["shift", "a rare group grows"])
def test_the_interval_holds_the_truth_in_nine_of_ten_windows(family: str) -> None:
    rng = np.random.default_rng([19, len(family)])
    p, q = boundary(family, 0.1)
    draws = 2_000
    references, windows = rng.multinomial(REFERENCE_ROWS, p, draws), rng.multinomial(1_000, q, draws)
    ends = [psi_divergence(b, c).interval() for b, c in zip(references, windows, strict=True)]
    below = sum(pair is not None and pair[0] > 0.1 for pair in ends) / draws
    above = sum(pair is not None and pair[1] < 0.1 for pair in ends) / draws
    error = 4 * math.sqrt(0.05 * 0.95 / draws)
    assert below <= 0.05 + error
    assert above <= 0.05 + error
    assert below + above >= 0.1 - 2 * error


@given(count_pairs())
def test_the_variance_is_that_of_numerical_derivatives(pair: tuple[list[int], list[int]]) -> None:
    # Oracle: central differences of the PSI of shares, and the covariance of multinomial shares.
    held = [(r + 0.5, c + 0.5) for r, c in zip(*pair, strict=True) if r + c]
    if len(held) == 1:
        return
    m, n = sum(pair[0]), sum(pair[1])
    sides = np.array(held).T / np.array(held).sum(0)[:, None]
    variance = 0.0
    for side, rows in ((0, m), (1, n)):
        share = sides[side]
        slopes = np.empty(share.size)
        for place in range(share.size):
            step = 1e-6 * share[place]
            moved = sides.copy()
            moved[side, place] += step
            up = psi_of_shares(moved[0], moved[1])
            moved[side, place] -= 2 * step
            slopes[place] = (up - psi_of_shares(moved[0], moved[1])) / (2 * step)
        variance += slopes @ (np.diag(share) - np.outer(share, share)) @ slopes / rows
    found = psi_divergence(frozen_ints(pair[0]), frozen_ints(pair[1]))
    wanted = max(1.0, variance / (4 * found.value * (1 / n + 1 / m))) if found.value > 1e-6 else found.spread
    assert found.spread == pytest.approx(wanted, rel=1e-3)


@given(count_pairs())
def test_against_no_effect_at_all_it_is_the_chi_square_test_of_psi(pair: tuple[list[int], list[int]]) -> None:
    found = psi_divergence(frozen_ints(pair[0]), frozen_ints(pair[1]))
    if found.degrees == 0:
        assert found.p_value_above(0.0) == 1.0
        assert found.interval() is None
        return
    above = found.debiased / (found.noise * found.spread) + found.degrees
    assert found.p_value_above(0.0) == pytest.approx(float(chi2.sf(above, found.degrees)), rel=1e-9)
    # The larger the effect that is granted, the less surprising is what was found.
    p_values = [found.p_value_above(delta) for delta in (0.0, 0.02, 0.1, 0.25, 1.0)]
    assert p_values == sorted(p_values)
    assert all(0 <= each <= 1 for each in p_values)


@pytest.mark.parametrize(("value", "delta"), [(0.05, 0.02), (0.3, 0.25), (2.0, 0.02), (90.0, 0.1)])
@pytest.mark.parametrize("noise", [0.02, 1e-3, 1e-6])
def test_p_values_follow_the_non_central_chi_square_far_into_the_tail(
    value: float, delta: float, noise: float
) -> None:
    found = Divergence(value=value, degrees=9, noise=noise, spread=1.0)
    exact = float(ncx2.sf(max(value / noise, 9.0), 9, delta / noise))
    assert found.p_value_above(delta) == pytest.approx(exact, rel=1e-6, abs=1e-9)
    assert not math.isnan(found.p_value_above(delta))


def test_a_million_rows_do_not_turn_a_hair_into_an_effect() -> None:
    p, q = shifted(10)(0.05)
    before, now = frozen_ints(np.rint(p * 10**6)), frozen_ints(np.rint(q * 10**6))
    assert min_effect_p_value(before, now, 0.0) < 1e-100
    assert min_effect_p_value(before, now, 0.02) > 0.999
    p, q = shifted(10)(0.25)
    assert min_effect_p_value(before, frozen_ints(np.rint(q * 10**6)), 0.02) < 1e-9


def test_dependent_rows_say_as_much_as_fewer_independent_ones() -> None:
    before, now = frozen_ints([500, 300, 200]), frozen_ints([120, 140, 140])
    plain, inflated = psi_divergence(before, now), psi_divergence(before, now, inflation=4.0)
    assert inflated.value == plain.value
    assert inflated.noise == pytest.approx(4 * plain.noise, rel=1e-12)
    assert inflated.debiased < plain.debiased
    assert min_effect_p_value(before, now, 0.02, inflation=4.0) > min_effect_p_value(before, now, 0.02)


def test_the_readings_carry_the_interval() -> None:
    before, now = categorical([500, 300, 200]), categorical([120, 140, 140])
    reading = Psi().compare(before, now)
    ends = psi_divergence(before.counts, now.counts).interval()
    assert (reading.effect_low, reading.effect_high) == ends
    distance = JensenShannon().compare(before, now)
    # One divergence in bits is ln 2 nats, and the divergence in nats is about an eighth of the PSI.
    found = jensen_shannon_divergence(before.counts, now.counts)
    assert distance.score == pytest.approx(math.sqrt(found.value / (8 * math.log(2))), rel=1e-12)
    assert distance.score is not None
    assert distance.effect_low is not None
    assert distance.effect_high is not None
    assert distance.effect_low < distance.score < distance.effect_high
    nothing = Psi().compare(categorical([5, 0]), categorical([9, 0]))
    assert (nothing.effect_low, nothing.effect_high) == (None, None)


@pytest.mark.statistical
def test_the_ks_version_is_careful_at_its_boundary() -> None:
    rng = np.random.default_rng(21)
    # 2 Phi(d / 2) - 1 is the largest distance of two normal laws d apart; 63 edges come close to it.
    shift = 0.25
    delta = 2 * float(norm.cdf(shift / 2)) - 1
    p, q = shifted(64)(shift)
    n, draws = 1_000, 3_000
    overshoot = OVERSHOOT / math.sqrt(64)
    effective = n * REFERENCE_ROWS / (n + REFERENCE_ROWS)
    scores = [
        ks_grid(before, now)[0]
        for before, now in zip(
            rng.multinomial(REFERENCE_ROWS, p, draws), rng.multinomial(n, q, draws), strict=True
        )
    ]
    p_values = np.array([ks_min_effect_p_value(s, effective, delta, overshoot=overshoot) for s in scores])
    assert 0 < float((p_values <= 0.05).mean()) <= 0.05
    # Half of this distance is found every time.
    halves = [ks_min_effect_p_value(s, effective, delta / 4, overshoot=overshoot) for s in scores]
    assert float((np.array(halves) <= 0.05).mean()) > 0.8


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_ks_version_rises_with_what_is_granted(ks: float, delta: float) -> None:
    free = ks_min_effect_p_value(ks, 500.0, 0.0, overshoot=0.07)
    assert free <= ks_min_effect_p_value(ks, 500.0, delta, overshoot=0.07) <= 1
