"""The dataflow, read from top to bottom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

import bytewax.operators as op
from bytewax.dataflow import Dataflow, Stream
from bytewax.operators import KeyedStream

from flows import operators as adapters
from flows.announcement import announced
from flows.batch import Batch
from flows.hooks import Hooks
from flows.patience import OnWait
from flows.plan import Plan
from flows.records import dead_letter_line, late_row_line
from flows.sinks.jsonl import JsonlSink
from flows.sinks.kafka import KafkaEventSink, KafkaRecordSink, OpenClient
from flows.sinks.rolling import Rolling
from flows.sinks.store import StoreItem, StoreSink
from state.durations import Axis
from state.joined import Joined
from state.panes import PanesClosed
from state.report import Output, Report
from state.scoring import BlockCounts, Found
from state.stores.base import Store, StoredEvent
from state.windows import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """Topics that results go to; None: not sent.

    Attributes
    ----------
    job
        Name under which this job writes; the same across restarts, and no other job's.
    """

    open_client: OpenClient
    job: str
    transactions: bool
    events: str | None
    dead_letters: str | None
    late_rows: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where results go; None: not kept.

    Attributes
    ----------
    rolling
        When files are left for new ones; None: never.
    """

    events: Path
    dead_letters: Path
    late_rows: Path | None
    open_store: Callable[[], Store]
    topics: Topics | None = None
    rolling: Rolling | None = None


def build_flow(plan: Plan, outputs: Outputs, *, stop: Event, hooks: Hooks) -> Dataflow:
    """Lay out the graph of a plan.

    Step ids are part of the recovery store: a step that is renamed loses its state.
    """
    stateful = adapters.Keyed(plan.fingerprint, hooks.on_snapshot)

    def compare(keyed: tuple[str, Told]) -> tuple[str, Found | BlockCounts]:
        name, closed = keyed
        return name, plan.compare(name, closed)

    def to_model(keyed: tuple[str, bytes]) -> tuple[str, bytes]:
        return plan.model_key, keyed[1]

    def begin_report(resume: bytes | None) -> Report:
        begun = plan.report(resume)
        hooks.on_resume(begun.open_episodes)
        hooks.on_resume_checks(begun.open_violations)
        return begun

    def report(logic: Report, values: list[bytes]) -> list[list[Output]]:
        found = adapters.report(logic, values)
        for given in found:
            hooks.on_outputs(given)
        return found

    flow = Dataflow("driftflow")
    source = adapters.EventSource(plan, stop=stop, hooks=hooks)
    batches = op.input("source", flow, source)
    if plan.shards:
        _join(plan, batches, stateful, hooks)
    summaries = op.flat_map("summarize", batches, plan.summarize)
    panes = stateful("panes", summaries, plan.panes, adapters.merge_panes)
    windows = stateful("windows", panes, plan.windows, adapters.close_windows)
    evidence = stateful("judge", op.map("compare", windows, compare), plan.judge, adapters.judge)
    results = stateful("report", op.map("to_model", evidence, to_model), begin_report, report)
    kept = _with_panes(plan, results, panes)
    op.output("store", kept, StoreSink(outputs.open_store, on_wait=hooks.on_wait))
    redact = plan.config.file.output.redact
    _add_files(outputs, results, batches, plan.config.grid.axis, redact=redact)
    if outputs.topics is not None:
        _add_topics(outputs.topics, results, batches, redact=redact, on_wait=hooks.on_wait)
    return flow


def _join(plan: Plan, batches: Stream[Batch], stateful: adapters.Keyed, hooks: Hooks) -> KeyedStream[Joined]:
    """Join predictions with labels that have partitions of their own."""

    def told(keyed: tuple[str, Joined]) -> tuple[str, Joined]:
        hooks.on_joined(*keyed)
        return keyed

    halves = op.flat_map("halves", batches, plan.halves)
    return op.map("joined", stateful("join", halves, plan.join, adapters.join_halves), told)


def _with_panes(
    plan: Plan, results: KeyedStream[list[Output]], panes: KeyedStream[PanesClosed]
) -> KeyedStream[Sequence[StoreItem]]:
    """Send the store the closed panes too, where any are kept."""
    if plan.config.keeping.panes == 0:
        return results
    recorder = plan.pane_recorder

    def record(keyed: tuple[str, PanesClosed]) -> list[tuple[str, Sequence[StoreItem]]]:
        found = recorder.record(*keyed)
        return [(plan.model_key, found)] if found else []

    return op.merge("kept", results, op.flat_map("closed_panes", panes, record))


def _add_files(
    outputs: Outputs,
    results: KeyedStream[list[Output]],
    batches: Stream[Batch],
    axis: Axis,
    *,
    redact: bool,
) -> None:
    """Keep results in files."""
    file_sink = partial(JsonlSink, rolling=outputs.rolling)
    lines = op.flat_map("to_lines", results, _event_lines)
    op.output("events", lines, file_sink(outputs.events, keep=announced))
    letters = op.flat_map("refused", batches, partial(_dead_letters, redact=redact))
    op.output("dead_letters", letters, file_sink(outputs.dead_letters, part="dead_letters"))
    if outputs.late_rows is not None:
        late = op.flat_map(
            "late",
            batches,
            lambda batch: [
                (row.partition, late_row_line(row, axis, redact=redact)) for row in batch.late_rows
            ],
        )
        op.output("late_rows", late, file_sink(outputs.late_rows, part="late_rows"))


def _add_topics(
    topics: Topics,
    results: KeyedStream[list[Output]],
    batches: Stream[Batch],
    *,
    redact: bool,
    on_wait: OnWait,
) -> None:
    """Send results to Kafka too."""
    record_sink = partial(
        KafkaRecordSink,
        topics.open_client,
        job=topics.job,
        transactions=topics.transactions,
        redact=redact,
        on_wait=on_wait,
    )
    if topics.events is not None:
        sink = KafkaEventSink(
            topics.open_client,
            topics.events,
            job=topics.job,
            transactions=topics.transactions,
            on_wait=on_wait,
        )
        op.output("events_topic", op.flat_map("to_events", results, _events), sink)
    if topics.dead_letters is not None:
        refused = op.flat_map(
            "refused_rows", batches, lambda batch: [(row.partition, row) for row in batch.dead_letters]
        )
        op.output("dead_letters_topic", refused, record_sink(topic=topics.dead_letters))
    if topics.late_rows is not None:
        late = op.flat_map("late_topic", batches, lambda batch: [(r.partition, r) for r in batch.late_rows])
        op.output("late_rows_topic", late, record_sink(topic=topics.late_rows))


def _events(keyed: tuple[str, list[Output]]) -> list[tuple[str, StoredEvent]]:
    return [(item.model, item) for item in keyed[1] if isinstance(item, StoredEvent)]


def _event_lines(keyed: tuple[str, list[Output]]) -> list[tuple[str, bytes]]:
    key, items = keyed
    return [(key, item.body) for item in items if isinstance(item, StoredEvent)]


def _dead_letters(batch: Batch, *, redact: bool) -> list[tuple[str, bytes]]:
    return [(letter.partition, dead_letter_line(letter, redact=redact)) for letter in batch.dead_letters]
