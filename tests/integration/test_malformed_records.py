"""Bad records of every kind among good ones: each a dead letter with all its bytes, each good one counted."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import orjson
import pytest

from flows.decode.base import Reason
from flows.kafka.base import KafkaClient, KafkaSettings, OutgoingRecord
from flows.kafka.base import TopicPartition as At
from flows.kafka.connect import Library, connect
from state.events import EventType
from tests.command_line import Call, caller
from tests.contracts.kafka_broker import values_in

NewTopic = Callable[[int], str]
PARTITIONS = 2
T = b'"t":"2026-03-02T10:30:00Z"'
WRITTEN_MS = round(datetime(2026, 3, 2, 10, 30, tzinfo=UTC).timestamp() * 1000)
GOOD = b'{%s,"x":0.5,"c":"a"}' % T
MAX_BYTES = 2_048

REFUSED: dict[str, tuple[bytes | None, Reason, str]] = {
    "no value": (None, Reason.MALFORMED, "no value"),
    "empty": (b"", Reason.TRUNCATED, "Expecting value"),
    "blank": (b" \n", Reason.TRUNCATED, "Expecting value"),
    "cut in a text": (GOOD[:-3], Reason.TRUNCATED, "Unterminated string"),
    "cut behind a value": (GOOD[:-1], Reason.TRUNCATED, "Expecting ',' delimiter"),
    "cut in a character": (b'{%s,"c":"\xc3' % T, Reason.TRUNCATED, "unexpected end of data"),
    "Latin-1": (b'{%s,"x":0.5,"c":"M\xfcnchen"}' % T, Reason.NOT_UTF8, "at byte"),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", Reason.NOT_UTF8, "at byte 1"),
    "UTF-16": (GOOD.decode().encode("utf-16"), Reason.NOT_UTF8, "at byte 0"),
    "Avro": (b"\x00\x00\x00\x00\x07\x02a", Reason.MALFORMED, "Expecting value"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, Reason.MALFORMED, "BOM"),
    "CSV": (b"2026-03-02T10:30:00Z,0.5,a", Reason.MALFORMED, "Extra data"),
    "a dictionary as Python prints it": (b"{'x': 0.5}", Reason.MALFORMED, "property name"),
    "comma behind the last value": (GOOD[:-1] + b",}", Reason.MALFORMED, ""),
    "two objects": (GOOD + b" " + GOOD, Reason.MALFORMED, "Extra data"),
    "array": (b"[" + GOOD + b"]", Reason.MALFORMED, "found array"),
    "number": (b"17", Reason.MALFORMED, "found number"),
    "text": (b'"hello"', Reason.MALFORMED, "found text"),
    "null": (b"null", Reason.MALFORMED, "found null"),
    "half a surrogate pair": (b'{%s,"c":"\\ud800"}' % T, Reason.MALFORMED, "surrogate"),
    "nested too deeply": (b'{%s,"y":' % T + b"[" * 1_000, Reason.MALFORMED, "nested too deeply"),
    "too long": (b'{%s,"y":"%s"}' % (T, b"y" * MAX_BYTES), Reason.TOO_LONG, "max_record_bytes is 2,048"),
    "no time": (b'{"x":0.5}', Reason.NO_TIME, "missing or empty"),
    "time is null": (b'{"t":null,"x":0.5}', Reason.NO_TIME, "missing or empty"),
    "time is blank": (b'{"t":" ","x":0.5}', Reason.NO_TIME, "missing or empty"),
    "time in words": (b'{"t":"yesterday"}', Reason.BAD_TIME, "yesterday"),
    "time in seconds": (b'{"t":1772447400}', Reason.BAD_TIME, "1772447400"),
    "time is true": (b'{"t":true}', Reason.WRONG_TYPE, "got `bool` - at `$.t`"),
    "30th of February": (b'{"t":"2026-02-30T10:30:00Z"}', Reason.BAD_TIME, "2026-02-30"),
    "year 2500": (b'{"t":"2500-03-02T10:30:00Z"}', Reason.BAD_TIME, "1900 to 2200"),
    "ahead of the record": (b'{"t":"2026-03-02T11:30:01Z"}', Reason.TIME_OUT_OF_RANGE, "ahead of the record"),
    "before time.earliest": (b'{"t":"2026-02-28T23:59:59Z"}', Reason.TIME_OUT_OF_RANGE, "is outside"),
    "text for a number": (b'{%s,"x":"0.5"}' % T, Reason.WRONG_TYPE, "got `str` - at `$.x`"),
    "boolean for a number": (b'{%s,"x":true}' % T, Reason.WRONG_TYPE, "got `bool` - at `$.x`"),
    "object for a number": (b'{%s,"x":{}}' % T, Reason.WRONG_TYPE, "at `$.x`"),
    "array for a category": (b'{%s,"c":["a"]}' % T, Reason.WRONG_TYPE, "at `$.c`"),
}

COUNTED: dict[str, tuple[bytes, int, int]] = {
    # Odd, and rows all the same: how many values of x are missing, and how many are not finite.
    "field missing": (b'{%s,"c":"a"}' % T, 1, 0),
    "field null": (b'{%s,"x":null,"c":"a"}' % T, 1, 0),
    "NaN": (b'{%s,"x":NaN}' % T, 0, 1),
    "minus Infinity": (b'{%s,"x":-Infinity}' % T, 0, 1),
    "beyond all floats": (b'{%s,"x":1e400}' % T, 0, 1),
    "400 digits": (b'{%s,"x":%s}' % (T, b"9" * 400), 0, 1),
    "a key twice, the last one counts": (b'{%s,"x":"bad","x":0.5}' % T, 0, 0),
    "number for a category": (b'{%s,"x":0.5,"c":3}' % T, 0, 0),
    "category never seen": (b'{%s,"x":0.5,"c":"\xc3\xbc \xe2\x82\xac"}' % T, 0, 0),
    "bytes that are no text in a field that nobody watches": (b'{%s,"x":0.5,"y":"\xff"}' % T, 0, 0),
    "blanks around": (b" \t" + GOOD + b"\r\n", 0, 0),
}


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def config_in(folder: Path, bootstrap: str, library: Library, *, source: str, dead: str) -> Path:
    path = folder / "driftflow.yaml"
    path.write_text(f"""
model: {{name: malformed}}
kafka: {{bootstrap: "{bootstrap}", library: {library}}}
input: {{topics: [{source}], until_end: true, max_record_bytes: {MAX_BYTES}}}
time: {{column: t, lateness: 1m, earliest: "2026-03-01"}}
windows: {{hour: {{size: 1h}}}}
detection: {{min_rows: 1}}
output: {{topics: {{dead_letters: {dead}}}}}
columns: {{x: {{kind: numeric}}, c: {{kind: categorical}}}}
""")
    rows = [b'{%s,"x":%.3f,"c":"%s"}' % (T, row / 100, b"ab"[row % 2 :][:1]) for row in range(100)]
    (folder / "reference.jsonl").write_bytes(b"\n".join(rows) + b"\n")
    return path


def put(client: KafkaClient, topic: str) -> dict[tuple[str, int], str]:
    """Write all kinds to each partition, good records between them; where each bad one went."""
    mixed: list[tuple[str | None, bytes | None]] = [(None, GOOD)]
    for name, (value, *_) in REFUSED.items():
        mixed += [(name, value), (None, GOOD)]
    mixed += [(None, value) for value, *_ in COUNTED.values()]
    for partition in range(PARTITIONS):
        with closing(client.writer(At(topic, partition), None)) as writer:
            writer.write(
                [OutgoingRecord(key=b"k", value=value, timestamp_ms=WRITTEN_MS) for _, value in mixed]
            )
    return {
        (str(At(topic, partition)), offset): name
        for partition in range(PARTITIONS)
        for offset, (name, _) in enumerate(mixed)
        if name is not None
    }


@pytest.mark.parametrize("library", get_args(Library))
def test_each_is_kept_with_its_reason_and_its_neighbours_are_counted(
    kafka_bootstrap: str, new_topic: NewTopic, tmp_path: Path, call: Call, library: Library
) -> None:
    source, dead = new_topic(PARTITIONS), new_topic(1)
    config = config_in(tmp_path, kafka_bootstrap, library, source=source, dead=dead)
    with closing(connect(KafkaSettings(bootstrap=kafka_bootstrap), library)) as client:
        places = put(client, source)
    assert call("reference", "build", config, tmp_path / "reference.jsonl").code == 0
    ran = call("run", config)
    assert ran.code == 0, ran.err

    letters = values_in(kafka_bootstrap, dead)
    assert len(letters) == len(places) == PARTITIONS * len(REFUSED)
    for key, value, headers in letters:
        partition, offset = headers["driftflow-partition"].decode(), int(headers["driftflow-offset"])
        name = places.pop((partition, offset))
        original, reason, detail = REFUSED[name]
        assert key == partition.encode()
        assert value == (original or b""), name
        assert headers["driftflow-reason"].decode() == reason, name
        assert detail in headers["driftflow-detail"].decode(), name
    assert not places

    (report,) = (
        event["data"]
        for event in map(orjson.loads, (tmp_path / "out" / "events.jsonl").read_bytes().splitlines())
        if event["type"] == EventType.REPORT
    )
    n_good = len(REFUSED) + 1
    assert report["window"]["rows"] == PARTITIONS * (n_good + len(COUNTED))
    (x,) = (feature for feature in report["features"] if feature["feature"] == "x")
    assert x["missing"] == PARTITIONS * sum(missing for _, missing, _ in COUNTED.values())
    assert x["non_finite"] == PARTITIONS * sum(non_finite for *_, non_finite in COUNTED.values())
