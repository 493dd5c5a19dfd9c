"""The part of a run that measures performance: from batches, or joined rows, to a report of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.base import FloatArray
from flows.batch import Batch
from flows.config import Config
from flows.error_watch import ErrorWatch, error_watch
from flows.halves import shard_names
from state.grid import PanedWindow
from state.halves import Side
from state.joined import Count, Joined
from state.outcome_fields import Outcomes
from state.outcome_layout import classes_in
from state.outcome_segments import SegmentRules, countable, expected_by_segment
from state.outcome_windows import OutcomeWindows
from state.outcomes import OutcomeLayout, OutcomePartial
from state.performance_report import PerformanceContext, PerformanceReport
from state.reference import Reference
from state.report_context import ReportContext
from state.sketches.base import empty, pane_lengths

KEY = "performance"
"""What the key of the report is called behind model and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performing:
    """Everything that the steps of performance need.

    Attributes
    ----------
    origins
        What sends outcomes: partitions of events that bring their labels, or the shards of the join.
    horizon
        Panes after the one of its prediction in which a label still counts.
    errors
        The column of errors of joined rows; None where there is none.
    """

    outcomes: Outcomes
    context: PerformanceContext
    origins: tuple[str, ...]
    horizon: int
    errors: ErrorWatch | None = None

    @property
    def key(self) -> str:
        """The key under which the outcomes of a model meet."""
        return f"{self.context.report.model}/{self.context.report.model_version}/{KEY}"

    def of_batch(self, batch: Batch) -> Iterator[tuple[str, OutcomePartial]]:
        """Count the rows of a batch that bring their labels; nothing where it has nothing to tell."""
        if batch.quiet:
            return
        layout = self.outcomes.layout
        found = {pane: empty(layout.width) for pane in {*batch.panes.tolist(), *batch.late}}
        if batch.rows:
            predictions = self.outcomes.prediction_payload(batch)
            labels = self.outcomes.label_payload(batch)
            panes = np.repeat(batch.panes, pane_lengths(batch.starts, batch.rows))
            there = ~np.isnan(labels[:, 0])
            for pane, rows, labelled in zip(
                batch.panes.tolist(),
                pane_lengths(batch.starts, batch.rows).tolist(),
                np.add.reduceat(there, batch.starts, dtype=np.int64).tolist(),
                strict=True,
            ):
                counts = (Count.PREDICTIONS, Count.LABELLED, Count.UNLABELLED)
                found[pane].counters[list(counts)] = [rows, labelled, rows - labelled]
            for _, pane, sketch in layout.sketches(
                panes[there], panes[there], predictions[there], labels[there]
            ):
                found[pane] = found[pane].merge(sketch)
        for pane, late in batch.late.items():
            found[pane].counters[Count.LATE_PREDICTIONS] += late
        cells = tuple((pane, pane, found[pane].to_bytes()) for pane in sorted(found))
        yield self.key, (batch.partition, batch.frontier, batch.last, cells, batch.skipped)

    def payload(self, batch: Batch) -> FloatArray:
        """Return what each row of a batch brings into the join, shape ``(rows, width)``."""
        labels = batch.side is Side.LABELS
        if not batch.rows:
            # The batch that ends a partition has no columns.
            return np.zeros((0, self.outcomes.layout.widths[labels]))
        return self.outcomes.label_payload(batch) if labels else self.outcomes.prediction_payload(batch)

    def of_joined(self, shard: str, joined: Joined) -> tuple[str, OutcomePartial]:
        """Count rows that have found their labels."""
        return self.key, self.outcomes.layout.partial(shard, joined)

    def windows(self, resume: bytes | None = None) -> OutcomeWindows:
        """Begin or resume the windows of outcomes."""
        kinds: tuple[PanedWindow, ...] = self.context.report.grid.windows
        return OutcomeWindows.start(self.origins, kinds, self.horizon, resume)

    def report(self, resume: bytes | None = None) -> PerformanceReport:
        """Begin or resume the report of performance."""
        return PerformanceReport(self.context, resume)


def performing(config: Config, report: ReportContext, partitions: Sequence[str]) -> Performing | None:
    """Put the part together; None where performance is not measured.

    Raises
    ------
    OutcomeLayoutError
        Neither the configuration nor the reference says how it is measured, or the two differ.
    BadReferenceError
        The reference lacks the column of predictions.
    """
    given, labels = config.performance, config.labels
    if given is None:
        return None
    first, references = report.generations.first, report.generations.references
    layout, named = _layout(config, first), config.segments
    for later in references[1:]:
        if later.outcomes is not None:
            given.spec.check(later.outcomes.layout, later.version)
    segments = countable(layout, first.segments_of(named.columns))
    outcomes = Outcomes.by_segment(layout, given.spec.fields, segments)
    shards = () if labels is None else shard_names(labels.shards)
    rules = given.rules.of_task(layout.task)
    return Performing(
        outcomes=outcomes,
        context=PerformanceContext(
            report=report,
            layout=outcomes.layout,
            rules=rules,
            expected={
                reference.version: rules.expected(
                    () if reference.outcomes is None else reference.outcomes.metrics
                )
                for reference in references
            },
            by_segment=SegmentRules(
                segments=segments,
                metrics=rules.metrics,
                expected={
                    reference.version: expected_by_segment(reference, rules, min_rows=named.min_rows)
                    for reference in references
                },
            )
            if segments.columns
            else None,
        ),
        origins=shards or tuple(partitions),
        # Orphans are told when their own time is over.
        horizon=0 if labels is None else max(labels.limits.horizon, labels.limits.early),
        errors=error_watch(config, report, classes=len(layout.classes), shards=shards),
    )


def _layout(config: Config, reference: Reference) -> OutcomeLayout:
    """Take the layout that the reference has frozen; without one choose it from its column of predictions."""
    given = config.performance
    assert given is not None  # asked for where performance is measured
    if reference.outcomes is not None:
        given.spec.check(reference.outcomes.layout, reference.version)
        return reference.outcomes.layout
    prediction = given.spec.fields.prediction
    if prediction is None:
        return given.spec.layout((), None)
    bins = reference.feature(prediction.name).bins
    return given.spec.layout(classes_in(bins), bins)
