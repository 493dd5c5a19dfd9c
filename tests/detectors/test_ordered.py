"""Grid Kolmogorov-Smirnov against scipy on the raw rows."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import kolmogorov, zeta
from scipy.stats import ks_2samp

from detectors.ordered import (
    OVERSHOOT,
    KolmogorovSmirnov,
    atom_bins,
    ks_grid,
    ks_grid_p_value,
)
from detectors.testing.summaries import frozen_floats, frozen_ints, nudged, numeric, numeric_pairs

Pair = tuple[list[float], list[float], list[float]]


def raw_ks(reference: list[float], current: list[float]) -> float:
    with warnings.catch_warnings():
        # The statistic is exact; it is the asymptotic p-value, not used here, that tiny samples break.
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(ks_2samp(reference, current, method="asymp").statistic)


@given(numeric_pairs(), st.booleans())
def test_the_raw_statistic_is_within_the_bound(pair: Pair, moments: bool) -> None:  # noqa: FBT001
    before, now, edges = pair
    reference = numeric(before, edges, moments=moments)
    current = numeric(now, edges, moments=moments)
    reading = KolmogorovSmirnov().compare(reference, current)
    assert reading.score is not None
    assert reading.bound is not None
    exact = raw_ks(before, now)
    assert reading.score - 1e-12 <= exact <= reading.score + reading.bound + 1e-12
    # The published bound is never looser than the largest share that both sides have in one bin.
    p, q = reference.counts / reference.n, current.counts / current.n
    assert reading.bound <= np.minimum(p, q).max() + 1e-12


@given(
    st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=40),
    st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=40),
)
def test_values_with_bins_of_their_own_are_exact(before: list[float], now: list[float]) -> None:
    edges = sorted({edge for value in range(-4, 5) for edge in (float(value), nudged(value, -np.inf))})
    reading = KolmogorovSmirnov().compare(numeric(before, edges), numeric(now, edges))
    assert reading.bound == pytest.approx(0, abs=1e-12)
    assert reading.score == pytest.approx(raw_ks(before, now), abs=1e-12)


def test_known_extremes_close_the_outer_bins() -> None:
    # Zeros are the smallest value, so the first bin holds nothing else, although it is open below.
    before, now, edges = [0.0, 0.0, 0.0], [0.0, 2.0, 2.5, 3.0], [0.0]
    reading = KolmogorovSmirnov().compare(numeric(before, edges), numeric(now, edges))
    blind = KolmogorovSmirnov().compare(
        numeric(before, edges, moments=False), numeric(now, edges, moments=False)
    )
    # D falls to .25 - 1 at the zeros and then only rises to 0.
    assert (reading.score, reading.bound) == (0.75, 0.0)
    # Without the extremes, all of the reference could lie below the first row of the window.
    assert (blind.score, blind.bound) == (0.75, 0.25)


def test_the_bound_is_reached() -> None:
    # All rows of one side below all rows of the other, in one bin of both.
    before, now = [1.0, 2.0], [3.0, 4.0]
    score, bound = ks_grid(frozen_ints([2]), frozen_ints([2]))
    assert (score, bound) == (0.0, raw_ks(before, now))


def test_atom_bins_have_room_for_one_double() -> None:
    edges = frozen_floats([-1.0, nudged(-1.0, np.inf), 0.0, 5e-324, 1.0])
    assert atom_bins(edges).tolist() == [False, True, False, True, False, False]
    assert atom_bins(edges, minimum=-1.0, maximum=nudged(1.0, 2)).tolist() == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    assert atom_bins(np.empty(0), minimum=2.0, maximum=2.0).tolist() == [True]
    # Above the largest double there is nothing finite.
    assert atom_bins(frozen_floats([np.finfo(float).max])).tolist() == [False, True]


def test_the_overshoot_constant() -> None:
    # Siegmund (1979); also Broadie, Glasserman & Kou (1997): -zeta(1/2) / sqrt(2 pi) = 0.5826.
    assert pytest.approx(-float(zeta(0.5)) / math.sqrt(2 * math.pi), rel=1e-12) == OVERSHOOT


def test_p_value_for_many_bins_is_kolmogorovs() -> None:
    # 1.3581 is the 5 % point of Kolmogorov's law (Smirnov 1948, table).
    assert ks_grid_p_value(1.3581 / math.sqrt(500), 1000, 1000, 10**9) == pytest.approx(0.05, abs=1e-4)
    # The correction is worth 0.5826 / sqrt(64) in the argument.
    assert ks_grid_p_value(0.1, 1000, 1000, 64) == kolmogorov(0.1 * math.sqrt(500) + OVERSHOOT / 8)


def test_p_value_at_the_ends() -> None:
    assert ks_grid_p_value(0.0, 5, 5, 1) == 1.0
    assert ks_grid_p_value(0.0, 100_000, 500, 64) == pytest.approx(1.0, abs=1e-12)
    assert 0 <= ks_grid_p_value(1.0, 10**9, 10**9, 64) < 1e-300


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**7), st.integers(1, 10**7), st.integers(1, 300))
def test_p_value_falls_with_the_distance(one: float, other: float, m: int, n: int, bins: int) -> None:
    low, high = sorted((one, other))
    assert ks_grid_p_value(low, m, n, bins) >= ks_grid_p_value(high, m, n, bins)


def test_only_continuous_columns_have_a_p_value() -> None:
    rows, edges = [1.0, 2.0, 3.0], [1.5, 2.5]
    discrete = numeric(rows, edges, continuous=False)
    assert KolmogorovSmirnov().compare(discrete, discrete).p_value is None
    assert KolmogorovSmirnov().compare(numeric(rows, edges), discrete).p_value is not None


def test_bins_without_rows_are_no_steps_of_the_grid() -> None:
    dense = KolmogorovSmirnov().compare(numeric([1.0, 2.0], [1.5]), numeric([1.0, 1.0], [1.5]))
    padded_edges = [-5.0, -4.0, 1.5, 8.0]
    padded = KolmogorovSmirnov().compare(numeric([1.0, 2.0], padded_edges), numeric([1.0, 1.0], padded_edges))
    assert padded.p_value == dense.p_value
