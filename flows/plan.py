"""What a run is made of, before any engine starts it."""

from collections.abc import Callable
from dataclasses import dataclass

from flows.config import Config
from flows.partition import Partition
from state.event_factory import ReportContext
from state.panes import PaneMerger
from state.reference import FeatureReference, Reference
from state.report import Report
from state.scoring import Judge
from state.windows import Windows

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
        The watched columns with their references, in the order of the configuration.
    fingerprint
        Hash of what stored state depends on.
    live
        Whether more partitions may come: a run that goes on takes them in.
    """

    config: Config
    reference: Reference
    partitions: tuple[str, ...]
    open_partition: OpenPartition
    features: tuple[FeatureReference, ...]
    context: ReportContext
    fingerprint: bytes
    live: bool = False

    @property
    def model_key(self) -> str:
        """The key under which a model's evidence meets."""
        return f"{self.context.model}/{self.context.model_version}"

    def panes(self, resume: bytes | None = None) -> PaneMerger:
        """Begin or resume the pane step of one column."""
        return PaneMerger.start(self.partitions, resume)

    def windows(self, resume: bytes | None = None) -> Windows:
        """Begin or resume the window step of one column."""
        return Windows.start(self.config.grid.windows, resume)

    def judge(self, resume: bytes | None = None) -> Judge:
        """Begin or resume the judge of one column."""
        rules = self.config.rules
        return Judge(rules.false_discovery_rate, resume, min_rows=rules.min_rows)

    def report(self, resume: bytes | None = None) -> Report:
        """Begin or resume the report of the model."""
        return Report(self.context, resume)


def make_plan(
    config: Config,
    reference: Reference,
    partitions: tuple[str, ...],
    open_partition: OpenPartition,
    *,
    live: bool = False,
) -> Plan:
    """Put a run together.

    Raises
    ------
    BadReferenceError
        The reference lacks a watched column, or knows it under another kind.
    """
    reference.check_columns(config.columns)
    fingerprint = config.state_fingerprint(reference.version)
    return Plan(
        config=config,
        reference=reference,
        partitions=partitions,
        open_partition=open_partition,
        features=tuple(reference.feature(column.name) for column in config.columns),
        context=ReportContext(
            model=config.file.model.name,
            model_version=config.file.model.version,
            features=tuple(column.name for column in config.columns),
            reference=reference,
            grid=config.grid,
            rules=config.rules,
            fingerprint=config.decision_fingerprint.hex(),
        ),
        fingerprint=fingerprint,
        live=live,
    )
