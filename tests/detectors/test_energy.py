"""Energy distance from bins and sums against scipy on the raw rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import energy_distance

from detectors.base import Status
from detectors.energy import EnergyDistance
from detectors.testing.summaries import nudged, numeric, numeric_pairs

Pair = tuple[list[float], list[float], list[float]]


@given(numeric_pairs())
def test_the_raw_distance_is_within_the_bound(pair: Pair) -> None:
    before, now, edges = pair
    reading = EnergyDistance().compare(numeric(before, edges), numeric(now, edges))
    assert reading.score is not None
    assert reading.bound is not None
    exact = float(energy_distance(before, now))
    # The square of the distance carries the rounding of the sums, so near 0 the distance carries its root.
    rounding = 1e-7 * math.sqrt(max(1.0, *map(abs, before), *map(abs, now)))
    assert reading.score - rounding <= exact <= reading.score + reading.bound + rounding


def test_values_with_bins_of_their_own_are_exact() -> None:
    rng = np.random.default_rng(1)
    before, now = rng.integers(-4, 5, 200).astype(float), rng.integers(-3, 7, 60).astype(float)
    edges = sorted({edge for value in range(-4, 7) for edge in (float(value), nudged(value, -np.inf))})
    reading = EnergyDistance().compare(numeric(before, edges), numeric(now, edges))
    assert reading.score == pytest.approx(float(energy_distance(before, now)), rel=1e-9)
    assert reading.bound == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("bins", "bound"), [(16, 0.7), (64, 0.06), (256, 0.01)])
def test_the_bound_falls_with_the_width_of_the_bins(bins: int, bound: float) -> None:
    rng = np.random.default_rng(2)
    before, now = rng.normal(size=8_000), rng.normal(0.25, 1.0, 1_000)
    edges = np.quantile(before, np.arange(1, bins) / bins)
    reading = EnergyDistance().compare(numeric(before, edges), numeric(now, edges))
    assert reading.score is not None
    assert reading.bound is not None
    assert reading.bound < bound * reading.score
    exact = float(energy_distance(before, now))
    assert reading.score <= exact <= reading.score + reading.bound


def test_two_single_values_are_as_far_as_the_root_of_twice_their_distance() -> None:
    reading = EnergyDistance().compare(numeric([1.0, 1.0], [2.0]), numeric([9.0], [2.0]))
    assert reading.score is not None
    assert reading.bound is not None
    # All between them: F - G is 1 from 1 to 9, and the bins see that their sums leave no other way.
    assert reading.score == pytest.approx(math.sqrt(16.0), rel=1e-12)
    assert reading.bound == pytest.approx(0, abs=1e-9)


def test_moments_are_needed() -> None:
    before, now = numeric([1.0, 2.0], [1.5]), numeric([1.0, 3.0], [1.5], moments=False)
    reading = EnergyDistance().compare(before, now)
    assert (reading.status, reading.reason) == (
        Status.UNAVAILABLE,
        "a side has no moments, or the distance overflows",
    )
