"""Laws of the integrals of a squared Brownian bridge against published points, series and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import chdtrc, gammaln, kv

from detectors.bridge_laws import BridgeLaw, anderson_darling_law, cramer_von_mises_law

LAWS = {"cvm": cramer_von_mises_law(), "ad": anderson_darling_law()}


def csorgo_faraway(x: float) -> float:
    """Distribution function of Cramer-von Mises' law, the series (1.2) of Csorgo & Faraway (1996)."""
    k = np.arange(30)
    y = (4 * k + 1) ** 2 / (16 * x)
    terms = np.exp(gammaln(k + 0.5) - gammaln(0.5) - gammaln(k + 1)) * np.sqrt(4 * k + 1)
    return float((terms * np.exp(-y) * kv(0.25, y)).sum() / (math.pi * math.sqrt(x)))


@pytest.mark.parametrize("x", [0.005, 0.01, 0.03, 0.1, 0.3, 0.7, 1.5, 2.5])
def test_cramer_von_mises_is_the_series_of_csorgo_and_faraway(x: float) -> None:
    # The series gives the distribution function, so its tail is known to 1e-12 and no better.
    assert LAWS["cvm"].tail(x) == pytest.approx(1 - csorgo_faraway(x), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "statistic", "level"),
    [
        # Anderson & Darling (1952), table 1.
        ("cvm", 0.34730, 0.1),
        ("cvm", 0.46136, 0.05),
        ("cvm", 0.74346, 0.01),
        ("cvm", 1.16786, 0.001),
        # Anderson & Darling (1954), to the digits given there.
        ("ad", 1.933, 0.1),
        ("ad", 2.492, 0.05),
    ],
)
def test_published_points(name: str, statistic: float, level: float) -> None:
    assert LAWS[name].tail(statistic) == pytest.approx(level, rel=6e-4)


def test_anderson_darling_is_a_weighted_sum_of_chi_squares() -> None:
    k = np.arange(1, 500)
    draws = np.random.default_rng(1).normal(size=(20_000, k.size)) ** 2 @ (1 / (k * (k + 1.0)))
    for statistic in (0.3, 0.8, 1.5, 2.5, 4.0):
        # What the sum leaves out has the mean 1 / 500.
        share, tail = float((draws + 1 / 500 >= statistic).mean()), LAWS["ad"].tail(statistic)
        assert share == pytest.approx(tail, abs=4 * math.sqrt(tail * (1 - tail) / 20_000))


@pytest.mark.parametrize(
    ("law", "pole", "factor"), [("cvm", math.pi**2, math.sqrt(2)), ("ad", 2.0, math.sqrt(3))]
)
def test_far_out_only_the_first_term_is_left(law: str, pole: float, factor: float) -> None:
    # Zolotarev (1961): the product of (1 - lambda_k / lambda_1)^(-1/2), k >= 2, times the first term's tail.
    for statistic in (400 / pole, 1_000 / pole):
        wanted = factor * float(chdtrc(1, pole * statistic))
        assert LAWS[law].tail(statistic) == pytest.approx(wanted, rel=0.02)
    assert LAWS[law].tail(1e6) == 0


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@given(one=st.floats(0, 50), other=st.floats(0, 50))
def test_a_tail_falls(law: BridgeLaw, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 1 >= law.tail(low) >= law.tail(high) - 1e-12
    assert law.tail(high) >= 0


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("level", [0.9, 0.5, 0.05, 1e-3, 1e-9])
def test_a_quantile_is_where_the_tail_is_its_level(law: BridgeLaw, level: float) -> None:
    assert law.tail(law.quantile(level)) == pytest.approx(level, rel=1e-9)
