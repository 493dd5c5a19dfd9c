"""A broker in memory with one topic, whose clients can be told to fail at any call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flows.kafka.base import (
    Bounds,
    Isolation,
    KafkaAwayError,
    KafkaRecord,
    OffsetOutOfRangeError,
    OutgoingRecord,
    ProducerFencedError,
    TopicPartition,
)
from flows.patience import OnWait, unwatched

AT = TopicPartition("topic", 0)


class CrashError(Exception):
    """The process dies here."""


@dataclass(slots=True)
class FakeKafka:
    """One partition: records, None for the markers that end transactions, and what was aborted.

    `fate` is asked before and after everything that reaches the broker; it may raise `KafkaAwayError` (the
    answer is lost) or `CrashError` (the client dies).
    """

    log: list[KafkaRecord | None] = field(default_factory=list)
    aborted: set[int] = field(default_factory=set)
    open_since: int | None = None
    low: int = 0
    epoch: int = 0
    away: bool = False
    fate: Callable[[], None] = lambda: None

    def ask(self) -> None:
        if self.away:
            raise KafkaAwayError("away")
        self.fate()

    def end(self, isolation: Isolation) -> int:
        if isolation is Isolation.COMMITTED and self.open_since is not None:
            return self.open_since
        return len(self.log)

    def put(self, *values: bytes | None, time_ms: int = 0) -> None:
        """Append records as another producer would."""
        for value in values:
            self.log.append(KafkaRecord(0, len(self.log), time_ms, None, value, ()))

    def append(self, records: Sequence[OutgoingRecord]) -> None:
        for each in records:
            self.log.append(KafkaRecord(0, len(self.log), 0, each.key, each.value, each.headers))

    def abort_open(self) -> None:
        """What a broker does when a new writer of the same id begins."""
        if self.open_since is not None:
            self.aborted |= set(range(self.open_since, len(self.log)))
            self.log.append(None)
            self.open_since = None

    def seen(self, isolation: Isolation = Isolation.COMMITTED) -> list[KafkaRecord]:
        """Everything that a consumer finds."""
        committed = isolation is Isolation.COMMITTED
        return [
            record
            for offset, record in enumerate(self.log[: self.end(isolation)])
            if record is not None and offset >= self.low and not (committed and offset in self.aborted)
        ]


@dataclass(slots=True)
class FakeClient:
    kafka: FakeKafka
    closed: int = 0

    def partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        self.kafka.ask()
        return [TopicPartition(topic, 0) for topic in topics]

    def reader(self, at: TopicPartition, isolation: Isolation) -> "FakeReader":
        assert at == AT
        self.kafka.ask()
        return FakeReader(self.kafka, isolation)

    def writer(
        self,
        at: TopicPartition,
        transactional_id: str | None,
        on_wait: OnWait = unwatched,  # noqa: ARG002  # its writes wait for nothing
    ) -> "FakeWriter":
        assert at == AT
        self.kafka.ask()
        if transactional_id is not None:
            self.kafka.epoch += 1
            self.kafka.abort_open()
        self.kafka.ask()
        return FakeWriter(self.kafka, self.kafka.epoch if transactional_id else None)

    def bounds(self, at: TopicPartition, isolation: Isolation) -> Bounds:
        assert at == AT
        self.kafka.ask()
        return Bounds(low=self.kafka.low, end=self.kafka.end(isolation))

    def offset_at(self, at: TopicPartition, timestamp_ms: int) -> int | None:
        assert at == AT
        self.kafka.ask()
        times = [record.offset for record in self.kafka.seen() if record.timestamp_ms >= timestamp_ms]
        return times[0] if times else None

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        raise NotImplementedError

    def create_topic(
        self, topic: str, *, partitions: int, replication: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed += 1


@dataclass(slots=True)
class FakeReader:
    kafka: FakeKafka
    isolation: Isolation
    place: int = 0

    def seek(self, offset: int) -> None:
        self.place = offset

    def poll(self, max_records: int, max_bytes: int) -> Sequence[KafkaRecord]:  # noqa: ARG002 - records are small
        if self.kafka.away:
            return ()
        if not self.kafka.low <= self.place <= len(self.kafka.log):
            raise OffsetOutOfRangeError(f"{self.place}")
        end = self.kafka.end(self.isolation)
        found = [record for record in self.kafka.seen(self.isolation) if record.offset >= self.place]
        found = found[:max_records]
        self.place = found[-1].offset + 1 if len(found) == max_records else max(self.place, end)
        return found

    def position(self) -> int:
        return self.place

    def bounds(self) -> Bounds | None:
        if self.kafka.away:
            return None
        return Bounds(low=self.kafka.low, end=self.kafka.end(self.isolation))

    def close(self) -> None:
        pass


@dataclass(slots=True)
class FakeWriter:
    kafka: FakeKafka
    epoch: int | None

    def write(self, records: Sequence[OutgoingRecord]) -> int:
        self._check()
        self.kafka.ask()
        self._check()
        first = len(self.kafka.log)
        if self.epoch is None:
            self.kafka.append(records)
            self.kafka.ask()
            return len(self.kafka.log) - 1
        half = (len(records) + 1) // 2
        self.kafka.open_since = first
        self.kafka.append(records[:half])
        self.kafka.ask()
        self.kafka.append(records[half:])
        self.kafka.ask()
        self.kafka.open_since = None
        self.kafka.log.append(None)
        self.kafka.ask()
        return first + len(records) - 1

    def close(self) -> None:
        # Whoever dies or loses the broker cannot abort either: the next writer does.
        pass

    def _check(self) -> None:
        if self.epoch is not None and self.epoch != self.kafka.epoch:
            raise ProducerFencedError("fenced")
