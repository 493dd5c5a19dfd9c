"""What a run is made of, before any engine starts it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from detectors.verdicts import Rule
from flows.batch import Batch, side_of
from flows.check_rules import check_rules
from flows.config import Config
from flows.detection import Promise, measured_by, promise_of, watched_of
from flows.generations import too_early
from flows.halves import halves, shard_names
from flows.partition import Partition
from flows.performance import Performing, performing
from flows.record_track import RecordTrack, record_track
from flows.summarize import summarize
from state.blocks import Block, BlockSpec
from state.closed_panes import PaneRecorder
from state.evidence import evidence_of
from state.generations import Generations
from state.halves import HalvesPartial, Side
from state.join import LabelJoin
from state.judge import Judge, JudgeContext, Watched
from state.panes import PaneMerger, Partial
from state.prediction_checks import PredictionRules
from state.quality import QualityRules
from state.reference import FeatureReference
from state.report import Report
from state.report_context import ReportContext
from state.schedule import Schedule, ScheduleConflictError
from state.scoring import BlockCounts, Found, score
from state.segment_scores import SegmentView
from state.segments import Segments
from state.sketches.records import RECORDS
from state.windows import Told, Windows

OpenPartition = Callable[[str, bytes | None], Partition]
"""Opens a partition by name, at the start or where a snapshot was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that the steps of a run need, and nothing of any engine.

    Attributes
    ----------
    partitions
        Names of all partitions of events, sorted.
    label_partitions
        Names of all partitions of labels, sorted.
    features
        For each generation of the reference: all columns that are counted, the family first.
    fingerprint
        Hash of what stored state depends on.
    blocks
        How evidence blocks are cut; None where no rule asks for them.
    detectors
        Names of those that measure every window.
    watched
        The score that has a limit of its own; None where no rule asks for one.
    segments
        For each generation: by what rows are counted apart, in the order of the configuration; empty: by
        nothing.
    performing
        How predictions are held against labels; None: they are not.
    quality
        What the checks of data quality go by; None where there are none.
    predictions
        The same of predictions.
    records
        The track of whole records; None where nothing is looked at of them.
    live
        Whether more partitions may come: a run that goes on takes them in.
    """

    config: Config
    partitions: tuple[str, ...]
    label_partitions: tuple[str, ...]
    open_partition: OpenPartition
    features: tuple[tuple[FeatureReference, ...], ...]
    context: ReportContext
    fingerprint: bytes
    blocks: BlockSpec | None
    detectors: frozenset[str]
    watched: Watched | None
    quality: QualityRules | None
    predictions: PredictionRules | None
    performing: Performing | None
    records: RecordTrack | None
    segments: tuple[Segments, ...] = ()
    live: bool = False

    @property
    def model_key(self) -> str:
        """The key under which a model's evidence meets."""
        return f"{self.context.model}/{self.context.model_version}"

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of all partitions, sorted."""
        return tuple(sorted([*self.partitions, *self.label_partitions]))

    @property
    def shards(self) -> tuple[str, ...]:
        """Keys under which predictions and labels meet; none where nothing is joined."""
        return () if self.config.labels is None else shard_names(self.config.labels.shards)

    @property
    def widths(self) -> tuple[int, int]:
        """Numbers that a prediction and a label bring into the join."""
        return (0, 0) if self.performing is None else self.performing.outcomes.layout.widths

    @property
    def generations(self) -> Generations:
        """The references, and when they take over."""
        return self.context.generations

    @property
    def schedule(self) -> Schedule:
        """When references take over."""
        return self.context.generations.schedule

    def summarize(self, batch: Batch) -> Iterator[tuple[str, Partial]]:
        """Count the rows of a batch: one partial per track, unless there is nothing to tell.

        Labels belong to no track: they are counted once they have found their predictions.
        """
        if batch.side is Side.LABELS:
            return
        yield from summarize(batch, self.features, self.schedule, self.segments)
        told = None if self.records is None else self.records.summary.summarize(batch)
        if told is not None:
            yield told

    def halves(self, batch: Batch) -> Iterator[tuple[str, HalvesPartial]]:
        """Deal the rows of a batch to the shards of the join."""
        assert self.config.labels is not None  # the join is no part of the graph without labels
        payload = np.zeros((batch.rows, 0)) if self.performing is None else self.performing.payload(batch)
        return halves(batch, self.config.labels, payload)

    def join(self, resume: bytes | None = None) -> LabelJoin:
        """Begin or resume one shard of the join."""
        assert self.config.labels is not None  # as above
        return LabelJoin(self.sources, self.widths, self.config.labels.limits, resume)

    def compare(self, name: str, closed: Told) -> Found | BlockCounts:
        """Compare a window of one track with the reference in which it starts, a block with its own."""
        if name == RECORDS and self.records is not None:
            return self.records.compare(closed)
        generation = closed.generation if isinstance(closed, Block) else self.schedule.of_window(closed.start)
        reference = self.generations.references[generation]
        return score(
            reference.feature(name),
            closed,
            version=reference.version,
            min_effect=self.config.rules.min_effect,
            detectors=self.detectors,
            quality=self.quality,
            predictions=self.predictions,
            operations=self.config.operations,
            watched=name not in self.context.other_tracks,
            segments=self._view(generation),
        )

    def _view(self, generation: int) -> SegmentView | None:
        """Say how the segments of a generation's windows are read; None where there are none."""
        if not self.segments:
            return None
        return SegmentView(
            reference=self.generations.references[generation].segments,
            window=self.segments[generation],
            min_rows=self.config.segments.min_rows,
        )

    def panes(self, resume: bytes | None = None) -> PaneMerger:
        """Begin or resume the pane step of one column.

        Raises
        ------
        TooEarlyError
            References have changed in panes that had rows when the state was kept.
        """
        try:
            return PaneMerger.start(self.partitions, resume, schedule=self.schedule)
        except ScheduleConflictError as error:
            raise too_early(self.config, error.version, error.seen) from error

    def windows(self, resume: bytes | None = None) -> Windows:
        """Begin or resume the window step of one column."""
        return Windows.start(self.config.grid.windows, resume, schedule=self.schedule, blocks=self.blocks)

    def judge(self, resume: bytes | None = None) -> Judge:
        """Begin or resume the judge of one column."""
        rules = self.config.rules
        context = JudgeContext(
            level=rules.false_discovery_rate,
            min_rows=rules.min_rows,
            evidence=self.context.evidence,
            schedule=self.schedule,
            watched=self.watched,
            volumes={} if self.records is None else self.records.volumes,
        )
        return Judge(context, resume)

    @property
    def pane_recorder(self) -> PaneRecorder:
        """What writes closed panes for the store."""
        return PaneRecorder(
            model=self.context.model,
            model_version=self.context.model_version,
            references=tuple(reference.version for reference in self.generations.references),
            grid=self.config.grid,
            most=self.config.keeping.panes,
        )

    def report(self, resume: bytes | None = None) -> Report:
        """Begin or resume the report of the model."""
        return Report(self.context, resume)


def make_plan(
    config: Config,
    generations: Generations,
    partitions: tuple[str, ...],
    open_partition: OpenPartition,
    *,
    live: bool = False,
) -> Plan:
    """Put a run together.

    Parameters
    ----------
    partitions
        Of events and of labels; their names tell which is which.

    Raises
    ------
    BadReferenceError
        A reference lacks a watched column, knows it under another kind, or lacks segments.
    """
    for reference in generations.references:
        reference.check_columns(config.tracks)
    segments = config.segments.columns
    promise = promise_of(config)
    sequential = config.rules.rule is Rule.EVIDENCE
    context = _context(config, generations, promise)
    events = tuple(name for name in partitions if side_of(name) is Side.PREDICTIONS)
    quality, predictions = check_rules(config)
    return Plan(
        config=config,
        partitions=events,
        label_partitions=tuple(name for name in partitions if side_of(name) is Side.LABELS),
        open_partition=open_partition,
        features=tuple(
            tuple(reference.feature(column.name) for column in config.tracks)
            for reference in generations.references
        ),
        context=context,
        blocks=promise.block if sequential else None,
        detectors=measured_by(config),
        watched=watched_of(config, generations.references),
        performing=performing(config, context, events),
        quality=quality,
        predictions=predictions,
        records=record_track(config, generations, quality),
        fingerprint=config.state_fingerprint(generations.first.version),
        segments=tuple(r.segments_of(segments) for r in generations.references) if segments else (),
        live=live,
    )


def _context(config: Config, generations: Generations, promise: Promise) -> ReportContext:
    names = tuple(column.name for column in config.columns)
    sequential = config.rules.rule is Rule.EVIDENCE
    return ReportContext(
        model=config.file.model.name,
        model_version=config.file.model.version,
        features=names,
        generations=generations,
        grid=config.grid,
        rules=config.rules,
        fingerprint=config.decision_fingerprint.hex(),
        evidence={
            reference.version: evidence_of(reference, names, rows=promise.block.rows, risk=promise.risk)
            for reference in generations.references
            if sequential
        },
        alarms=promise.alarms,
        other_tracks=_other_tracks(config),
    )


def _other_tracks(config: Config) -> tuple[str, ...]:
    """Name the tracks that are no columns of the family: derived ones that are checked only, and records."""
    derived = tuple(column.name for column in config.tracks[len(config.columns) :])
    return (*derived, RECORDS) if config.watches_records else derived
