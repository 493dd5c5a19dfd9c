"""What tests do to a broker behind the back of the client under test."""

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager

from flows.kafka.base import TopicPartition as At

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    from kafka import (  # type: ignore[import-untyped]  # carries no types
        KafkaAdminClient,
        KafkaConsumer,
        KafkaProducer,
        TopicPartition,
    )


@contextmanager
def open_transaction(bootstrap: str, topic: str, value: bytes, *, name: str = "open") -> Iterator[None]:
    """Hold a transaction of somebody else open; it is aborted afterwards."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{name}-{topic}")
    with closing(producer):
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(topic, value, partition=0).get(10)
        yield
        producer.abort_transaction()


def delete_before(bootstrap: str, at: At, offset: int) -> None:
    """Delete records as retention would."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.delete_records({TopicPartition(*at): offset})


def committed_offsets(bootstrap: str, group: str) -> dict[At, int]:
    """Read what a group has committed."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        found = admin.list_group_offsets([group])[group]
        return {At(at.topic, at.partition): stored.offset for at, stored in found.items()}


def values_in(
    bootstrap: str, topic: str, partition: int = 0, *, isolation: str = "read_committed"
) -> list[tuple[bytes | None, bytes | None, dict[str, bytes]]]:
    """Read key, value and headers of all that a plain consumer sees up to the end."""
    at = TopicPartition(topic, partition)
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level=isolation, enable_auto_commit=False, group_id=None
    )
    with closing(consumer):
        consumer.assign([at])
        consumer.seek(at, consumer.beginning_offsets([at])[at])
        end = consumer.end_offsets([at])[at]
        found = []
        while consumer.position(at) < end:
            polled = consumer.poll(timeout_ms=100).get(at, ())
            found += [(each.key, each.value, dict(each.headers)) for each in polled]
        return found


def add_partitions(bootstrap: str, topic: str, total: int) -> None:
    """Make a topic larger."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.create_partitions({topic: total})
