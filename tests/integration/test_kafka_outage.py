import gc
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from threading import Thread

import pytest

from flows.kafka.base import KafkaSettings, OutgoingRecord
from flows.kafka.base import TopicPartition as At
from flows.kafka.connect import Library, connect
from flows.kafka.exactly_once import ExactlyOncePartition, Job
from flows.kafka.reader import KafkaRecordReader
from tests.contracts.kafka_broker import values_in
from tests.integration.services import KAFKA, OwnStack

LIBRARIES: list[Library] = ["kafka-python", "librdkafka"]
PATIENCE_S = 60.0
ASK_S = 1.0
"""How long a client waits for one answer; a write with a transaction waits three times as long."""


class Writing:
    """Writes numbered records until it is told to stop."""

    def __init__(self, bootstrap: str, topic: str, library: Library, *, transactions: bool) -> None:
        client = connect(KafkaSettings(bootstrap=bootstrap, patience_s=ASK_S), library)
        job = Job(name="fraud", id_header="id", transactions=transactions)
        self.topic = topic
        self.done = 0
        self.stop = False
        self.waits = 0
        self.partition = ExactlyOncePartition(client, At(topic, 0), job, on_wait=self.wait)
        self.client = client
        self.thread = Thread(target=self.run, daemon=True)
        self.thread.start()

    def wait(self) -> None:
        self.waits += 1

    def run(self) -> None:
        while not self.stop:
            numbers = [b"%d" % number for number in range(self.done, self.done + 3)]
            self.partition.write(
                [
                    (number.decode(), OutgoingRecord(key=None, value=number, headers=(("id", number),)))
                    for number in numbers
                ]
            )
            self.done += 3

    def close(self) -> None:
        self.stop = True
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        self.partition.close()
        self.client.close()


@pytest.mark.slow
def test_outage_is_waited_for(own_stack: OwnStack, caplog: pytest.LogCaptureFixture) -> None:
    # Longer than any write waits, so that writers give up and begin anew.
    live_through_outage(own_stack, LIBRARIES, (True, False), 6 * ASK_S)
    assert "writing to out-" in caplog.text
    assert "reading in-" in caplog.text


def test_short_outage_is_waited_for(own_stack: OwnStack, caplog: pytest.LogCaptureFixture) -> None:
    live_through_outage(own_stack, LIBRARIES[:1], (True,), 4 * ASK_S)
    assert "writing to out-" in caplog.text


def live_through_outage(
    own_stack: OwnStack, libraries: list[Library], transactions: tuple[bool, ...], seconds: float
) -> None:
    """Stop the broker under readers and writers; they wait, and each record is there once."""
    bootstrap = own_stack.start(KAFKA)
    run = uuid.uuid4().hex[:8]
    writings: list[Writing] = []
    with ExitStack() as stack:
        readers = {}
        for library in libraries:
            client = stack.enter_context(closing(connect(KafkaSettings(bootstrap=bootstrap), library)))
            client.create_topic(f"in-{library}-{run}", partitions=1)
            readers[library] = stack.enter_context(
                closing(KafkaRecordReader(client, At(f"in-{library}-{run}", 0)))
            )
            for transactional in transactions:
                topic = f"out-{library}-{transactional}-{run}"
                client.create_topic(topic, partitions=1)
                writing = Writing(bootstrap, topic, library, transactions=transactional)
                writings.append(stack.enter_context(closing(writing)))
        until(lambda: all(caught_up(reader) for reader in readers.values()))
        until(lambda: all(writing.done > 20 for writing in writings))

        own_stack.stop(KAFKA)
        before = [writing.done for writing in writings]
        away_since = time.monotonic()
        # What was known about the end grows old.
        until(lambda: not any(caught_up(reader) for reader in readers.values()))
        while time.monotonic() < away_since + seconds:
            for library, reader in readers.items():
                began = time.monotonic()
                batch = reader.read(100)
                assert batch is not None
                assert not batch.records
                assert not batch.caught_up
                assert time.monotonic() - began < 0.5, f"{library} waits for the broker"
            time.sleep(0.05)
        assert all(writing.done <= done + 3 for writing, done in zip(writings, before, strict=True))

        assert own_stack.start(KAFKA) == bootstrap
        until(lambda: all(writing.done > done + 20 for writing, done in zip(writings, before, strict=True)))
        until(lambda: all(caught_up(reader) for reader in readers.values()))
    for writing in writings:
        assert writing.waits > 0
        found = [value for _, value, _ in values_in(bootstrap, writing.topic)]
        assert found == [b"%d" % number for number in range(writing.done)], writing.topic
    gc.collect()


def caught_up(reader: KafkaRecordReader) -> bool:
    batch = reader.read(100)
    assert batch is not None
    return batch.caught_up


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
