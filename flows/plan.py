"""What a run is made of, before any engine starts it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flows.batch import Batch
from flows.config import Config
from flows.generations import too_early
from flows.partition import Partition
from flows.summarize import summarize
from state.closed_panes import PaneRecorder
from state.event_factory import ReportContext
from state.generations import Generations
from state.panes import PaneMerger, Partial
from state.reference import FeatureReference
from state.report import Report
from state.schedule import Schedule, ScheduleConflictError
from state.scoring import Gap, Judge, Scored, score
from state.windows import Closed, Windows

OpenPartition = Callable[[str, bytes | None], Partition]
"""Opens a partition by name, at the start or where a snapshot was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that the steps of a run need, and nothing of any engine.

    Attributes
    ----------
    partitions
        Names of all partitions, sorted.
    features
        For each generation of the reference: the watched columns, in the order of the configuration.
    fingerprint
        Hash of what stored state depends on.
    live
        Whether more partitions may come: a run that goes on takes them in.
    """

    config: Config
    partitions: tuple[str, ...]
    open_partition: OpenPartition
    features: tuple[tuple[FeatureReference, ...], ...]
    context: ReportContext
    fingerprint: bytes
    live: bool = False

    @property
    def model_key(self) -> str:
        """The key under which a model's evidence meets."""
        return f"{self.context.model}/{self.context.model_version}"

    @property
    def generations(self) -> Generations:
        """The references, and when they take over."""
        return self.context.generations

    @property
    def schedule(self) -> Schedule:
        """When references take over."""
        return self.context.generations.schedule

    def summarize(self, batch: Batch) -> Iterator[tuple[str, Partial]]:
        """Count the rows of a batch: one partial per column, unless there is nothing to tell."""
        return summarize(batch, self.features, self.schedule)

    def compare(self, name: str, closed: Closed) -> Scored | Gap:
        """Compare a window of one column with the reference in which it starts."""
        reference = self.generations.of_window(closed.start)
        return score(reference.feature(name), closed, version=reference.version)

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
        return Windows.start(self.config.grid.windows, resume, schedule=self.schedule)

    def judge(self, resume: bytes | None = None) -> Judge:
        """Begin or resume the judge of one column."""
        rules = self.config.rules
        return Judge(rules.false_discovery_rate, resume, min_rows=rules.min_rows, schedule=self.schedule)

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

    Raises
    ------
    BadReferenceError
        A reference lacks a watched column, or knows it under another kind.
    """
    for reference in generations.references:
        reference.check_columns(config.columns)
    fingerprint = config.state_fingerprint(generations.first.version)
    return Plan(
        config=config,
        partitions=partitions,
        open_partition=open_partition,
        features=tuple(
            tuple(reference.feature(column.name) for column in config.columns)
            for reference in generations.references
        ),
        context=ReportContext(
            model=config.file.model.name,
            model_version=config.file.model.version,
            features=tuple(column.name for column in config.columns),
            generations=generations,
            grid=config.grid,
            rules=config.rules,
            fingerprint=config.decision_fingerprint.hex(),
        ),
        fingerprint=fingerprint,
        live=live,
    )
