import csv
import io
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Kind
from flows.decode.base import Decoded, Reason
from flows.decode.csv_decoder import CsvDecoder
from flows.decode.factory import make_decoder
from flows.decode.json_decoder import JsonDecoder
from flows.decode.setup import DecodeSetupError
from flows.sources.formats import FileFormat
from state.columns import Column, TimeColumn

HEADER = ("time", "age", "income", "city", "note")
AGE = Column(name="a", path="age", kind=Kind.NUMERIC)
INCOME = Column(name="i", path="income", kind=Kind.NUMERIC)
CITY = Column(name="c", path="city", kind=Kind.CATEGORICAL)
TIME = TimeColumn(path="time")


def decoder(missing: Sequence[str] = ("",)) -> CsvDecoder:
    return CsvDecoder([AGE, CITY, INCOME], TIME, HEADER, missing)


def rows_of(decoded: Decoded) -> list[tuple[object, ...]]:
    assert decoded.time_ms is not None
    return list(
        zip(
            decoded.kept.tolist(),
            [repr(value) for value in decoded.numeric["a"].tolist()],
            [repr(value) for value in decoded.numeric["i"].tolist()],
            decoded.categorical["c"],
            decoded.time_ms.tolist(),
            strict=True,
        )
    )


def line(*fields: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue().encode()


NUMBERS = [
    "",
    "1",
    "-0",
    "+1.5",
    ".5",
    "1.",
    "1e400",
    "nan",
    "-inf",
    "null",
    " 2 ",
    " null",
    "1_0",
    "1,2",
    "x",
    "NA",
]
numbers = st.sampled_from(NUMBERS) | st.floats().map(repr) | st.integers().map(str)
rows = st.tuples(
    st.sampled_from(["2024-03-01T12:00:00Z", "2024-03-01 12:00:00", "", "x"])
    | st.just("2024-03-01T12:00:00Z"),
    numbers,
    numbers,
    st.sampled_from(["Köln", "", "NA", 'a"b', "a,b", "a\nb"]),
    st.text(st.sampled_from('ab",\n'), max_size=3),
).map(lambda fields: line(*fields))
records_strategy = st.lists(rows | st.binary(max_size=6) | st.just(b'2024-03-01,1,2,"open,n'), max_size=8)
missing_texts = st.sampled_from([("",), ("", "NA"), ("nan",), ("1", "x")])


@given(records_strategy, missing_texts)
def test_a_batch_equals_its_records_one_by_one(records: list[bytes], missing: tuple[str, ...]) -> None:
    reading = decoder(missing)
    whole = reading.decode(records)
    kept: list[tuple[object, ...]] = []
    refused: list[tuple[object, ...]] = []
    for index, record in enumerate(records):
        single = reading.decode([record])
        kept += [(index, *row[1:]) for row in rows_of(single)]
        refused += [(index, refusal.reason, refusal.detail) for refusal in single.refused]
    assert rows_of(whole) == kept
    assert [(r.index, r.reason, r.detail) for r in whole.refused] == refused


def expected_number(text: str, missing: tuple[str, ...]) -> float | None:
    if text in missing:
        return math.nan
    if "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else math.inf


@given(st.lists(numbers, min_size=1, max_size=6), missing_texts)
def test_numbers_are_those_of_float(texts: list[str], missing: tuple[str, ...]) -> None:
    decoded = decoder(missing).decode([line("2024-03-01", text, "0", "c", "n") for text in texts])
    expected = [expected_number(text, missing) for text in texts]
    assert decoded.kept.tolist() == [index for index, number in enumerate(expected) if number is not None]
    good = [number for number in expected if number is not None]
    np.testing.assert_array_equal(decoded.numeric["a"], good)


OUTCOMES: list[tuple[bytes, Reason | None, str]] = [
    (b"2024-03-01,1,2.5,Bonn,n", None, "1.0 2.5 Bonn"),
    (b"2024-03-01,,,,", None, "nan nan None"),
    (b"2024-03-01,nan,-inf,NA,n", None, "inf inf NA"),
    (b"2024-03-01,1e400, 2 ,5,n", None, "inf 2.0 5"),
    (b'2024-03-01,"1",2,"a,""b""\nc",n', None, '1.0 2.0 a,"b"\nc'),
    (b'2024-03-01,1,2,5" pipe,n', None, '1.0 2.0 5" pipe'),
    (b"2024-03-01,abc,2,Bonn,n", Reason.WRONG_TYPE, "column 'a': 'abc' is not a number"),
    (b"2024-03-01,1,null,Bonn,n", Reason.WRONG_TYPE, "column 'i': 'null' is not a number"),
    (b"2024-03-01,1, null ,Bonn,n", Reason.WRONG_TYPE, "column 'i'"),
    (b"2024-03-01,1_0,2,Bonn,n", Reason.WRONG_TYPE, "column 'a'"),
    (b'2024-03-01,"1,2",2,Bonn,n', Reason.WRONG_TYPE, "column 'a'"),
    (b"2024-03-01,true,2,Bonn,n", Reason.WRONG_TYPE, "column 'a'"),
    (b"2024-03-01,1,2,Bonn", Reason.WRONG_FIELDS, "expected 5 fields, found 4"),
    (b"2024-03-01,1,2,Bonn,n,", Reason.WRONG_FIELDS, "expected 5 fields, found 6"),
    (b"2024-03-01,1,2,\xff,n", Reason.NOT_UTF8, "byte 15"),
    (b"2024-03-01,1,2,Bonn,\xc3", Reason.TRUNCATED, "byte 20"),
    (b'2024-03-01,1,2,"Bonn,n', Reason.TRUNCATED, "quote"),
    (b'2024-03-01,1,2,"Bonn"x,n', Reason.MALFORMED, "expected after"),
    (b"2024-03-01,1,2,Bo\rnn,n", Reason.MALFORMED, "new-line"),
    (b",1,2,Bonn,n", Reason.NO_TIME, "'time'"),
    (b"soon,1,2,Bonn,n", Reason.BAD_TIME, "'soon'"),
]


@pytest.mark.parametrize(("record", "reason", "outcome"), OUTCOMES)
def test_outcomes(record: bytes, reason: Reason | None, outcome: str) -> None:
    neighbour = b"2024-03-02,7,8,Ulm,n"
    decoded = decoder().decode([neighbour, record, neighbour])
    if reason is None:
        assert decoded.refused == ()
        numbers = [str(decoded.numeric[name][1]) for name in ("a", "i")]
        assert " ".join([*numbers, str(decoded.categorical["c"][1])]) == outcome
        return
    ((index, found, detail),) = [(r.index, r.reason, r.detail) for r in decoded.refused]
    assert (index, found) == (1, reason)
    assert outcome in detail
    assert decoded.numeric["a"].tolist() == [7.0, 7.0]
    assert decoded.categorical["c"] == ["Ulm", "Ulm"]
    assert decoded.kept.tolist() == [0, 2]


def test_missing_texts_may_look_like_numbers() -> None:
    decoded = decoder(("-999", "?")).decode([b"2024-03-01,-999,?,?,n", b"2024-03-01,1,-999,-999,n"])
    np.testing.assert_array_equal(decoded.numeric["a"], [math.nan, 1.0])
    np.testing.assert_array_equal(decoded.numeric["i"], [math.nan, math.nan])
    assert decoded.categorical["c"] == [None, None]


def test_an_empty_batch() -> None:
    decoded = decoder().decode([])
    assert rows_of(decoded) == []
    assert decoded.refused == ()


@pytest.mark.parametrize(
    ("column", "header", "message"),
    [
        (
            "agee",
            HEADER,
            "column 'n': the header has no field 'agee'; the closest is 'age'; its fields are 'time'",
        ),
        ("age", ("time", "age", "age"), "holds the field 'age' twice"),
        ("age", ("age",), "the time field: the header has no field 'time'"),
    ],
)
def test_a_header_that_does_not_fit(column: str, header: tuple[str, ...], message: str) -> None:
    with pytest.raises(DecodeSetupError, match=message):
        CsvDecoder([Column(name="n", path=column, kind=Kind.NUMERIC)], TIME, header)


def test_the_factory_follows_the_format() -> None:
    assert isinstance(make_decoder(FileFormat.CSV, [AGE], TIME, HEADER), CsvDecoder)
    assert isinstance(make_decoder(FileFormat.JSONL, [AGE], TIME), JsonDecoder)
