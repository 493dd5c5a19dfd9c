import logging
import sys
import warnings
from collections.abc import Mapping
from contextlib import closing

import confluent_kafka
import pytest
from confluent_kafka import cimpl
from hypothesis import given
from hypothesis import strategies as st

from flows.kafka.base import (
    Bounds,
    KafkaAwayError,
    KafkaError,
    KafkaSettings,
    NotAuthorizedError,
    SaslMechanism,
    SecurityProtocol,
    TopicPartition,
    UnknownTopicError,
)
from flows.kafka.connect import Library, connect
from flows.kafka.partitioner import murmur2, partition_hash
from flows.kafka.watch import FRESH_S, UNKNOWN_FOR_S, OffsetWatch
from flows.patience import LONGEST_PAUSE_S, Patience

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    from kafka.partitioner.default import murmur2 as their_murmur2  # type: ignore[import-untyped]

LIBRARIES: list[Library] = ["kafka-python", "librdkafka"]
AT = TopicPartition("topic", 0)


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        # The table of org.apache.kafka.common.utils.UtilsTest.testMurmur2.
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_hash_is_that_of_the_java_client(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % 2**32


@given(key=st.binary(max_size=40), partitions=st.integers(1, 100))
def test_partition_is_that_of_both_libraries(key: bytes, partitions: int) -> None:
    assert murmur2(key) == their_murmur2(key)
    assert partition_hash(key) % partitions == cimpl.murmur2(key, partitions)


@pytest.mark.parametrize("library", LIBRARIES)
def test_password_stays_out_of_logs_and_errors(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    settings = KafkaSettings(
        bootstrap="127.0.0.1:1",
        security_protocol=SecurityProtocol.SASL_PLAINTEXT,
        sasl_mechanism=SaslMechanism.PLAIN,
        sasl_username="driftflow",
        sasl_password="hunter2",  # noqa: S106 - not a real one
        patience_s=0.3,
    )
    with (
        caplog.at_level(logging.DEBUG),
        closing(connect(settings, library)) as client,
        pytest.raises(KafkaAwayError) as raised,
    ):
        client.partitions(["any"])
    assert "hunter2" not in caplog.text + str(raised.value)


def test_password_stays_out_of_the_configuration_that_kafka_python_logs() -> None:
    from flows.kafka.kafka_python import connection  # noqa: PLC0415 - beside what it is about

    settings = KafkaSettings(
        bootstrap="b:1",
        security_protocol=SecurityProtocol.SASL_SSL,
        sasl_mechanism=SaslMechanism.PLAIN,
        sasl_username="driftflow",
        sasl_password="hunter2",  # noqa: S106 - not a real one
        key_password="hunter3",  # noqa: S106 - not a real one
    )
    given_names = connection(settings)
    assert "hunter" not in str(given_names)
    assert (given_names["sasl_plain_password"], given_names["ssl_password"]) == ("hunter2", "hunter3")


def test_security_settings_have_librdkafka_names() -> None:
    from flows.kafka.librdkafka import connection  # noqa: PLC0415 - beside what it is about

    settings = KafkaSettings(
        bootstrap="b:1,c:2",
        security_protocol=SecurityProtocol.SASL_PLAINTEXT,
        sasl_mechanism=SaslMechanism.SCRAM_SHA_256,
        sasl_username="user",
        sasl_password="word",  # noqa: S106 - not a real one
    )
    given_names = connection(settings)
    # librdkafka refuses names and values that it does not know.
    confluent_kafka.Consumer(given_names | {"group.id": "any"}).close()
    assert (given_names["sasl.mechanism"], given_names["sasl.password"]) == ("SCRAM-SHA-256", "word")


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flows.kafka.librdkafka", None)
    with pytest.raises(KafkaError, match=r"pip install 'driftflow\[librdkafka\]'"):
        connect(KafkaSettings(bootstrap="b:1"), "librdkafka")


@pytest.mark.parametrize("bootstrap", ["broker", "broker:", ":x"])
def test_address_without_a_port_is_refused(bootstrap: str) -> None:
    with (
        closing(connect(KafkaSettings(bootstrap=bootstrap))) as client,
        pytest.raises(KafkaError, match="wanted host:port"),
    ):
        client.partitions(["any"])


def test_patience_waits_longer_and_longer_and_speaks_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    patience = Patience("the test", clock=lambda: now_s)
    pauses = []
    while now_s < 120:
        pauses.append(patience.failed("nobody there"))
        assert not patience.may_try
        now_s += pauses[-1]
        assert patience.may_try
    assert pauses[:7] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_PAUSE_S]
    assert 3 <= len(caplog.records) <= 8
    assert "the test waits for Kafka since" in caplog.text
    patience.succeeded()
    assert "goes on after 12" in caplog.records[-1].message
    assert patience.failed("again") == 0.1


def test_known_offsets_grow_old() -> None:
    now_s = 0.0
    answers: list[Mapping[TopicPartition, Bounds] | KafkaError] = [{AT: Bounds(low=0, end=5)}]

    def ask(_: object) -> Mapping[TopicPartition, Bounds]:
        if not answers:
            raise KafkaAwayError("away")
        match answers.pop():
            case KafkaError() as error:
                raise error
            case found:
                return found

    watch = OffsetWatch(ask, clock=lambda: now_s)
    watch._watched[AT] = 1
    assert watch.bounds(AT) is None
    watch._learn([AT])
    assert watch.bounds(AT) == Bounds(low=0, end=5)
    watch._learn([AT])
    now_s = FRESH_S
    assert watch.bounds(AT) == Bounds(low=0, end=5)
    now_s = FRESH_S + 0.01
    assert watch.bounds(AT) is None
    answers.append(NotAuthorizedError("no"))
    watch._learn([AT])
    with pytest.raises(NotAuthorizedError):
        watch.bounds(AT)


def test_topic_is_gone_only_when_it_stays_away() -> None:
    now_s = 0.0
    known = True

    def ask(_: object) -> Mapping[TopicPartition, Bounds]:
        if known:
            return {AT: Bounds(low=0, end=5)}
        raise UnknownTopicError("gone")

    watch = OffsetWatch(ask, clock=lambda: now_s)
    watch._watched[AT] = 1
    for known in (True, False, True, False):
        now_s += UNKNOWN_FOR_S
        watch._learn([AT])
        assert watch.bounds(AT) == (Bounds(low=0, end=5) if known else None)
    now_s += UNKNOWN_FOR_S + 1
    watch._learn([AT])
    with pytest.raises(UnknownTopicError):
        watch.bounds(AT)
