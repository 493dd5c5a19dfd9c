import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.decode.base import Reason
from flows.kafka.base import KafkaError, KafkaSettings, SaslMechanism, SecurityProtocol
from flows.kafka.base import TopicPartition as At
from flows.kafka.reader import Begin, KafkaRecordReader, Start
from flows.sources.base import RawBatch
from tests.flows.fake_kafka import AT, FakeClient, FakeKafka


def opened(
    kafka: FakeKafka, *, position: bytes | None = None, start: Start | None = None, until_end: bool = False
) -> KafkaRecordReader:
    return KafkaRecordReader(
        FakeClient(kafka), AT, position=position, start=start or Start(), until_end=until_end
    )


def some(reader: KafkaRecordReader, max_records: int = 100) -> RawBatch:
    batch = reader.read(max_records)
    assert batch is not None
    return batch


def lag(reader: KafkaRecordReader) -> int | None:
    return reader.lag


def test_reads_what_is_there_and_says_when_that_is_all() -> None:
    kafka = FakeKafka()
    kafka.put(b"a", b"b", time_ms=7)
    reader = opened(kafka)
    batch = some(reader)
    assert batch == RawBatch(records=[b"a", b"b"], numbers=[0, 1], size=2, times_ms=[7, 7])
    assert not batch.caught_up
    assert some(reader) == RawBatch(records=[], numbers=[], times_ms=[], caught_up=True)
    kafka.put(b"c")
    assert some(reader).numbers == [2]


@given(
    values=st.lists(st.one_of(st.none(), st.binary(max_size=3)), max_size=20),
    cuts=st.lists(st.integers(1, 5), min_size=1, max_size=30),
    stops=st.sets(st.integers(0, 29)),
)
def test_records_depend_neither_on_cuts_nor_on_restarts(
    values: list[bytes | None], cuts: list[int], stops: set[int]
) -> None:
    kafka = FakeKafka()
    kafka.put(*values)
    reader = opened(kafka, until_end=True)
    records: list[tuple[int, bytes]] = []
    refused: list[int] = []
    for step in range(100):
        if step in stops:
            reader = opened(kafka, position=reader.position(), until_end=True)
        batch = reader.read(cuts[step % len(cuts)])
        if batch is None:
            break
        records += zip(batch.numbers, batch.records, strict=True)
        refused += [each.number for each in batch.refused]
    else:
        pytest.fail("never ended")
    assert records == [(number, value) for number, value in enumerate(values) if value is not None]
    assert refused == [number for number, value in enumerate(values) if value is None]


def test_tombstones_are_refused_beside_their_neighbours() -> None:
    kafka = FakeKafka()
    kafka.put(b"a", None, b"")
    batch = some(opened(kafka))
    assert (batch.records, batch.numbers, batch.times_ms) == ([b"a", b""], [0, 2], [0, 0])
    (refused,) = batch.refused
    assert (refused.number, refused.reason, refused.raw) == (1, Reason.MALFORMED, b"")
    assert "tombstone" in refused.detail


@pytest.mark.parametrize(
    ("start", "wanted"),
    [
        (Start(), [2, 3, 4]),
        (Start(begin=Begin.LATEST), []),
        (Start(begin=Begin.OFFSET, at=3), [3, 4]),
        (Start(begin=Begin.TIMESTAMP, at=2500), [4]),
        (Start(begin=Begin.TIMESTAMP, at=9000), []),
    ],
)
def test_begins_where_it_is_told_and_then_goes_on_live(start: Start, wanted: list[int]) -> None:
    kafka = FakeKafka()
    for time_ms in (0, 0, 1000, 2000, 3000):
        kafka.put(b"x", time_ms=time_ms)
    kafka.low = 2
    reader = opened(kafka, start=start)
    assert some(reader).numbers == wanted
    kafka.put(b"new")
    assert some(reader).numbers == [5]


def test_start_wants_its_number_and_no_other() -> None:
    for begin, at in [(Begin.OFFSET, None), (Begin.TIMESTAMP, None), (Begin.EARLIEST, 3), (Begin.LATEST, 0)]:
        with pytest.raises(KafkaError, match=f"start of a Kafka source is {begin}"):
            Start(begin=begin, at=at)


def test_backfill_ends_where_the_topic_ended_and_live_reading_finds_the_rest() -> None:
    kafka = FakeKafka()
    kafka.put(b"0", b"1", b"2")
    reader = opened(kafka, until_end=True)
    assert some(reader, 2).numbers == [0, 1]
    kafka.put(b"3", b"4")
    assert some(reader).numbers == [2]
    assert reader.read(100) is None
    assert reader.read(100) is None
    assert some(opened(kafka, position=reader.position())).numbers == [3, 4]


@pytest.mark.parametrize("open_first", [True, False])
def test_deleted_records_are_counted_and_said(caplog: pytest.LogCaptureFixture, *, open_first: bool) -> None:
    kafka = FakeKafka()
    kafka.put(*(b"%d" % number for number in range(10)))
    before = opened(kafka)
    assert some(before, 3).numbers == [0, 1, 2]
    reader = before if open_first else opened(kafka, position=before.position())
    kafka.low = 7
    with caplog.at_level(logging.ERROR, "driftflow.kafka"):
        numbers = [number for _ in range(3) for number in some(reader).numbers]
    assert numbers == [7, 8, 9]
    assert reader.gap == 4
    assert "topic/0: 4 records, offsets 3 to 6, were deleted" in caplog.text
    assert opened(kafka, position=reader.position()).gap == 4


def test_topic_made_anew_is_refused() -> None:
    kafka = FakeKafka()
    kafka.put(b"a", b"b")
    reader = opened(kafka)
    some(reader)
    anew = opened(FakeKafka(), position=reader.position())
    with pytest.raises(KafkaError, match=r"topic/0 ends at offset 0 and is to be read from 2.*made anew"):
        anew.read(10)


def test_position_of_another_partition_is_refused() -> None:
    reader = opened(FakeKafka())
    with pytest.raises(KafkaError, match="of topic/0 and topic/1 is to be read"):
        KafkaRecordReader(FakeClient(FakeKafka()), At("topic", 1), position=reader.position())


def test_outage_gives_empty_batches_that_are_not_caught_up() -> None:
    kafka = FakeKafka(away=True)
    reader = opened(kafka)
    nothing = RawBatch(records=[], numbers=[], times_ms=[])
    assert some(reader) == nothing
    # Kafka could not yet be asked where to begin: the position says so, and whoever resumes asks.
    other = FakeKafka(low=1)
    other.put(b"deleted", b"a")
    assert some(opened(other, position=reader.position())).numbers == [1]
    kafka.away = False
    reader = opened(kafka)
    kafka.put(b"a")
    assert some(reader).numbers == [0]
    assert lag(reader) == 0
    kafka.away = True
    assert some(reader) == nothing
    assert lag(reader) is None
    kafka.away = False
    kafka.put(b"b")
    assert lag(reader) == 1
    assert some(reader).numbers == [1]
    assert some(reader).caught_up


def test_passwords_are_not_printed() -> None:
    settings = KafkaSettings(
        bootstrap="broker:9092",
        security_protocol=SecurityProtocol.SASL_SSL,
        sasl_mechanism=SaslMechanism.SCRAM_SHA_512,
        sasl_username="driftflow",
        sasl_password="hunter2",  # noqa: S106 - not a real one
        key_password="hunter3",  # noqa: S106 - not a real one
    )
    assert "hunter" not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"bootstrap": " "}, "bootstrap servers are empty"),
        ({"bootstrap": "b:1", "security_protocol": SecurityProtocol.SASL_SSL}, "also needs sasl_mechanism"),
        ({"bootstrap": "b:1", "sasl_username": "u"}, "set it to SASL_SSL"),
    ],
)
def test_settings_that_no_broker_would_accept(given_settings: dict[str, str], message: str) -> None:
    with pytest.raises(KafkaError, match=message):
        KafkaSettings(**given_settings)  # type: ignore[arg-type]  # one case at a time
