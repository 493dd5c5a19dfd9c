"""Rows of a scenario as lines of JSON or CSV."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import orjson

from detectors.base import IntArray
from flows.scenarios.base import START_MS, Scenario, ScenarioOptions
from flows.scenarios.table import delays_ms

_Cells = list[float] | list[int] | list[str | None]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows as Python values: ids, ISO times, and cells by the path of their column."""

    ids: list[str]
    times: list[str]
    cells: dict[str, _Cells]


def row_time_ms(options: ScenarioOptions, row: int) -> int:
    """Return the event time of a row before disorder; those of the reference have negative numbers."""
    return START_MS + row * options.step_ms


def event_times_ms(options: ScenarioOptions, start: int, count: int) -> IntArray:
    """Return the event times of rows ``start .. start + count - 1`` with disorder, shape ``(count,)``."""
    even = row_time_ms(options, start) + np.arange(count, dtype=np.int64) * options.step_ms
    return even + delays_ms(options.seed, start, count, options.disorder_ms)


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


def csv_header(scenario: Scenario) -> bytes:
    """Return the header of the CSV records: the paths of the columns.

    Examples
    --------
    >>> from flows.scenarios.stationary import stationary
    >>> csv_header(stationary(features=1))
    b'id,ts,model,features.normal_000'
    """
    return ",".join(["id", "ts", "model", *(column.path for column in scenario.columns)]).encode()


def _events(scenario: Scenario, options: ScenarioOptions, rows: range) -> _Rows:
    start, count = rows.start, max(rows.stop - rows.start, 0)
    values = scenario.events(options.seed, start, count, options.rows)
    cells: dict[str, _Cells] = {}
    for column in scenario.columns:
        picked = values[column.name][:: rows.step]
        cells[column.path] = picked if isinstance(picked, list) else picked.tolist()
    return _Rows(
        ids=[f"{scenario.name}-{row:09d}" for row in rows],
        times=iso_times(event_times_ms(options, start, count)[:: rows.step]),
        cells=cells,
    )


def _reference(scenario: Scenario, options: ScenarioOptions, start: int, count: int) -> _Rows:
    values = scenario.reference_columns(options.seed, start, count)
    cells: dict[str, _Cells] = {}
    for column in scenario.columns:
        drawn = values[column.name]
        cells[column.path] = drawn if isinstance(drawn, list) else drawn.tolist()
    first_ms = row_time_ms(options, start - options.reference_rows)
    return _Rows(
        ids=[f"{scenario.name}-reference-{row:09d}" for row in range(start, start + count)],
        times=iso_times(first_ms + np.arange(count, dtype=np.int64) * options.step_ms),
        cells=cells,
    )


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
                "id": record_id,
                "ts": time,
                "model": model,
                "features": dict(zip(inner_names, cells)),  # noqa: B905
                **dict(zip(outer_names, tail)),  # noqa: B905
            }
        )
        for (record_id, time, cells), tail in zip(heads, tails, strict=True)
    ]


def _csv(scenario: Scenario, rows: _Rows) -> list[bytes]:
    """Join cells by commas; no text of a scenario needs quotes."""
    columns = [[_cell(value) for value in cells] for cells in rows.cells.values()]
    models = [scenario.name] * len(rows.ids)
    return [",".join(row).encode() for row in zip(rows.ids, rows.times, models, *columns, strict=True)]


def _cell(value: float | str | None) -> str:
    """Write one value with all its digits; a missing one (None or NaN) is empty."""
    if isinstance(value, str):
        return value
    return "" if value is None or value != value else repr(value)  # noqa: PLR0124  # only NaN differs from itself
