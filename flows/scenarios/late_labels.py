"""Labels that come after their rows: a stream of their own, in the order in which they arrive."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

import numpy as np
import orjson

from detectors.base import IntArray
from flows.scenarios.base import BLOCK_ROWS, LateLabels, Scenario, ScenarioError, ScenarioOptions
from flows.scenarios.cuts import label_draws
from flows.scenarios.lines import (
    cells_of,
    csv_cell,
    event_times_ms,
    iso_times,
    record_id,
    row_times_ms,
)
from state.columns import Column

_CHUNK_ROWS: Final = 8 * BLOCK_ROWS


def label_header(column: Column) -> bytes:
    """Return the header of labels as CSV: the row's id, the time of arrival, the label."""
    return f"id,ts,{column.path}".encode()


def label_lines(
    scenario: Scenario, options: ScenarioOptions, form: Literal["jsonl", "csv"]
) -> Iterator[list[bytes]]:
    """Yield the lines of all labels in order of arrival, ties by row; as many lists as there are chunks.

    Memory is bounded by the longest delay in steps, not by the stream.

    Parameters
    ----------
    form
        ``{"id": …, "ts": …, "LABEL": …}``, or the same as CSV.

    Raises
    ------
    ScenarioError
        The scenario has no late labels.
    """
    late = scenario.late_labels
    if late is None:
        raise ScenarioError(f"scenario {scenario.name} has no late labels: they are in its events")
    waiting_rows = np.zeros(0, dtype=np.int64)
    waiting_times = np.zeros(0, dtype=np.int64)
    waiting_labels: list[float | str | None] = []
    for start in range(0, options.rows, _CHUNK_ROWS):
        count = min(_CHUNK_ROWS, options.rows - start)
        rows, times, labels = _drawn(scenario, options, late, start, count)
        rows, times = np.concatenate([waiting_rows, rows]), np.concatenate([waiting_times, times])
        labels = [*waiting_labels, *labels]
        order = np.lexsort((rows, times))
        # No label comes before its row, and no row of a later chunk before that chunk's first.
        last = start + count == options.rows
        ripe = order.size if last else np.searchsorted(times[order], _time(scenario, options, start + count))
        chosen = order[:ripe]
        yield _lines(scenario, late, rows[chosen], times[chosen], [labels[i] for i in chosen.tolist()], form)
        kept = order[ripe:]
        waiting_rows, waiting_times = rows[kept], times[kept]
        waiting_labels = [labels[i] for i in kept.tolist()]


def _drawn(
    scenario: Scenario, options: ScenarioOptions, late: LateLabels, start: int, count: int
) -> tuple[IntArray, IntArray, list[float | str | None]]:
    """Return rows, times of arrival and labels of those among `count` rows whose label comes."""
    comes, delay = label_draws(options.seed, start, count)
    longest_ms = late.longest_steps * options.step_ms
    times = event_times_ms(scenario, options, start, count) + np.floor(delay * longest_ms).astype(np.int64)
    labels = cells_of(scenario.events(options.seed, start, count, options.rows)[late.column.name])
    here = np.flatnonzero(comes >= late.never)
    return (here + start).astype(np.int64), times[here], [labels[i] for i in here.tolist()]


def _time(scenario: Scenario, options: ScenarioOptions, row: int) -> int:
    return int(row_times_ms(scenario, options, np.array([row], dtype=np.int64))[0])


def _lines(
    scenario: Scenario,
    late: LateLabels,
    rows: IntArray,
    times: IntArray,
    labels: Sequence[float | str | None],
    form: Literal["jsonl", "csv"],
) -> list[bytes]:
    ids = [record_id(scenario, row) for row in rows.tolist()]
    cells = zip(ids, iso_times(times), labels, strict=True)
    if form == "csv":
        return [f"{name},{time},{csv_cell(label)}".encode() for name, time, label in cells]
    path = late.column.path
    return [orjson.dumps({"id": name, "ts": time, path: label}) for name, time, label in cells]
