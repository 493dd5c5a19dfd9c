"""The budget of false alarms, on windows that nothing happened to and references that were drawn."""

import numpy as np
import pytest
from scipy.stats import norm

from detectors.base import FloatArray, IntArray, Kind, Summary
from detectors.multiplicity import e_benjamini_hochberg
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import EDetectors
from detectors.sequential.evalues import FeatureEvidence

BINS = 64
GROUPS = np.arange(BINS) * 10 // BINS


def laws(rng: np.random.Generator, reference: IntArray, columns: int) -> FloatArray:
    """Draw true shares of bins that were cut at quantiles of a reference."""
    return rng.dirichlet(reference, columns)


def evidence(reference: IntArray, columns: int) -> FeatureEvidence:
    summary = Summary(kind=Kind.NUMERIC, counts=reference, groups=GROUPS, continuous=True)
    return FeatureEvidence.prepare(summary, family=columns)


def alarms(
    asked: FeatureEvidence,
    shares: FloatArray,
    rng: np.random.Generator,
    *,
    rows: int,
    budget: Budget,
    windows: int,
) -> int:
    """Moments at which the family alarms."""
    detectors = EDetectors.of([asked.weights] * len(shares))
    state, found = detectors.start(), 0
    arrived = np.ones(len(shares), dtype=np.bool_)
    for _ in range(windows):
        log_e = np.concatenate([asked.log_e(block) for block in rng.multinomial(rows, shares)])
        state = detectors.update(state, log_e, arrived)
        alarmed = e_benjamini_hochberg(detectors.log_values(state), budget.log_threshold)
        state, found = detectors.restart(state, alarmed), found + bool(alarmed.any())
    return found


@pytest.mark.statistical
@pytest.mark.parametrize("rows", [50, 500, 5_000])
def test_false_alarms_stay_within_a_loose_budget(rows: int) -> None:
    # A short reference, and one false alarm allowed in five blocks, so that there is something to be seen.
    columns, windows = 10, 250
    rng = np.random.default_rng([31, rows])
    reference = np.full(BINS, 30)
    budget = Budget(columns=columns, blocks=windows, episodes=windows / 5)
    found = alarms(
        evidence(reference, columns),
        laws(rng, reference, columns),
        rng,
        rows=rows,
        budget=budget,
        windows=windows,
    )
    assert found <= budget.expected(windows)


@pytest.mark.statistical
def test_an_error_of_the_reference_that_is_passed_over_breaks_the_budget() -> None:
    # The same shares, believed to be those of a million rows: every window then seems to have drifted.
    columns, windows = 10, 100
    rng = np.random.default_rng(32)
    budget = Budget(columns=columns, blocks=windows, episodes=windows / 5)
    shares = laws(rng, np.full(BINS, 30), columns)
    believed = evidence(np.full(BINS, 16_000), columns)
    found = alarms(believed, shares, rng, rows=5_000, budget=budget, windows=windows)
    assert found > 2 * budget.expected(windows)


@pytest.mark.slow
@pytest.mark.parametrize("reference_rows", [5_000, 20_000])
def test_one_false_alarm_in_ninety_days_of_hours(reference_rows: int) -> None:
    columns, windows = 50, 10_000
    rng = np.random.default_rng([33, reference_rows])
    reference = np.full(BINS, reference_rows // BINS)
    budget = Budget(columns=columns, blocks=24 * 90, episodes=1)
    found = alarms(
        evidence(reference, columns),
        laws(rng, reference, columns),
        rng,
        rows=500,
        budget=budget,
        windows=windows,
    )
    assert found <= budget.expected(windows)


@pytest.mark.statistical
def test_a_quarter_of_a_deviation_is_found_in_two_windows() -> None:
    # 5 of 50 normal columns move by .25 standard deviations, 20 times; their bins had equal shares.
    columns, drifting = 50, 5
    rng = np.random.default_rng(34)
    reference = np.full(BINS, 312)
    shares = laws(rng, reference, columns)
    edges = norm.ppf(np.arange(BINS + 1) / BINS)
    shares[:drifting] = np.diff(norm.cdf(edges, 0.25))
    asked = evidence(reference, columns)
    detectors = EDetectors.of([asked.weights] * columns)
    threshold = Budget(columns=columns, blocks=24 * 90, episodes=1).log_threshold
    delays: list[float] = []
    for _ in range(20):
        state, first = detectors.start(), np.full(columns, np.inf)
        for window in (1, 2, 3):
            log_e = np.concatenate([asked.log_e(block) for block in rng.multinomial(500, shares)])
            state = detectors.update(state, log_e, np.ones(columns, dtype=np.bool_))
            alarmed = e_benjamini_hochberg(detectors.log_values(state), threshold)
            state = detectors.restart(state, alarmed)
            first[alarmed & np.isinf(first)] = window
        delays += first[:drifting].tolist()
        assert np.isinf(first[drifting:]).all()
    assert np.median(delays) <= 2
