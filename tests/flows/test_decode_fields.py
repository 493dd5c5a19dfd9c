import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Kind
from flows.decode.base import Decoder, Reason
from flows.decode.csv_decoder import CsvDecoder
from flows.decode.json_decoder import JsonDecoder
from flows.decode.json_fields import MOST_FIELDS, MOST_LEVELS, field_paths
from flows.decode.setup import parse_path
from state.columns import Column, TimeColumn, TimeUnit
from tests.flows.test_decode_json import COLUMNS, expected_number, expected_text, look_up, objects

TIME = TimeColumn(path="t", unit=TimeUnit.SECONDS)

keys = st.text('ab.\\"ü', max_size=4)
nested = st.recursive(
    st.none() | st.integers(0, 9), lambda inner: st.dictionaries(keys, inner, max_size=3), max_leaves=8
)


def expected_paths(value: dict[str, object]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            found += [(key, *rest) for rest in expected_paths(inner)]
        else:
            found.append((key,))
    return found


def wrong(value: object) -> list[str]:
    """Columns that hold another type, by the tests' own reading."""
    found = []
    for column in COLUMNS:
        read = expected_number if column.kind is Kind.NUMERIC else expected_text
        try:
            read(look_up(value, column.path))
        except TypeError:
            found.append(column.name)
    return found


@given(objects)
def test_a_value_of_another_type_names_the_first_such_column(text: str) -> None:
    expected = wrong(json.loads(text))
    refused = JsonDecoder(COLUMNS, None).decode([text.encode()]).refused
    assert [refusal.column for refusal in refused] == expected[:1]


def test_a_time_of_another_type_names_no_column() -> None:
    (refusal,) = JsonDecoder(COLUMNS, TIME).decode([b'{"t": true}']).refused
    assert (refusal.reason, refusal.column) == (Reason.WRONG_TYPE, None)


@pytest.mark.parametrize(
    ("record", "reason", "column"),
    [
        (b"1,a,x", Reason.WRONG_TYPE, "second"),
        (b"b,a,x", Reason.WRONG_TYPE, "first"),
        (b"1,2", Reason.WRONG_FIELDS, None),
        (b"\xff,2,x", Reason.NOT_UTF8, None),
    ],
)
def test_a_csv_row_names_the_first_column_that_is_no_number(
    record: bytes, reason: Reason, column: str | None
) -> None:
    columns = [Column(name=name, path=name, kind=Kind.NUMERIC) for name in ("first", "second")]
    decoder = CsvDecoder(columns, None, ("first", "second", "other"))
    (refusal,) = decoder.decode([b"1,2,x", record]).refused
    assert (refusal.reason, refusal.column) == (reason, column)
    assert decoder.fields(b"1,2,x") == ("first", "second", "other")


@given(st.dictionaries(keys.filter(bool), nested, max_size=4))
def test_every_field_is_named_by_the_path_that_leads_to_it(record: dict[str, object]) -> None:
    wanted = [path for path in expected_paths(record) if "" not in path]
    found = field_paths(json.dumps(record).encode())
    # A configuration cannot name an empty key.
    assert [parse_path(path) for path in found if _has_no_empty_key(path)] == wanted


def _has_no_empty_key(path: str) -> bool:
    plain = path.replace("\\\\", "_").replace("\\.", "_")
    return "" not in plain.split(".")


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (b'{"x": NaN, "y": 1}', ["x", "y"]),
        (b'{"x": 1, "y": "\xff"}', ["x", "y"]),
        (b'{"x": {"y": 1}, "x": 2}', ["x"]),
        (b'{"tags": [{"inside": 1}], "none": {}}', ["tags[]", "none"]),
    ],
)
def test_fields_of_records_that_only_the_slow_reading_takes(record: bytes, wanted: Sequence[str]) -> None:
    decoder: Decoder = JsonDecoder([], None)
    assert list(decoder.fields(record)) == wanted


def test_very_wide_and_very_deep_records_are_cut() -> None:
    wide = json.dumps({f"f{number}": number for number in range(MOST_FIELDS + 10)}).encode()
    assert field_paths(wide) == tuple(f"f{number}" for number in range(MOST_FIELDS))
    deep = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
    assert field_paths(deep) in {(".".join("a" * MOST_LEVELS),), ()}
