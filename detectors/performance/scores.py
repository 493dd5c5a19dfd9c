"""Metrics of the score that a positive class is given, from its histograms and sums."""

from dataclasses import dataclass

import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.elementary import dot
from detectors.performance.base import Metric, unknown
from detectors.performance.intervals import delta_metric


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSums:
    """Rows that have both a score between 0 and 1 and a label of two classes.

    Attributes
    ----------
    positives, negatives
        Rows of either label by bin of the score, shape ``(bins,)``; bins are ordered.
    log_loss, log_loss_square
        Means of minus the logarithm of the probability that the label's class was given, and of its square.
    square, fourth
        Means of the second and fourth powers of score minus label (0 or 1).
    calibration_gaps
        For each bin of equal width: the sum of score minus label, shape ``(10,)``.
    """

    positives: IntArray
    negatives: IntArray
    log_loss: float
    log_loss_square: float
    square: float
    fourth: float
    calibration_gaps: FloatArray


def score_metrics(sums: ScoreSums) -> list[Metric]:
    """AUC within its bound; log loss, Brier score and expected calibration error exactly.

    Notes
    -----
    Log loss and Brier score are means. The calibration error is ``sum |gap_b| / n`` over ten bins of equal
    width (Naeini, Cooper & Hauskrecht (2015), AAAI-15): with the signs of the gaps held, the mean of signed
    residuals, whose squares add up to the Brier score. It is never below zero, so a
    model that is calibrated shows a little of it by chance.
    """
    n = int(sums.positives.sum() + sums.negatives.sum())
    if n == 0:
        reason = "no row has both a score and a label"
        return [unknown(name, 0, reason) for name in ("roc_auc", "log_loss", "brier", "calibration_error")]
    calibration = float(np.abs(sums.calibration_gaps).sum()) / n
    return [
        auc(sums.positives, sums.negatives),
        delta_metric("log_loss", sums.log_loss, (sums.log_loss_square - sums.log_loss**2) / n, n, least=0.0),
        delta_metric("brier", sums.square, (sums.fourth - sums.square**2) / n, n, least=0.0, most=1.0),
        delta_metric(
            "calibration_error", calibration, (sums.square - calibration**2) / n, n, least=0.0, most=1.0
        ),
    ]


def auc(positives: IntArray, negatives: IntArray) -> Metric:
    """Area under the ROC curve: the chance that a positive row scores above a negative one, ties one half.

    Pairs in one bin count one half; in truth they may all be in order, or none. So the exact area lies within
    half of those pairs' share, which is the bound.

    References
    ----------
    Hanley & McNeil (1982), The meaning and use of the area under a ROC curve, Radiology 143. DeLong, DeLong &
    Clarke-Pearson (1988), Comparing the areas under two or more correlated ROC curves, Biometrics 44 (its
    variance, from how each row of one class stands among those of the other).

    Examples
    --------
    >>> import numpy as np
    >>> found = auc(np.array([0, 1, 3]), np.array([3, 1, 0]))
    >>> found.value, found.bound
    (0.97, 0.03)
    """
    up, down = int(positives.sum()), int(negatives.sum())
    n = up + down
    if not (up and down):
        return unknown("roc_auc", n, "the labels are all of one class")
    below = (np.cumsum(negatives) - negatives / 2) / down
    above = (up - np.cumsum(positives) + positives / 2) / up
    value = float(dot(positives, below)) / up
    tied = float(dot(positives / up, negatives / down)) / 2
    between = _variance(positives, below, value) / up + _variance(negatives, above, value) / down
    return delta_metric("roc_auc", value, between, n, least=0.0, most=1.0, bound=tied)


def _variance(counts: IntArray, values: FloatArray, mean: float) -> float:
    """Variance of values that come with counts; of one row, the largest that there can be."""
    n = int(counts.sum())
    return float(dot(counts, (values - mean) ** 2)) / (n - 1) if n > 1 else mean * (1 - mean)
