"""Lines of a scenario carry its columns, and times with the disorder that was asked for."""

import csv
from datetime import UTC, datetime

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Kind
from flows.scenarios.base import BLOCK_ROWS, START_MS, ScenarioOptions
from flows.scenarios.lines import (
    csv_header,
    csv_lines,
    csv_reference,
    event_times_ms,
    iso_times,
    json_lines,
    json_reference,
    reference_columns,
)
from flows.scenarios.registry import scenario

NAMES = ("churn", "clinical", "demo", "ethereum", "house-prices", "stationary", "wide")
SHORT = ScenarioOptions(rows=2 * BLOCK_ROWS + 300, seed=11, reference_rows=1500)
WHOLE = {name: json_lines(scenario(name), SHORT, 0, SHORT.rows) for name in NAMES}


@given(
    seed=st.integers(0, 9),
    step_ms=st.integers(1, 5000),
    disorder_ms=st.integers(0, 9000),
    start=st.integers(0, 5000),
)
def test_disorder_stays_within_its_promise(seed: int, step_ms: int, disorder_ms: int, start: int) -> None:
    options = ScenarioOptions(rows=9000, seed=seed, step_ms=step_ms, disorder_ms=disorder_ms)
    times = event_times_ms(scenario("demo"), options, start, 1200)
    delays = times - (START_MS + (start + np.arange(1200)) * step_ms)
    assert delays.min() >= 0
    assert delays.max() <= disorder_ms
    behind = np.maximum.accumulate(times)[:-1] - times[1:]
    assert behind.max() <= disorder_ms - step_ms
    # Two neighbours change places with a chance near 1/2 when the delay is many steps; 1,199 pairs.
    assert disorder_ms < 10 * step_ms or np.count_nonzero(behind > 0) > 300


def test_times_are_iso_texts_of_the_rows() -> None:
    assert datetime.fromtimestamp(START_MS / 1000, UTC) == datetime(2026, 1, 5, tzinfo=UTC)
    assert datetime.fromtimestamp(START_MS / 1000, UTC).weekday() == 0
    options = ScenarioOptions(rows=3000, disorder_ms=0)
    stamps = [orjson.loads(line)["ts"] for line in json_lines(scenario("demo"), options, 0, 3)]
    assert stamps == ["2026-01-05T00:00:00.000Z", "2026-01-05T00:00:30.000Z", "2026-01-05T00:01:00.000Z"]
    late = event_times_ms(scenario("demo"), SHORT, 0, SHORT.rows)
    parsed = [datetime.fromisoformat(text).timestamp() for text in iso_times(late)]
    assert [round(seconds * 1000) for seconds in parsed] == late.tolist()
    assert [orjson.loads(line)["ts"] for line in WHOLE["demo"]] == iso_times(late)


def test_reference_happens_before_the_stream() -> None:
    rows = [orjson.loads(line) for line in json_reference(scenario("demo"), SHORT, 0, SHORT.reference_rows)]
    stamps = [datetime.fromisoformat(row["ts"]).timestamp() * 1000 for row in rows]
    assert stamps[0] == START_MS - SHORT.reference_rows * SHORT.step_ms
    assert stamps[-1] == START_MS - SHORT.step_ms
    assert stamps == sorted(stamps)


@pytest.mark.parametrize("name", NAMES)
def test_csv_and_json_say_the_same(name: str) -> None:
    source = scenario(name)
    stream = [csv_header(source.columns), *csv_lines(source, SHORT, 700, 900)]
    before = [csv_header(reference_columns(source)), *csv_reference(source, SHORT, 700, 100)]
    table = [row for lines in (stream, before) for row in csv.DictReader(line.decode() for line in lines)]
    records = [*WHOLE[name][700:1600], *json_reference(source, SHORT, 700, 100)]
    assert len(table) == len(records)
    for cells, line in zip(table, records, strict=True):
        record = orjson.loads(line)
        nested = record.pop("features")
        flat = {**record, **{f"features.{key}": value for key, value in nested.items()}}
        assert cells == {key: "" if value is None else str(value) for key, value in flat.items()}


@pytest.mark.parametrize("name", NAMES)
def test_columns_name_every_field_with_its_kind(name: str) -> None:
    source = scenario(name)
    ids = set()
    for line in WHOLE[name][:1500]:
        record = orjson.loads(line)
        ids.add(record.pop("id"))
        assert record.pop("model") == name
        record.pop("ts")
        paths = [f"features.{key}" for key in record["features"]] + [
            key for key in record if key != "features"
        ]
        assert paths == [column.path for column in source.columns]
        for column in source.columns:
            value = record["features"][column.name] if column.path != column.name else record[column.name]
            assert value is None or isinstance(value, str) == (column.kind is Kind.CATEGORICAL)
    assert len(ids) == 1500


def test_wide_is_the_row_of_the_benchmarks() -> None:
    lines = WHOLE["wide"]
    # 774 bytes on average in the measurements that use this row, give or take 5 %.
    assert 730 <= sum(map(len, lines)) / len(lines) <= 810
    columns = scenario("wide").columns
    assert [sum(column.kind is kind for column in columns) for kind in Kind] == [32, 5]
    drawn = scenario("wide").events(0, 0, 9000, 9000)
    for number in range(30):
        values = np.asarray(drawn[f"f{number:02d}"], dtype=np.float64)
        short = bool(np.array_equal(values, np.round(values, 6)))
        # Feature 5 of each six is whole-numbered, at all digits.
        assert short == (number >= 15 or number % 6 == 5), number
    assert [len(set(drawn[f"c{levels}"])) for levels in (3, 8, 20, 60)] == [3, 8, 20, 60]
    drifts = [truth for truth in scenario("wide").truth(9000) if truth.spans]
    assert [truth.spans for truth in drifts] == [((6000, 9000),)] * 6
