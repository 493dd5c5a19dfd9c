"""Metrics of scores: the AUC within its bound of scikit-learn's, its error against simulation."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from detectors.base import IntArray
from detectors.performance.base import Metric
from detectors.performance.scores import ScoreSums, auc, score_metrics

ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=80)


def histogram(scores: list[float], bins: int) -> IntArray:
    return np.bincount(np.minimum((np.array(scores) * bins).astype(int), bins - 1), minlength=bins)


def auc_of(rows: list[tuple[float, bool]], bins: int) -> Metric:
    return auc(
        histogram([score for score, label in rows if label], bins),
        histogram([score for score, label in rows if not label], bins),
    )


@given(ROWS, st.sampled_from([1, 2, 7, 100]))
def test_the_exact_area_is_within_the_bound(rows: list[tuple[float, bool]], bins: int) -> None:
    scores, labels = zip(*rows, strict=True)
    assume(0 < sum(labels) < len(labels))
    found = auc_of(rows, bins)
    assert found.value is not None
    assert abs(found.value - roc_auc_score(labels, scores)) <= found.bound + 1e-12


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=80))
def test_scores_that_fill_bins_alone_give_the_exact_area(rows: list[tuple[int, bool]]) -> None:
    scores, labels = zip(*rows, strict=True)
    assume(0 < sum(labels) < len(labels))
    found = auc_of([(score / 10 + 0.05, label) for score, label in rows], 10)
    assert found.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_one_class_has_no_area() -> None:
    found = auc(np.array([0, 3]), np.array([0, 0]))
    assert (found.value, found.reason, found.n) == (None, "the labels are all of one class", 3)


def test_no_rows_no_values() -> None:
    empty = np.zeros(4, dtype=np.int64)
    sums = ScoreSums(
        positives=empty,
        negatives=empty,
        log_loss=0.0,
        log_loss_square=0.0,
        square=0.0,
        fourth=0.0,
        calibration_gaps=np.zeros(10),
    )
    assert {metric.value for metric in score_metrics(sums)} == {None}


@pytest.mark.statistical
def test_standard_error_of_the_area_is_that_of_many_windows() -> None:
    """2,000 windows of 400 rows: within 6 % of the deviation between them, whose own error is 1.6 %."""
    rng = np.random.default_rng(11)
    found = []
    for _ in range(2_000):
        labels = rng.random(400) < 0.3
        scores = rng.beta(np.where(labels, 3, 2), np.where(labels, 2, 3))
        found.append(auc_of(list(zip(scores.tolist(), labels.tolist(), strict=True)), 200))
    values = np.array([each.value for each in found], dtype=np.float64)
    errors = np.array([each.error for each in found], dtype=np.float64)
    assert errors.mean() == pytest.approx(values.std(), rel=0.06)
    # The integral of one beta law's distribution function over the other's density is 53/70.
    assert values.mean() == pytest.approx(53 / 70, abs=0.003)
