import re
from dataclasses import replace
from hashlib import sha256

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.batch import DeadLetter, LateRow
from flows.decode.base import Reason
from flows.records import dead_letter_line, late_row_line
from flows.sinks.kafka import _row_record
from state.durations import Axis

VALUE = "Zyzzyva-4711"


def a_letter(reason: Reason = Reason.WRONG_TYPE, raw: bytes = b"", detail: str = "") -> DeadLetter:
    return DeadLetter(partition="in/0", number=5, reason=reason, detail=detail, raw=raw)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_redacted_letter_keeps_place_reason_length_and_hash(reason: Reason) -> None:
    raw = f'{{"name": "{VALUE}"}}'.encode()
    letter = a_letter(reason, raw, f"found {VALUE!r}, wanted a number")
    told = orjson.loads(dead_letter_line(letter, redact=True))
    detail = told.pop("detail")
    assert told == {
        "partition": "in/0",
        "record": 5,
        "reason": str(reason),
        "length": len(raw),
        "sha256": sha256(raw).hexdigest(),
    }
    # A fixed text: no digits and no quotes in which a value could stand.
    assert re.fullmatch(r"[A-Za-z _.,0-9-]+", detail)
    assert VALUE.encode() in dead_letter_line(letter)
    assert VALUE.encode() not in dead_letter_line(letter, redact=True)


def test_a_letter_names_the_column_that_holds_another_type() -> None:
    letter = replace(a_letter(), column="income")
    for redact in (False, True):
        assert orjson.loads(dead_letter_line(letter, redact=redact))["column"] == "income"
    assert "column" not in orjson.loads(dead_letter_line(a_letter()))


def test_the_hash_is_the_published_one() -> None:
    # FIPS 180-4 test vector "abc" (NIST CSRC examples).
    told = orjson.loads(dead_letter_line(a_letter(raw=b"abc"), redact=True))
    assert told["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_redacted_late_row_keeps_place_and_time() -> None:
    row = LateRow(partition="in/0", number=6, time=0, raw=b'{"x": 1}')
    assert orjson.loads(late_row_line(row, Axis.MILLISECONDS, redact=True)) == {
        "partition": "in/0",
        "record": 6,
        "time": "1970-01-01T00:00:00.000Z",
        "length": 8,
        "sha256": sha256(b'{"x": 1}').hexdigest(),
    }
    assert orjson.loads(late_row_line(row, Axis.ROWS))["raw"] == '{"x": 1}'


@given(raw=st.binary(), detail=st.text(), reason=st.sampled_from(Reason))
def test_what_is_told_depends_on_nothing_but_length_and_hash(raw: bytes, detail: str, reason: Reason) -> None:
    plain = orjson.loads(dead_letter_line(a_letter(reason), redact=True))
    told = orjson.loads(dead_letter_line(a_letter(reason, raw, detail), redact=True))
    assert told == plain | {"length": len(raw), "sha256": sha256(raw).hexdigest()}


@given(raw=st.binary(), detail=st.text(), reason=st.sampled_from(Reason))
def test_the_same_holds_in_a_topic(raw: bytes, detail: str, reason: Reason) -> None:
    _, plain = _row_record(a_letter(reason), redact=True)
    identity, told = _row_record(a_letter(reason, raw, detail), redact=True)
    assert identity == "in/0:5"
    # Empty, not None: a tombstone would delete the key from a compacted topic.
    assert told.value == plain.value == b""
    assert told.key == plain.key == b"in/0"
    instead = {
        "driftflow-length": str(len(raw)).encode(),
        "driftflow-sha256": sha256(raw).hexdigest().encode(),
    }
    assert dict(told.headers) == dict(plain.headers) | instead


def test_a_late_row_in_a_topic_is_redacted_too() -> None:
    raw = VALUE.encode() * 100_000
    _, record = _row_record(LateRow(partition="in/0", number=6, time=7, raw=raw), redact=True)
    assert record.value == b""
    headers = dict(record.headers)
    assert headers["driftflow-length"] == b"1200000"
    assert headers["driftflow-event-time"] == b"7"
    assert headers["driftflow-sha256"] == sha256(raw).hexdigest().encode()
    assert not any(VALUE.encode() in (value or b"") for value in headers.values())
