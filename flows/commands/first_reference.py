"""What a run does where its model version has no reference: refuse, wait for one, or learn one."""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType

from flows.announcement import announced
from flows.commands.run_asked import RunAsked, member_of
from flows.commands.stored import activate_version, open_store, schedule_of
from flows.config import Config
from flows.detection import measured_by
from flows.engine import Recovery, check_outputs, clear
from flows.graph import Outputs
from flows.input import InputSet
from flows.learning import learn_reference
from flows.outputs import configured_outputs
from flows.patience import OnWait, Patience
from flows.record_spec import record_spec
from flows.sinks.jsonl import JsonlFile
from flows.sinks.kafka import KafkaEventSink
from flows.sinks.rolling import rolled_parts
from state.event_data import MissingReferenceData
from state.events import missing_reference_event
from state.stores.base import StoreBusyError, StoredEvent

logger = logging.getLogger("driftflow.references")


class Stopped(BaseException):  # like KeyboardInterrupt, no error: nothing may take it for one
    """A signal asked to stop before the run had begun; there is nothing to keep."""


def settle_reference(
    config: Config,
    asked: RunAsked,
    recovery: Recovery | None,
    open_source: Callable[[], InputSet],
    *,
    on_wait: OnWait,
) -> None:
    """Return once the store answers, and the model version has a reference or may be refused for having none.

    Parameters
    ----------
    open_source
        Opens the run's input anew, to learn from.
    on_wait
        Called again and again while something is waited for.

    Raises
    ------
    Stopped
        SIGINT or SIGTERM came while it waited.
    BadReferenceError
        None can be learned from the input.
    RunError
        The events of an earlier run are in the way.
    """
    with _stoppable():
        _await_store(config, on_wait)
    mode = config.file.reference.missing
    if mode == "refuse" or _has_reference(config):
        return
    member = member_of(asked)
    leads = member is None or (member.process_id == 0 and not member.supervised)
    with _stoppable():
        if leads:
            outputs = _outputs(config, asked)
            if asked.overwrite:
                clear(outputs, recovery)
            # Else it would be refused when it has waited.
            check_outputs(outputs.events, recovery)
            if mode == "learn":
                _learn(config, open_source, on_wait)
            else:
                announce(_event(config), outputs)
        _wait(config, on_wait)


def announce(event: StoredEvent, outputs: Outputs) -> None:
    """Publish an event before the run begins: into store, file and topic, into each once.

    A file that holds the events of an earlier run is left alone: it is not known yet whether this run may
    write there.
    """
    store = outputs.open_store()
    try:
        store.add_events([event])
    finally:
        store.close()
    path = outputs.events
    held = path.read_bytes() if path.exists() else b""
    if not rolled_parts(path) and len(held) == announced(path) and event.body not in held.split(b"\n"):
        file = JsonlFile(path, len(held))
        file.write([event.body])
        file.snapshot()
        file.close()
    topics = outputs.topics
    if topics is not None and topics.events is not None:
        sink = KafkaEventSink(
            topics.open_client, topics.events, job=topics.job, transactions=topics.transactions
        )
        parts = sink.list_parts()
        part = sink.build_part("", parts[sink.part_fn(event.model) % len(parts)], None)
        part.write_batch([event])
        part.close()


def _await_store(config: Config, on_wait: OnWait) -> None:
    """Return once the store can be opened; a file that is not there yet is nothing to wait for."""
    if isinstance(config.store, Path) and not config.store.exists():
        return
    patience = Patience("starting", service="the store", on_wait=on_wait)
    while True:
        try:
            with open_store(config):
                patience.succeeded()
                return
        except StoreBusyError as error:
            time.sleep(patience.failed(str(error)))


def _has_reference(config: Config) -> bool:
    with open_store(config) as store:
        return bool(schedule_of(store, config))


def _wait(config: Config, on_wait: OnWait) -> None:
    """Look until there is one; a store that is away is waited for too."""
    model = config.file.model
    patience = Patience(
        f"version {model.version} of model {model.name}", service="a reference", on_wait=on_wait
    )
    while True:
        try:
            if _has_reference(config):
                patience.succeeded()
                return
            reason = "none was activated: 'driftflow reference build' or 'activate'"
        except StoreBusyError as error:
            reason = str(error)
        time.sleep(patience.failed(reason))


def _learn(config: Config, open_source: Callable[[], InputSet], on_wait: OnWait) -> None:
    """Learn a reference, keep it and activate it, unless somebody else has activated one meanwhile."""
    model, rows = config.file.model, config.file.reference.rows
    logger.info(
        "version %s of model %s has no reference: learning one from %d rows", model.version, model.name, rows
    )
    source = open_source()
    try:
        built = learn_reference(
            source,
            config.tracks,
            model=model.name,
            rows=rows,
            now_ms=time.time_ns() // 1_000_000,
            segments=config.segments,
            records=record_spec(config),
            detectors=measured_by(config),
            outcomes=None if config.performance is None else config.performance.spec,
            on_wait=on_wait,
        ).reference
    finally:
        source.close()
    with open_store(config) as store:
        store.put_reference(built.stored())
        if not schedule_of(store, config):
            activate_version(store, config, built.version)
    logger.warning(
        "learned reference %s of model %s from its first %d rows: what they are like counts as normal",
        built.version,
        model.name,
        built.provenance.rows,
    )


def _event(config: Config) -> StoredEvent:
    data = MissingReferenceData(
        model=config.file.model.name,
        model_version=config.file.model.version,
        columns=tuple(column.name for column in config.columns),
    )
    logger.warning(
        "version %s of model %s has no reference: nothing is compared until one is activated",
        data.model_version,
        data.model,
    )
    return missing_reference_event(data, fingerprint=config.decision_fingerprint.hex())


def _outputs(config: Config, asked: RunAsked) -> Outputs:
    job = f"{config.file.model.name}/{config.file.model.version}"
    return configured_outputs(config, job, os.environ, events=asked.events)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGINT and SIGTERM end what waits, wherever it stands."""
    if current_thread() is not main_thread():
        # Only the main thread may set handlers; who waits elsewhere is stopped by other means.
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
