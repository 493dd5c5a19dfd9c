"""Metrics of classes, from the confusion matrix."""

from collections.abc import Callable

import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.elementary import dot
from detectors.performance.base import Metric, unknown
from detectors.performance.intervals import delta_metric, share_metric

_NO_LABELS = "no prediction has a label yet"


def class_metrics(confusion: IntArray) -> list[Metric]:
    """Accuracy, balanced accuracy, and precision, recall and F1 averaged over classes.

    Averages are over the classes that a label or a prediction has, balanced accuracy over those that a label
    has; a class that was never predicted has precision 0. All as scikit-learn has them (`zero_division` 0).

    Parameters
    ----------
    confusion
        Rows by label and predicted class, shape ``(classes, classes)``.

    Notes
    -----
    Accuracy has Wilson's interval. The others are functions f of the cells' shares p, multinomial, with
    variance ``(sum g^2 p - (sum g p)^2) / n``, g the gradient (delta method; for F1 and its averages:
    Takahashi, Yamamoto, Kuchiba & Koyama (2022), Confidence interval for micro-averaged F1 and macro-averaged
    F1 scores, Applied Intelligence 52).
    """
    n = int(confusion.sum())
    if n == 0:
        averages = [f"{each}_{how}" for how in ("macro", "weighted") for each in _PER_CLASS]
        return [unknown(name, 0, _NO_LABELS) for name in ("accuracy", "balanced_accuracy", *averages)]
    accuracy = share_metric("accuracy", float(np.trace(confusion)), n, missing=_NO_LABELS)
    shares = confusion / n
    support = shares.sum(axis=1)
    seen = (support + shares.sum(axis=0)) > 0
    labelled = support > 0
    recalls, gradients = _recall(shares)
    balanced = _average(
        "balanced_accuracy", recalls, gradients, labelled / labelled.sum(), shares=shares, n=n
    )
    found = [accuracy, balanced]
    for how in ("macro", "weighted"):
        for each, per_class in _PER_CLASS.items():
            values, gradients = per_class(shares)
            name = f"{each}_{how}"
            if how == "macro":
                found.append(_average(name, values, gradients, seen / seen.sum(), shares=shares, n=n))
            else:
                # The weights are shares too: each cell of a class adds that class's value to the gradient.
                found.append(
                    _average(name, values, gradients, support, shares=shares, n=n, own=values[:, None])
                )
    return found


def binary_metrics(confusion: IntArray, positive: int) -> list[Metric]:
    """Precision, recall and F1 of the positive class; shape of `confusion` ``(2, 2)``, rows by label.

    Precision and recall have Wilson's interval, given what was predicted or labelled positive.
    """
    hits = int(confusion[positive, positive])
    predicted, labelled = int(confusion[:, positive].sum()), int(confusion[positive].sum())
    n = int(confusion.sum())
    precision = share_metric("precision", hits, predicted, missing="nothing was predicted positive")
    recall = share_metric("recall", hits, labelled, missing="no label is positive")
    if predicted + labelled == 0:
        return [precision, recall, unknown("f1", n, "nothing is positive, neither label nor prediction")]
    shares = confusion / n
    values, gradients = _f1(shares)
    only = np.zeros(len(confusion))
    only[positive] = 1.0
    return [precision, recall, _average("f1", values, gradients, only, shares=shares, n=n)]


def _average(
    name: str,
    values: FloatArray,
    gradients: FloatArray,
    weights: FloatArray,
    *,
    shares: FloatArray,
    n: int,
    own: FloatArray | float = 0.0,
) -> Metric:
    """Average the classes' values; `own` is what the weights add to the gradient, by label."""
    value = float(dot(weights, values))
    gradient = dot(np.moveaxis(gradients, 0, -1), weights) + own
    variance = float((gradient**2 * shares).sum() - (gradient * shares).sum() ** 2) / n
    return delta_metric(name, value, variance, n, least=0.0, most=1.0)


_PerClass = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""From the cells' shares to each class's value and its gradient, shape ``(classes, classes, classes)``."""


def _recall(shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    total = shares.sum(axis=1)
    values = _ratio(np.diag(shares), total)
    gradients = np.zeros((len(shares),) * 3)
    for k in np.flatnonzero(total):
        gradients[k, k, :] = -values[k] / total[k]
        gradients[k, k, k] += 1 / total[k]
    return values, gradients


def _precision(shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    values, gradients = _recall(shares.T)
    return values, gradients.transpose(0, 2, 1)


def _f1(shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    total = shares.sum(axis=1) + shares.sum(axis=0)
    values = _ratio(2 * np.diag(shares), total)
    gradients = np.zeros((len(shares),) * 3)
    for k in np.flatnonzero(total):
        gradients[k, k, :] -= values[k] / total[k]
        gradients[k, :, k] -= values[k] / total[k]
        gradients[k, k, k] += 2 / total[k]
    return values, gradients


def _ratio(part: FloatArray, total: FloatArray) -> FloatArray:
    return np.divide(part, total, out=np.zeros(len(part)), where=total > 0)


_PER_CLASS: dict[str, _PerClass] = {"precision": _precision, "recall": _recall, "f1": _f1}
