"""Laws have the moments they name, and shapes put drift where they say."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from flows.scenarios.base import DriftKind, ScenarioError
from flows.scenarios.laws import (
    Beta,
    CategoricalLaw,
    Gamma,
    LogNormal,
    Normal,
    NumericLaw,
    Poisson,
    Sampler,
    Uniform,
    ZeroInflated,
    zipf_shares,
)
from flows.scenarios.shapes import STILL, Shape, gradual, incremental, recurring, sudden
from flows.scenarios.table import Feature


@given(
    rows=st.integers(1, 5000),
    shape=st.sampled_from(
        [STILL, sudden(0.5), gradual(0.4, 0.6), incremental(0.1, 1.0), recurring((0.0, 0.2), (0.5, 0.51))]
    ),
)
def test_strength_is_positive_in_exactly_the_spans(rows: int, shape: Shape) -> None:
    strengths = shape.strengths(np.arange(rows), rows)
    inside = np.zeros(rows, dtype=bool)
    for low, high in shape.row_spans(rows):
        assert 0 <= low < high <= rows
        inside[low:high] = True
    assert np.array_equal(strengths > 0, inside)
    assert strengths.max() <= 1.0


def test_gradual_and_incremental_grow_evenly() -> None:
    # A straight line from row 40 to 60 of 100: half the strength after half the way, all of it after all.
    for shape in (gradual(0.4, 0.6), incremental(0.4, 0.6)):
        strengths = shape.strengths(np.arange(100), 100)
        assert strengths[[39, 49, 59, 60, 99]].tolist() == [0.0, 0.5, 1.0, 1.0, 1.0]


def test_only_incremental_moves_every_row() -> None:
    numbers = np.arange(1000)
    mixed = gradual(0.0, 1.0).levels(np.random.default_rng(1), numbers, 1000)
    moved = incremental(0.0, 1.0).levels(np.random.default_rng(1), numbers, 1000)
    assert set(mixed.tolist()) == {0.0, 1.0}
    assert len(set(moved.tolist())) == 1000
    # Both have mean 1/2; the mixture within five standard errors: 5 * sqrt(1/6 / 1000) = 0.065.
    assert mixed.mean() == pytest.approx(0.5, abs=0.065)


@pytest.mark.parametrize(
    ("sampler", "law"),
    [
        (Normal(3.0, 2.0), scipy.stats.norm(3, 2)),
        (LogNormal(1.0, 0.8), scipy.stats.lognorm(0.8, scale=np.e)),
        (Gamma(2.0, 5.0), scipy.stats.gamma(2, scale=5)),
        (Uniform(-1.0, 4.0), scipy.stats.uniform(-1, 5)),
        (Beta(2.0, 5.0), scipy.stats.beta(2, 5)),
        (Poisson(4.0), scipy.stats.poisson(4)),
    ],
)
def test_samplers_follow_the_law_and_sd_they_name(
    sampler: Sampler, law: "scipy.stats.distributions.rv_frozen"
) -> None:
    drawn = sampler.draw(np.random.default_rng(8), 20_000)
    assert sampler.sd == pytest.approx(law.std())
    # Two samples, because KS is then conservative, not wrong, for the Poisson, whose law is not continuous.
    oracle = law.rvs(size=20_000, random_state=np.random.default_rng(9))
    assert scipy.stats.ks_2samp(drawn, oracle).pvalue > 1e-4
    # Five standard errors of the mean.
    assert drawn.mean() == pytest.approx(law.mean(), abs=5 * law.std() / np.sqrt(20_000))


def test_zero_inflated_sd_is_that_of_the_mixture() -> None:
    positive = scipy.stats.lognorm(0.5, scale=np.exp(1.5))
    # Var = E[X^2] - E[X]^2 with E over 30 % lognormal and 70 % zeros.
    variance = 0.3 * positive.moment(2) - (0.3 * positive.mean()) ** 2
    sampler = ZeroInflated(0.7, LogNormal(1.5, 0.5))
    assert sampler.sd == pytest.approx(np.sqrt(variance))
    zeros = float(np.mean(sampler.draw(np.random.default_rng(2), 20_000) == 0.0))
    # Five standard errors: 5 * sqrt(0.7 * 0.3 / 20,000) = 0.016.
    assert zeros == pytest.approx(0.7, abs=0.016)


def test_zipf_shares_fall_as_one_over_rank() -> None:
    # 1 + 1/2 + 1/3 = 11/6.
    assert zipf_shares(3) == pytest.approx((6 / 11, 3 / 11, 2 / 11))


@pytest.mark.parametrize(
    ("spans", "full_from"),
    [
        (((0.5, 0.4),), None),
        (((0.1, 0.5), (0.4, 0.6)), None),
        (((0.5, 1.5),), None),
        (((0.2, 0.5),), 0.1),
        ((), 0.5),
    ],
)
def test_shapes_out_of_order_are_refused(
    spans: tuple[tuple[float, float], ...], full_from: float | None
) -> None:
    with pytest.raises(ScenarioError, match="wanted"):
        Shape(kind=DriftKind.SUDDEN, spans=spans, full_from=full_from)


def test_laws_and_shapes_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ScenarioError, match="sum to 1"):
        CategoricalLaw(levels=("a", "b"), shares=(0.5, 0.4))
    with pytest.raises(ScenarioError, match="sum to 1"):
        CategoricalLaw(levels=("a", "b"), shares=(0.5, 0.5), drifted=(1.0,))
    with pytest.raises(ScenarioError, match="feature x: shape sudden"):
        Feature(name="x", law=NumericLaw(sampler=Normal(0.0, 1.0)), shape=sudden(0.5), description="")
    with pytest.raises(ScenarioError, match="feature x: shape none"):
        Feature(name="x", law=NumericLaw(sampler=Normal(0.0, 1.0), shift_sd=1.0), description="")
