"""Rows of a scenario as lines of JSON or CSV."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import orjson

from detectors.base import IntArray
from flows.scenarios.base import MAX_TIME_MS, START_MS, Scenario, ScenarioError, ScenarioOptions, Values
from flows.scenarios.cuts import delays_ms
from state.columns import Column

Cells = list[float] | list[int] | list[str | None]
"""One column as Python values."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows as Python values: ids, ISO times, and cells by the path of their column."""

    ids: list[str]
    times: list[str]
    cells: dict[str, Cells]


def row_times_ms(scenario: Scenario, options: ScenarioOptions, numbers: IntArray) -> IntArray:
    """Return the event times of rows before disorder; those of the reference have negative numbers.

    Raises
    ------
    ScenarioError
        A row happens after the year 9999.
    """
    offsets = scenario.traffic.offsets_ms(numbers, rows=options.rows, step_ms=options.step_ms)
    if offsets.size and START_MS + int(offsets[-1]) + options.disorder_ms >= MAX_TIME_MS:
        raise ScenarioError(
            f"row {numbers[-1]} happens after the year 9999: pass fewer rows or a smaller step"
        )
    return START_MS + offsets


def event_times_ms(scenario: Scenario, options: ScenarioOptions, start: int, count: int) -> IntArray:
    """Return the event times of rows ``start .. start + count - 1`` with disorder, shape ``(count,)``."""
    times = row_times_ms(scenario, options, np.arange(start, start + count, dtype=np.int64))
    return times + delays_ms(options.seed, start, count, options.disorder_ms)


def iso_times(times_ms: IntArray) -> list[str]:
    """Write times as ISO-8601 with milliseconds and Z.

    Examples
    --------
    >>> iso_times(np.array([START_MS + 30_000]))
    ['2026-01-05T00:00:30.000Z']
    """
    stamps = np.asarray(times_ms, dtype=np.int64).astype("datetime64[ms]")
    texts: list[str] = np.datetime_as_string(stamps, unit="ms", timezone="UTC").tolist()
    return texts


def json_lines(scenario: Scenario, options: ScenarioOptions, start: int, count: int) -> list[bytes]:
    """Return rows ``start .. start + count - 1`` of the stream as JSON records without line ends.

    Raises
    ------
    ScenarioError
        The range leaves the stream.
    """
    return json_rows(scenario, options, range(start, start + count))


def csv_lines(scenario: Scenario, options: ScenarioOptions, start: int, count: int) -> list[bytes]:
    """Return rows ``start .. start + count - 1`` of the stream as CSV records; a missing value is empty.

    Raises
    ------
    ScenarioError
        The range leaves the stream.
    """
    return _csv(scenario, _events(scenario, options, range(start, start + count)))


def json_rows(scenario: Scenario, options: ScenarioOptions, rows: range) -> list[bytes]:
    """Return the rows of an increasing range, which may have a step, as JSON records.

    Raises
    ------
    ScenarioError
        The range leaves the stream.
    """
    return _json(scenario, _events(scenario, options, rows))


def json_reference(scenario: Scenario, options: ScenarioOptions, start: int, count: int) -> list[bytes]:
    """Return rows of the reference as JSON records; they happen just before the stream."""
    return _json(scenario, _reference(scenario, options, start, count))


def csv_reference(scenario: Scenario, options: ScenarioOptions, start: int, count: int) -> list[bytes]:
    """Return rows of the reference as CSV records; they happen just before the stream."""
    return _csv(scenario, _reference(scenario, options, start, count))


def reference_columns(scenario: Scenario) -> tuple[Column, ...]:
    """Return the columns of the reference's records: in it late labels are known."""
    late = scenario.late_labels
    return scenario.columns if late is None else (*scenario.columns, late.column)


def csv_header(columns: Iterable[Column]) -> bytes:
    """Return the header of the CSV records: the paths of their columns.

    Examples
    --------
    >>> from flows.scenarios.stationary import stationary
    >>> csv_header(stationary(features=1).columns)
    b'id,ts,model,features.normal_000'
    """
    return ",".join(["id", "ts", "model", *(column.path for column in columns)]).encode()


def record_id(scenario: Scenario, row: int) -> str:
    """Return the id of a row of the stream."""
    return f"{scenario.name}-{row:09d}"


def _events(scenario: Scenario, options: ScenarioOptions, rows: range) -> _Rows:
    start, count = rows.start, max(rows.stop - rows.start, 0)
    values = scenario.events(options.seed, start, count, options.rows)
    return _Rows(
        ids=[record_id(scenario, row) for row in rows],
        times=iso_times(event_times_ms(scenario, options, start, count)[:: rows.step]),
        cells={column.path: cells_of(values[column.name][:: rows.step]) for column in scenario.columns},
    )


def _reference(scenario: Scenario, options: ScenarioOptions, start: int, count: int) -> _Rows:
    values = scenario.reference_columns(options.seed, start, count)
    numbers = np.arange(start, start + count, dtype=np.int64) - options.reference_rows
    return _Rows(
        ids=[f"{scenario.name}-reference-{row:09d}" for row in range(start, start + count)],
        times=iso_times(row_times_ms(scenario, options, numbers)),
        cells={column.path: cells_of(values[column.name]) for column in reference_columns(scenario)},
    )


def cells_of(values: Values) -> Cells:
    """Return the values of a column as Python values, of which NaN and None are missing."""
    return values if isinstance(values, list) else values.tolist()


def _json(scenario: Scenario, rows: _Rows) -> list[bytes]:
    """Nest what stands under `features`; orjson writes NaN as null, which is what missing means here."""
    prefix = "features."
    inner = {
        path.removeprefix(prefix): cells for path, cells in rows.cells.items() if path.startswith(prefix)
    }
    outer = {path: cells for path, cells in rows.cells.items() if not path.startswith(prefix)}
    features: Iterable[tuple[object, ...]] = zip(*inner.values(), strict=True)
    heads = zip(rows.ids, rows.times, features, strict=True)
    tails: Iterable[tuple[object, ...]] = (
        zip(*outer.values(), strict=True) if outer else ((),) * len(rows.ids)
    )
    inner_names, outer_names, model, dumps = tuple(inner), tuple(outer), scenario.name, orjson.dumps
    # The names and cells are of one length by construction; checking that in each row costs a tenth.
    return [
        dumps(
            {
                "id": name,
                "ts": time,
                "model": model,
                "features": dict(zip(inner_names, cells)),  # noqa: B905
                **dict(zip(outer_names, tail)),  # noqa: B905
            }
        )
        for (name, time, cells), tail in zip(heads, tails, strict=True)
    ]


def _csv(scenario: Scenario, rows: _Rows) -> list[bytes]:
    """Join cells by commas; no text of a scenario needs quotes."""
    columns = [[csv_cell(value) for value in cells] for cells in rows.cells.values()]
    models = [scenario.name] * len(rows.ids)
    return [",".join(row).encode() for row in zip(rows.ids, rows.times, models, *columns, strict=True)]


def csv_cell(value: float | str | None) -> str:
    """Write one value with all its digits; a missing one (None or NaN) is empty."""
    if isinstance(value, str):
        return value
    return "" if value is None or value != value else repr(value)  # noqa: PLR0124  # only NaN differs from itself
