"""Wasserstein distance on bins against scipy on the raw rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from detectors.base import FloatArray, Kind, Status, Summary
from detectors.testing.summaries import frozen_floats, frozen_ints, numeric, numeric_pairs
from detectors.transport import Wasserstein, wasserstein_grid

Pair = tuple[list[float], list[float], list[float]]


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
