"""Writes alerts to a topic of the configured cluster, each in a transaction of its own."""

from collections.abc import Callable, Mapping

from alerts.channels.base import RefusedError, TryAgainError
from alerts.channels.kafka import Publisher
from alerts.channels.secrets import SetupError
from detectors.base import DriftflowError
from flows.config import Config
from flows.connections import kafka_connector
from flows.kafka.base import (
    KafkaAwayError,
    KafkaClient,
    KafkaError,
    OutgoingRecord,
    PartitionWriter,
    ProducerFencedError,
    UnknownTopicError,
)
from flows.kafka.partitioner import partition_hash

PATIENCE_S = 4.0
"""How long one question to the brokers may take: less than elsewhere, for other channels wait meanwhile."""

OpenPublisher = Callable[[str, str], Publisher]
"""Makes what writes for a channel, by its name, to a topic; nothing is asked of the brokers."""


class TopicPublisher:
    """One writer, opened with the first record and anew after any failure.

    A new writer fences the one before and with it whatever of that may still be on its way, so a consumer of
    committed records sees a notice twice only where its transaction was committed and the answer was lost;
    the header with its id is the same then. A writer that was fenced itself was taken over by a process that
    alerts in this one's place; its record is not written, and may be tried again like any other.

    Parameters
    ----------
    transactional_id
        The same in all processes that send for one channel of a model.
    """

    def __init__(self, client: KafkaClient, topic: str, *, transactional_id: str) -> None:
        self._client = client
        self._topic = topic
        self._transactional_id = transactional_id
        self._writer: PartitionWriter | None = None

    def publish(self, key: bytes, value: bytes, headers: Mapping[str, bytes]) -> None:
        """See `Publisher.publish`."""
        record = OutgoingRecord(key=key, value=value, headers=tuple(headers.items()))
        failure = self._failure(record)
        # Raised here and not above: errors of a client may hold its settings.
        if failure is not None:
            self._give_up_writer()
            raise failure

    def close(self) -> None:
        """See `Publisher.close`."""
        self._give_up_writer()
        self._client.close()

    def _failure(self, record: OutgoingRecord) -> DriftflowError | None:
        try:
            if self._writer is None:
                self._writer = self._opened(record.key or b"")
            self._writer.write([record])
        except (KafkaAwayError, ProducerFencedError, UnknownTopicError) as error:
            # A topic may be made yet, and brokers learn of a new one at different times.
            return TryAgainError(f"Kafka: {error}")
        except KafkaError as error:
            return RefusedError(f"Kafka: {error}")
        return None

    def _opened(self, key: bytes) -> PartitionWriter:
        """Open the partition of a key; all notices of a process have one, their model."""
        partitions = self._client.partitions([self._topic])
        at = partitions[partition_hash(key) % len(partitions)]
        return self._client.writer(at, self._transactional_id)

    def _give_up_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None


def publisher_opener(config: Config, environ: Mapping[str, str]) -> OpenPublisher:
    """Return what makes publishers for the channels of a configuration."""

    def opened(channel: str, topic: str) -> Publisher:
        connected = kafka_connector(config, environ, patience_s=PATIENCE_S)
        try:
            client = connected()
        except KafkaError as error:
            raise SetupError(f"`kafka.library`: {error}") from None
        return TopicPublisher(
            client, topic, transactional_id=f"driftflow-alerts/{config.file.model.name}/{channel}/{topic}"
        )

    return opened
