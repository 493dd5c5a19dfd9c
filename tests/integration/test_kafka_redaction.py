from collections.abc import Callable
from contextlib import closing
from hashlib import sha256

from flows.batch import DeadLetter, LateRow
from flows.decode.base import Reason
from flows.kafka.base import KafkaSettings
from flows.kafka.connect import connect
from flows.sinks.kafka import KafkaRecordSink
from tests.contracts.kafka_broker import values_in

VALUE = b"Zyzzyva-4711"


def test_a_topic_holds_no_value_and_each_row_once(
    kafka_bootstrap: str, new_topic: Callable[[int], str]
) -> None:
    topic = new_topic(1)
    sink = KafkaRecordSink(
        lambda: connect(KafkaSettings(bootstrap=kafka_bootstrap)), topic, job="fraud", redact=True
    )
    detail = f"found {VALUE.decode()!r}, wanted a number"
    rows: list[DeadLetter | LateRow] = [
        DeadLetter(partition="in/0", number=5, reason=Reason.WRONG_TYPE, detail=detail, raw=VALUE),
        LateRow(partition="in/0", number=6, time=1000, raw=VALUE * 2),
    ]
    for _ in range(2):
        # The second life writes the same rows again.
        with closing(sink.build_part("dead", sink.list_parts()[0], None)) as partition:
            partition.write_batch(rows)
    found = values_in(kafka_bootstrap, topic)
    assert [value for _, value, _ in found] == [b"", b""]
    for row, (key, _, headers) in zip(rows, found, strict=True):
        assert key == b"in/0"
        assert headers["driftflow-length"] == str(len(row.raw)).encode()
        assert headers["driftflow-sha256"] == sha256(row.raw).hexdigest().encode()
        assert not any(VALUE in each for each in headers.values())
