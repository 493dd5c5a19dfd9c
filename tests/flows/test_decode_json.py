import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.base import Kind
from flows.decode.assemble import MICRO_BATCH
from flows.decode.base import Decoded, Decoder, Reason
from flows.decode.json_decoder import JsonDecoder
from flows.decode.setup import DecodeSetupError
from state.columns import Column, TimeColumn, TimeUnit


def numeric(path: str, name: str | None = None) -> Column:
    return Column(name=name or path, path=path, kind=Kind.NUMERIC)


def categorical(path: str, name: str | None = None) -> Column:
    return Column(name=name or path, path=path, kind=Kind.CATEGORICAL)


COLUMNS = (numeric("x"), numeric("in.y"), categorical("c"), categorical("in.deep.d"))
TIME = TimeColumn(path="t", unit=TimeUnit.SECONDS)


def rows_of(decoded: Decoded) -> list[object]:
    """One comparable value per kept record."""
    columns: list[Sequence[object]] = [
        decoded.kept.tolist(),
        *(list(map(repr, values.tolist())) for values in decoded.numeric.values()),
        *decoded.categorical.values(),
    ]
    if decoded.time_ms is not None:
        columns.append(decoded.time_ms.tolist())
    return list(zip(*columns, strict=True))


def assert_batch_is_one_by_one(decoder: Decoder, records: Sequence[bytes]) -> None:
    whole = decoder.decode(records)
    kept: list[object] = []
    refused: list[object] = []
    for index, record in enumerate(records):
        single = decoder.decode([record])
        kept += [(index, *row[1:]) for row in rows_of(single) if isinstance(row, tuple)]
        refused += [(index, r.reason, r.detail) for r in single.refused]
    assert rows_of(whole) == kept
    assert [(r.index, r.reason, r.detail) for r in whole.refused] == refused


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "ü€", "\u0000", "1.5"])
    | st.sampled_from([10**30, 10**400, -(10**400)])
)
watched = st.fixed_dictionaries(
    {},
    optional={
        "x": scalars,
        "c": scalars | st.just([1]),
        "in": scalars
        | st.fixed_dictionaries(
            {}, optional={"y": scalars, "deep": scalars | st.fixed_dictionaries({}, optional={"d": scalars})}
        ),
        "t": scalars | st.floats(0, 4e9),
        "other": st.recursive(scalars, st.lists, max_leaves=4),
    },
)
objects = watched.flatmap(
    lambda value: st.sampled_from([json.dumps(value), json.dumps(value, ensure_ascii=False)])
)
damaged = st.tuples(objects, st.integers(0, 60)).map(lambda pair: pair[0].encode()[: pair[1]])
records_strategy = objects.map(str.encode) | damaged | st.binary(max_size=8)


def look_up(value: object, path: str) -> object:
    """What stands at a path, None where nothing does; raises where the path hits a value."""
    for key in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise TypeError(path)
        value = value.get(key)
    return value


def expected_number(value: object) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    try:
        number = float(value)
    except OverflowError:
        return math.inf
    return number if math.isfinite(number) else math.inf


def expected_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return None if value != value else repr(value)  # noqa: PLR0124  NaN
    raise TypeError(value)


@given(objects)
@example('{"x": NaN, "c": NaN}')
@example('{"x": -Infinity, "c": -Infinity, "in": {"y": 1e400}}')
def test_values_are_those_of_the_standard_library(text: str) -> None:
    value = json.loads(text)
    decoded = JsonDecoder(COLUMNS, None).decode([text.encode()])
    try:
        numbers = [expected_number(look_up(value, column.path)) for column in COLUMNS[:2]]
        texts = [expected_text(look_up(value, column.path)) for column in COLUMNS[2:]]
    except TypeError:
        assert [refusal.reason for refusal in decoded.refused] == [Reason.WRONG_TYPE]
        assert decoded.kept.tolist() == []
        return
    assert decoded.refused == ()
    np.testing.assert_array_equal([column[0] for column in decoded.numeric.values()], numbers)
    found = [column[0] for column in decoded.categorical.values()]
    # Beside a NaN literal a number beyond all floats has lost its digits.
    assert found == [text if text is None or len(text) < 310 else found[at] for at, text in enumerate(texts)]


@given(st.lists(records_strategy, max_size=8))
def test_a_batch_equals_its_records_one_by_one(records: list[bytes]) -> None:
    assert_batch_is_one_by_one(JsonDecoder(COLUMNS, TIME), records)


def test_a_batch_of_several_micro_batches_keeps_its_order() -> None:
    records = [b'{"x": %d, "c": "%d", "t": %d}' % (k, k, k) for k in range(3 * MICRO_BATCH + 5)]
    records[1] = b"["
    records[MICRO_BATCH] = b'{"x": 1}'
    records[MICRO_BATCH + 1] = b'{"x": NaN, "c": 1, "t": 1}'
    decoder = JsonDecoder(COLUMNS, TIME)
    assert_batch_is_one_by_one(decoder, records)
    decoded = decoder.decode(records)
    assert [refusal.index for refusal in decoded.refused] == [1, MICRO_BATCH]
    assert len(decoded.kept) == len(records) - 2
    assert decoded.numeric["x"][-1] == len(records) - 1


KEPT = None
OUTCOMES: list[tuple[bytes, Reason | None, str]] = [
    # A missing field, null, and objects that are missing or null.
    (b'{"t": 1}', KEPT, "nan nan None None"),
    (b'{"x": null, "in": null, "c": null, "t": 1}', KEPT, "nan nan None None"),
    (b'{"in": {"deep": null}, "t": 1}', KEPT, "nan nan None None"),
    # Numbers and texts.
    (b'{"x": 3, "in": {"y": -0.5}, "c": 3, "t": 1}', KEPT, "3.0 -0.5 3 None"),
    (b'{"x": 1, "c": 2.50, "in": {"deep": {"d": true}}, "t": 1}', KEPT, "1.0 nan 2.5 true"),
    (b'{"c": "3", "in": {"deep": {"d": false}}, "t": 1}', KEPT, "nan nan 3 false"),
    # Not finite.
    (b'{"x": NaN, "c": "a", "t": 1}', KEPT, "inf nan a None"),
    (b'{"x": Infinity, "in": {"y": -Infinity}, "c": NaN, "t": 1}', KEPT, "inf inf None None"),
    (b'{"x": 1e400, "in": {"y": -1e400}, "t": 1}', KEPT, "inf inf None None"),
    (b'{"x": ' + b"9" * 400 + b', "t": 1}', KEPT, "inf nan None None"),
    (b'{"x": ' + b"9" * 5_000 + b', "t": 1}', KEPT, "inf nan None None"),
    (b'{"other": NaN, "x": 1, "t": 1}', KEPT, "1.0 nan None None"),
    # Duplicate keys: the last one counts.
    (b'{"x": 1, "x": 2, "t": 1}', KEPT, "2.0 nan None None"),
    (b'{"x": "a", "x": 2, "t": 1}', KEPT, "2.0 nan None None"),
    (b'{"in": {"y": 1}, "in": {}, "t": 1}', KEPT, "nan nan None None"),
    # Keys and texts with escapes, and what stands in fields that nobody watches.
    (b'{"\\u0078": 1, "c": "\\u00fc", "t": 1}', KEPT, "1.0 nan ü None"),
    (b' {"x" : 1 , "t":1, "other": [{"x": "a"}]}\t', KEPT, "1.0 nan None None"),
    (b'{"x": "a", "t": 1}', Reason.WRONG_TYPE, "$.x"),
    (b'{"x": "1.5", "t": 1}', Reason.WRONG_TYPE, "$.x"),
    (b'{"x": true, "t": 1}', Reason.WRONG_TYPE, "$.x"),
    (b'{"x": NaN, "in": {"y": false}, "t": 1}', Reason.WRONG_TYPE, "$.in.y"),
    (b'{"c": [1], "t": 1}', Reason.WRONG_TYPE, "$.c"),
    (b'{"in": 5, "t": 1}', Reason.WRONG_TYPE, "$.in"),
    (b'{"in": {"deep": {"d": {}}}, "t": 1}', Reason.WRONG_TYPE, "$.in.deep.d"),
    (b'{"t": true}', Reason.WRONG_TYPE, "$.t"),
    (b'[{"x": 1}]', Reason.MALFORMED, "expected one object, found array"),
    (b"3", Reason.MALFORMED, "expected one object, found number"),
    (b"null", Reason.MALFORMED, "expected one object, found null"),
    (b'{"x": 1, "t": 1} {"x": 2}', Reason.MALFORMED, "Extra data"),
    (b'{"x": 1, "t": 1}u', Reason.MALFORMED, "Extra data"),
    (b'{"x": 1, "t": 1}]', Reason.MALFORMED, "Extra data"),
    (b'{"x": 1,, "t": 1}', Reason.MALFORMED, "line 1"),
    (b"{'x': 1}", Reason.MALFORMED, "line 1"),
    (b'{"x": 01, "t": 1}', Reason.MALFORMED, "line 1"),
    (b'{"c": "\\ud800", "t": 1}', Reason.MALFORMED, "surrogate"),
    (b'{"c": "a\tb", "t": 1}', Reason.MALFORMED, "control character"),
    (b'\xef\xbb\xbf{"x": 1, "t": 1}', Reason.MALFORMED, "BOM"),
    (b'{"other": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", Reason.MALFORMED, "nested too deeply"),
    (b'{"c": "\xff", "t": 1}', Reason.NOT_UTF8, "byte 7"),
    (b'{"c": "\xfc", "t": 1', Reason.NOT_UTF8, "byte 7"),
    (b'{"t": null}', Reason.NO_TIME, "'t'"),
    (b'{"x": 1}', Reason.NO_TIME, "'t'"),
    (b'{"t": "soon"}', Reason.BAD_TIME, "'soon'"),
    (b'{"t": NaN}', Reason.BAD_TIME, "nan"),
    (b'{"t": 1700000000000}', Reason.BAD_TIME, "set time.unit to ms"),
]


@pytest.mark.parametrize(("record", "reason", "outcome"), OUTCOMES, ids=[repr(o[0][:40]) for o in OUTCOMES])
def test_outcomes(record: bytes, reason: Reason | None, outcome: str) -> None:
    neighbour = b'{"x": 7, "t": 2}'
    decoded = JsonDecoder(COLUMNS, TIME).decode([neighbour, record, neighbour])
    if reason is None:
        assert decoded.refused == ()
        numbers = [str(column[1]) for column in decoded.numeric.values()]
        texts = [str(column[1]) for column in decoded.categorical.values()]
        assert " ".join([*numbers, *texts]) == outcome
        return
    ((index, found, detail),) = [(r.index, r.reason, r.detail) for r in decoded.refused]
    assert (index, found) == (1, reason)
    assert outcome in detail
    assert decoded.numeric["x"].tolist() == [7.0, 7.0]
    assert decoded.kept.tolist() == [0, 2]


WHOLE = (
    '{"x": -1.5e+3, "c": "a\\u00fc\\"€", "in": {"y": null, "deep": {"d": true}}, "z": NaN, "t": 1}'.encode()
)


@pytest.mark.parametrize("end", range(1, len(WHOLE)))
def test_a_record_cut_anywhere_is_truncated(end: int) -> None:
    (refusal,) = JsonDecoder(COLUMNS, TIME).decode([WHOLE[:end]]).refused
    assert refusal.reason is Reason.TRUNCATED


KEYS = ["with space", "with-dash", "1st", "class", "größe", "$", "__init__", "f0", "o0", "'", "日本"]


@given(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True), st.booleans())
def test_any_key_can_be_read(keys: list[str], ascii_only: bool) -> None:  # noqa: FBT001  drawn
    columns = [numeric(f"{outer}.{inner}") for outer in keys for inner in keys]
    value = {outer: {inner: at for at, inner in enumerate(keys)} for outer in keys}
    decoded = JsonDecoder(columns, None).decode([json.dumps(value, ensure_ascii=ascii_only).encode()])
    assert [column.tolist() for column in decoded.numeric.values()] == [
        [float(at)] for _ in keys for at in range(len(keys))
    ]


def test_an_escaped_dot_is_part_of_the_key() -> None:
    decoded = JsonDecoder([numeric(r"a\.b"), numeric("a.b")], None).decode([b'{"a.b": 1, "a": {"b": 2}}'])
    assert [column.tolist() for column in decoded.numeric.values()] == [[1.0], [2.0]]


def test_two_columns_may_read_one_path() -> None:
    columns = [
        numeric("r", "n"),
        numeric("r", "m"),
        categorical("r", "c"),
        numeric("q"),
        categorical("q", "k"),
    ]
    time = TimeColumn(path="q", unit=TimeUnit.SECONDS)
    decoded = JsonDecoder(columns, time).decode([b'{"r": 3, "q": 1.5}', b'{"r": 1%s, "q": 2}' % (b"0" * 310)])
    assert {name: column.tolist() for name, column in decoded.numeric.items()} == {
        "n": [3.0, math.inf],
        "m": [3.0, math.inf],
        "q": [1.5, 2.0],
    }
    assert decoded.categorical["c"] == ["3", "1" + "0" * 310]
    assert decoded.categorical["k"] == ["1.5", "2"]
    assert decoded.time_ms is not None
    assert decoded.time_ms.tolist() == [1_500, 2_000]


def test_nothing_to_read_and_nothing_read() -> None:
    decoded = JsonDecoder([], None).decode([b"{}", b"["])
    assert decoded.kept.tolist() == [0]
    assert decoded.time_ms is None
    empty = JsonDecoder(COLUMNS, TIME).decode([])
    assert empty.numeric["x"].shape == (0,)
    assert empty.categorical["c"] == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([numeric("a"), numeric("a.b")], "'a.b' leads into 'a'"),
        ([numeric("a.b.c"), categorical("a")], "'a.b.c' leads into 'a'"),
        ([numeric("t.x")], "'t.x' leads into 't'"),
        ([numeric("a", "n"), categorical("b", "n")], "two columns have the name 'n'"),
        ([numeric("a..b")], "empty key"),
        ([numeric("")], "empty key"),
        ([numeric('say "hi"')], "cannot be matched"),
    ],
)
def test_columns_that_cannot_be_read(columns: list[Column], message: str) -> None:
    with pytest.raises(DecodeSetupError, match=message):
        JsonDecoder(columns, TIME)


PLACES = (numeric("s.0"), numeric("s.2"), categorical("in.names.1"))


@given(
    rows=st.lists(
        st.tuples(
            st.lists(st.none() | st.floats(width=32) | st.integers(-9, 9), max_size=4),
            st.lists(st.none() | st.sampled_from(["a", "b"]), max_size=3),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_elements_of_an_array_are_read_by_place_as_keys_of_an_object_are(
    rows: list[tuple[list[float | None], list[str | None], bool]],
) -> None:
    arrays = [json.dumps({"s": numbers, "in": {"names": names}}).encode() for numbers, names, _ in rows]
    mixed = [
        json.dumps({"s": {str(i): x for i, x in enumerate(numbers)}, "in": {"names": names}}).encode()
        if keyed
        else array
        for array, (numbers, names, keyed) in zip(arrays, rows, strict=True)
    ]
    decoder = JsonDecoder(PLACES, None)
    found = decoder.decode(mixed)
    assert rows_of(found) == rows_of(decoder.decode(arrays))
    assert_batch_is_one_by_one(decoder, mixed)
    for place, name in ((0, "s.0"), (2, "s.2")):
        np.testing.assert_array_equal(
            found.numeric[name], [_element(numbers, place) for numbers, _, _ in rows]
        )
    assert found.categorical["in.names.1"] == [names[1] if len(names) > 1 else None for _, names, _ in rows]


def _element(numbers: Sequence[float | None], place: int) -> float:
    found = numbers[place] if place < len(numbers) else None
    if found is None:
        return math.nan
    return found if math.isfinite(found) else math.inf


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (b'{"s": [1, "x", 2]}', "$.s[1]"),
        (b'{"s": 3}', "$.s"),
        (b'{"s": {"0": "x"}}', "$.s"),
        (b'{"in": {"names": ["a", [1]]}}', "$.in.names[1]"),
    ],
)
def test_an_element_of_another_type_refuses_the_record(record: bytes, detail: str) -> None:
    (refused,) = JsonDecoder(PLACES, None).decode([record]).refused
    assert refused.reason is Reason.WRONG_TYPE
    assert detail in refused.detail


def test_numbers_beyond_all_floats_and_literals_stand_in_arrays_too() -> None:
    records = [b'{"s": [NaN, 0, -Infinity]}', b'{"s": [1%s, 0, 2]}' % (b"0" * 400), b'{"s": [1e999, 0, 1]}']
    found = JsonDecoder(PLACES[:2], None).decode(records)
    assert found.numeric["s.0"].tolist() == [math.inf, math.inf, math.inf]
    assert found.numeric["s.2"].tolist() == [math.inf, 2.0, 1.0]


def test_places_that_are_read_as_two_types_are_keys_of_an_object() -> None:
    columns = (numeric("s.0"), categorical("s.1"))
    found = JsonDecoder(columns, None).decode([b'{"s": {"0": 1, "1": "a"}}', b'{"s": [1, "a"]}'])
    assert (found.numeric["s.0"].tolist(), found.categorical["s.1"]) == ([1.0], ["a"])
    assert [refused.reason for refused in found.refused] == [Reason.WRONG_TYPE]
