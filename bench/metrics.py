"""Metrics from merged counters beside scikit-learn's on the same rows: difference, stated bound, and cost."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve

from bench.measure import say, show
from detectors.base import FloatArray, IntArray
from detectors.performance.base import Metric, Task
from state.joined import Count, Joined
from state.outcome_metrics import metrics_of
from state.outcomes import OutcomeLayout
from state.sketches.base import from_bytes

PANES = 200
"""Panes over which rows are spread: so many sketches are merged."""

BATCH = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Rows of one task, and what scikit-learn makes of them."""

    name: str
    layout: OutcomeLayout
    predictions: FloatArray
    labels: FloatArray
    wanted: Callable[[], dict[str, float]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table per task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(asked.seed)
    for case in (_binary(rng, asked.rows), _multiclass(rng, asked.rows), _regression(rng, asked.rows)):
        _compare(case, rng.integers(0, PANES, asked.rows))


def _compare(case: Case, panes: IntArray) -> None:
    began = perf_counter()
    counters = np.zeros(case.layout.width, dtype=np.int64)
    for start in range(0, len(panes), BATCH):
        part = slice(start, start + BATCH)
        joined = Joined(
            upto=0,
            last=PANES,
            known=panes[part],
            panes=panes[part],
            predictions=case.predictions[part],
            labels=case.labels[part],
            counts=((0, 0, (len(panes[part]), *(0 for _ in list(Count)[1:]))),),
        )
        for *_, data in case.layout.partial("bench", joined)[3]:
            counters += from_bytes(data).counters
    found = metrics_of(case.layout, counters)
    seconds = perf_counter() - began
    wanted = case.wanted()
    show(
        f"{case.name}, {len(panes):,} rows in {PANES} panes",
        ["metric", "driftflow", "scikit-learn", "difference", "allowed", "95 % interval", ""],
        [_row(metric, wanted[metric.name]) for metric in found],
    )
    each = seconds / len(panes) * 1e6
    say(f"{case.layout.width * 8:,} bytes a sketch; counted, merged and read in {each:.2f} us a row\n")


def _row(metric: Metric, wanted: float) -> list[str]:
    assert metric.value is not None  # these rows have all of them
    difference = abs(metric.value - wanted)
    allowed = metric.bound or 1e-9 * abs(wanted)
    return [
        metric.name,
        f"{metric.value:.9g}",
        f"{wanted:.9g}",
        f"{difference:.1e}",
        f"{allowed:.1e}" + (" (bound)" if metric.bound else ""),
        f"{metric.low:.6g} .. {metric.high:.6g}",
        "ok" if difference <= allowed else "TOO FAR",
    ]


def _averages(truth: IntArray, predicted: IntArray) -> dict[str, float]:
    found = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
    }
    for how in ("macro", "weighted"):
        each = metrics.precision_recall_fscore_support(truth, predicted, average=how)
        found |= {f"precision_{how}": each[0], f"recall_{how}": each[1], f"f1_{how}": each[2]}
    return found


def _binary(rng: np.random.Generator, rows: int) -> Case:
    truth = (rng.random(rows) < 0.2).astype(np.int64)
    score = rng.beta(np.where(truth == 1, 3.0, 0.6), np.where(truth == 1, 1.5, 3.0))
    predicted = (score >= 0.5).astype(np.int64)

    def wanted() -> dict[str, float]:
        each = metrics.precision_recall_fscore_support(truth, predicted, average="binary")
        at = np.searchsorted(np.linspace(0, 1, 11)[1:-1], score)
        share = np.bincount(at, minlength=10) / rows
        observed, mean = calibration_curve(truth, score, n_bins=10)
        return _averages(truth, predicted) | {
            "precision": each[0],
            "recall": each[1],
            "f1": each[2],
            "roc_auc": metrics.roc_auc_score(truth, score),
            "log_loss": metrics.log_loss(truth, score),
            "brier": metrics.brier_score_loss(truth, score),
            "calibration_error": float(share[share > 0] @ np.abs(observed - mean)),
        }

    return Case(
        name="binary",
        layout=OutcomeLayout(task=Task.BINARY, classes=("0", "1"), scored=True),
        predictions=np.column_stack([predicted, score]),
        labels=truth[:, None].astype(np.float64),
        wanted=wanted,
    )


def _multiclass(rng: np.random.Generator, rows: int) -> Case:
    truth = rng.choice(5, rows, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    predicted = np.where(rng.random(rows) < 0.8, truth, rng.integers(0, 5, rows))
    return Case(
        name="multiclass",
        layout=OutcomeLayout(task=Task.MULTICLASS, classes=("a", "b", "c", "d", "e")),
        predictions=predicted[:, None].astype(np.float64),
        labels=truth[:, None].astype(np.float64),
        wanted=lambda: _averages(truth, predicted),
    )


def _regression(rng: np.random.Generator, rows: int) -> Case:
    truth = np.exp(rng.normal(12.5, 0.5, rows))
    predicted = truth * np.exp(rng.normal(0.01, 0.1, rows))
    low, high = predicted * 0.85, predicted * 1.2

    def wanted() -> dict[str, float]:
        return {
            "mae": metrics.mean_absolute_error(truth, predicted),
            "rmse": metrics.root_mean_squared_error(truth, predicted),
            "mape": metrics.mean_absolute_percentage_error(truth, predicted),
            "r2": metrics.r2_score(truth, predicted),
            "bias": float(np.mean(predicted - truth)),
            "coverage": float(np.mean((low <= truth) & (truth <= high))),
            "interval_width": float(np.mean(high - low)),
        }

    return Case(
        name="regression",
        layout=OutcomeLayout(task=Task.REGRESSION, intervals=True, center=250_000.0, unit=2.0**17),
        predictions=np.column_stack([predicted, low, high]),
        labels=truth[:, None],
        wanted=wanted,
    )


if __name__ == "__main__":
    main()
