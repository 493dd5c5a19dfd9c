"""Writing through kafka-python."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread

from flows.kafka.base import KafkaAwayError, KafkaSettings, OutgoingRecord, TopicPartition
from flows.kafka.kafka_python_errors import translated, translation
from flows.patience import OnWait, Patience

with warnings.catch_warnings():
    # kafka-python reads its schemas by functions that Python 3.11 and 3.12 call deprecated.
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    from kafka import KafkaProducer, errors  # type: ignore[import-untyped]  # carries no types
    from kafka.producer.future import FutureRecordMetadata  # type: ignore[import-untyped]

TRANSACTION_TIMEOUT_S = 60.0
"""Time after which a broker aborts an open transaction; longer than any write waits."""

_FOREVER_MS = 2**31 - 1
_BATCH_BYTES = 256 << 10
_REQUEST_BYTES = 16 << 20
_LOOK_S = 1.0
_LAST_WORDS_S = 2.0


class KafkaPythonWriter:
    """Writes to one partition; see `PartitionWriter`.

    With a transaction a write is given up after some time, because whether it was committed can be read
    afterwards and a new writer fences it. Without one nothing could stop a late delivery, so the idempotent
    producer is left to try until it has succeeded.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        connection: Mapping[str, object],
        at: TopicPartition,
        transactional_id: str | None,
        on_wait: OnWait,
    ) -> None:
        self._at = at
        self._on_wait = on_wait
        self._doing = f"writing to {at}"
        self._transactional = transactional_id is not None
        # Given up before the broker ends the transaction by itself, which would look like being fenced.
        self._limit_s = min(3 * settings.patience_s, TRANSACTION_TIMEOUT_S / 2)
        self._open = False
        patience_ms = int(settings.patience_s * 1000)
        with translated(f"opening {at} to write"):
            self._producer = KafkaProducer(
                **connection,
                metrics_enabled=False,
                acks="all",
                enable_idempotence=True,
                transactional_id=transactional_id,
                transaction_timeout_ms=int(TRANSACTION_TIMEOUT_S * 1000),
                delivery_timeout_ms=_FOREVER_MS,
                max_block_ms=patience_ms,
                # A report on thousands of columns is larger than brokers take, but not when compressed;
                # this is the one compression that every consumer knows.
                compression_type="gzip",
                max_request_size=_REQUEST_BYTES,
                batch_size=_BATCH_BYTES,
                linger_ms=5,
            )
            if self._transactional:
                try:
                    self._producer.init_transactions()
                except BaseException:
                    self._stop()
                    raise

    def write(self, records: Sequence[OutgoingRecord]) -> int:
        """See `PartitionWriter.write`."""
        with translated(self._doing):
            if self._transactional:
                return self._write_transaction(records)
            return self._write_until_done(records)

    def close(self) -> None:
        """See `PartitionWriter.close`."""
        if self._open:
            # Readers of committed records would wait for the broker to end it.
            with suppress(errors.KafkaError):
                _within(_LAST_WORDS_S, self._producer.abort_transaction)
        self._stop()

    def _write_transaction(self, records: Sequence[OutgoingRecord]) -> int:
        self._producer.begin_transaction()
        self._open = True
        futures = [self._send(record) for record in records]
        try:
            if not _within(self._limit_s, self._producer.commit_transaction):
                raise KafkaAwayError(f"{self._doing}: not committed within {self._limit_s:.0f} s")
        except errors.KafkaError as error:
            # The record that failed knows why; the transaction only that something has.
            causes = [future.exception for future in futures if future.is_done and future.failed()]
            raise translation(causes[0] if causes else error, self._doing) from error
        self._open = False
        return int(futures[-1].get(0).offset)

    def _write_until_done(self, records: Sequence[OutgoingRecord]) -> int:
        futures = [self._send(record) for record in records]
        patience = Patience(self._doing, on_wait=self._on_wait)
        for future in futures:
            while not future.is_done:
                try:
                    future.get(_LOOK_S)
                except errors.KafkaTimeoutError as error:
                    if not future.is_done:
                        patience.failed(str(error))
        patience.succeeded()
        return max(int(future.get(0).offset) for future in futures)

    def _send(self, record: OutgoingRecord) -> "FutureRecordMetadata":
        return self._producer.send(
            self._at.topic,
            value=record.value,
            key=record.key,
            headers=[(name, value or b"") for name, value in record.headers],
            partition=self._at.partition,
            timestamp_ms=record.timestamp_ms,
        )

    def _stop(self) -> None:
        """End the producer's thread: nothing may be delivered after this."""
        try:
            self._producer.close(timeout=_LAST_WORDS_S)
        except errors.KafkaError:
            # Closing waits for what is not delivered and then leaves the thread to go on trying. There is no
            # public way to tell it to give up.
            sender = self._producer._sender  # noqa: SLF001
            sender.force_close()
            sender.join(_LAST_WORDS_S)
            self._producer.close(timeout=_LAST_WORDS_S)


def _within(limit_s: float, action: Callable[[], object]) -> bool:
    """Run what has no time limit of its own; whether it ended in time."""
    raised: list[Exception] = []

    def run() -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - handed to the caller
            raised.append(error)

    began_s = time.monotonic()
    thread = Thread(target=run, name="driftflow-kafka-commit", daemon=True)
    thread.start()
    thread.join(max(0.0, limit_s - (time.monotonic() - began_s)))
    if raised:
        raise raised[0]
    return not thread.is_alive()
