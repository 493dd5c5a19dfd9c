"""What the program needs of Kafka: values, the interfaces of its clients, and their errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from detectors.base import DriftflowError
from flows.patience import OnWait, unwatched

Headers = tuple[tuple[str, bytes | None], ...]
"""Headers of a record in order; names may repeat."""

NO_TIMESTAMP = -1
"""What a record without a timestamp carries."""


class KafkaError(DriftflowError):
    """Kafka refuses, and the same call would be refused again."""


class KafkaAwayError(DriftflowError):
    """Kafka did not answer in time, so the outcome is not known; the same call may succeed later."""


class ProducerFencedError(KafkaError):
    """Another writer has taken over the transactional id: this one is a left-over and must end."""


class NotAuthorizedError(KafkaError):
    """Credentials are wrong, or they do not allow what was asked."""


class UnknownTopicError(KafkaError):
    """There is no such topic or partition."""


class OffsetOutOfRangeError(KafkaError):
    """The partition does not hold the offset: it was deleted, or was never there."""


PATIENCE_S = 10.0
"""How long one call waits for an answer, unless its settings say otherwise."""


class Isolation(StrEnum):
    """Which records a reader sees."""

    COMMITTED = "read_committed"
    """None of an open or aborted transaction; the rule for sources."""
    UNCOMMITTED = "read_uncommitted"


class SecurityProtocol(StrEnum):
    """How connections are made."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How a user name and a password are proven."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """How brokers are reached.

    Attributes
    ----------
    bootstrap
        ``host:port`` of some brokers, joined by commas.
    sasl_mechanism, sasl_username, sasl_password
        Needed for the two SASL protocols. Passwords come from the environment, are never printed, and
        belong into no file.
    ca_file, cert_file, key_file, key_password
        PEM files: who may have signed the brokers' certificates (None: whom the system trusts), and this
        client's own certificate where brokers ask for one.
    client_id
        What brokers call this client in their logs and quotas.
    patience_s
        Seconds that one call waits for an answer before it raises `KafkaAwayError`.

    Raises
    ------
    KafkaError
        Settings are missing or contradict each other.
    """

    bootstrap: str
    security_protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: str | None = field(default=None, repr=False)
    client_id: str = "driftflow"
    patience_s: float = PATIENCE_S

    def __post_init__(self) -> None:
        """Refuse what no broker would accept."""
        if not self.bootstrap.strip():
            raise KafkaError("kafka bootstrap servers are empty: name at least one as host:port")
        sasl = self.security_protocol in {SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL}
        given = (self.sasl_mechanism, self.sasl_username, self.sasl_password)
        if sasl and None in given:
            names = ("sasl_mechanism", "sasl_username", "sasl_password")
            missing = [name for name, value in zip(names, given, strict=True) if value is None]
            raise KafkaError(f"security_protocol {self.security_protocol} also needs {', '.join(missing)}")
        if not sasl and given != (None, None, None):
            raise KafkaError(
                f"sasl settings are given and security_protocol is {self.security_protocol}: "
                "set it to SASL_SSL or SASL_PLAINTEXT, or leave them out"
            )


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class KafkaRecord(msgspec.Struct, frozen=True, gc=False):
    """One record as it was read.

    A struct, because the program makes one of these for every record it reads: a frozen dataclass takes five
    times as long to build. `timestamp_ms` is `NO_TIMESTAMP` where the record carries none; `value` is None
    for a tombstone.
    """

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRecord:
    """One record to be written; without `timestamp_ms` it carries the time of writing."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """First offset that a partition still holds, and the one behind its last."""

    low: int
    end: int


class PartitionReader(Protocol):
    """Reads one partition from where `seek` puts it; no method waits for the broker."""

    def seek(self, offset: int) -> None:
        """Read on from `offset`."""
        ...

    def poll(self, max_records: int, max_bytes: int) -> Sequence[KafkaRecord]:
        """Return what is there by now, in order.

        At most `max_records`, and as many as have `max_bytes` bytes of values together, but always one.

        Raises
        ------
        OffsetOutOfRangeError
            The partition does not hold the offset; `bounds` says what it holds.
        KafkaError
            The partition cannot be read.
        """
        ...

    def position(self) -> int:
        """Offset behind the last returned record, and behind what no reader ever sees."""
        ...

    def bounds(self) -> Bounds | None:
        """Return what the partition held at most two seconds ago; None while the broker does not answer.

        For `Isolation.COMMITTED` the end is that of the first open transaction.

        Raises
        ------
        KafkaError
            The partition is gone, or may not be read.
        """
        ...

    def close(self) -> None:
        """Release connections; called once."""
        ...


class PartitionWriter(Protocol):
    """Writes to one partition, each write acknowledged by all replicas in sync."""

    def write(self, records: Sequence[OutgoingRecord]) -> int:
        """Write at least one record, in order; with a transactional id in one transaction, all or none.

        Returns the offset of the last record. After any error the writer can only be closed.

        Raises
        ------
        KafkaAwayError
            It is not known which of the records were written: open a new writer, then read.
        ProducerFencedError
            Another writer with this transactional id was opened since.
        KafkaError
            A record is too large, or the topic may not be written.
        """
        ...

    def close(self) -> None:
        """Abort what is open, stop all deliveries and release connections; called once."""
        ...


class KafkaClient(Protocol):
    """A cluster; connects with the first call.

    Every method but `close` raises `KafkaAwayError` when the cluster does not answer in time, and
    `NotAuthorizedError` or another `KafkaError` when it refuses.
    """

    def partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        """Return all partitions of some topics, sorted.

        Raises
        ------
        UnknownTopicError
            A topic does not exist; it is never created by asking.
        """
        ...

    def reader(self, at: TopicPartition, isolation: Isolation) -> PartitionReader:
        """Open a reader; it stands at the earliest offset only after ``seek``."""
        ...

    def writer(
        self, at: TopicPartition, transactional_id: str | None, on_wait: OnWait = unwatched
    ) -> PartitionWriter:
        """Open a writer; with a transactional id, all earlier writers of that id are fenced on return.

        Without one its writes take as long as the cluster is away, and call `on_wait` meanwhile.
        """
        ...

    def bounds(self, at: TopicPartition, isolation: Isolation) -> Bounds:
        """Return what a partition holds now."""
        ...

    def offset_at(self, at: TopicPartition, timestamp_ms: int) -> int | None:
        """First offset whose record is not older than the timestamp; None where all are older."""
        ...

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Store next offsets under a group without members, for tools that show lag."""
        ...

    def create_topic(
        self, topic: str, *, partitions: int, replication: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Create a topic and wait until all its partitions can be used."""
        ...

    def close(self) -> None:
        """Release connections; readers and writers are closed before."""
        ...
