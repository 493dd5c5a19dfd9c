"""Drift events and refused rows into Kafka topics, each record once."""

import time
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar, assert_never

import msgspec
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from flows.batch import DeadLetter, LateRow
from flows.kafka.base import Headers, KafkaAwayError, KafkaClient, OutgoingRecord, TopicPartition
from flows.kafka.exactly_once import ExactlyOncePartition, Job
from flows.kafka.partitioner import partition_hash
from flows.patience import OnWait, Patience, unwatched
from flows.records import record_digest, redacted_detail
from state.stores.base import StoredEvent

CONTENT_TYPE = b"application/cloudevents+json"
"""Of a CloudEvent in structured mode."""
EVENT_ID_HEADER = "ce_id"
RECORD_ID_HEADER = "driftflow-id"

_PART_DIGITS = 6
_MAX_RAW_BYTES = 900_000
"""Brokers take a million bytes by default; a row that does not go in must not stop the job."""

Value = TypeVar("Value")
OpenClient = Callable[[], KafkaClient]
"""Connects to the cluster; called on the worker that writes, for each partition anew."""


class _Envelope(msgspec.Struct):
    """What headers repeat of an event's body."""

    subject: str
    partitionkey: str


class _KafkaSink(FixedPartitionedSink[Value, bytes], Generic[Value]):
    """Bytewax's view of an output topic; its parts are the topic's partitions.

    The number of partitions must not change while a job is stopped: keys would move, and the new partition
    does not know what the old one holds.
    """

    def __init__(
        self,
        open_client: OpenClient,
        topic: str,
        job: Job,
        record_of: Callable[[Value], tuple[str, OutgoingRecord]],
        on_wait: OnWait,
    ) -> None:
        self._open_client = open_client
        self._topic = topic
        self._job = job
        self._record_of = record_of
        self._on_wait = on_wait

    def list_parts(self) -> list[str]:
        """Return a name for each partition, in an order that does not change."""
        client = self._open_client()
        patience = Patience(f"looking up {self._topic}", on_wait=self._on_wait)
        try:
            while True:
                try:
                    partitions = client.partitions([self._topic])
                except KafkaAwayError as error:
                    time.sleep(patience.failed(str(error)))
                else:
                    return [_part_name(at) for at in partitions]
        finally:
            client.close()

    def part_fn(self, item_key: str) -> int:
        """Choose the partition as Kafka's own producers do."""
        return partition_hash(item_key.encode())

    def build_part(
        self,
        step_id: str,  # noqa: ARG002 - Bytewax's signature
        for_part: str,
        resume_state: bytes | None,
    ) -> StatefulSinkPartition[Value, bytes]:
        """Fence earlier writers and read back what they wrote."""
        at = TopicPartition(self._topic, int(for_part[-_PART_DIGITS:]))
        client = self._open_client()
        try:
            partition = ExactlyOncePartition(
                client, at, self._job, resume=resume_state, on_wait=self._on_wait
            )
        except BaseException:
            client.close()
            raise
        return _KafkaPartition(client, partition, self._record_of)


class KafkaEventSink(_KafkaSink[StoredEvent]):
    """Publishes drift events; items are ``(event.model, event)``.

    Keyed by model, so the events of a model are in one partition and in order. The value is the event's body
    (CloudEvents, structured mode); headers repeat what a consumer may want to filter by.

    Parameters
    ----------
    job
        Name that no other job on the topic has, and that stays the same across restarts.
    transactions
        With them, a consumer of committed records sees each event once even if a process that was thought
        dead wakes up. Without, only if every process of the stopped set is dead and nothing of theirs is
        still on its way; then any consumer sees each event once, and a few milliseconds earlier.
    on_wait
        Called with each try in vain while Kafka is away.

    References
    ----------
    Kafka Protocol Binding for CloudEvents 1.0.2, section 3.3: a structured message may repeat attributes as
    ``ce_`` headers.
    """

    def __init__(
        self,
        open_client: OpenClient,
        topic: str,
        *,
        job: str,
        transactions: bool = True,
        on_wait: OnWait = unwatched,
    ) -> None:
        whose = Job(name=job, id_header=EVENT_ID_HEADER, transactions=transactions)
        super().__init__(open_client, topic, whose, _event_record, on_wait)


class KafkaRecordSink(_KafkaSink[DeadLetter | LateRow]):
    """Keeps refused and late rows with their original bytes; items are ``(row.partition, row)``.

    Keyed by the partition they came from. Headers say from where they came and why; of a row that is larger
    than brokers take, the beginning is kept and ``driftflow-length`` says how long it was. See
    `KafkaEventSink` for the other parameters.

    Parameters
    ----------
    redact
        Keep no bytes: the value is empty, and the headers ``driftflow-length`` and ``driftflow-sha256`` stand
        for it.
    """

    def __init__(
        self,
        open_client: OpenClient,
        topic: str,
        *,
        job: str,
        transactions: bool = True,
        redact: bool = False,
        on_wait: OnWait = unwatched,
    ) -> None:
        whose = Job(name=job, id_header=RECORD_ID_HEADER, transactions=transactions)
        super().__init__(open_client, topic, whose, partial(_row_record, redact=redact), on_wait)


class _KafkaPartition(StatefulSinkPartition[Value, bytes], Generic[Value]):
    def __init__(
        self,
        client: KafkaClient,
        partition: ExactlyOncePartition,
        record_of: Callable[[Value], tuple[str, OutgoingRecord]],
    ) -> None:
        self._client = client
        self._partition = partition
        self._record_of = record_of

    def write_batch(self, values: list[Value]) -> None:
        """Write what is not there yet; on return it is acknowledged."""
        self._partition.write([self._record_of(value) for value in values])

    def snapshot(self) -> bytes:
        """Return the offset from which a later life has to read back."""
        return self._partition.snapshot()

    def close(self) -> None:
        """Release the writer."""
        self._partition.close()
        self._client.close()


def _part_name(at: TopicPartition) -> str:
    # Bytewax sorts names as texts and takes the hash of a key modulo their number.
    return f"{at.topic}-{at.partition:0{_PART_DIGITS}}"


def _event_record(event: StoredEvent) -> tuple[str, OutgoingRecord]:
    envelope = msgspec.json.decode(event.body, type=_Envelope)
    headers: Headers = (
        ("content-type", CONTENT_TYPE),
        (EVENT_ID_HEADER, event.id.encode()),
        ("ce_type", event.type.encode()),
        ("ce_subject", envelope.subject.encode()),
        ("ce_partitionkey", envelope.partitionkey.encode()),
    )
    return event.id, OutgoingRecord(key=event.model.encode(), value=event.body, headers=headers)


def _row_record(row: DeadLetter | LateRow, *, redact: bool) -> tuple[str, OutgoingRecord]:
    match row:
        case DeadLetter():
            detail = redacted_detail(row) if redact else row.detail
            why: Headers = (
                ("driftflow-reason", row.reason.encode()),
                ("driftflow-detail", detail.encode()),
            )
        case LateRow():
            why = (("driftflow-reason", b"late"), ("driftflow-event-time", str(row.time).encode()))
        case _:
            assert_never(row)
    identity = f"{row.partition}:{row.number}"
    headers: Headers = (
        (RECORD_ID_HEADER, identity.encode()),
        ("driftflow-partition", row.partition.encode()),
        ("driftflow-offset", str(row.number).encode()),
        *why,
    )
    if redact or len(row.raw) > _MAX_RAW_BYTES:
        headers += (("driftflow-length", str(len(row.raw)).encode()),)
    if redact:
        headers += (("driftflow-sha256", record_digest(row.raw).encode()),)
    # Not null, which would delete the row's key from a compacted topic.
    value = b"" if redact else row.raw[:_MAX_RAW_BYTES]
    return identity, OutgoingRecord(key=row.partition.encode(), value=value, headers=headers)
