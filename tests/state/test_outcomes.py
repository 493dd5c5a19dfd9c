"""Metrics from merged counters against scikit-learn's on the same rows, and rows that cannot be used."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.calibration import calibration_curve

from detectors.base import FloatArray, IntArray
from detectors.performance.base import METRICS, Task
from state.joined import Count
from state.outcome_fields import OutcomeFields, Outcomes
from state.outcome_metrics import confusion, metrics_of
from state.outcomes import OutcomeLayout, Use
from tests.state.outcome_rows import CLASS_FIELDS, NUMBER_FIELDS, Rows, column, joined, total

BINARY = OutcomeLayout(task=Task.BINARY, classes=("no", "yes"), positive=1, scored=True)
NUMBERS = OutcomeLayout(task=Task.REGRESSION, intervals=True, center=200_000.0, unit=2.0**17)

rng = np.random.default_rng(13)


def scored_rows(n: int) -> tuple[Rows, IntArray, FloatArray]:
    truth = rng.random(n) < 0.3
    score = np.round(rng.beta(np.where(truth, 4, 1), 3), 6)
    score[:4] = [0.0, 1.0, 1e-9, 0.1]
    rows = Rows(
        numeric={"score": score},
        categorical={
            "predicted": ["yes" if s >= 0.6 else "no" for s in score],
            "label": ["yes" if t else "no" for t in truth],
        },
    )
    return rows, truth.astype(np.int64), score


def counted(outcomes: Outcomes, rows: Rows, panes: IntArray) -> IntArray:
    known = panes + rng.integers(0, 3, len(panes))
    return total(outcomes.layout, outcomes.layout.partial("a", joined(outcomes, rows, known, panes)))


def test_scores_equal_scikit_learn() -> None:
    rows, truth, score = scored_rows(5_000)
    counters = counted(Outcomes(layout=BINARY, fields=CLASS_FIELDS), rows, rng.integers(0, 5, 5_000))
    found = {metric.name: metric for metric in metrics_of(BINARY, counters)}
    assert tuple(found) == METRICS[Task.BINARY]
    predicted = score >= 0.6
    each = metrics.precision_recall_fscore_support(truth, predicted, average="binary")
    # Ten bins of equal width, each with its share of the rows.
    at = np.searchsorted(np.linspace(0, 1, 11)[1:-1], score)
    share = np.bincount(at, minlength=10) / len(score)
    observed, mean = calibration_curve(truth, score, n_bins=10)
    wanted = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "precision": each[0],
        "recall": each[1],
        "f1": each[2],
        "log_loss": metrics.log_loss(truth, score),
        "brier": metrics.brier_score_loss(truth, score),
        "calibration_error": float(share[share > 0] @ np.abs(observed - mean)),
    }
    assert {name: found[name].value for name in wanted} == pytest.approx(wanted, rel=1e-9)
    area = found["roc_auc"]
    assert area.value is not None
    assert abs(area.value - metrics.roc_auc_score(truth, score)) <= area.bound < 0.005


def test_numbers_equal_scikit_learn() -> None:
    label = rng.normal(210_000.0, 30_000.0, 4_000)
    predicted = label + rng.normal(500.0, 300.0, 4_000)
    rows = Rows(
        numeric={
            "predicted": predicted,
            "label": label,
            "low": predicted - 600,
            "high": predicted + rng.uniform(400, 600, 4_000),
        }
    )
    counters = counted(Outcomes(layout=NUMBERS, fields=NUMBER_FIELDS), rows, rng.integers(0, 5, 4_000))
    found = {metric.name: metric.value for metric in metrics_of(NUMBERS, counters)}
    assert tuple(found) == METRICS[Task.REGRESSION]
    low, high = rows.numeric["low"], rows.numeric["high"]
    assert found == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(label, predicted),
            "rmse": metrics.root_mean_squared_error(label, predicted),
            "mape": metrics.mean_absolute_percentage_error(label, predicted),
            "r2": metrics.r2_score(label, predicted),
            "bias": float(np.mean(predicted - label)),
            "coverage": float(np.mean((low <= label) & (label <= high))),
            "interval_width": float(np.mean(high - low)),
        },
        rel=1e-9,
    )


@settings(max_examples=25)
@given(st.lists(st.integers(1, 199), max_size=4, unique=True), st.integers(0, 2**32))
def test_counters_do_not_depend_on_cuts_or_order(cuts: list[int], seed: int) -> None:
    rows, _, _ = scored_rows(200)
    outcomes = Outcomes(layout=BINARY, fields=CLASS_FIELDS)
    predictions, labels = outcomes.prediction_payload(rows), outcomes.label_payload(rows)
    panes, known = rng.integers(0, 3, 200), rng.integers(3, 6, 200)
    order = np.random.default_rng(seed).permutation(200)
    whole = dict(_cells(BINARY, known, panes, predictions, labels))
    added: dict[tuple[int, int], IntArray] = {}
    for part in np.split(order, sorted(cuts)):
        for key, counters in _cells(BINARY, known[part], panes[part], predictions[part], labels[part]):
            added[key] = added.get(key, 0) + counters
    assert sorted(added) == sorted(whole)
    assert all(np.array_equal(added[key], whole[key]) for key in whole)


def _cells(
    layout: OutcomeLayout, known: IntArray, panes: IntArray, predictions: FloatArray, labels: FloatArray
) -> list[tuple[tuple[int, int], IntArray]]:
    found = layout.sketches(known, panes, predictions, labels)
    return [((at, of), sketch.counters) for at, of, sketch in found]


def test_rows_that_cannot_be_used_say_why() -> None:
    rows = Rows(
        numeric={"score": np.array([0.9, 0.9, 0.9, 0.9, np.nan, 1.5, np.inf])},
        categorical={
            "predicted": ["yes", "yes", "maybe", None, "yes", "yes", "no"],
            "label": [None, "never", "no", "no", "yes", "yes", "no"],
        },
    )
    outcomes = Outcomes(layout=BINARY, fields=CLASS_FIELDS)
    counters = total(
        BINARY, BINARY.partial("a", joined(outcomes, rows, np.zeros(7, np.int64), np.zeros(7, np.int64)))
    )
    assert {use.name: int(counters[use]) for use in Use} == {
        "USED": 3,
        "NO_PREDICTION": 1,
        "NO_LABEL": 1,
        "UNKNOWN_PREDICTION": 1,
        "UNKNOWN_LABEL": 1,
        "OUT_OF_RANGE": 2,
    }
    assert int(counters[Count.PREDICTIONS]) == 7
    assert confusion(BINARY, counters).tolist() == [[1, 0], [0, 2]]
    # The two rows with a known label and a score between 0 and 1.
    assert {m.name: m.n for m in metrics_of(BINARY, counters)}["brier"] == 2


def test_numbers_that_are_too_far_away_are_counted() -> None:
    far = 2.0**19 * 2.0**17
    rows = Rows(
        numeric={
            "predicted": np.array([200_000.0, 0.0, np.nan, 1.0, np.inf]),
            "label": np.array([200_001.0, 2 * far, 1.0, np.nan, 2.0]),
            "low": np.array([199_999.0, 0.0, 0.0, 0.0, 0.0]),
            "high": np.array([np.inf, 0.0, 0.0, 0.0, 0.0]),
        }
    )
    outcomes = Outcomes(layout=NUMBERS, fields=NUMBER_FIELDS)
    counters = total(
        NUMBERS, NUMBERS.partial("a", joined(outcomes, rows, np.zeros(5, np.int64), np.zeros(5, np.int64)))
    )
    uses = (Use.USED, Use.OUT_OF_RANGE, Use.NO_PREDICTION, Use.NO_LABEL)
    assert [int(counters[use]) for use in uses] == [1, 2, 1, 1]
    found = {metric.name: metric for metric in metrics_of(NUMBERS, counters)}
    assert found["mae"].value == 1.0
    # An interval without an end has no width.
    assert (found["coverage"].value, found["coverage"].n) == (None, 0)


def test_without_a_column_of_predictions_the_score_decides() -> None:
    fields = OutcomeFields(score=column("score"), label=column("label"))
    layout = OutcomeLayout(task=Task.BINARY, classes=("0", "1"), scored=True, threshold=0.7)
    rows = Rows(numeric={"score": np.array([0.7, 0.69, np.nan]), "label": np.array([1.0, 1.0, 0.0])})
    payload = Outcomes(layout=layout, fields=fields).prediction_payload(rows)
    assert np.array_equal(payload[:, 0], [1.0, 0.0, np.nan], equal_nan=True)
