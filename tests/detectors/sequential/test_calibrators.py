"""Calibrators against numerical integration and hand-made sums."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from detectors.sequential.calibrators import EXPONENTS, calibrated


def test_integrates_to_one() -> None:
    # Over x = -ln p: the integral of e(p) dp is that of e(exp(-x)) exp(-x) dx; k = .05 reaches far.
    total, error = quad(lambda x: math.exp(float(calibrated(-x)) - x), 0, 1_000, limit=500)
    assert error < 1e-6
    assert total == pytest.approx(1, abs=1e-6)


@given(st.floats(1e-300, 1))
def test_is_the_mean_of_powers(p: float) -> None:
    expected = sum(k * p ** (k - 1) for k in EXPONENTS) / len(EXPONENTS)
    assert math.exp(float(calibrated(math.log(p)))) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.floats(-1e6, 0), min_size=2, max_size=10))
def test_falls_with_p(log_p: list[float]) -> None:
    log_e = calibrated(np.sort(log_p))
    assert np.all(np.diff(log_e) <= 0)
    assert np.all(np.isfinite(log_e))


def test_a_p_value_below_the_doubles_has_its_e_value() -> None:
    # Far out only the smallest power is left: ln(.05 / 5) + .95 * 10,000.
    assert float(calibrated(-10_000)) == pytest.approx(math.log(0.01) + 9_500)
