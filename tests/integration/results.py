"""What a run leaves behind, in a form that can be compared."""

from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import orjson

from flows.batch import Batch
from flows.graph import Outputs
from flows.inline import Choose, run_inline
from flows.plan import Plan
from flows.records import dead_letter_line, late_row_line
from state.errors import WRONG
from state.report import Output
from state.stores.base import Point, SeriesKey, StoredEvent
from state.stores.episodes import StoredEpisode
from state.stores.panes import StoredPane
from state.stores.sqlite import SqliteStore
from tests.integration.stream import MODEL

PERFORMANCE = "io.driftflow.performance."
"""What the types of events of performance begin with."""

Lines = dict[str, list[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Events as bytes and as the store has them, what else it has, and refused rows by partition.

    The order of dead letters and late rows of *different* partitions is the order in which partitions were
    read, which no one promises; within a partition it is that of the records.
    """

    log: bytes
    performance: bytes
    errors: bytes
    events: list[StoredEvent]
    series: dict[SeriesKey, list[tuple[int, float]]]
    panes: list[StoredPane]
    episodes: list[StoredEpisode]
    dead: Lines
    late: Lines


def outputs_in(folder: Path) -> Outputs:
    folder.mkdir(parents=True, exist_ok=True)
    return Outputs(
        events=folder / "events.jsonl",
        dead_letters=folder / "dead_letters.jsonl",
        late_rows=folder / "late.jsonl",
        performance=folder / "performance.jsonl",
        errors=folder / "errors.jsonl",
        open_store=lambda: SqliteStore(folder / "store.sqlite"),
    )


def read_results(folder: Path) -> Results:
    outputs = outputs_in(folder)
    assert outputs.late_rows is not None
    assert outputs.performance is not None
    assert outputs.errors is not None
    return Results(
        log=outputs.events.read_bytes(),
        performance=outputs.performance.read_bytes() if outputs.performance.exists() else b"",
        errors=outputs.errors.read_bytes() if outputs.errors.exists() else b"",
        **_stored(folder / "store.sqlite"),
        dead=_by_partition(outputs.dead_letters),
        late=_by_partition(outputs.late_rows),
    )


def inline_results(plan: Plan, folder: Path, choose: Choose | None = None) -> Results:
    """Run the plain loop; its results are what every other run is held against."""
    items: list[Output] = []
    performance: list[Output] = []
    errors: list[Output] = []
    panes: list[StoredPane] = []
    dead, late = defaultdict[str, list[bytes]](list), defaultdict[str, list[bytes]](list)

    def see(batch: Batch) -> None:
        for letter in batch.dead_letters:
            dead[letter.partition].append(dead_letter_line(letter))
        for row in batch.late_rows:
            late[row.partition].append(late_row_line(row, plan.config.grid.axis))

    run_inline(
        plan,
        items.extend,
        choose=choose,
        on_batch=see,
        on_panes=panes.extend,
        on_performance=performance.extend,
        on_errors=errors.extend,
    )
    folder.mkdir(parents=True, exist_ok=True)
    with closing(SqliteStore(folder / "store.sqlite")) as store:
        for told in (items, performance, errors):
            store.add_points(item for item in told if isinstance(item, Point))
            store.add_events(item for item in told if isinstance(item, StoredEvent))
            store.put_episodes(item for item in told if isinstance(item, StoredEpisode))
        store.put_panes(panes)
    return Results(
        log=_lines(items),
        performance=_lines(performance),
        errors=_lines(errors),
        **_stored(folder / "store.sqlite"),
        dead=dict(dead),
        late=dict(late),
    )


def assert_same(found: Results, wanted: Results) -> None:
    """Compare part by part, so that a failure says which one differs and does not print megabytes."""
    assert [event.id for event in found.events] == [event.id for event in wanted.events]
    assert found.log.count(b"\n") == wanted.log.count(b"\n")
    for number, (one, other) in enumerate(zip(found.log.split(b"\n"), wanted.log.split(b"\n"), strict=True)):
        assert one == other, f"line {number} of the event log differs"
    assert found.log == wanted.log
    assert found.performance == wanted.performance
    assert found.errors == wanted.errors
    assert found.events == wanted.events
    assert found.series.keys() == wanted.series.keys()
    for key, points in wanted.series.items():
        assert found.series[key] == points, key
    assert found.episodes == wanted.episodes
    assert found.panes == wanted.panes
    assert found.dead == wanted.dead
    assert found.late == wanted.late


class _Stored(TypedDict):
    events: list[StoredEvent]
    series: dict[SeriesKey, list[tuple[int, float]]]
    panes: list[StoredPane]
    episodes: list[StoredEpisode]


def _stored(path: Path) -> _Stored:
    with closing(SqliteStore(path)) as store:
        columns = store.pane_counts(MODEL, "1")
        return {
            # The reports of a model do not wait for each other, so a store mixes them as they come.
            "events": sorted(store.events(MODEL), key=_report_of),
            "series": {key: store.series(key) for key in store.series_keys(MODEL)},
            "episodes": store.episodes(MODEL),
            "panes": [pane for column in columns for pane in store.panes(MODEL, "1", column)],
        }


def _report_of(event: StoredEvent) -> tuple[bool, bool]:
    return event.type.startswith(PERFORMANCE), event.feature == WRONG


def _lines(items: list[Output]) -> bytes:
    return b"".join(item.body + b"\n" for item in items if isinstance(item, StoredEvent))


def _by_partition(path: Path) -> Lines:
    found = defaultdict[str, list[bytes]](list)
    for line in path.read_bytes().splitlines() if path.exists() else []:
        found[orjson.loads(line)["partition"]].append(line)
    return dict(found)
