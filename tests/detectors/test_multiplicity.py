"""Benjamini-Hochberg against scipy's, and on e-values against its definition."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from detectors.multiplicity import (
    Correction,
    PValueError,
    benjamini_hochberg,
    e_benjamini_hochberg,
    family_q_values,
)
from detectors.testing.summaries import frozen_floats

P_VALUES = st.lists(
    st.floats(0, 1) | st.sampled_from([0.0, 1e-300, 0.01, 0.05, 1.0]), min_size=1, max_size=40
)


@given(P_VALUES)
def test_equals_scipy(p_values: list[float]) -> None:
    adjusted = benjamini_hochberg(frozen_floats(p_values))
    assert adjusted == pytest.approx(false_discovery_control(p_values, method="bh"), rel=1e-12)


@given(P_VALUES)
def test_bonferroni_multiplies_and_no_correction_does_nothing(p_values: list[float]) -> None:
    family: list[float | None] = [*p_values, None]
    assert family_q_values(family, Correction.NONE) == family
    q_values = family_q_values(family, Correction.BONFERRONI)
    # Who could not be judged stays in the family.
    assert q_values == [*(pytest.approx(min(1.0, p * len(family))) for p in p_values), None]


@given(P_VALUES)
def test_never_below_the_p_value_and_in_its_ranking(p_values: list[float]) -> None:
    adjusted = benjamini_hochberg(frozen_floats(p_values))
    assert np.all(adjusted >= np.array(p_values))
    assert np.all(adjusted <= 1)
    assert np.all(np.diff(adjusted[np.argsort(p_values)]) >= 0)


@given(P_VALUES, st.randoms(use_true_random=False))
def test_the_order_of_features_means_nothing(p_values: list[float], random: Random) -> None:
    order = list(range(len(p_values)))
    random.shuffle(order)
    shuffled = benjamini_hochberg(frozen_floats([p_values[each] for each in order]))
    assert shuffled.tolist() == benjamini_hochberg(frozen_floats(p_values))[order].tolist()


def test_example_of_the_paper() -> None:
    # Benjamini & Hochberg (1995), section 4.1: at .05 the four smallest of these fifteen are declared.
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    p_values += [0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    assert int((benjamini_hochberg(frozen_floats(p_values)) <= 0.05).sum()) == 4


def test_no_tests_no_values() -> None:
    assert benjamini_hochberg(np.empty(0)).shape == (0,)


@pytest.mark.parametrize("bad", [-0.01, 1.01, np.nan, np.inf])
def test_a_number_that_is_no_p_value_is_refused(bad: float) -> None:
    with pytest.raises(PValueError, match="at index 1 is not in"):
        benjamini_hochberg(np.array([0.5, bad, 0.2]))


def test_a_table_is_refused() -> None:
    with pytest.raises(PValueError, match=r"shape \(2, 2\)"):
        benjamini_hochberg(np.zeros((2, 2)))


LOG_VALUES = st.lists(st.floats(-5, 8) | st.sampled_from([-math.inf, 0.0, 3.0]), max_size=12)


@given(LOG_VALUES, st.floats(0, 5))
def test_e_values_by_definition(log_m: list[float], log_threshold: float) -> None:
    # The k largest, for the largest k with k values of at least K c / k.
    found = e_benjamini_hochberg(np.array(log_m), log_threshold)
    count = len(log_m)
    limits = [log_threshold + np.log(count / k) for k in range(1, count + 1)]
    chosen = [k for k in range(1, count + 1) if sum(value >= limits[k - 1] for value in log_m) >= k]
    assert found.sum() == max(chosen, default=0)
    if chosen:
        assert min(np.array(log_m)[found]) >= max(np.array(log_m)[~found], default=-math.inf)


@given(LOG_VALUES.filter(bool), st.floats(0, 5))
def test_an_alarm_takes_at_least_what_the_budget_counts_with(
    log_m: list[float], log_threshold: float
) -> None:
    found = e_benjamini_hochberg(np.array(log_m), log_threshold)
    if found.any():
        taken = np.exp(np.array(log_m)[found]).sum()
        assert taken >= len(log_m) * math.exp(log_threshold) * (1 - 1e-9)


def test_one_e_value_of_many_has_to_reach_their_number_times_the_threshold() -> None:
    assert e_benjamini_hochberg(np.log([999.0] + [0.01] * 9), math.log(100)).sum() == 0
    assert e_benjamini_hochberg(np.log([1001.0] + [0.01] * 9), math.log(100)).sum() == 1
    assert e_benjamini_hochberg(np.log([101.0] * 10), math.log(100)).sum() == 10
