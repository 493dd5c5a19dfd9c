"""Kafka through kafka-python."""

import socket
import time
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from flows.kafka.base import (
    Bounds,
    Isolation,
    KafkaAwayError,
    KafkaError,
    KafkaRecord,
    KafkaSettings,
    PartitionReader,
    PartitionWriter,
    SecurityProtocol,
    TopicPartition,
    UnknownTopicError,
)
from flows.kafka.cut import fitting
from flows.kafka.kafka_python_errors import translated
from flows.kafka.kafka_python_writer import KafkaPythonWriter
from flows.kafka.watch import OffsetWatch
from flows.patience import OnWait, unwatched

with warnings.catch_warnings():
    # kafka-python reads its schemas by functions that Python 3.11 and 3.12 call deprecated.
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    import kafka  # type: ignore[import-untyped]  # carries no types
    import kafka.errors  # type: ignore[import-untyped]
    from kafka.protocol.consumer import IsolationLevel  # type: ignore[import-untyped]
    from kafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]
    from kafka.structs import TopicPartition as _TheirPartition

_FETCH_WAIT_MS = 250
_FETCH_BYTES = 4 << 20
_COORDINATOR_PAUSE_S = 0.1
_EARLIEST, _LATEST = -2, -1
"""Stand for timestamps in Kafka's protocol (ListOffsets)."""


class _Secret(str):
    """A password; kafka-python logs its whole configuration when it is told to log everything."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class KafkaPythonClient:
    """A cluster through kafka-python."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin: kafka.KafkaAdminClient | None = None
        self._watches: dict[Isolation, OffsetWatch] = {}

    def partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        """See `KafkaClient.partitions`."""
        doing = f"looking up topics {', '.join(topics)}"
        with translated(doing):
            described = self._connected().describe_topics(list(topics))
        found = []
        for topic in described:
            error = kafka.errors.for_code(topic["error_code"])
            if error is not kafka.errors.NoError:
                with translated(f"looking up topic {topic['name']}"):
                    raise error
            found += [TopicPartition(topic["name"], each["partition_index"]) for each in topic["partitions"]]
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
        return KafkaPythonWriter(self._settings, connection(self._settings), at, transactional_id, on_wait)

    def bounds(self, at: TopicPartition, isolation: Isolation) -> Bounds:
        """See `KafkaClient.bounds`."""
        return self._all_bounds([at], isolation)[at]

    def offset_at(self, at: TopicPartition, timestamp_ms: int) -> int | None:
        """See `KafkaClient.offset_at`."""
        offset = self._offsets([at], max(timestamp_ms, 0), Isolation.UNCOMMITTED)[at]
        return None if offset < 0 else offset

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `KafkaClient.commit`."""
        wanted = {_theirs(at): OffsetAndMetadata(offset, "", -1) for at, offset in offsets.items()}
        with translated(f"committing offsets of group {group}"):
            outcomes = self._patiently(lambda: self._connected().alter_group_offsets(group, wanted).values())
            for outcome in outcomes:
                if outcome is not kafka.errors.NoError:
                    raise outcome

    def _patiently(self, ask: Callable[[], Collection[Any]]) -> Collection[Any]:
        """Ask again while a cluster that never had a group makes the topic for them."""
        deadline_s = time.monotonic() + self._settings.patience_s
        while True:
            try:
                return ask()
            except kafka.errors.CoordinatorNotAvailableError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(_COORDINATOR_PAUSE_S)

    def create_topic(
        self, topic: str, *, partitions: int, replication: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """See `KafkaClient.create_topic`."""
        wanted = {
            "num_partitions": partitions,
            "replication_factor": replication,
            "configs": dict(config or {}),
        }
        with translated(f"creating topic {topic}"):
            self._connected().create_topics({topic: wanted}, wait_for_metadata=True)

    def close(self) -> None:
        """See `KafkaClient.close`."""
        for watch in self._watches.values():
            watch.close()
        if self._admin is not None:
            self._admin.close()

    def _check(self, at: TopicPartition) -> None:
        """Refuse what readers and writers would wait for in vain."""
        _check_reachable(self._settings)
        if at not in self.partitions([at.topic]):
            raise UnknownTopicError(f"opening {at}: there is no such partition: create it first")

    def _connected(self) -> "kafka.KafkaAdminClient":
        if self._admin is None:
            _check_reachable(self._settings)
            self._admin = kafka.KafkaAdminClient(**connection(self._settings))
        return self._admin

    def _all_bounds(
        self, asked: Collection[TopicPartition], isolation: Isolation
    ) -> dict[TopicPartition, Bounds]:
        lows = self._offsets(asked, _EARLIEST, isolation)
        ends = self._offsets(asked, _LATEST, isolation)
        return {at: Bounds(low=lows[at], end=ends[at]) for at in asked}

    def _offsets(
        self, asked: Collection[TopicPartition], timestamp_ms: int, isolation: Isolation
    ) -> dict[TopicPartition, int]:
        wanted = {_theirs(at): timestamp_ms for at in asked}
        level = IsolationLevel.build_from(isolation.value)
        names = ", ".join(str(at) for at in asked)
        with translated(f"looking up offsets of {names}"):
            found = self._connected().list_partition_offsets(
                wanted, isolation_level=level, timeout_ms=int(self._settings.patience_s * 1000)
            )
        return {at: found[_theirs(at)].offset for at in asked}


class _Reader:
    def __init__(
        self, settings: KafkaSettings, at: TopicPartition, isolation: Isolation, watch: OffsetWatch
    ) -> None:
        self._at = at
        self._partition = _theirs(at)
        self._ahead: Sequence[KafkaRecord] = ()
        self._position = 0
        with translated(f"opening {at}"):
            self._consumer = kafka.KafkaConsumer(
                **connection(settings),
                metrics_enabled=False,
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level=isolation.value,
                allow_auto_create_topics=False,
                fetch_max_wait_ms=_FETCH_WAIT_MS,
                max_partition_fetch_bytes=_FETCH_BYTES,
            )
        self._consumer.assign([self._partition])
        self.seek(0)
        self._watch = watch
        watch.add(at)

    def seek(self, offset: int) -> None:
        self._ahead = ()
        self._position = offset
        self._consumer.seek(self._partition, offset)

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
        # Without committing there is nothing to wait for.
        self._consumer.close(autocommit=False, timeout_ms=0)

    def _fetched(self, max_records: int) -> Sequence[KafkaRecord]:
        try:
            with translated(f"reading {self._at}"):
                polled = self._consumer.poll(timeout_ms=0, max_records=max_records)
                # Moves past markers of transactions too, which are never returned.
                position = self._consumer.position(self._partition, timeout_ms=0)
        except (KafkaAwayError, UnknownTopicError):
            # What is gone for good, the watch learns; the rest comes back.
            return ()
        if position is not None:
            self._position = position
        # Here is where the time goes: no call, attribute or loop more than needed.
        return [
            KafkaRecord(
                each.partition, each.offset, each.timestamp, each.key, each.value, tuple(each.headers or ())
            )
            for each in polled.get(self._partition, ())
        ]


def connection(settings: KafkaSettings) -> dict[str, object]:
    """Say in kafka-python's words how brokers are reached."""
    patience_ms = int(settings.patience_s * 1000)
    given: dict[str, object] = {
        "bootstrap_servers": [server.strip() for server in settings.bootstrap.split(",")],
        "client_id": settings.client_id,
        "bootstrap_timeout_ms": patience_ms,
        "request_timeout_ms": max(patience_ms, 2 * _FETCH_WAIT_MS),
        # Each attempt that fails leaves its socket to the garbage collector.
        "reconnect_backoff_max_ms": 5000,
        "security_protocol": settings.security_protocol.value,
        "ssl_cafile": settings.ca_file,
        "ssl_certfile": settings.cert_file,
        "ssl_keyfile": settings.key_file,
        "ssl_password": None if settings.key_password is None else _Secret(settings.key_password),
    }
    if settings.security_protocol in {SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL}:
        assert settings.sasl_mechanism is not None
        given |= {
            "sasl_mechanism": settings.sasl_mechanism.value,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": _Secret(settings.sasl_password),
        }
    return given


def _check_reachable(settings: KafkaSettings) -> None:
    """Raise where no broker listens: a client that cannot connect leaves its thread behind."""
    reasons = []
    for server in settings.bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        if not port.isdigit():
            raise KafkaError(f"kafka bootstrap server is {server.strip()!r}, wanted host:port")
        try:
            socket.create_connection((host.strip("[]"), int(port)), settings.patience_s).close()
        except OSError as error:
            reasons.append(f"{server.strip()}: {error.strerror or error}")
        else:
            return
    raise KafkaAwayError(f"no Kafka broker can be reached ({'; '.join(reasons)}): check the address")


def _theirs(at: TopicPartition) -> "_TheirPartition":
    return _TheirPartition(at.topic, at.partition)
