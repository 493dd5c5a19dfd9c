from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import IntArray
from flows.batch import Batch, DeadLetter
from flows.decode.base import Decoder, Reason
from flows.record_watch import SAMPLED_MASK, PlacedRows, RecordWatch, Standing, record_keys
from flows.sources.base import RawBatch
from flows.summarize_records import RecordSummary
from state.panes import PaneMerger
from state.schedule import Schedule
from state.sketches.base import LATE, from_bytes
from state.sketches.keys import NO_KEY
from state.sketches.records import ERRORS, RECORDS, SAMPLED, STATUSES, RecordLayout
from state.windows import Closed, ClosedWindow, EmptySpan, Windows
from tests.flows.test_partition import Opened, drained
from tests.strategies import Case, row_number_cases, timed_cases
from tests.streams import MemoryDecoder, Row, Run, in_turn, windows_only

LAYOUT = RecordLayout(
    reasons=tuple(Reason), columns=("x", "c"), paths={"x": "x", "c": "c"}, known=frozenset({"x", "c"})
)
SUMMARY = RecordSummary(layouts=[LAYOUT], status="c", is_error=lambda text: text == "b")


def by_bytes(decoder: Decoder) -> RecordWatch:
    return RecordWatch(decoder, None)


def track(run: Run) -> list[Closed]:
    """The windows of the records' track of a run that has ended, from its batches."""
    merger = PaneMerger.start(run.names)
    rings = Windows.start(run.grid.windows)
    found: list[Closed] = []
    for batch in run.batches:
        told = SUMMARY.summarize(batch)
        if told is None:
            continue
        name, partial = told
        assert name == RECORDS
        merger.add(partial)
        closed = merger.close()
        if closed is not None:
            found += windows_only(rings.add(closed))
        merger = PaneMerger.start(run.names, merger.snapshot())
        rings = Windows.start(run.grid.windows, rings.snapshot())
    return found


def shape(closed: Closed) -> tuple[object, ...]:
    if isinstance(closed, EmptySpan):
        return closed.spec, closed.start, closed.end, closed.windows
    return (
        closed.spec,
        closed.start,
        closed.end,
        closed.sketch.rows,
        int(closed.sketch.counters[LATE]),
        closed.partial,
        closed.incomplete,
    )


def content(closed: Closed) -> object:
    return (closed[:3], closed.sketch.to_bytes()) if isinstance(closed, ClosedWindow) else closed


@settings(max_examples=60)
@given(case=timed_cases() | row_number_cases(), data=st.data())
def test_records_have_the_windows_of_the_columns_however_the_stream_is_cut(
    case: Case, data: st.DataObject
) -> None:
    def run(cuts: list[list[int]]) -> Run:
        return Run(
            grid=case.grid,
            streams=case.streams,
            lateness=case.lateness,
            cuts=cuts,
            clock=case.axis == "ms",
            watch=by_bytes,
        )

    whole = run([[1_000]] * len(case.streams))
    columns = whole.to_the_end(in_turn())
    wanted = track(whole)
    # Rows, late rows and borders are those of the columns, or the report would wait for ever.
    assert [shape(closed) for closed in wanted] == [shape(closed) for closed in columns["x"]]
    sizes = st.lists(st.integers(1, 9), min_size=1, max_size=4)
    cut = run([data.draw(sizes) for _ in case.streams])
    cut.restart = lambda: data.draw(st.integers(0, 3)) == 0
    cut.to_the_end(lambda names: data.draw(st.sampled_from(names)))
    assert [content(closed) for closed in track(cut)] == [content(closed) for closed in wanted]


@settings(max_examples=60)
@given(case=timed_cases())
def test_every_refused_record_is_counted_where_time_stood(case: Case) -> None:
    rows, cuts = case.streams[0], [3]
    found: Counter[int] = Counter()
    for batch in drained(Opened(rows, case, cuts, watch=by_bytes).at()):
        refused = {} if batch.records is None else batch.records.refused
        found.update({pane: sum(counts.values()) for pane, counts in refused.items()})
    assert found == expected_panes(case, rows)


def expected_panes(case: Case, rows: tuple[Row, ...]) -> Counter[int]:
    """By plain reading: the pane of the largest event time before, for those before any row of the first."""
    found: Counter[int] = Counter()
    times = [row.time for row in rows if not (row.refused or row.too_long)]
    largest: int | None = times[0] if times else None
    started = False
    for row in rows:
        if row.refused or row.too_long:
            if largest is not None:
                found[int(case.grid.pane_of(np.array([largest]))[0])] += 1
        else:
            largest = row.time if not started or largest is None else max(largest, row.time)
            started = True
    return found


def letter(number: int) -> DeadLetter:
    return DeadLetter(partition="p", number=number, reason=Reason.MALFORMED, detail="", raw=b"")


def test_refused_records_wait_for_the_first_row_over_batches_and_restarts() -> None:
    watch = RecordWatch(MemoryDecoder([]), None)
    nothing = np.zeros(0, dtype=np.int64)
    stood = Standing(max_time=None, frontier=-1, pane_of=lambda times: times // 10)
    assert watch.refuse([letter(0), letter(1)], nothing, nothing, stood) == {}
    resumed = RecordWatch(MemoryDecoder([]), None)
    resumed.resume(watch.waiting)
    found = resumed.refuse([letter(2), letter(4)], np.array([3]), np.array([57]), stood)
    assert found == {5: {("malformed", None): 4}}
    assert resumed.waiting == []


def test_a_record_whose_pane_a_time_out_has_closed_is_a_dead_letter_only() -> None:
    watch = RecordWatch(MemoryDecoder([]), None)
    stood = Standing(max_time=57, frontier=6, pane_of=lambda times: times // 10)
    numbers, times = np.array([3]), np.array([61])
    assert watch.refuse([letter(2), letter(4)], numbers, times, stood) == {6: {("malformed", None): 1}}


def placed(count: int, **columns: IntArray | list[str | None]) -> PlacedRows:
    numeric = {name: values.astype(float) for name, values in columns.items() if not isinstance(values, list)}
    texts = {name: values for name, values in columns.items() if isinstance(values, list)}
    return PlacedRows(np.arange(count), np.array([4]), np.array([0]), numeric, texts)


def test_a_key_is_the_id_or_else_the_record() -> None:
    raw = RawBatch(records=[b"a", b"b", b"a", b"c"], numbers=range(4))
    # XXH3-64 of "a" with seed 0 is 16629034431890738719 in python-xxhash's own tests (test_xxh3_64.py).
    keys = record_keys(raw, placed(4), None)
    assert keys[0] == 16_629_034_431_890_738_719 >> 1
    assert (keys[0] == keys[2], len(set(keys.tolist()))) == (True, 3)
    assert record_keys(raw, placed(4, id=["a", None, "b", "a"]), "id").tolist() == [
        keys[0],
        NO_KEY,
        keys[1],
        keys[0],
    ]
    numbers = record_keys(raw, placed(3, id=np.array([1.0, np.nan, 1.0])), "id").tolist()
    assert numbers[1] == NO_KEY
    assert numbers[0] == numbers[2] >= 0


def test_one_record_in_thirty_two_is_looked_at_by_what_it_holds() -> None:
    rows = [Row(0, c="a" if number % 2 else None) for number in range(20_000)]
    raw = RawBatch(records=[b"%d" % number for number in range(20_000)], numbers=range(20_000))
    watch = RecordWatch(MemoryDecoder(rows), None)
    found = watch.look(raw, placed(20_000)).fields[4]
    assert set(found) == {("x",), ("x", "c")}
    sampled = sum(found.values())
    # Binomial with n = 20,000 and p = 1/32: 625 with a standard deviation of 24.6.
    assert abs(sampled - 625) < 100
    assert SAMPLED_MASK == 31


def test_statuses_and_errors_are_counted_and_generations_of_the_reference_know_other_fields() -> None:
    rows = [Row(time, c=c) for time, c in enumerate(["a", "b", None, "b"])]
    other = RecordLayout(
        reasons=tuple(Reason), columns=("x", "c"), paths={"x": "x", "c": "c"}, known=frozenset({"x"})
    )
    summary = RecordSummary(
        layouts=[LAYOUT, other],
        schedule=Schedule(later=((0, "v"),), longest=1),
        status="c",
        is_error=lambda text: text == "b",
    )
    raw = RawBatch(records=[b"%d" % number for number in range(4)], numbers=range(4))
    watch = RecordWatch(MemoryDecoder(rows), None)
    view = placed(4, c=[row.c for row in rows])
    records = watch.look(raw, view)
    batch = Batch(
        partition="p",
        rows=4,
        panes=np.array([0]),
        starts=np.array([0]),
        late={},
        numeric={},
        categorical={"c": [row.c for row in rows]},
        frontier=0,
        last=0,
        quiet=False,
        size=0,
        records=records,
    )
    told = summary.summarize(batch)
    assert told is not None
    for _, _, data in told[1][3]:
        sketch = from_bytes(data)
        assert (int(sketch.counters[STATUSES]), int(sketch.counters[ERRORS])) == (3, 2)
        assert int(sketch.counters[SAMPLED]) == sum(sum(each.values()) for each in records.fields.values())
