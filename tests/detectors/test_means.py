"""When the mean is held to be normal, and what its p-value then is."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import norm

from detectors.base import FloatArray, Summary
from detectors.calibration import Calibration, Tails, measure_tails
from detectors.means import MeanShift, rows_for_normal_mean
from detectors.testing.summaries import frozen_floats, numeric

EDGES = frozen_floats([0.0])


def reference_of(rows: FloatArray, tails: Tails | None = None) -> Summary:
    known = tails or measure_tails(rows, EDGES)
    return dataclasses.replace(numeric(rows, EDGES), calibration=Calibration(tails=known))


def with_tails(*, skewness: float = 0.0, excess_kurtosis: float = 0.0) -> Tails:
    return Tails(skewness=skewness, excess_kurtosis=excess_kurtosis, bin_deviations=frozen_floats([1.0, 1.0]))


def test_the_p_value_is_that_of_both_sides_of_the_normal_law() -> None:
    rng = np.random.default_rng(41)
    reference = reference_of(rng.normal(size=5_000))
    reading = MeanShift().compare(reference, numeric(rng.normal(-0.2, 1, 200), EDGES))
    assert reading.score is not None
    assert reading.score < 0
    assert reference.calibration is not None
    assert reference.calibration.tails is not None
    # Two standard errors of the variance are held back: of 5,000 normal rows, 4 %.
    margin = math.sqrt(1 + 2 * math.sqrt((reference.calibration.tails.excess_kurtosis + 2) / 5_000))
    assert margin == pytest.approx(1.02, abs=2e-3)
    assert reading.p_value == pytest.approx(2 * float(norm.sf(abs(reading.score) / margin)), rel=1e-9)
    assert reading.reason is None
    limit = MeanShift().limit(reference, 200, 0.05)
    assert limit == pytest.approx(float(norm.isf(0.025)) * margin, rel=1e-9)


@pytest.mark.parametrize(
    ("tails", "rows", "reason"),
    [
        # 11.3 x 2 + 7.6 x 1 = 30.2
        (with_tails(skewness=1.0, excess_kurtosis=2.0), 30, "the mean is normal from 31 independent rows on"),
        (with_tails(excess_kurtosis=60.0), 4_000, r"heavy \(excess kurtosis 60\)"),
        # 500 x (40 + 2) rows for the deviation of the reference.
        (with_tails(excess_kurtosis=40.0), 600, "the reference needs 21000 independent rows"),
    ],
)
def test_too_few_rows_for_the_tails_are_told(tails: Tails, rows: int, reason: str) -> None:
    rng = np.random.default_rng(42)
    reference = reference_of(rng.normal(size=1_500), tails)
    reading = MeanShift().compare(reference, numeric(rng.normal(size=rows), EDGES))
    assert reading.score is not None
    assert reading.p_value is None
    assert MeanShift().limit(reference, rows, 0.05) is None
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(reading.reason)


def test_a_reference_that_does_not_know_its_tails_has_no_p_value() -> None:
    rows = frozen_floats([-1.0, 1.0] * 500)
    reading = MeanShift().compare(numeric(rows, EDGES), numeric(rows, EDGES))
    assert reading.p_value is None
    assert reading.reason == "the reference does not know its tails; build it again"


def test_heavier_tails_need_more_rows() -> None:
    assert rows_for_normal_mean(0.0, 0.0) == 30
    # A uniform column has excess kurtosis -1.2: lighter than normal bends the law too, only less.
    assert rows_for_normal_mean(0.0, -1.2) == 30
    assert rows_for_normal_mean(-2.0, 6.0) == 99
