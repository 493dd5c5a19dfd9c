"""Reads one live partition as raw records."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from flows.decode.base import Reason
from flows.kafka.base import (
    Bounds,
    Isolation,
    KafkaAwayError,
    KafkaClient,
    KafkaError,
    KafkaRecord,
    OffsetOutOfRangeError,
    PartitionReader,
    TopicPartition,
)
from flows.patience import Patience, logger
from flows.sources.base import RawBatch, RefusedRecord
from state.codec import FINGERPRINT_BYTES, pack, unpack

MAX_RECORDS = 8192
MAX_BYTES = 4 << 20
"""What one read returns at most; one record may be larger."""

_KIND, _VERSION = "kafka-position", 1
# The position names its partition itself, which makes a better error.
_FINGERPRINT = bytes(FINGERPRINT_BYTES)


class Begin(StrEnum):
    """Where a partition is read from when there is no position yet."""

    EARLIEST = "earliest"
    LATEST = "latest"
    OFFSET = "offset"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where to begin; `at` is the offset, or milliseconds since the epoch, where `begin` needs one.

    A timestamp behind the last record begins at the end.
    """

    begin: Begin = Begin.EARLIEST
    at: int | None = None

    def __post_init__(self) -> None:
        """Refuse a start without its number, and a number without its use."""
        if (self.at is None) == (self.begin in {Begin.OFFSET, Begin.TIMESTAMP}):
            raise KafkaError(
                f"start of a Kafka source is {self.begin} with {self.at}: "
                "offset and timestamp need a number, earliest and latest take none"
            )


_EARLIEST = Start()


class _Position(msgspec.Struct, frozen=True):
    topic: str
    partition: int
    next: int | None
    gap: int


class KafkaRecordReader:
    """Reads one partition; see `flows.sources.base.Reader`. Numbers of records are their offsets.

    No read waits for data: it returns what is there, an empty batch where that is nothing. A broker that does
    not answer means empty batches that are not `caught_up`, and a line in the log now and then; the library
    connects again by itself.

    Parameters
    ----------
    position
        What `position` returned, of the same partition; None: from `start`.
    until_end
        Stop where the partition ended when it was opened, for backfills; live reading never ends.
    max_record_bytes
        A longer record is refused; None: none is.

    Raises
    ------
    KafkaError
        The position is not one of this partition.
    """

    def __init__(
        self,
        client: KafkaClient,
        at: TopicPartition,
        *,
        position: bytes | None = None,
        start: Start = _EARLIEST,
        until_end: bool = False,
        isolation: Isolation = Isolation.COMMITTED,
        max_record_bytes: int | None = None,
    ) -> None:
        self._client = client
        self._at = at
        self._start = start
        self._until_end = until_end
        self._isolation = isolation
        self._max_record_bytes = max_record_bytes
        self._stop_at: int | None = None
        self._reader: PartitionReader | None = None
        self._patience = Patience(f"reading {at}")
        self._next, self._gap = (None, 0) if position is None else _resumed(position, at)

    @property
    def gap(self) -> int:
        """Records that were deleted before they were read, over the life of the position."""
        return self._gap

    @property
    def lag(self) -> int | None:
        """Offsets from here to the end; None while the broker does not answer."""
        bounds = None if self._reader is None else self._reader.bounds()
        return None if bounds is None or self._next is None else max(0, bounds.end - self._next)

    def read(self, max_records: int) -> RawBatch | None:
        """Return what is there by now; None only with `until_end`.

        Raises
        ------
        KafkaError
            The topic is gone or was made anew, or may not be read.
        """
        reader = self._opened()
        if reader is None:
            return _batch(())
        if self._stop_at is not None and reader.position() >= self._stop_at:
            return None
        try:
            records = reader.poll(min(max_records, MAX_RECORDS), MAX_BYTES)
        except OffsetOutOfRangeError:
            self._skip_deleted(reader)
            return _batch(())
        self._next = reader.position()
        if self._stop_at is not None and self._next > self._stop_at:
            # What was written after the opening is not part of a backfill, and whoever goes on from here
            # finds it.
            self._next = self._stop_at
            records = [record for record in records if record.offset < self._stop_at]
        caught_up = not records and self._caught_up(reader)
        return _batch(records, caught_up=caught_up, max_record_bytes=self._max_record_bytes)

    def position(self) -> bytes:
        """Pack the next offset; before the first contact with Kafka it says to begin at the start."""
        position = _Position(self._at.topic, self._at.partition, self._next, self._gap)
        return pack(_KIND, _VERSION, _FINGERPRINT, msgspec.msgpack.encode(position))

    def close(self) -> None:
        """Release the reader; the client stays open."""
        if self._reader is not None:
            self._reader.close()

    def _caught_up(self, reader: PartitionReader) -> bool:
        bounds = reader.bounds()
        if bounds is None:
            self._patience.failed("no answer about the end of the partition")
            return False
        self._patience.succeeded()
        return reader.position() >= bounds.end

    def _opened(self) -> PartitionReader | None:
        """Open with the first read, so that a start during an outage waits instead of failing."""
        if self._reader is not None or not self._patience.may_try:
            return self._reader
        reader: PartitionReader | None = None
        try:
            reader = self._client.reader(self._at, self._isolation)
            bounds = self._client.bounds(self._at, self._isolation)
            begin = self._begin(bounds) if self._next is None else self._next
            begin = self._held(begin, bounds)
        except KafkaAwayError as error:
            if reader is not None:
                reader.close()
            self._patience.failed(str(error))
            return None
        except BaseException:
            if reader is not None:
                reader.close()
            raise
        self._patience.succeeded()
        reader.seek(begin)
        self._reader, self._next = reader, begin
        if self._until_end:
            self._stop_at = bounds.end
        return reader

    def _begin(self, bounds: Bounds) -> int:
        match self._start.begin:
            case Begin.EARLIEST:
                return bounds.low
            case Begin.LATEST:
                return bounds.end
            case Begin.OFFSET:
                return self._start.at or 0
            case Begin.TIMESTAMP:
                found = self._client.offset_at(self._at, self._start.at or 0)
                return bounds.end if found is None else found

    def _skip_deleted(self, reader: PartitionReader) -> None:
        bounds = reader.bounds()
        # The answer may be from before the deletion: then the next read is out of range again.
        if bounds is not None:
            self._next = self._held(reader.position(), bounds)
            reader.seek(self._next)

    def _held(self, offset: int, bounds: Bounds) -> int:
        """Return the offset, or the earliest one where retention was faster; says how many are missing."""
        if offset > bounds.end:
            raise KafkaError(
                f"{self._at} ends at offset {bounds.end} and is to be read from {offset}: its topic was "
                "deleted and made anew, or the start is wrong; begin at earliest, with a new recovery folder"
            )
        if offset >= bounds.low:
            return offset
        missing = bounds.low - offset
        self._gap += missing
        logger.error(
            "%s: %d records, offsets %d to %d, were deleted before they were read: the topic's retention is "
            "shorter than the delay of its reader",
            self._at,
            missing,
            offset,
            bounds.low - 1,
        )
        return bounds.low


def next_offset(position: bytes) -> int | None:
    """Return the offset behind which a position stands; None before the first contact with Kafka."""
    payload = unpack(position, kind=_KIND, versions=(_VERSION,), fingerprint=None).payload
    return msgspec.msgpack.decode(payload, type=_Position).next


def _batch(
    records: Sequence[KafkaRecord], *, caught_up: bool = False, max_record_bytes: int | None = None
) -> RawBatch:
    limit = sys.maxsize if max_record_bytes is None else max_record_bytes
    refused: tuple[RefusedRecord, ...] = ()
    kept: Sequence[KafkaRecord] = records
    if any(record.value is None or len(record.value) > limit for record in records):
        kept = [record for record in records if record.value is not None and len(record.value) <= limit]
        taken = {record.offset for record in kept}
        refused = tuple(_refused(record, limit) for record in records if record.offset not in taken)
    values = [record.value for record in kept if record.value is not None]
    return RawBatch(
        records=values,
        numbers=[record.offset for record in kept],
        refused=refused,
        size=sum(map(len, values)),
        times_ms=[record.timestamp_ms for record in kept],
        caught_up=caught_up,
    )


def _refused(record: KafkaRecord, limit: int) -> RefusedRecord:
    if record.value is None:
        reason, detail = Reason.MALFORMED, "the record has no value (a tombstone)"
    else:
        # Kafka's clients hold a record as a whole anyway, so all of it is kept.
        reason = Reason.TOO_LONG
        detail = f"the record takes {len(record.value):,} bytes; max_record_bytes is {limit:,}"
    return RefusedRecord(number=record.offset, reason=reason, detail=detail, raw=record.value or b"")


def _resumed(position: bytes, at: TopicPartition) -> tuple[int | None, int]:
    payload = unpack(position, kind=_KIND, versions=(_VERSION,), fingerprint=None).payload
    found = msgspec.msgpack.decode(payload, type=_Position)
    if TopicPartition(found.topic, found.partition) != at:
        raise KafkaError(
            f"the stored position is of {found.topic}/{found.partition} and {at} is to be read: "
            "take the recovery folder of this configuration, or start anew"
        )
    return found.next, found.gap
