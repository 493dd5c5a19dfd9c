"""Metrics of numeric predictions against scikit-learn's, their errors against simulation."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics

from detectors.base import FloatArray
from detectors.performance.base import Metric
from detectors.performance.residuals import (
    IntervalSums,
    ResidualMoments,
    interval_metrics,
    residual_metrics,
)

NUMBERS = st.integers(-1_000, 1_000).map(lambda number: number / 8)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=50)


def moments_of(labels: FloatArray, predicted: FloatArray) -> ResidualMoments:
    """Take the moments the slow and obvious way."""
    error, around = predicted - labels, labels - labels.mean()
    some = labels != 0
    share = np.abs(error[some] / labels[some])
    return ResidualMoments(
        n=len(labels),
        mean=float(error.mean()),
        absolute=float(np.abs(error).mean()),
        square=float((error**2).mean()),
        fourth=float((error**4).mean()),
        label_variance=float((around**2).mean()),
        label_fourth=float((around**4).mean()),
        covariance=float((error**2 * around**2).mean() - (error**2).mean() * (around**2).mean()),
        percentage_n=int(some.sum()),
        percentage=float(share.mean()) if some.any() else 0.0,
        percentage_square=float((share**2).mean()) if some.any() else 0.0,
    )


def metrics_of(labels: FloatArray, predicted: FloatArray) -> dict[str, Metric]:
    return {each.name: each for each in residual_metrics(moments_of(labels, predicted))}


@given(ROWS)
def test_equal_scikit_learn(rows: list[tuple[float, float]]) -> None:
    labels, predicted = (np.array(side) for side in zip(*rows, strict=True))
    assume(np.ptp(labels) > 0 and np.all(labels != 0))
    found = {name: metric.value for name, metric in metrics_of(labels, predicted).items()}
    wanted = {
        "mae": metrics.mean_absolute_error(labels, predicted),
        "rmse": metrics.root_mean_squared_error(labels, predicted),
        "mape": metrics.mean_absolute_percentage_error(labels, predicted),
        "r2": metrics.r2_score(labels, predicted),
        "bias": float(np.mean(predicted - labels)),
    }
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_what_does_not_exist_says_why() -> None:
    found = metrics_of(np.zeros(3), np.ones(3))
    assert (found["r2"].value, found["r2"].reason) == (None, "the labels do not vary")
    assert (found["mape"].value, found["mape"].reason) == (None, "every label is 0")
    assert found["rmse"].value == 1.0
    nothing = interval_metrics(IntervalSums(n=0, covered=0, width=0.0, width_square=0.0))
    assert [each.reason for each in nothing] == ["no row has both an interval and a label"] * 2


def test_perfect_predictions_have_no_error() -> None:
    labels = np.array([1.0, 2.0, 4.0])
    assert {name: each.error for name, each in metrics_of(labels, labels).items()} == dict.fromkeys(
        ("mae", "rmse", "mape", "r2", "bias"), 0.0
    )


@pytest.mark.statistical
def test_standard_errors_are_those_of_many_windows() -> None:
    """4,000 windows of 500 rows: errors within 8 % of their deviation, whose own error is 1.1 %."""
    rng = np.random.default_rng(5)
    windows = []
    for _ in range(4_000):
        labels = rng.normal(50.0, 8.0, 500)
        windows.append(metrics_of(labels, labels + rng.normal(1.0, 3.0, 500)))
    for name in windows[0]:
        values = np.array([window[name].value for window in windows], dtype=np.float64)
        errors = np.array([window[name].error for window in windows], dtype=np.float64)
        assert errors.mean() == pytest.approx(values.std(), rel=0.08), name
