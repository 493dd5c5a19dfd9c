"""Writes records to one partition so that each is there once, whatever dies and is started again.

What was written since the last snapshot is written again after a crash. So a life begins by reading back
what earlier lives wrote behind their snapshot, and leaves those records out when they come again. The point
to read back from is the lowest one of a record that was read back and has not come again yet. The end of the
log would not do: a life that dies soon after its start has seen only a few of them come again, and the next
one would not look for the others.

A writer with a transactional id per job and partition fences all earlier ones, so that nothing of theirs can
arrive after the reading back.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import msgspec

from detectors.base import DriftflowError
from flows.kafka.base import (
    Headers,
    Isolation,
    KafkaAwayError,
    KafkaClient,
    KafkaError,
    KafkaRecord,
    OffsetOutOfRangeError,
    OutgoingRecord,
    PartitionWriter,
    ProducerFencedError,
    TopicPartition,
    UnknownTopicError,
)
from flows.kafka.watch import UNKNOWN_FOR_S
from flows.patience import OnWait, Patience, logger, unwatched
from state.codec import fingerprint_of, pack, unpack

JOB_HEADER = "driftflow-job"
"""Header that names the job of a record; records of others on the topic are left alone."""

_KIND, _VERSION = "kafka-output", 1
_MAX_RECORDS = 8192
_MAX_BYTES = 4 << 20
_WRITE_RECORDS = 10_000
"""Records of one transaction at most: librdkafka's queue holds 100,000."""
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Whose records these are.

    Attributes
    ----------
    name
        The same in every life of a job, and of no other job on the topic.
    id_header
        Header that holds the id of a record.
    transactions
        Whether writes are transactions. Without them a record is there once only if every process of an
        earlier life is dead and nothing of theirs is on its way.
    """

    name: str
    id_header: str
    transactions: bool = True


class _State(msgspec.Struct, frozen=True):
    read_back_from: int


class ExactlyOncePartition:
    """One partition of an output topic; waits for Kafka wherever it has to.

    Parameters
    ----------
    resume
        What `snapshot` returned in an earlier life; None: read back from the start of the log.
    sleep, clock
        Wait and tell seconds; injected by tests.
    on_wait
        Called with each try in vain.

    Raises
    ------
    KafkaError
        The topic may not be used, or was deleted and made anew since the snapshot.
    CodecError
        The snapshot is of another job or partition.
    """

    def __init__(
        self,
        client: KafkaClient,
        at: TopicPartition,
        job: Job,
        *,
        resume: bytes | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        on_wait: OnWait = unwatched,
    ) -> None:
        self._client = client
        self._at = at
        self._job = job
        self._sleep = sleep
        self._clock = clock
        self._on_wait = on_wait
        self._patience = Patience(f"writing to {at}", clock=clock, on_wait=on_wait)
        self._fingerprint = fingerprint_of([job.name, at.topic, at.partition])
        # Ids that earlier lives wrote and this one has not come to yet, with their offsets, lowest first.
        self._pending: dict[str, int] = {}
        self._behind = 0 if resume is None else self._restored(resume)
        self._resumed = resume is not None
        # Whether the topic was ever there: then an unknown one may mean a broker that starts, not a mistake.
        self._known = False
        self._writer: PartitionWriter | None = None
        self._patiently(self._open)

    @property
    def pending(self) -> int:
        """Records of earlier lives that have not come again yet."""
        return len(self._pending)

    def write(self, records: Sequence[tuple[str, OutgoingRecord]]) -> None:
        """Write what is not there yet, given as ``(id, record)``; on return all of it is acknowledged.

        Raises
        ------
        ProducerFencedError
            Another life of the job has begun.
        KafkaError
            Kafka refuses a record or the topic.
        """
        rest = iter(records)
        while some := dict(islice(rest, _WRITE_RECORDS)):
            self._patiently(partial(self._write, some))

    def snapshot(self) -> bytes:
        """Pack the offset from which a later life has to read back."""
        offset = min(self._pending.values(), default=self._behind)
        return pack(_KIND, _VERSION, self._fingerprint, msgspec.msgpack.encode(_State(offset)))

    def close(self) -> None:
        """Release the writer; the client stays open."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _restored(self, resume: bytes) -> int:
        payload = unpack(resume, kind=_KIND, versions=(_VERSION,), fingerprint=self._fingerprint).payload
        return msgspec.msgpack.decode(payload, type=_State).read_back_from

    def _patiently(self, action: Callable[[], None]) -> None:
        """Try until Kafka has answered; whoever wants to stop before that kills the process."""
        unknown_since_s: float | None = None
        while True:
            try:
                action()
            except UnknownTopicError as error:
                unknown_since_s = self._clock() if unknown_since_s is None else unknown_since_s
                if not self._known or self._clock() - unknown_since_s > UNKNOWN_FOR_S:
                    raise
                self._give_up_writer(error)
            except KafkaAwayError as error:
                unknown_since_s = None
                self._give_up_writer(error)
            else:
                self._patience.succeeded()
                return

    def _give_up_writer(self, error: DriftflowError) -> None:
        self.close()
        self._sleep(self._patience.failed(str(error)))

    def _open(self) -> None:
        """Fence earlier writers, then learn what they wrote."""
        transactional_id = None
        if self._job.transactions:
            transactional_id = f"driftflow.{self._job.name}.{self._at.topic}.{self._at.partition}"
        self._writer = self._client.writer(self._at, transactional_id, self._on_wait)
        found, end = self._read_back(Isolation.COMMITTED)
        for identity, offset in found.items():
            self._pending.setdefault(identity, offset)
        # All that earlier lives wrote is known up to here, and nothing of theirs can come any more.
        self._behind = end
        self._known = True
        if found:
            logger.info("%s: %d records of earlier runs were found", self._at, len(found))

    def _write(self, records: dict[str, OutgoingRecord]) -> None:
        if self._writer is None:
            self._refuse_takeover(records)
            self._open()
        assert self._writer is not None
        fresh = [record for identity, record in records.items() if identity not in self._pending]
        if fresh:
            self._behind = self._writer.write([self._signed(record) for record in fresh]) + 1
        for identity in records:
            self._pending.pop(identity, None)

    def _refuse_takeover(self, records: dict[str, OutgoingRecord]) -> None:
        """End, where a writer failed because another life has begun, instead of taking the topic back."""
        found, _ = self._read_back(Isolation.UNCOMMITTED)
        for identity, offset in found.items():
            if identity not in records and identity not in self._pending:
                raise ProducerFencedError(
                    f"{self._at}: another process of job {self._job.name!r} wrote offset {offset} meanwhile: "
                    "two sets run at once, or this one was stopped for long; this one must end"
                )

    def _read_back(self, isolation: Isolation) -> tuple[dict[str, int], int]:
        """Return own records, id to offset, from the first unknown offset to the present end; and that end.

        It is the end of the log, so that transactions which are open now are waited for: they are those of
        other jobs, and of this one only until its writer has fenced them.
        """
        end = self._client.bounds(self._at, Isolation.UNCOMMITTED).end
        if self._behind > end:
            raise KafkaError(
                f"{self._at} ends at offset {end}, and this job read it up to {self._behind}: the topic was "
                "deleted and made anew; start anew with a new recovery folder"
            )
        found: dict[str, int] = {}
        reader = self._client.reader(self._at, isolation)
        try:
            reader.seek(self._first(self._behind))
            while reader.position() < end:
                try:
                    records = reader.poll(_MAX_RECORDS, _MAX_BYTES)
                except OffsetOutOfRangeError:
                    # Retention was faster.
                    reader.seek(self._first(reader.position()))
                    continue
                for record in records:
                    identity = self._own_id(record)
                    if identity is not None and record.offset < end:
                        found.setdefault(identity, record.offset)
                if not records:
                    self._patience.failed("reading back; an open transaction delays it, or Kafka is away")
                    self._sleep(_LOOK_S)
        finally:
            reader.close()
        return found, end

    def _first(self, offset: int) -> int:
        low = self._client.bounds(self._at, Isolation.UNCOMMITTED).low
        if self._resumed and offset < low:
            logger.warning(
                "%s: offsets %d to %d were deleted, so records that were there may be written again: the "
                "topic's retention is shorter than the downtime",
                self._at,
                offset,
                low - 1,
            )
        return max(offset, low)

    def _own_id(self, record: KafkaRecord) -> str | None:
        headers = dict(record.headers)
        if headers.get(JOB_HEADER) != self._job.name.encode():
            return None
        identity = headers.get(self._job.id_header)
        return None if identity is None else identity.decode()

    def _signed(self, record: OutgoingRecord) -> OutgoingRecord:
        signature: Headers = ((JOB_HEADER, self._job.name.encode()),)
        return OutgoingRecord(
            key=record.key,
            value=record.value,
            headers=record.headers + signature,
            timestamp_ms=record.timestamp_ms,
        )
