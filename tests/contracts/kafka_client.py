"""What every client of Kafka keeps to, against a real broker."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pytest

from flows.kafka.base import (
    Bounds,
    Isolation,
    KafkaAwayError,
    KafkaClient,
    KafkaError,
    KafkaRecord,
    KafkaSettings,
    OffsetOutOfRangeError,
    OutgoingRecord,
    PartitionReader,
    ProducerFencedError,
    UnknownTopicError,
)
from flows.kafka.base import TopicPartition as At
from tests.contracts.kafka_broker import committed_offsets, delete_before, open_transaction

PATIENCE_S = 20.0
EVERYTHING = 1 << 30
NewTopic = Callable[[int], str]
BothIsolations = pytest.mark.parametrize("isolation", list(Isolation))


def record(value: bytes | None, *, key: bytes | None = None, time_ms: int | None = None) -> OutgoingRecord:
    return OutgoingRecord(key=key, value=value, timestamp_ms=time_ms)


def values(records: Sequence[KafkaRecord]) -> list[bytes | None]:
    return [each.value for each in records]


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def read_to(
    reader: PartitionReader, end: int, *, max_records: int = 1000, max_bytes: int = EVERYTHING
) -> list[KafkaRecord]:
    found: list[KafkaRecord] = []

    def reached() -> bool:
        while polled := reader.poll(max_records, max_bytes):
            assert len(polled) <= max_records
            assert len(polled) == 1 or sum(len(each.value or b"") for each in polled) <= max_bytes
            found.extend(polled)
            if reader.position() >= end:
                break
        return reader.position() >= end

    until(reached)
    return found


class KafkaClientContract(ABC):
    """A subclass says how to connect; it may add tests, not replace them."""

    @abstractmethod
    def connect(self, settings: KafkaSettings) -> KafkaClient:
        """Return a client."""

    @pytest.fixture
    def client(self, kafka_bootstrap: str) -> Iterator[KafkaClient]:
        with closing(self.connect(KafkaSettings(bootstrap=kafka_bootstrap))) as client:
            yield client

    @pytest.fixture
    def at(self, new_topic: NewTopic) -> At:
        return At(new_topic(1), 0)

    def test_partitions_are_listed_sorted(self, client: KafkaClient, new_topic: NewTopic) -> None:
        topics = [new_topic(3), new_topic(1)]
        wanted = sorted([*(At(topics[0], partition) for partition in range(3)), At(topics[1], 0)])
        assert client.partitions(topics) == wanted

    def test_unknown_topic_is_refused_and_not_made(self, client: KafkaClient) -> None:
        for _ in range(2):
            with pytest.raises(UnknownTopicError, match="driftflow-none"):
                client.partitions(["driftflow-none"])
        with pytest.raises(UnknownTopicError):
            client.writer(At("driftflow-none", 0), None)

    def test_made_topic_can_be_used_at_once(self, client: KafkaClient, new_topic: NewTopic) -> None:
        topic = f"{new_topic(1)}-made"
        client.create_topic(topic, partitions=2, config={"retention.ms": "-1"})
        assert client.partitions([topic]) == [At(topic, 0), At(topic, 1)]
        with closing(client.writer(At(topic, 1), None)) as writer:
            assert writer.write([record(b"a")]) == 0
        with pytest.raises(KafkaError):
            client.create_topic(topic, partitions=2)

    @pytest.mark.parametrize("transactional", [True, False])
    def test_records_come_back_equal(self, client: KafkaClient, at: At, transactional: bool) -> None:  # noqa: FBT001 - a case
        written = [
            OutgoingRecord(
                key=b"k", value=b"v\x00\xff", headers=(("a", b"1"), ("a", b"\xc3\xbc"), ("b", b""))
            ),
            OutgoingRecord(key=None, value=b"", timestamp_ms=1_600_000_000_123),
            OutgoingRecord(key=b"", value=None),
        ]
        before_ms = time.time() * 1000
        with closing(client.writer(at, f"tx-{at.topic}" if transactional else None)) as writer:
            assert writer.write(written) == 2
            end = writer.write([record(b"last")]) + 1
        with closing(client.reader(at, Isolation.COMMITTED)) as reader:
            found = read_to(reader, end)
        assert [(each.key, each.value, each.headers) for each in found[:3]] == [
            (each.key, each.value, each.headers) for each in written
        ]
        assert [each.offset for each in found[:3]] == [0, 1, 2]
        assert found[1].timestamp_ms == 1_600_000_000_123
        assert before_ms - 1000 <= found[0].timestamp_ms <= time.time() * 1000 + 1000
        assert {each.partition for each in found} == {0}

    @pytest.mark.parametrize(("max_records", "max_bytes"), [(1, 10**6), (7, 10**6), (500, 95), (500, 3)])
    def test_records_do_not_depend_on_how_polls_are_cut(
        self, client: KafkaClient, at: At, max_records: int, max_bytes: int
    ) -> None:
        wanted = [b"%d" % number * (number % 4) for number in range(100)]
        with closing(client.writer(at, None)) as writer:
            end = writer.write([record(value) for value in wanted]) + 1
        with closing(client.reader(at, Isolation.COMMITTED)) as reader:
            found = read_to(reader, end, max_records=max_records, max_bytes=max_bytes)
            assert values(found) == wanted
            assert reader.position() == end == 100
            # Back into the middle, and on from a record that was fetched but not returned.
            reader.seek(40)
            some = read_to(reader, 41, max_records=2)
            reader.seek(reader.position() + 5)
            assert (
                values(some + read_to(reader, end)) == wanted[40 : 40 + len(some)] + wanted[45 + len(some) :]
            )

    def test_large_write_is_in_order(self, client: KafkaClient, at: At) -> None:
        wanted = [b"%05d" % number * 40 for number in range(9_000)]
        with closing(client.writer(at, "tx-" + at.topic)) as writer:
            last = writer.write([record(value) for value in wanted])
        assert last == len(wanted) - 1
        with closing(client.reader(at, Isolation.COMMITTED)) as reader:
            assert values(read_to(reader, last + 1)) == wanted

    def test_empty_poll_does_not_wait(self, client: KafkaClient, at: At) -> None:
        with closing(client.reader(at, Isolation.COMMITTED)) as reader:
            until(lambda: reader.bounds() is not None)
            began = time.monotonic()
            for _ in range(20):
                assert list(reader.poll(100, EVERYTHING)) == []
            # Twenty waits of a fetch would take seconds.
            assert time.monotonic() - began < 1.0
            assert reader.position() == 0

    def test_position_moves_behind_what_nobody_sees(self, client: KafkaClient, at: At) -> None:
        with closing(client.writer(at, "tx-" + at.topic)) as writer:
            writer.write([record(b"a")])
            with pytest.raises(KafkaError):
                writer.write([record(b"aborted"), record(b"x" * (17 << 20))])
        with closing(client.writer(at, "tx-" + at.topic)) as writer:
            writer.write([record(b"b")])
        end = client.bounds(at, Isolation.UNCOMMITTED).end
        with closing(client.reader(at, Isolation.COMMITTED)) as reader:
            assert values(read_to(reader, end)) == [b"a", b"b"]
            assert reader.position() == end

    def test_only_uncommitted_readers_see_an_open_transaction(self, client: KafkaClient, at: At) -> None:
        with closing(client.writer(at, "tx-" + at.topic)) as writer:
            writer.write([record(b"a")])
            with open_transaction(self.bootstrap_of(client), at.topic, b"open"):
                committed = client.bounds(at, Isolation.COMMITTED)
                uncommitted = client.bounds(at, Isolation.UNCOMMITTED)
                # "a", its marker, then "open".
                assert (committed, uncommitted) == (Bounds(low=0, end=2), Bounds(low=0, end=3))
                with closing(client.reader(at, Isolation.COMMITTED)) as reader:
                    assert values(read_to(reader, 2)) == [b"a"]
                    until(lambda: reader.bounds() == committed)
                with closing(client.reader(at, Isolation.UNCOMMITTED)) as reader:
                    assert values(read_to(reader, 3)) == [b"a", b"open"]
                    until(lambda: reader.bounds() == uncommitted)

    @BothIsolations
    @pytest.mark.parametrize("offset", [2, 500])
    def test_offset_that_is_not_there_is_refused(
        self, client: KafkaClient, at: At, offset: int, isolation: Isolation
    ) -> None:
        with closing(client.writer(at, None)) as writer:
            writer.write([record(b"%d" % number) for number in range(10)])
        delete_before(self.bootstrap_of(client), at, 4)
        assert client.bounds(at, isolation) == Bounds(low=4, end=10)
        with closing(client.reader(at, isolation)) as reader:
            reader.seek(offset)
            refused = False

            def is_refused() -> bool:
                nonlocal refused
                try:
                    assert list(reader.poll(10, EVERYTHING)) == []
                except OffsetOutOfRangeError:
                    refused = True
                return refused

            until(is_refused)
            reader.seek(4)
            assert values(read_to(reader, 10)) == [b"4", b"5", b"6", b"7", b"8", b"9"]

    def test_offset_is_found_by_time(self, client: KafkaClient, at: At) -> None:
        with closing(client.writer(at, None)) as writer:
            writer.write([record(b"", time_ms=time_ms) for time_ms in (1000, 2000, 3000)])
        assert [client.offset_at(at, time_ms) for time_ms in (0, 1000, 1001, 3000, 3001)] == [
            0,
            0,
            1,
            2,
            None,
        ]

    def test_offsets_are_committed_for_lag_tools(self, client: KafkaClient, new_topic: NewTopic) -> None:
        topic = new_topic(2)
        for offsets in ({At(topic, 0): 3, At(topic, 1): 5}, {At(topic, 1): 4}):
            client.commit(f"group-{topic}", offsets)
        committed = committed_offsets(self.bootstrap_of(client), f"group-{topic}")
        assert committed == {At(topic, 0): 3, At(topic, 1): 4}

    def test_old_writer_is_fenced_by_a_new_one(self, client: KafkaClient, at: At) -> None:
        with closing(client.writer(at, "tx-" + at.topic)) as old:
            old.write([record(b"a")])
            with closing(client.writer(at, "tx-" + at.topic)) as new:
                with pytest.raises(ProducerFencedError, match="must end"):
                    old.write([record(b"zombie")])
                end = new.write([record(b"b")]) + 1
        with closing(client.reader(at, Isolation.COMMITTED)) as reader:
            assert values(read_to(reader, end)) == [b"a", b"b"]

    def test_record_that_is_too_large_is_refused(self, client: KafkaClient, at: At) -> None:
        with closing(client.writer(at, None)) as writer, pytest.raises(KafkaError, match="refuses"):
            writer.write([record(b"x" * (17 << 20))])

    def test_nobody_there_is_told_apart(self) -> None:
        settings = KafkaSettings(bootstrap="127.0.0.1:1", patience_s=0.5)
        with closing(self.connect(settings)) as nowhere:
            began = time.monotonic()
            at = At("any", 0)
            for action in (
                lambda: nowhere.partitions(["any"]),
                lambda: nowhere.reader(at, Isolation.COMMITTED),
                lambda: nowhere.writer(at, "tx"),
                lambda: nowhere.bounds(at, Isolation.COMMITTED),
                lambda: nowhere.offset_at(at, 0),
                lambda: nowhere.commit("group", {at: 0}),
                lambda: nowhere.create_topic("any", partitions=1),
            ):
                with pytest.raises(KafkaAwayError):
                    action()
            assert time.monotonic() - began < 15

    @staticmethod
    def bootstrap_of(client: KafkaClient) -> str:
        settings = client._settings  # type: ignore[attr-defined]  # both have it
        assert isinstance(settings, KafkaSettings)
        return settings.bootstrap
