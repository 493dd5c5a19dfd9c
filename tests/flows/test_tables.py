"""Parquet and Arrow files as records: any position, any cut, every type, and errors that say what to do."""

import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from flows.decode.base import Reason
from flows.sources.base import Reader, SourceError
from flows.sources.opening import open_reader
from tests.command_line import Call, caller

ROWS = 25


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def write(path: Path, table: pa.Table, rows_per_group: int = 10) -> Path:
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=rows_per_group)
    else:
        pyarrow.feather.write_feather(table, path, chunksize=rows_per_group)
    return path


@pytest.fixture(params=["t.parquet", "t.arrow"])
def numbers(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / request.param, pa.table({"i": list(range(ROWS))}))


def rest(reader: Reader, at_most: int) -> list[tuple[int, int]]:
    found = []
    while (batch := reader.read(at_most)) is not None:
        assert len(batch.records) <= at_most
        found += [(n, json.loads(r)["i"]) for n, r in zip(batch.numbers, batch.records, strict=True)]
    reader.close()
    return found


@pytest.mark.parametrize("at_most", [1, 7, 10, 100])
def test_rows_come_in_order_however_they_are_asked_for(numbers: Path, at_most: int) -> None:
    assert rest(open_reader(numbers), at_most) == [(i, i) for i in range(ROWS)]


@pytest.mark.parametrize("stop", range(ROWS + 1))
def test_reading_goes_on_from_any_row(numbers: Path, stop: int) -> None:
    reader = open_reader(numbers)
    if stop:
        reader.read(stop)
    position = reader.position()
    reader.close()
    assert rest(open_reader(numbers, resume=position), 4) == [(i, i) for i in range(stop, ROWS)]


def test_sizes_add_up_to_the_file(numbers: Path) -> None:
    reader = open_reader(numbers)
    sizes = []
    while (batch := reader.read(3)) is not None:
        sizes.append(batch.size)
    assert sum(sizes) == numbers.stat().st_size


def test_values_become_what_json_has_for_them(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
    table = pa.table(
        {
            "number": pa.array([1.5, float("nan"), None]),
            "nanoseconds": pa.array([1_767_616_200_123_456_789] * 3, pa.timestamp("ns")),
            "zoned": pa.array([moment] * 3, pa.timestamp("ms", tz="Europe/Berlin")),
            "category": pa.array(["u", "v", None]).dictionary_encode(),
            "decimal": pa.array([Decimal("1.25")] * 3),
            "span": pa.array([timedelta(seconds=90)] * 3),
            "bytes": pa.array([b"ab"] * 3),
            "nested": pa.array([{"x": 1}] * 3),
        }
    )
    batch = open_reader(write(tmp_path / "t.parquet", table)).read(10)
    assert batch is not None
    first, second, third = map(json.loads, batch.records)
    assert first == {
        "number": 1.5,
        "nanoseconds": "2026-01-05T12:30:00.123456",
        "zoned": "2026-01-05T13:30:00+01:00",
        "category": "u",
        "decimal": 1.25,
        "span": 90.0,
        "bytes": "ab",
        "nested": {"x": 1},
    }
    assert second["number"] is third["number"] is third["category"] is None


def test_a_row_that_is_too_long_is_refused_and_its_neighbours_are_not(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", pa.table({"i": [0, 1, 2], "text": ["a", "b" * 5_000, "c"]}))
    batch = open_reader(path, max_record_bytes=1_024).read(10)
    assert batch is not None
    assert list(batch.numbers) == [0, 2]
    ((refused),) = batch.refused
    assert (refused.number, refused.reason, len(refused.raw)) == (1, Reason.TOO_LONG, 1_000)


def test_a_file_that_is_no_table_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match=r"t\.parquet: no readable parquet file"):
        open_reader(path)


def test_without_pyarrow_the_error_says_what_to_install(
    numbers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "pyarrow.ipc", None)
    with pytest.raises(SourceError, match=r"pip install 'driftflow\[parquet\]'"):
        open_reader(numbers)


def test_a_table_and_the_same_rows_as_lines_give_one_answer(call: Call, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    columns = {"x": rng.normal(size=2_000), "c": rng.choice(["a", "b"], 2_000)}
    table = write(tmp_path / "before.parquet", pa.table(columns), rows_per_group=300)
    lines = tmp_path / "before.jsonl"
    lines.write_text(
        "".join(
            json.dumps({"x": x, "c": c}) + "\n"
            for x, c in zip(columns["x"].tolist(), columns["c"].tolist(), strict=True)
        )
    )
    now = write(tmp_path / "now.arrow", pa.table({"x": rng.normal(0.3, 1, 2_000), "c": ["a"] * 2_000}))
    found = [call("compare", before, now, "--json").json() for before in (table, lines)]
    assert found[0]["columns"] == found[1]["columns"]
    assert [column["verdict"] for column in found[0]["columns"]] == ["drift", "drift"]
