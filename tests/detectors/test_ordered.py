"""Grid Kolmogorov-Smirnov and Wasserstein against scipy on the raw rows."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import kolmogorov, zeta
from scipy.stats import ks_2samp, wasserstein_distance

from detectors.base import FloatArray, Kind, Status, Summary
from detectors.ordered import (
    OVERSHOOT,
    KolmogorovSmirnov,
    Wasserstein,
    atom_bins,
    ks_grid,
    ks_grid_p_value,
    wasserstein_grid,
)
from tests.detectors.summaries import frozen_floats, frozen_ints, nudged, numeric, numeric_pairs

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


def crosses_inside_a_bin(before: list[float], now: list[float], edges: list[float]) -> bool:
    """Whether F - G takes both signs between two edges; the slow way, over all rows."""
    points = np.unique([*before, *now])
    below = np.searchsorted(np.sort(before), points, side="right") / len(before)
    gap = below - np.searchsorted(np.sort(now), points, side="right") / len(now)
    # The gap holds from its point to the next one, across every bin in between.
    spans: dict[int, set[float]] = {}
    for left, right, value in zip(points[:-1], points[1:], gap[:-1], strict=True):
        # A double just above `left` is in the first bin of the span; `right` itself is in the last.
        first = int(np.searchsorted(edges, left, side="right"))
        last = int(np.searchsorted(edges, right, side="left"))
        for each in range(first, last + 1):
            spans.setdefault(each, set()).add(float(np.sign(round(value, 12))))
    return any({-1.0, 1.0} <= signs for signs in spans.values())


def scale(*sides: list[float]) -> float:
    return max(1.0, *(abs(each) for side in sides for each in side))


@given(numeric_pairs())
def test_wasserstein_is_never_above_the_raw_one(pair: Pair) -> None:
    before, now, edges = pair
    exact = float(wasserstein_distance(before, now))
    distance = wasserstein_grid(numeric(before, edges), numeric(now, edges))
    assert distance is not None
    assert distance <= exact + 1e-9 * scale(before, now)
    # At least the difference of the means: the areas add up to it.
    assert distance >= abs(np.mean(before) - np.mean(now)) - 1e-9 * scale(before, now)
    if not crosses_inside_a_bin(before, now, edges):
        assert distance == pytest.approx(exact, rel=1e-9, abs=1e-9 * scale(before, now))


@given(numeric_pairs(), st.floats(0, 1e6))
def test_wasserstein_of_a_shift_is_the_shift(pair: Pair, shift: float) -> None:
    rows, _, edges = pair
    distance = wasserstein_grid(numeric(rows, edges), numeric([each + shift for each in rows], edges))
    assert distance == pytest.approx(shift, rel=1e-9, abs=1e-9 * scale(rows, [shift]))


def test_wasserstein_of_heavy_tails_beyond_the_edges() -> None:
    rng = np.random.default_rng(7)
    before, now = rng.pareto(2.5, 4_000), rng.pareto(2.5, 1_000) * 1.5
    edges = np.unique(np.quantile(before, np.arange(1, 64) / 64))
    distance = wasserstein_grid(numeric(before, edges), numeric(now, edges))
    # A scale-up moves every quantile up, so F - G keeps its sign and the tails are exact.
    assert distance == pytest.approx(float(wasserstein_distance(before, now)), rel=1e-3)


def without_moments(rows: list[float], edges: list[float]) -> Summary:
    return numeric(rows, edges, moments=False)


def test_wasserstein_needs_moments_on_both_sides() -> None:
    rows, edges = [1.0, 2.0], [1.5]
    for reference, current in (
        (without_moments(rows, edges), numeric(rows, edges)),
        (numeric(rows, edges), without_moments(rows, edges)),
    ):
        reading = Wasserstein().compare(reference, current)
        assert (reading.status, reading.score) == (Status.UNAVAILABLE, None)


def test_a_distance_beyond_the_doubles_is_unavailable() -> None:
    huge: FloatArray = frozen_floats([-1.5e308, 1.5e308])
    side = numeric([0.0], [0.0])
    assert side.moments is not None
    stretched = Summary(
        kind=Kind.NUMERIC,
        counts=frozen_ints([1, 1]),
        groups=side.groups,
        continuous=True,
        edges=side.edges,
        moments=type(side.moments)(
            bin_sums=huge, mean=0.0, variance=1.0, minimum=float(huge[0]), maximum=float(huge[1])
        ),
    )
    other = numeric([-1.0, -2.0, 5.0], [0.0])
    reading = Wasserstein().compare(stretched, other)
    # Half of all rows is 1.5e308 away from the others on each side: a distance of 1.5e308 is still a double.
    assert reading.score == pytest.approx(1.5e308, rel=1e-9)
    one_sided = Summary(
        kind=Kind.NUMERIC,
        counts=frozen_ints([0, 2]),
        groups=side.groups,
        continuous=True,
        edges=frozen_floats([-1.7e308]),
        moments=type(side.moments)(
            bin_sums=frozen_floats([0.0, 1.7e308]), mean=8.5e307, variance=1.0, minimum=0.0, maximum=1.7e308
        ),
    )
    far = numeric([-1.75e308], [-1.7e308])
    assert Wasserstein().compare(one_sided, far).status is Status.UNAVAILABLE
