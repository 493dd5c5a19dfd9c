"""Bytewax around the steps: each adapter hands values over and takes snapshots, and decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Generic, Protocol, TypeVar

import bytewax.operators as op
import msgspec
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import KeyedStream, StatefulBatchLogic

from flows.batch import Batch
from flows.hooks import Hooks, OnSnapshot
from flows.pace import Pace
from flows.partition import Partition
from flows.plan import Plan
from state.alarms import BlockEvidence
from state.codec import pack, unpack
from state.halves import HalvesPartial
from state.join import LabelJoin
from state.joined import Joined
from state.judge import Judge
from state.outcome_windows import OutcomeWindow, OutcomeWindows
from state.outcomes import OutcomePartial
from state.panes import PaneMerger, PanesClosed, Partial
from state.performance_report import PerformanceReport
from state.report import Output, Report
from state.scoring import BlockCounts, Evidence, Found
from state.windows import Told, Windows

_STATE_VERSION = 2
"""Version 1 knew no generations of the reference; it reads as the state of the first."""

_READABLE = (1, 2)

EPOCH_BATCHES = 2_048
"""Batches that one partition gives in an epoch at most.

A batch becomes about a kilobyte per column and pane, however many rows it has, and between workers nothing
but this bounds what is on its way: with 40 columns about 80 MB.
"""

IDLE_PAUSE = timedelta(milliseconds=20)
"""How long a partition rests that had nothing to give."""


class Snapshotted(Protocol):
    """Logic whose state is bytes."""

    def snapshot(self) -> bytes:
        """Pack the state."""
        ...


_Logic = TypeVar("_Logic", bound=Snapshotted)
_In = TypeVar("_In")
_Out = TypeVar("_Out")
_Step = Callable[[_Logic, list[_In]], list[_Out]]


@dataclass(slots=True)
class _Stateful(StatefulBatchLogic[_In, _Out, bytes], Generic[_Logic, _In, _Out]):
    """One key's logic. At the end of input it emits nothing: a stop is not an end of the stream.

    The stream's own end comes in band, as the frontier `END`.
    """

    kind: str
    fingerprint: bytes
    logic: _Logic
    step: _Step[_Logic, _In, _Out]
    on_snapshot: OnSnapshot
    told: int

    def on_batch(self, values: list[_In]) -> tuple[list[_Out], bool]:
        return self.step(self.logic, values), StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        packed = pack(self.kind, _STATE_VERSION, self.fingerprint, self.logic.snapshot())
        self.on_snapshot(self.kind, len(packed), before=self.told)
        self.told = len(packed)
        return packed


@dataclass(frozen=True, slots=True)
class Keyed:
    """Puts logic into the graph as a stateful step; the step's id names its state in the recovery store.

    Attributes
    ----------
    fingerprint
        Of the configuration; a snapshot of another one is refused (`CodecError`).
    on_snapshot
        Told the size of each packed state.
    """

    fingerprint: bytes
    on_snapshot: OnSnapshot

    def __call__(
        self,
        kind: str,
        stream: KeyedStream[_In],
        start: Callable[[bytes | None], _Logic],
        step: _Step[_Logic, _In, _Out],
    ) -> KeyedStream[_Out]:
        """Add a step that begins or resumes a key with `start`, and hands its values to `step`."""

        def build(resume: bytes | None) -> _Stateful[_Logic, _In, _Out]:
            payload, size = None, 0
            if resume is not None:
                unpacked = unpack(resume, kind=kind, versions=_READABLE, fingerprint=self.fingerprint)
                payload, size = unpacked.payload, len(resume)
            self.on_snapshot(kind, size, before=0)
            return _Stateful(kind, self.fingerprint, start(payload), step, self.on_snapshot, size)

        return op.stateful_batch(kind, stream, build)


def merge_panes(logic: PaneMerger, values: list[Partial]) -> list[PanesClosed]:
    """Merge partials, then close what the low watermark has passed."""
    for value in values:
        logic.add(value)
    closed = logic.close()
    return [] if closed is None else [closed]


def close_windows(logic: Windows, values: list[PanesClosed]) -> list[Told]:
    """Turn closed panes into closed windows."""
    return [closed for value in values for closed in logic.add(value)]


def judge(logic: Judge, values: list[Found | BlockCounts]) -> list[bytes]:
    """Weigh scores; bytes, because this goes to the worker that holds the model's report."""
    return [msgspec.msgpack.encode(evidence) for evidence in logic.add(values)]


def join_halves(logic: LabelJoin, values: list[HalvesPartial]) -> list[Joined]:
    """Take halves, then join what the low watermark of both sides has passed."""
    for value in values:
        logic.add(value)
    joined = logic.close()
    return [] if joined is None else [joined]


def report(logic: Report, values: list[bytes]) -> list[list[Output]]:
    """Judge the windows that are complete; all that one activation gives travels as one item."""
    outputs = logic.add(msgspec.msgpack.decode(value, type=Evidence | BlockEvidence) for value in values)
    return [outputs] if outputs else []


def close_outcomes(logic: OutcomeWindows, values: list[OutcomePartial]) -> list[OutcomeWindow]:
    """Merge outcomes, then tell the windows of which more is known."""
    for value in values:
        logic.add(value)
    return logic.close()


def report_performance(logic: PerformanceReport, values: list[OutcomeWindow]) -> list[list[Output]]:
    """Judge revisions of windows; all that one activation gives travels as one item."""
    outputs = logic.add(values)
    return [outputs] if outputs else []


class EventSource(FixedPartitionedSource[Batch, bytes]):
    """The partitions of a plan as Bytewax sees them.

    Parameters
    ----------
    stop
        Once set, all partitions stop after their present batch; a snapshot is then taken of where they stand.
    hooks
        Told of every batch that is read in this process, and of the end of its epochs: that is when a
        partition is snapshotted.
    """

    def __init__(self, plan: Plan, *, stop: Event, hooks: Hooks) -> None:
        self._plan = plan
        self._stop = stop
        self._hooks = hooks
        grid = plan.config.grid
        self._pace = Pace(lead=max(window.size for window in grid.windows) * grid.length)

    def list_parts(self) -> list[str]:
        """Name all partitions, on every worker the same."""
        return list(self._plan.sources)

    def build_part(
        self,
        step_id: str,  # noqa: ARG002 - Bytewax's signature
        for_part: str,
        resume_state: bytes | None,
    ) -> "_SourcePartition":
        """Open a partition where its snapshot was taken."""
        partition = self._plan.open_partition(for_part, resume_state)
        self._pace.enter(for_part)
        return _SourcePartition(partition, self._pace, self._stop, self._hooks)


@dataclass(slots=True)
class _SourcePartition(StatefulSourcePartition[Batch, bytes]):
    partition: Partition
    pace: Pace
    stop: Event
    hooks: Hooks
    given: int = 0
    quiet: bool = False

    def next_batch(self) -> list[Batch]:
        if self.stop.is_set():
            raise StopIteration
        name = self.partition.name
        # Between workers nothing holds a fast source back within an epoch but its own budget.
        if self.given >= EPOCH_BATCHES or self.pace.must_wait(name):
            self.quiet = self.given >= EPOCH_BATCHES
            return []
        batch = self.partition.poll()
        if batch is None:
            self.pace.leave(name)
            raise StopIteration
        self.pace.reached(name, self.partition.pace)
        if self.partition.ended:
            self.pace.leave(name)
        self.quiet = batch.quiet and not batch.dead_letters
        self.given += not self.quiet
        self.hooks.on_batch(batch)
        return [] if self.quiet else [batch]

    def next_awake(self) -> datetime | None:
        """Look again soon: a partition that sleeps for long would hold up all others."""
        return datetime.now(UTC) + IDLE_PAUSE if self.quiet else None

    def snapshot(self) -> bytes:
        self.given = 0
        self.hooks.on_epoch()
        return self.partition.snapshot()

    def close(self) -> None:
        self.partition.close()
