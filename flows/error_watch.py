"""The errors of predictions whose labels come later, as a column in the order in which labels came."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.verdicts import Rule
from flows.batch import Batch
from flows.config import Config
from flows.detection import measured_by, promise_of, watched_of
from flows.summarize import summarize
from state.blocks import Block, BlockSpec
from state.error_report import ErrorReport
from state.errors import PredictionError
from state.evidence import evidence_of
from state.joined import Joined
from state.judge import Judge, JudgeContext, Watched
from state.panes import PaneMerger, Partial
from state.reference import BadReferenceError, FeatureReference, Reference
from state.report_context import ReportContext
from state.scoring import BlockCounts, Found, score
from state.windows import Told, Windows

KEY = "errors"
"""What the key of the steps is called behind model and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorWatch:
    """Everything that the steps of the errors need: a family of one column, with a report of its own.

    Attributes
    ----------
    classes
        How many classes the layout of the outcomes knows; 0: predictions are numbers.
    features
        The column in each generation of the reference.
    shards
        What sends joined rows.
    blocks
        How evidence blocks are cut; None where no rule asks for them.
    detectors
        Names of those that measure every window.
    watched
        The score that has a limit of its own; None where no rule asks for one.
    """

    config: Config
    made: PredictionError
    classes: int
    features: tuple[FeatureReference, ...]
    shards: tuple[str, ...]
    context: ReportContext
    blocks: BlockSpec | None
    detectors: frozenset[str]
    watched: Watched | None

    @property
    def key(self) -> str:
        """The key under which the errors of a model meet."""
        return f"{self.context.model}/{self.context.model_version}/{KEY}"

    def of_joined(self, shard: str, joined: Joined) -> Iterator[tuple[str, Partial]]:
        """Count the errors of rows that have found their labels, by the pane in which these became known."""
        order = np.argsort(joined.known, kind="stable")
        panes, starts = np.unique(joined.known[order], return_index=True)
        predicted, label = joined.predictions[order, 0], joined.labels[order, 0]
        values = self.made.of_payloads(predicted, label, classes=self.classes)
        batch = Batch(
            partition=shard,
            rows=len(order),
            panes=panes,
            starts=starts,
            late={},
            numeric=dict(values.numeric),
            categorical=dict(values.categorical),
            frontier=joined.upto,
            last=joined.last,
            quiet=False,
            size=0,
            # What a time-out keeps from either side keeps errors from the panes in which labels came.
            skipped=(*joined.skipped, *joined.skipped_labels),
        )
        generations = [(feature,) for feature in self.features]
        for _, partial in summarize(batch, generations, self.context.generations.schedule):
            yield self.key, partial

    def compare(self, closed: Told) -> Found | BlockCounts:
        """Compare a window with the reference in which it starts, a block with its own."""
        generations = self.context.generations
        of = closed.generation if isinstance(closed, Block) else generations.schedule.of_window(closed.start)
        return score(
            self.features[of],
            closed,
            version=generations.references[of].version,
            min_effect=self.context.rules.min_effect,
            detectors=self.detectors,
        )

    def panes(self, resume: bytes | None = None) -> PaneMerger:
        """Begin or resume the pane step."""
        return PaneMerger.start(self.shards, resume, schedule=self.context.generations.schedule)

    def windows(self, resume: bytes | None = None) -> Windows:
        """Begin or resume the window step."""
        schedule = self.context.generations.schedule
        return Windows.start(self.context.grid.windows, resume, schedule=schedule, blocks=self.blocks)

    def judge(self, resume: bytes | None = None) -> Judge:
        """Begin or resume the judge."""
        context = JudgeContext(
            level=self.context.rules.false_discovery_rate,
            min_rows=self.context.rules.min_rows,
            evidence=self.context.evidence,
            schedule=self.context.generations.schedule,
            watched=self.watched,
        )
        return Judge(context, resume)

    def report(self, resume: bytes | None = None) -> ErrorReport:
        """Begin or resume the report."""
        return ErrorReport(self.context, resume)


def error_watch(
    config: Config, report: ReportContext, *, classes: int, shards: Sequence[str]
) -> ErrorWatch | None:
    """Put the steps together; None where labels come with the events, or a reference knows no errors."""
    references = report.generations.references
    if not config.late_errors or lacking_errors(config, references):
        return None
    (made,) = config.late_errors
    (column,) = made.columns
    promise = promise_of(config, columns=1)
    sequential = config.rules.rule is Rule.EVIDENCE
    evidence = {
        reference.version: evidence_of(reference, (column.name,), rows=promise.block.rows, risk=promise.risk)
        for reference in references
        if sequential
    }
    return ErrorWatch(
        config=config,
        made=made,
        classes=classes,
        features=tuple(reference.feature(column.name) for reference in references),
        shards=tuple(shards),
        context=replace(
            report,
            features=(column.name,),
            evidence=evidence,
            alarms=promise.alarms,
            other_tracks=(),
        ),
        blocks=promise.block if sequential else None,
        detectors=measured_by(config),
        watched=watched_of(config, references, (column,)),
    )


def lacking_errors(config: Config, references: Sequence[Reference]) -> tuple[str, ...]:
    """Name the references that know no errors, for example because their rows had no labels."""
    columns = [column for made in config.late_errors for column in made.columns]
    lacking = []
    for reference in references:
        try:
            known = all(reference.feature(column.name).column.kind is column.kind for column in columns)
        except BadReferenceError:
            known = False
        if not known:
            lacking.append(reference.version)
    return tuple(lacking)
