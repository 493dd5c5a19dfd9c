"""What events say of a window's performance."""

from collections.abc import Mapping

import msgspec

from detectors.base import IntArray
from detectors.checks import Check
from detectors.performance.base import Metric, Task
from state.event_data import Instant, ReferenceData, WindowData
from state.joined import Count
from state.outcomes import Use


class MetricData(msgspec.Struct, frozen=True, kw_only=True):
    """A metric beside what it is compared with.

    Attributes
    ----------
    name, value, low, high, error, bound, n, reason
        As `detectors.performance.base.Metric` has them.
    expected
        The reference's value, or the one that was given; None where there is none.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    error: float | None
    bound: float
    n: int
    reason: str | None
    expected: float | None


class OutcomeCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a window's predictions, and of the labels that came in its time.

    Attributes
    ----------
    predictions, labelled, unlabelled, waiting, forgotten
        Predictions; those whose label is known, those for which none came within the horizon, those that
        still wait, and those that were given up for want of memory. The last four add up to the first.
    used
        Labelled rows whose prediction and label could be used.
    no_prediction, no_label, unknown_prediction, unknown_label, out_of_range
        Why others could not; a row may count twice.
    repeated_predictions, predictions_without_id, late_predictions
        Predictions that do not count.
    labels, orphans, repeated_labels, labels_without_id, late_labels
        Labels by their own time: all with an id; without a prediction; of one that had its label; without an
        id; too late for the watermark.
    """

    predictions: int
    labelled: int
    unlabelled: int
    waiting: int
    forgotten: int
    used: int
    no_prediction: int
    no_label: int
    unknown_prediction: int
    unknown_label: int
    out_of_range: int
    repeated_predictions: int
    predictions_without_id: int
    late_predictions: int
    labels: int
    orphans: int
    repeated_labels: int
    labels_without_id: int
    late_labels: int


class ConfusionData(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by label (outer) and predicted class (inner), in the order of `classes`."""

    classes: tuple[str, ...]
    counts: list[list[int]]


class SegmentPerformance(msgspec.Struct, frozen=True, kw_only=True):
    """One segment: its rows that could be used, their share of all such, and the metrics that are checked.

    `against`: "segment" where it is compared with its own rows of the reference, "whole" where these are too
    few.
    """

    segment: str
    against: str
    rows: int
    share: float
    metrics: tuple[MetricData, ...]


class PerformanceSegments(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of one field, values first."""

    column: str
    segments: tuple[SegmentPerformance, ...]


class PerformanceData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data of the report on the performance of one window's predictions.

    Attributes
    ----------
    revision
        The labels that were known before this instant are in.
    final
        Whether no later label counts.
    confusion
        None for regression.
    segments
        Of a final revision, and of one in which a metric is degraded: the metrics of each segment.
    """

    model: str
    model_version: str
    window: WindowData
    reference: ReferenceData
    task: Task
    revision: Instant
    final: bool
    counts: OutcomeCounts
    metrics: tuple[MetricData, ...]
    confusion: ConfusionData | None
    checks: tuple[Check, ...]
    segments: tuple[PerformanceSegments, ...] = ()


def metric_data(metric: Metric, expected: Mapping[str, Metric]) -> MetricData:
    """Put a metric beside what is expected of it."""
    known = expected.get(metric.name)
    return MetricData(
        name=metric.name,
        value=metric.value,
        low=metric.low,
        high=metric.high,
        error=metric.error,
        bound=metric.bound,
        n=metric.n,
        reason=metric.reason,
        expected=None if known is None else known.value,
    )


def outcome_counts(counters: IntArray) -> OutcomeCounts:
    """Read what became of predictions and labels from the head of a sketch of outcomes."""
    told = {count.name.lower(): int(counters[count]) for count in Count}
    told |= {use.name.lower(): int(counters[use]) for use in Use}
    settled = told["labelled"] + told["unlabelled"] + told["forgotten"]
    return OutcomeCounts(**told, waiting=told["predictions"] - settled)
