import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from flows.kafka.base import KafkaClient, KafkaSettings, OutgoingRecord
from flows.kafka.base import TopicPartition as At
from flows.kafka.connect import Library, connect
from flows.kafka.reader import MAX_BYTES, Begin, KafkaRecordReader, Start
from flows.sources.base import RawBatch
from tests.contracts.kafka_broker import delete_before, open_transaction

NewTopic = Callable[[int], str]
PATIENCE_S = 20.0
RECORDS = [None if number % 97 == 5 else b"%d" % number * (number % 50) for number in range(3000)]


@pytest.fixture(params=["kafka-python", "librdkafka"])
def client(request: pytest.FixtureRequest, kafka_bootstrap: str) -> Iterator[KafkaClient]:
    library: Library = request.param
    with closing(connect(KafkaSettings(bootstrap=kafka_bootstrap), library)) as client:
        yield client


@pytest.fixture
def at(new_topic: NewTopic) -> At:
    return At(new_topic(1), 0)


def put(client: KafkaClient, at: At, values: list[bytes | None], transactional_id: str | None = None) -> None:
    with closing(client.writer(at, transactional_id)) as writer:
        writer.write([OutgoingRecord(key=b"k", value=value) for value in values])


def read_until(
    reader: KafkaRecordReader, wanted: Callable[[RawBatch], bool], *, max_records: int = 8192
) -> list[RawBatch]:
    batches: list[RawBatch] = []
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        batch = reader.read(max_records)
        if batch is None:
            return batches
        batches.append(batch)
        if wanted(batch):
            return batches
        if not batch.records:
            time.sleep(0.01)
    pytest.fail("waited in vain")


def caught_up(batch: RawBatch) -> bool:
    return batch.caught_up


def never(_: RawBatch) -> bool:
    return False


def rows(batches: list[RawBatch]) -> list[tuple[int, bytes | None]]:
    found: list[tuple[int, bytes | None]] = []
    for batch in batches:
        found += zip(batch.numbers, batch.records, strict=True)
        found += [(refused.number, None) for refused in batch.refused]
    return sorted(found, key=lambda row: row[0])


def test_restarts_and_cuts_change_nothing(client: KafkaClient, at: At) -> None:
    put(client, at, RECORDS)
    position: bytes | None = None
    batches: list[RawBatch] = []
    for cut in (1, 700, 3, 8192, 8192):
        with closing(KafkaRecordReader(client, at, position=position, until_end=True)) as reader:
            last = cut == 8192
            batches += read_until(
                reader, never if last else lambda batch: bool(batch.records), max_records=cut
            )
            position = reader.position()
    assert rows(batches) == list(enumerate(RECORDS))
    assert all(len(batch.times_ms or ()) == len(batch.records) for batch in batches)


def test_one_read_returns_at_most_four_megabytes(client: KafkaClient, at: At) -> None:
    put(client, at, [b"x" * 500_000] * 20)
    with closing(KafkaRecordReader(client, at, until_end=True)) as reader:
        batches = read_until(reader, never)
    assert sum(batch.size for batch in batches) == 20 * 500_000
    assert max(batch.size for batch in batches) <= MAX_BYTES


def test_live_reader_ends_at_an_open_transaction_and_goes_on(client: KafkaClient, at: At) -> None:
    put(client, at, [b"a"], f"tx-{at.topic}")
    with closing(KafkaRecordReader(client, at)) as reader:
        assert rows(read_until(reader, caught_up)) == [(0, b"a")]
        with open_transaction(client._settings.bootstrap, at.topic, b"aborted"):  # type: ignore[attr-defined]  # both have it
            assert rows(read_until(reader, caught_up)) == []
        put(client, at, [b"b"], f"tx-{at.topic}")
        # "a", marker, "aborted", marker.
        batches = read_until(reader, lambda batch: bool(batch.records))
        assert rows(batches) == [(4, b"b")]
        # Behind the last marker too: otherwise an idle partition would lag for ever.
        read_until(reader, caught_up)
        assert reader.lag == 0


def test_begins_at_a_time_and_at_the_end(client: KafkaClient, at: At) -> None:
    with closing(client.writer(at, None)) as writer:
        writer.write([OutgoingRecord(key=None, value=b"x", timestamp_ms=time_ms) for time_ms in (1000, 2000)])
    by_time = KafkaRecordReader(client, at, start=Start(begin=Begin.TIMESTAMP, at=1500))
    latest = KafkaRecordReader(client, at, start=Start(begin=Begin.LATEST))
    with closing(by_time), closing(latest):
        (batch,) = [batch for batch in read_until(by_time, caught_up) if batch.records]
        assert (batch.numbers, batch.times_ms) == ([1], [2000])
        assert rows(read_until(latest, caught_up)) == []
        put(client, at, [b"new"])
        assert rows(read_until(latest, lambda batch: bool(batch.records))) == [(2, b"new")]


def test_deleted_records_are_counted(
    client: KafkaClient, at: At, kafka_bootstrap: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(client, at, [b"%d" % number for number in range(10)])
    with closing(KafkaRecordReader(client, at)) as reader:
        read_until(reader, lambda batch: bool(batch.records), max_records=3)
        position = reader.position()
    delete_before(kafka_bootstrap, at, 7)
    with closing(KafkaRecordReader(client, at, position=position)) as reader:
        assert rows(read_until(reader, caught_up)) == [(7, b"7"), (8, b"8"), (9, b"9")]
        assert reader.gap == 4
    assert "4 records, offsets 3 to 6, were deleted" in caplog.text
