"""Shifts of ranks against brute force over all permutations."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from scipy.special import ndtri

from detectors.base import Status
from detectors.ranks import RankMean, RankScale, normal_scores, rank_shift
from detectors.testing.summaries import count_pairs, frozen_ints, numeric


def brute_force(reference: list[int], current: list[int], *, squared: bool) -> float:
    """Standardise the difference of mean scores by its deviation over all ways of dealing the rows."""
    pooled = [place for place, rows in enumerate(np.add(reference, current)) for _ in range(rows)]
    ranks = [(pooled.index(place) + len(pooled) - pooled[::-1].index(place)) / 2 for place in pooled]
    scores = ndtri(np.array(ranks) / len(pooled)) ** (2 if squared else 1)
    n = sum(current)

    def difference(chosen: tuple[int, ...]) -> float:
        mine = scores[list(chosen)]
        return float(mine.mean() - (scores.sum() - mine.sum()) / (len(pooled) - n))

    dealt = [difference(chosen) for chosen in combinations(range(len(pooled)), n)]
    starts = np.cumsum([0, *np.add(reference, current)])
    mine = tuple(int(starts[place]) + each for place, rows in enumerate(current) for each in range(rows))
    return difference(mine) / float(np.std(dealt))


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize(
    ("reference", "current"),
    [([3, 2, 1], [1, 2, 3]), ([4, 0, 2, 1], [1, 1, 0, 3]), ([1, 1, 1, 1, 1], [0, 0, 1, 1, 1])],
)
def test_standard_errors_are_those_of_all_permutations(
    reference: list[int], current: list[int], *, squared: bool
) -> None:
    found = rank_shift(frozen_ints(reference), frozen_ints(current), squared=squared)
    assert found is not None
    assert found.z == pytest.approx(brute_force(reference, current, squared=squared), rel=1e-9)


@given(count_pairs())
def test_sides_change_the_sign(pair: tuple[list[int], list[int]]) -> None:
    reference, current = frozen_ints(pair[0]), frozen_ints(pair[1])
    for squared in (False, True):
        forth = rank_shift(reference, current, squared=squared)
        back = rank_shift(current, reference, squared=squared)
        assert (forth is None) == (back is None)
        if forth is not None and back is not None:
            assert forth.z == pytest.approx(-back.z, rel=1e-9, abs=1e-9)


@given(count_pairs())
def test_ranks_turned_round_change_the_sign_of_the_mean_and_not_of_the_scale(
    pair: tuple[list[int], list[int]],
) -> None:
    reference, current = frozen_ints(pair[0]), frozen_ints(pair[1])
    for squared, sign in ((False, -1), (True, 1)):
        there = rank_shift(reference, current, squared=squared)
        turned = rank_shift(frozen_ints(pair[0][::-1]), frozen_ints(pair[1][::-1]), squared=squared)
        # The scores of a nearly constant column vary by a rounding error.
        if there is not None and turned is not None:
            assert turned.z == pytest.approx(sign * there.z, rel=1e-6, abs=1e-6)


def test_normal_scores_are_quantiles_of_the_middle_ranks() -> None:
    assert normal_scores(frozen_ints([1, 1])) == pytest.approx([-0.6745, 0.6745], abs=1e-4)


@pytest.mark.parametrize(
    ("mean", "deviation", "moved", "still"), [(0.5, 1.0, "mean", "scale"), (0.0, 2.0, "scale", "mean")]
)
def test_each_sees_its_own_shift(mean: float, deviation: float, moved: str, still: str) -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=8_000)
    edges = np.quantile(rows, np.arange(1, 64) / 64)
    reference, current = numeric(rows, edges), numeric(rng.normal(mean, deviation, 300), edges)
    readings = {
        "mean": RankMean().compare(reference, current),
        "scale": RankScale().compare(reference, current),
    }
    found = readings[moved].score
    assert found is not None
    assert found > 5
    assert readings[still].score == pytest.approx(0, abs=3)


def test_values_far_out_weigh_no_more_than_their_rank() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=4_000)
    edges = np.quantile(rows, np.arange(1, 32) / 32)
    far = np.append(rng.normal(size=199), 1e9)
    near = np.append(far[:-1], 5.0)
    reference = numeric(rows, edges)
    for detector in (RankMean(), RankScale()):
        assert detector.compare(reference, numeric(far, edges)) == detector.compare(
            reference, numeric(near, edges)
        )


def test_few_rows_have_no_p_value_and_say_how_many_they_need() -> None:
    edges = [0.5]
    reference = numeric([0.0] * 990 + [1.0] * 10, edges)
    reading = RankMean().compare(reference, numeric([0.0] * 99 + [1.0], edges))
    assert reading.p_value is None
    # Shares of .99 and .01: skewness 9.85, excess kurtosis 95.01; 11.3 and 7.6 rows for each unit.
    assert reading.reason == "ranks like these need 1811 independent rows on either side"
    assert RankMean().limit(reference, 100, 0.05) is None


def test_what_does_not_vary_has_no_shift() -> None:
    one = numeric([1.0, 1.0], [2.0])
    assert RankMean().compare(one, one).status is Status.UNAVAILABLE
    # Two equal halves have one squared score.
    halves = numeric([1.0, 3.0], [2.0])
    assert RankMean().compare(halves, halves).status is Status.OK
    assert RankScale().compare(halves, halves).reason == "squared ranks do not vary"
