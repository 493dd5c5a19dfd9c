"""What writes alerts to a topic, on a broker in memory; the real one is in tests/integration."""

from collections.abc import Callable

import pytest

from alerts.channels.base import RefusedError, TryAgainError
from flows.alert_topic import TopicPublisher
from flows.kafka.base import (
    KafkaAwayError,
    KafkaError,
    NotAuthorizedError,
    UnknownTopicError,
)
from tests.flows.fake_kafka import FakeClient, FakeKafka


def publisher(kafka: FakeKafka) -> TopicPublisher:
    return TopicPublisher(FakeClient(kafka), "topic", transactional_id="alerts")


def publish(to: TopicPublisher, value: bytes) -> None:
    to.publish(b"fraud", value, {"driftflow-notice": b"1"})


def values(kafka: FakeKafka) -> list[bytes | None]:
    return [record.value for record in kafka.seen()]


def failing(error: Exception, at: int) -> Callable[[], None]:
    """Raise at one of the calls that reach the broker, counted from 1."""
    calls = 0

    def fate() -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise error

    return fate


def test_records_carry_key_and_headers() -> None:
    kafka = FakeKafka()
    with_one = publisher(kafka)
    publish(with_one, b"a")
    publish(with_one, b"b")
    first, second = kafka.seen()
    assert (first.key, first.value, first.headers) == (b"fraud", b"a", (("driftflow-notice", b"1"),))
    assert second.value == b"b"
    # One writer for both.
    assert kafka.epoch == 1
    with_one.close()


# Looking the topic up, opening (twice), and four times within the write.
@pytest.mark.parametrize("at", range(1, 8))
def test_wherever_the_answer_is_lost_the_next_attempt_writes_with_a_new_writer(at: int) -> None:
    kafka = FakeKafka(fate=failing(KafkaAwayError("no answer"), at))
    to = publisher(kafka)
    with pytest.raises(TryAgainError, match="no answer") as caught:
        publish(to, b"a")
    assert caught.value.__cause__ is caught.value.__context__ is None
    publish(to, b"a")
    # Only behind the end of its transaction a record is there in spite of the lost answer.
    assert values(kafka) == [b"a"] * (2 if at == 7 else 1)


def test_who_is_fenced_tries_again_and_has_written_nothing() -> None:
    kafka = FakeKafka()
    one, other = publisher(kafka), publisher(kafka)
    publish(one, b"a")
    publish(other, b"b")
    with pytest.raises(TryAgainError, match="fenced"):
        publish(one, b"c")
    assert values(kafka) == [b"a", b"b"]
    publish(one, b"c")
    assert values(kafka) == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (UnknownTopicError("no such topic"), TryAgainError),
        (NotAuthorizedError("no right"), RefusedError),
        (KafkaError("too large"), RefusedError),
    ],
)
def test_only_what_no_attempt_mends_is_refused(error: KafkaError, raised: type[Exception]) -> None:
    kafka = FakeKafka(fate=failing(error, 1))
    to = publisher(kafka)
    with pytest.raises(raised, match=str(error)):
        publish(to, b"a")
    publish(to, b"a")
    assert values(kafka) == [b"a"]
