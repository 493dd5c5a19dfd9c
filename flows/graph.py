"""The dataflow, read from top to bottom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

import bytewax.operators as op
from bytewax.dataflow import Dataflow, Stream
from bytewax.operators import KeyedStream

from detectors.checks import Family
from flows import operators as adapters
from flows.announcement import announced
from flows.batch import Batch
from flows.graph_labels import errors_watched, measured
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

    def event_sink(self, job: str, on_wait: OnWait) -> KafkaEventSink:
        """Return what publishes events under the name of a job."""
        assert self.events is not None  # asked for where events are sent
        return KafkaEventSink(
            self.open_client, self.events, job=job, transactions=self.transactions, on_wait=on_wait
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where results go; None: not kept.

    Attributes
    ----------
    performance, errors
        Files of their own, because the reports of a model do not wait for each other: each has its order.
    rolling
        When files are left for new ones; None: never.
    """

    events: Path
    dead_letters: Path
    late_rows: Path | None
    open_store: Callable[[], Store]
    performance: Path | None = None
    errors: Path | None = None
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
        # Those of performance are told by its own report, perhaps on another worker.
        mine = {key: n for key, n in begun.open_violations.items() if key[1] is not Family.PERFORMANCE}
        hooks.on_resume_checks(mine)
        return begun

    def report(logic: Report, values: list[bytes]) -> list[list[Output]]:
        found = adapters.report(logic, values)
        for given in found:
            hooks.on_outputs(given)
        return found

    flow = Dataflow("driftflow")
    source = adapters.EventSource(plan, stop=stop, hooks=hooks)
    batches = op.input("source", flow, source)
    joined = _join(plan, batches, stateful, hooks) if plan.shards else None
    summaries = op.flat_map("summarize", batches, plan.summarize)
    panes = stateful("panes", summaries, plan.panes, adapters.merge_panes)
    windows = stateful("windows", panes, plan.windows, adapters.close_windows)
    evidence = stateful("judge", op.map("compare", windows, compare), plan.judge, adapters.judge)
    results = stateful("report", op.map("to_model", evidence, to_model), begin_report, report)
    kept = _with_panes(plan, results, panes)
    if plan.performing is not None:
        told = measured(plan.performing, batches, joined, stateful, hooks)
        kept = _kept_beside(outputs, kept, told, "performance", outputs.performance, on_wait=hooks.on_wait)
        if plan.performing.errors is not None and joined is not None:
            told = errors_watched(plan.performing.errors, joined, stateful, hooks)
            kept = _kept_beside(outputs, kept, told, "errors", outputs.errors, on_wait=hooks.on_wait)
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


def _kept_beside(
    outputs: Outputs,
    kept: KeyedStream[Sequence[StoreItem]],
    told: KeyedStream[list[Output]],
    name: str,
    path: Path | None,
    *,
    on_wait: OnWait,
) -> KeyedStream[Sequence[StoreItem]]:
    """Keep what another report tells where events go, in an order of its own, and give it to the store."""
    if path is not None:
        lines = op.flat_map(f"{name}_lines", told, _event_lines)
        op.output(f"{name}_events", lines, JsonlSink(path, part=name, rolling=outputs.rolling))
    topics = outputs.topics
    if topics is not None and topics.events is not None:
        events = op.flat_map(f"to_{name}_events", told, _events)
        op.output(f"{name}_topic", events, topics.event_sink(f"{topics.job}/{name}", on_wait))
    return op.merge(f"kept_{name}", kept, told)


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
        events = op.flat_map("to_events", results, _events)
        op.output("events_topic", events, topics.event_sink(topics.job, on_wait))
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
