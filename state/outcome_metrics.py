"""From the counters of a window's outcomes to its metrics."""

from fractions import Fraction

import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.performance.base import METRICS, Metric, Task
from detectors.performance.confusion import binary_metrics, class_metrics
from detectors.performance.residuals import (
    IntervalSums,
    ResidualMoments,
    interval_metrics,
    residual_metrics,
)
from detectors.performance.scores import ScoreSums, score_metrics
from state.exact_sums import LIMBS, exact_sum
from state.outcomes import (
    CALIBRATION_BINS,
    HEAD,
    PERCENTAGE_SUMS,
    RESIDUAL_SUMS,
    SCORE_BINS,
    SCORE_SUMS,
    OutcomeLayout,
    Use,
)


def metrics_of(layout: OutcomeLayout, counters: IntArray) -> tuple[Metric, ...]:
    """Read all metrics that the layout counts for, in the order of `METRICS`.

    Parameters
    ----------
    counters
        Of a sketch of this layout, shape ``(layout.width,)``.
    """
    if layout.task is Task.REGRESSION:
        found = residual_metrics(_moments(layout, counters))
        if layout.intervals:
            found += interval_metrics(_intervals(layout, counters))
    else:
        table = confusion(layout, counters)
        found = class_metrics(table)
        if layout.task is Task.BINARY:
            found += binary_metrics(table, layout.positive)
            if layout.scored:
                found += score_metrics(_scores(layout, counters))
    named = {metric.name: metric for metric in found}
    return tuple(named[name] for name in METRICS[layout.task] if name in named)


def confusion(layout: OutcomeLayout, counters: IntArray) -> IntArray:
    """Return rows by label and predicted class, shape ``(classes, classes)``."""
    classes = len(layout.classes)
    return counters[HEAD : HEAD + classes**2].reshape(classes, classes)


def _sums(counters: IntArray, count: int) -> list[Fraction]:
    return [exact_sum(counters[place * LIMBS : (place + 1) * LIMBS]) for place in range(count)]


def _scores(layout: OutcomeLayout, counters: IntArray) -> ScoreSums:
    own = counters[HEAD + len(layout.classes) ** 2 :]
    positives, negatives = own[:SCORE_BINS], own[SCORE_BINS : 2 * SCORE_BINS]
    n = max(int(positives.sum() + negatives.sum()), 1)
    sums = _sums(own[2 * SCORE_BINS :], SCORE_SUMS + CALIBRATION_BINS)
    loss, loss_square, square, fourth = (float(each / n) for each in sums[:SCORE_SUMS])
    return ScoreSums(
        positives=positives,
        negatives=negatives,
        log_loss=loss,
        log_loss_square=loss_square,
        square=square,
        fourth=fourth,
        calibration_gaps=_floats(sums[SCORE_SUMS:]),
    )


def _floats(values: list[Fraction]) -> FloatArray:
    return np.array([float(value) for value in values])


def _moments(layout: OutcomeLayout, counters: IntArray) -> ResidualMoments:
    """Take central moments by exact arithmetic: nothing cancels, however far the labels are from 0."""
    n, unit = int(counters[Use.USED]), layout.unit
    own = counters[HEAD:]
    rows = max(n, 1)
    e, absolute, ee, e4, y, yy, y3, y4, eey, eeyy = (each / rows for each in _sums(own, RESIDUAL_SUMS))
    variance = yy - y * y
    fourth = y4 - 4 * y * y3 + 6 * y * y * yy - 3 * y**4
    around = eeyy - 2 * y * eey + y * y * ee - ee * variance
    some = int(own[(RESIDUAL_SUMS + PERCENTAGE_SUMS) * LIMBS])
    share, share_square = (each / max(some, 1) for each in _sums(own[RESIDUAL_SUMS * LIMBS :], 2))
    return ResidualMoments(
        n=n,
        mean=float(e) * unit,
        absolute=float(absolute) * unit,
        square=float(ee) * unit**2,
        fourth=float(e4) * unit**4,
        label_variance=float(variance) * unit**2,
        label_fourth=float(fourth) * unit**4,
        covariance=float(around) * unit**4,
        percentage_n=some,
        percentage=float(share),
        percentage_square=float(share_square),
    )


def _intervals(layout: OutcomeLayout, counters: IntArray) -> IntervalSums:
    own = counters[HEAD + (RESIDUAL_SUMS + PERCENTAGE_SUMS) * LIMBS + 1 :]
    n = int(own[0])
    width, width_square = (float(each / max(n, 1)) for each in _sums(own[2:], 2))
    return IntervalSums(
        n=n,
        covered=int(own[1]),
        width=width * layout.unit,
        width_square=width_square * layout.unit**2,
    )
