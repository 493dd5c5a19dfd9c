"""Kafka through librdkafka, which confluent-kafka wraps."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import cast

import confluent_kafka as confluent
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from flows.kafka.base import (
    NO_TIMESTAMP,
    Bounds,
    Headers,
    Isolation,
    KafkaAwayError,
    KafkaRecord,
    KafkaSettings,
    PartitionReader,
    PartitionWriter,
    SecurityProtocol,
    TopicPartition,
    UnknownTopicError,
)
from flows.kafka.cut import fitting
from flows.kafka.librdkafka_errors import translated, translation
from flows.kafka.librdkafka_writer import LibrdkafkaWriter
from flows.kafka.watch import OffsetWatch
from flows.patience import OnWait, logger, unwatched

_FETCH_WAIT_MS = 250
_QUEUE_KB = 16 << 10
_LOOK_S = 0.05
_NO_TIME = confluent.TIMESTAMP_NOT_AVAILABLE
# Reading by assignment joins no group, but librdkafka wants a name.
_NO_GROUP = "driftflow"


class LibrdkafkaClient:
    """A cluster through librdkafka."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._lookups: dict[Isolation, confluent.Consumer] = {}
        self._watches: dict[Isolation, OffsetWatch] = {}

    def partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        """See `KafkaClient.partitions`."""
        found = []
        for topic in topics:
            with translated(f"looking up topic {topic}"):
                described = (
                    self._lookup(Isolation.UNCOMMITTED)
                    .list_topics(topic, timeout=self._settings.patience_s)
                    .topics[topic]
                )
            if described.error is not None:
                raise translation(described.error, f"looking up topic {topic}")
            found += [TopicPartition(topic, partition) for partition in described.partitions]
        return sorted(found)

    def reader(self, at: TopicPartition, isolation: Isolation) -> PartitionReader:
        """See `KafkaClient.reader`."""
        self._check(at)
        watch = self._watches.get(isolation)
        if watch is None:
            watch = self._watches[isolation] = OffsetWatch(lambda asked: self._all_bounds(asked, isolation))
        return _Reader(self._settings, at, isolation, watch)

    def writer(
        self, at: TopicPartition, transactional_id: str | None, on_wait: OnWait = unwatched
    ) -> PartitionWriter:
        """See `KafkaClient.writer`."""
        self._check(at)
        return LibrdkafkaWriter(self._settings, connection(self._settings), at, transactional_id, on_wait)

    def bounds(self, at: TopicPartition, isolation: Isolation) -> Bounds:
        """See `KafkaClient.bounds`."""
        return self._all_bounds([at], isolation)[at]

    def offset_at(self, at: TopicPartition, timestamp_ms: int) -> int | None:
        """See `KafkaClient.offset_at`."""
        wanted = confluent.TopicPartition(at.topic, at.partition, max(timestamp_ms, 0))
        with translated(f"looking up an offset of {at} by time"):
            (found,) = self._lookup(Isolation.UNCOMMITTED).offsets_for_times(
                [wanted], timeout=self._settings.patience_s
            )
        if found.error is not None:
            raise translation(found.error, f"looking up an offset of {at} by time")
        return found.offset if found.offset >= 0 else None

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `KafkaClient.commit`."""
        doing = f"committing offsets of group {group}"
        # Committing itself waits much longer for a coordinator than anything else waits.
        self.partitions(sorted({at.topic for at in offsets}))
        wanted = [confluent.TopicPartition(*at, offset) for at, offset in offsets.items()]
        consumer = confluent.Consumer(connection(self._settings) | {"group.id": group})
        try:
            with translated(doing):
                outcomes = consumer.commit(offsets=wanted, asynchronous=False)
        finally:
            consumer.close()
        for outcome in outcomes or ():
            if outcome.error is not None:
                raise translation(outcome.error, doing)

    def create_topic(
        self, topic: str, *, partitions: int, replication: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """See `KafkaClient.create_topic`."""
        wanted = NewTopic(topic, partitions, replication, config=dict(config or {}))
        with translated(f"creating topic {topic}"):
            plain = connection(self._settings).items()
            admin = AdminClient({name: value for name, value in plain if isinstance(value, str | int)})
            created = admin.create_topics([wanted])
            try:
                created[topic].result(self._settings.patience_s)
            except TimeoutError as error:
                raise KafkaAwayError(f"creating topic {topic}: Kafka does not answer") from error
        self._await_leaders(topic, partitions)

    def close(self) -> None:
        """See `KafkaClient.close`."""
        for watch in self._watches.values():
            watch.close()
        for consumer in self._lookups.values():
            consumer.close()

    def _check(self, at: TopicPartition) -> None:
        """Refuse what readers and writers would wait for in vain."""
        if at not in self.partitions([at.topic]):
            raise UnknownTopicError(f"opening {at}: there is no such partition: create it first")

    def _await_leaders(self, topic: str, partitions: int) -> None:
        """Wait until the topic can be used.

        By metadata, because librdkafka remembers for half a minute that an offset was asked in vain.
        """
        deadline_s = time.monotonic() + self._settings.patience_s
        while time.monotonic() < deadline_s:
            with translated(f"creating topic {topic}"):
                described = self._lookup(Isolation.UNCOMMITTED).list_topics(topic, self._settings.patience_s)
            known = described.topics[topic].partitions.values()
            if len(known) == partitions and all(each.leader >= 0 for each in known):
                return
            time.sleep(_LOOK_S)
        raise KafkaAwayError(f"creating topic {topic}: its partitions have no leaders yet")

    def _lookup(self, isolation: Isolation) -> confluent.Consumer:
        found = self._lookups.get(isolation)
        if found is None:
            found = self._lookups[isolation] = confluent.Consumer(
                connection(self._settings) | {"group.id": _NO_GROUP, "isolation.level": isolation.value}
            )
        return found

    def _all_bounds(
        self, asked: Collection[TopicPartition], isolation: Isolation
    ) -> dict[TopicPartition, Bounds]:
        return {at: self._bounds_of(at, isolation) for at in asked}

    def _bounds_of(self, at: TopicPartition, isolation: Isolation) -> Bounds:
        doing = f"looking up offsets of {at}"
        try:
            with translated(doing):
                found = self._lookup(isolation).get_watermark_offsets(
                    confluent.TopicPartition(*at), timeout=self._settings.patience_s
                )
        except UnknownTopicError as error:
            # librdkafka also says so of what it has not heard of lately, during an outage for example.
            self._check(at)
            raise KafkaAwayError(f"{doing}: Kafka does not answer ({error})") from error
        if found is None:
            raise KafkaAwayError(f"{doing}: Kafka does not answer")
        return Bounds(low=found[0], end=found[1])


class _Reader:
    def __init__(
        self, settings: KafkaSettings, at: TopicPartition, isolation: Isolation, watch: OffsetWatch
    ) -> None:
        self._at = at
        self._ahead: Sequence[KafkaRecord] = ()
        self._position = 0
        self._consumer = confluent.Consumer(
            connection(settings)
            | {
                "group.id": _NO_GROUP,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "isolation.level": isolation.value,
                "fetch.wait.max.ms": _FETCH_WAIT_MS,
                "queued.max.messages.kbytes": _QUEUE_KB,
            }
        )
        self.seek(0)
        self._watch = watch
        watch.add(at)

    def seek(self, offset: int) -> None:
        self._ahead = ()
        self._position = offset
        # `Consumer.seek` works only once fetching has begun.
        self._consumer.assign([confluent.TopicPartition(*self._at, offset)])

    def poll(self, max_records: int, max_bytes: int) -> Sequence[KafkaRecord]:
        if not self._ahead:
            self._ahead = self._fetched(max_records)
        count = fitting(self._ahead, max_records, max_bytes)
        taken, self._ahead = self._ahead[:count], self._ahead[count:]
        return taken

    def position(self) -> int:
        return self._ahead[0].offset if self._ahead else self._position

    def bounds(self) -> Bounds | None:
        return self._watch.bounds(self._at)

    def close(self) -> None:
        self._watch.remove(self._at)
        self._consumer.close()

    def _fetched(self, max_records: int) -> Sequence[KafkaRecord]:
        with translated(f"reading {self._at}"):
            messages = self._consumer.consume(max_records, 0)
        records = []
        for each in messages:
            error = each.error()
            if error is None:
                records.append(_record(each))
            elif error.code() == confluent.KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                # Says how far the partition has been read, markers of transactions included.
                self._position = max(self._position, each.offset() or 0)
            else:
                self._refuse(error)
        if records:
            self._position = max(self._position, records[-1].offset + 1)
        return records

    def _refuse(self, error: confluent.KafkaError) -> None:
        raised = translation(error, f"reading {self._at} at offset {self._position}")
        # What is gone for good, the watch learns; the rest comes back.
        if not isinstance(raised, KafkaAwayError | UnknownTopicError):
            raise raised


def connection(settings: KafkaSettings) -> dict[str, object]:
    """Say in librdkafka's words how brokers are reached."""
    given: dict[str, object] = {
        "bootstrap.servers": settings.bootstrap,
        "client.id": settings.client_id,
        "reconnect.backoff.max.ms": 5000,
        # A broker that starts does not know its topics yet; that is not to be remembered.
        "topic.metadata.propagation.max.ms": 1000,
        "allow.auto.create.topics": False,
        "security.protocol": settings.security_protocol.value,
        "logger": logger.getChild("librdkafka"),
        "ssl.ca.location": settings.ca_file,
        "ssl.certificate.location": settings.cert_file,
        "ssl.key.location": settings.key_file,
        "ssl.key.password": settings.key_password,
    }
    if settings.security_protocol in {SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL}:
        assert settings.sasl_mechanism is not None
        given |= {
            "sasl.mechanism": settings.sasl_mechanism.value,
            "sasl.username": settings.sasl_username,
            "sasl.password": settings.sasl_password,
        }
    return {name: value for name, value in given.items() if value is not None}


def _record(message: "confluent.Message[bytes, bytes]") -> KafkaRecord:
    kind, timestamp_ms = message.timestamp()
    return KafkaRecord(
        message.partition() or 0,
        message.offset() or 0,
        NO_TIMESTAMP if kind == _NO_TIME else timestamp_ms,
        message.key(),
        message.value(),
        cast("Headers", tuple(message.headers() or ())),
    )
