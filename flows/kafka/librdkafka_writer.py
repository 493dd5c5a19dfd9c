"""Writing through librdkafka."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import confluent_kafka as confluent

from flows.kafka.base import KafkaError, KafkaSettings, OutgoingRecord, TopicPartition
from flows.kafka.librdkafka_errors import translated, translation
from flows.patience import OnWait, Patience

TRANSACTION_TIMEOUT_S = 60.0
"""Time after which a broker aborts an open transaction; longer than any write waits."""

_LOOK_S = 1.0
_MESSAGE_BYTES = 16 << 20
_LAST_WORDS_S = 2.0


class LibrdkafkaWriter:
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
        self._last = -1
        self._refused: confluent.KafkaError | None = None
        given = {**connection, "enable.idempotence": True, "acks": "all", "linger.ms": 5}
        # A report on thousands of columns is larger than brokers take, but not when compressed; this is the
        # one compression that every consumer knows.
        given |= {"compression.type": "gzip", "message.max.bytes": _MESSAGE_BYTES}
        if transactional_id is None:
            given["message.timeout.ms"] = 0
        else:
            given["transactional.id"] = transactional_id
            given["transaction.timeout.ms"] = int(TRANSACTION_TIMEOUT_S * 1000)
        with translated(f"opening {at} to write"):
            self._producer = confluent.Producer(given)
            if self._transactional:
                self._producer.init_transactions(settings.patience_s)

    def write(self, records: Sequence[OutgoingRecord]) -> int:
        """See `PartitionWriter.write`."""
        self._last, self._refused = -1, None
        with translated(self._doing):
            if self._transactional:
                self._producer.begin_transaction()
                self._open = True
            for record in records:
                self._send(record)
            if self._transactional:
                self._commit()
            else:
                self._await_delivery()
        if self._refused is not None:
            raise translation(self._refused, self._doing)
        return self._last

    def close(self) -> None:
        """See `PartitionWriter.close`."""
        if self._open:
            # Readers of committed records would wait for the broker to end it.
            with suppress(confluent.KafkaException):
                self._producer.abort_transaction(_LAST_WORDS_S)
        self._producer.purge()
        self._producer.flush(_LAST_WORDS_S)

    def _commit(self) -> None:
        try:
            self._producer.commit_transaction(self._limit_s)
        except confluent.KafkaException as error:
            # The record that failed knows why; the transaction only that something has.
            raise translation(self._refused or error.args[0], self._doing) from error
        self._open = False

    def _await_delivery(self) -> None:
        patience = Patience(self._doing, on_wait=self._on_wait)
        while self._producer.flush(_LOOK_S):
            patience.failed("not acknowledged")
        patience.succeeded()

    def _send(self, record: OutgoingRecord) -> None:
        try:
            self._producer.produce(
                self._at.topic,
                value=record.value,
                key=record.key,
                partition=self._at.partition,
                headers=list(record.headers),
                timestamp=record.timestamp_ms or 0,
                on_delivery=self._delivered,
            )
        except BufferError as error:
            raise KafkaError(
                f"{self._doing}: librdkafka's queue is full with one write: write fewer records at a time"
            ) from error

    def _delivered(self, error: confluent.KafkaError | None, message: "confluent.Message[Any, Any]") -> None:
        if error is None:
            self._last = max(self._last, message.offset() or 0)
        else:
            self._refused = self._refused or error
