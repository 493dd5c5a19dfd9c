"""Metrics of numeric predictions, from moments of their residuals."""

import math
from dataclasses import dataclass

from detectors.performance.base import Metric, unknown
from detectors.performance.intervals import delta_metric, share_metric


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualMoments:
    """Moments of the residuals e = prediction - label, and of the labels y, over n rows.

    Attributes
    ----------
    mean, absolute, square, fourth
        Means of e, |e|, e^2 and e^4.
    label_variance, label_fourth
        Second and fourth central moments of y.
    covariance
        Of e^2 and (y - mean of y)^2.
    percentage_n, percentage, percentage_square
        Rows whose label is not 0, and over them the means of |e / y| and its square.
    """

    n: int
    mean: float
    absolute: float
    square: float
    fourth: float
    label_variance: float
    label_fourth: float
    covariance: float
    percentage_n: int
    percentage: float
    percentage_square: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalSums:
    """Rows with a label whose prediction came with an interval: how many held it, and how wide they were.

    `width` and `width_square` are means of the width and of its square.
    """

    n: int
    covered: int
    width: float
    width_square: float


def residual_metrics(moments: ResidualMoments) -> list[Metric]:
    """MAE, RMSE, MAPE, R2 and bias (mean of prediction minus label) with their intervals.

    Rows whose label is 0 have no percentage error and are left out of the MAPE.

    Notes
    -----
    MAE, MAPE and bias are means. By the delta method, with A = E e^2 and B the variance of y:
    ``var(RMSE) = var(e^2) / (4 A n)`` and ``var(R2) = (var(e^2) - 2 (A/B) cov + (A/B)^2 var((y - mean)^2)) /
    (B^2 n)`` (van der Vaart (1998), Asymptotic Statistics, 3.1).
    """
    m, n = moments, moments.n
    if n == 0:
        reason = "no prediction has a label yet"
        return [unknown(name, 0, reason) for name in ("mae", "rmse", "mape", "r2", "bias")]
    rmse = math.sqrt(m.square)
    spread = m.fourth - m.square**2
    return [
        delta_metric("mae", m.absolute, (m.square - m.absolute**2) / n, n, least=0.0),
        delta_metric("rmse", rmse, spread / (4 * m.square * n) if m.square > 0 else 0.0, n, least=0.0),
        _mape(m),
        _r2(m, spread),
        delta_metric("bias", m.mean, (m.square - m.mean**2) / n, n),
    ]


def _mape(m: ResidualMoments) -> Metric:
    n = m.percentage_n
    if n == 0:
        return unknown("mape", 0, "every label is 0")
    return delta_metric("mape", m.percentage, (m.percentage_square - m.percentage**2) / n, n, least=0.0)


def _r2(m: ResidualMoments, spread: float) -> Metric:
    if m.label_variance <= 0:
        return unknown("r2", m.n, "the labels do not vary")
    ratio = m.square / m.label_variance
    around = m.label_fourth - m.label_variance**2
    variance = (spread - 2 * ratio * m.covariance + ratio**2 * around) / (m.label_variance**2 * m.n)
    return delta_metric("r2", 1 - ratio, variance, m.n, most=1.0)


def interval_metrics(sums: IntervalSums) -> list[Metric]:
    """Coverage (the share of labels inside the interval, ends included) and mean width of intervals."""
    reason = "no row has both an interval and a label"
    coverage = share_metric("coverage", sums.covered, sums.n, missing=reason)
    if sums.n == 0:
        return [coverage, unknown("interval_width", 0, reason)]
    variance = (sums.width_square - sums.width**2) / sums.n
    return [coverage, delta_metric("interval_width", sums.width, variance, sums.n)]
