"""E-detectors against their definitions and against the bounds they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import FloatArray
from detectors.multiplicity import e_benjamini_hochberg
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import EDetectors, Recursion

WEIGHTS = (np.array([0.25, 0.75]), np.empty(0), np.array([1.0]))


@given(st.lists(st.lists(st.floats(-3, 3), min_size=3, max_size=3), max_size=8), st.sampled_from(Recursion))
def test_equals_the_sum_or_the_largest_over_all_beginnings(log_e: list[list[float]], kind: Recursion) -> None:
    detectors = EDetectors.of(WEIGHTS, kind)
    state = detectors.start()
    for block in log_e:
        state = detectors.update(state, np.array(block), np.ones(3, dtype=np.bool_))
    # Oracle: products of the e-values from each beginning to the end.
    products = [[math.exp(sum(b[i] for b in log_e[start:])) for start in range(len(log_e))] for i in range(3)]
    gather = sum if kind is Recursion.SR else max
    each = [gather(p) if p else 0.0 for p in products]
    values = np.exp(detectors.log_values(state))
    assert values == pytest.approx([0.25 * each[0] + 0.75 * each[1], 0.0, each[2]], rel=1e-9)


def test_columns_without_a_block_stay_and_alarmed_ones_begin_again() -> None:
    detectors = EDetectors.of(WEIGHTS)
    state = detectors.update(detectors.start(), np.zeros(3), np.array([True, True, True]))
    state = detectors.update(state, np.array([np.nan, np.nan, 1.0]), np.array([False, True, True]))
    assert np.exp(detectors.log_values(state)) == pytest.approx([1, 0, 2 * math.e])
    state = detectors.restart(state, np.array([False, False, True]))
    assert np.exp(detectors.log_values(state)) == pytest.approx([1, 0, 0])


def test_evidence_beyond_the_doubles() -> None:
    detectors = EDetectors.of(WEIGHTS)
    state = detectors.start()
    for _ in range(3):
        state = detectors.update(state, np.array([1e5, -1e5, -1e5]), np.ones(3, dtype=np.bool_))
    assert detectors.log_values(state).tolist() == [pytest.approx(3e5 + math.log(0.25)), -math.inf, -1e5]
    assert detectors.leader(state, 0) == 0


def test_the_leader_is_the_component_with_the_largest_part() -> None:
    detectors = EDetectors.of(WEIGHTS)
    assert detectors.leader(np.log([2.0, 1.0, 9.0]), 0) == 1
    assert detectors.leader(np.log([4.0, 1.0, 9.0]), 0) == 0


def fair(rng: np.random.Generator, size: tuple[int, ...]) -> FloatArray:
    """Draw logarithms of e-values whose expectation is exactly 1."""
    return rng.normal(size=size) * 1.5 - 1.5**2 / 2


@pytest.mark.statistical
@pytest.mark.parametrize("kind", Recursion)
def test_the_mean_time_to_a_false_alarm_is_at_least_the_threshold(kind: Recursion) -> None:
    # Two thousand detectors side by side, each with its own alarms at c = 40.
    columns, blocks, threshold = 2_000, 400, 40
    detectors = EDetectors.of([np.array([0.5, 0.5])] * columns, kind)
    rng = np.random.default_rng(11)
    state, alarms = detectors.start(), 0
    for _ in range(blocks):
        state = detectors.update(state, fair(rng, (2 * columns,)), np.ones(columns, dtype=np.bool_))
        alarmed = detectors.log_values(state) >= math.log(threshold)
        state, alarms = detectors.restart(state, alarmed), alarms + int(alarmed.sum())
    assert 0 < alarms <= columns * blocks / threshold


@pytest.mark.statistical
@pytest.mark.parametrize("shared", [0.0, 0.9, 1.0])
def test_false_alarms_of_a_family_stay_within_the_budget(shared: float) -> None:
    # However the columns depend on one another: apart, nearly alike, and all the same.
    columns, families, blocks = 20, 40, 300
    budget = Budget(columns=columns, blocks=blocks, episodes=10)
    detectors = EDetectors.of([np.array([1.0])] * columns)
    rng = np.random.default_rng([12, int(10 * shared)])
    alarms = 0
    for _ in range(families):
        state = detectors.start()
        common = rng.normal(size=(blocks, 1)) * math.sqrt(shared)
        z = common + rng.normal(size=(blocks, columns)) * math.sqrt(1 - shared)
        for block in z:
            state = detectors.update(state, 1.5 * block - 1.5**2 / 2, np.ones(columns, dtype=np.bool_))
            alarmed = e_benjamini_hochberg(detectors.log_values(state), budget.log_threshold)
            state, alarms = detectors.restart(state, alarmed), alarms + bool(alarmed.any())
    promised = families * budget.expected(blocks)
    assert promised == families * 10
    assert 0.02 * promised < alarms <= promised


@given(st.floats(-5, 5), st.floats(0.1, 3))
def test_grows_by_at_most_one_a_block_in_expectation(log_m: float, spread: float) -> None:
    # An e-value of two values with mean exactly 1: exp(s) and exp(-s).
    chance = (1 - math.exp(-spread)) / (math.exp(spread) - math.exp(-spread))
    ones = np.ones(1, dtype=np.bool_)
    for kind in Recursion:
        detectors = EDetectors.of([np.array([1.0])], kind)
        up, down = (
            math.exp(float(detectors.log_values(detectors.update(np.array([log_m]), np.array([e]), ones))[0]))
            for e in (spread, -spread)
        )
        assert chance * up + (1 - chance) * down <= (math.exp(log_m) + 1) * (1 + 1e-9)
