"""Performance by segment: metrics of each part of the traffic, and those that make up a degraded metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detectors.checks import Check, CheckStatus
from detectors.performance.base import Better, Metric, better
from state.outcome_metrics import metrics_of
from state.outcomes import OutcomeLayout, Use
from state.performance import PerformanceRules
from state.performance_data import PerformanceSegments, SegmentPerformance, metric_data
from state.reference import Reference
from state.segment_faults import LISTED, FaultSegment, FaultSegments
from state.segments import Segments
from state.sketches.base import Sketch

MOST_WIDTH = 1_500
"""Counters of a segment up to which performance is measured by segment: 35 classes or so, or any numbers."""

Expected = Mapping[str, Metric]
"""What each metric is compared with."""


def countable(layout: OutcomeLayout, segments: Segments) -> Segments:
    """Return the segments that outcomes are counted by: none where each would take too many counters."""
    return segments if layout.width <= MOST_WIDTH else Segments()


def expected_by_segment(
    reference: Reference, rules: PerformanceRules, *, min_rows: int
) -> dict[tuple[str, str], Expected]:
    """Return what metrics of the segments with enough labelled rows in the reference are compared with.

    Parameters
    ----------
    min_rows
        Below, a segment is compared with what is expected of the whole, and is not in the result.
    """
    outcomes = reference.outcomes
    if outcomes is None or outcomes.sketch.segments is None:
        return {}
    return {
        (column.name, label): rules.expected(metrics_of(outcomes.layout, counters))
        for column, place in reference.segments.spans()
        for label, counters in zip(column.labels, outcomes.sketch.segments[place], strict=True)
        if counters[Use.USED] >= min_rows
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRules:
    """How performance is read by segment.

    Attributes
    ----------
    segments
        In the order of the layout's.
    metrics
        Names of those that are told.
    expected
        By version of the reference, then by field and segment; see `expected_by_segment`.
    """

    segments: Segments
    metrics: tuple[str, ...]
    expected: Mapping[str, Mapping[tuple[str, str], Expected]]

    def read(
        self, layout: OutcomeLayout, sketch: Sketch, version: str, whole: Expected
    ) -> tuple[PerformanceSegments, ...]:
        """Read the metrics of each segment with rows that could be used.

        Parameters
        ----------
        version
            Of the reference of the window.
        whole
            What is expected of the whole.
        """
        if sketch.segments is None:
            return ()
        own, rows = self.expected[version], max(int(sketch.counters[Use.USED]), 1)
        found = []
        for column, place in self.segments.spans():
            segments = []
            for label, counters in zip(column.labels, sketch.segments[place], strict=True):
                used, key = int(counters[Use.USED]), (column.name, label)
                if not used:
                    continue
                expected = own.get(key, whole)
                segments.append(
                    SegmentPerformance(
                        segment=label,
                        against="segment" if key in own else "whole",
                        rows=used,
                        share=used / rows,
                        metrics=tuple(
                            metric_data(metric, expected)
                            for metric in metrics_of(layout, counters)
                            if metric.name in self.metrics
                        ),
                    )
                )
            found.append(PerformanceSegments(column=column.name, segments=tuple(segments)))
        return tuple(found)


def degraded_segments(
    checks: Sequence[Check], read: Sequence[PerformanceSegments]
) -> tuple[FaultSegments, ...]:
    """Name the segments that make up most of each degraded metric.

    A segment's part is how much worse it is than what is expected of it, times its rows, over the sum of
    that: of metrics that are means of rows (accuracy, MAE) what it adds to the change of the whole, but for
    changes of the traffic; of others a measure of where they are worst.
    """
    return tuple(
        FaultSegments(check=check.name, column=each.column, segments=_parts(check.name, each.segments))
        for check in checks
        if check.status is CheckStatus.VIOLATED
        for each in read
    )


def _parts(name: str, segments: Sequence[SegmentPerformance]) -> tuple[FaultSegment, ...]:
    found = []
    for each in segments:
        metric = next((metric for metric in each.metrics if metric.name == name), None)
        if metric is not None and metric.value is not None and metric.expected is not None:
            worse = each.rows * _worse(name, metric.value, metric.expected)
            found.append((worse, each, metric))
    total = sum(worse for worse, _, _ in found)
    found.sort(key=lambda item: (-item[0], item[1].segment))
    return tuple(
        FaultSegment(
            segment=each.segment,
            rows=each.rows,
            value=metric.value,
            reference=metric.expected,
            part=worse / total if total > 0 else 0.0,
        )
        for worse, each, metric in found[:LISTED]
    )


def _worse(name: str, value: float, expected: float) -> float:
    match better(name):
        case Better.LOWER:
            return value - expected
        case Better.NEAR_ZERO:
            return abs(value) - abs(expected)
        case _:
            return expected - value
