"""A reference built from files: the counts of its consecutive spans, and the tails of its columns."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pytest

from detectors.base import IntArray, Kind
from detectors.calibration import Fault
from detectors.registry import BY_DEFAULT
from detectors.scatter import Statistic
from flows.decode.json_decoder import JsonDecoder
from flows.input import InputSet, file_input
from flows.reference_build import build_reference
from flows.sampling import row_hash, set_apart
from flows.sources.base import RawBatch
from state.columns import Column, Role, TimeColumn, TimeUnit
from state.reference import Reference
from state.segments import SegmentSpec
from state.sketches.base import HEADER, MISSING
from state.sketches.base import ROWS as ROWS_OF
from state.sketches.categorical import Categories
from state.sketches.numeric import NumericBins
from state.spans import SPAN_ROWS, Spans

COLUMNS = (
    Column(name="x", path="x", kind=Kind.NUMERIC),
    Column(name="c", path="c", kind=Kind.CATEGORICAL),
)
ROWS = 3_000


def records(seed: int = 3) -> list[dict[str, object]]:
    """Rows in order of time: the mean of x rises, c is missing at times."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, 10**7, ROWS))
    return [
        {"t": int(t), "x": float(rng.normal(i / ROWS)), "c": None if rng.random() < 0.1 else "ab"[i % 2]}
        for i, t in enumerate(times.tolist())
    ]


def build(
    folder: Path,
    files: Sequence[Sequence[dict[str, object]]],
    *,
    timed: bool = True,
    detectors: Collection[str] = BY_DEFAULT,
) -> Reference:
    folder.mkdir()
    for i, rows in enumerate(files):
        (folder / f"{i}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    time = TimeColumn(path="t", unit=TimeUnit.MILLISECONDS) if timed else None
    source = file_input(folder, columns=COLUMNS, time=time)
    return build_reference(source, COLUMNS, model="m", now_ms=0, detectors=detectors).reference


@pytest.mark.parametrize("many", [False, True])
def test_rows_are_counted_by_segment_as_well(tmp_path: Path, *, many: bool) -> None:
    # Of the categories of a column that has too many, the rows that choose them are counted nowhere.
    rng = np.random.default_rng(8)
    names = [f"n{i}" for i in range(300)] if many else ["a", "b"]
    rows: list[dict[str, object]] = [
        {
            "t": i,
            "x": None if rng.random() < 0.1 else float(rng.normal()),
            "c": names[int(rng.integers(len(names)))],
            "s": [*["DE"] * 5, *["FR"] * 3, "US", "CH", None][int(rng.integers(11))],
        }
        for i in range(ROWS)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    segment = Column(name="s", path="s", kind=Kind.CATEGORICAL, role=Role.SEGMENT)
    source = file_input(path, columns=(*COLUMNS, segment), time=None)
    spec = SegmentSpec(columns=("s", "c") if not many else ("s",), top=2)
    built = build_reference(source, COLUMNS, model="m", now_ms=0, segments=spec).reference
    assert built.segments.columns[0].values == ("DE", "FR")
    apart = set_apart(row_hash(np.arange(ROWS))) if many else np.zeros(ROWS, dtype=np.bool_)
    for name, counted in (("x", np.ones(ROWS, dtype=np.bool_)), ("c", ~apart)):
        sketch = built.feature(name).sketch
        assert sketch.segments is not None
        for place, value in enumerate(["DE", "FR", "(rest)", None]):
            own = [r for r, keep in zip(rows, counted.tolist(), strict=True) if keep and _value(r) == value]
            missing = sum(row[name] is None for row in own)
            assert sketch.segments[place, ROWS_OF] == len(own)
            assert sketch.segments[place, MISSING] == missing
            assert sketch.segments[place, HEADER:].sum() == len(own) - missing
    # Segments beside them change nothing of the whole.
    plain = build_reference(source, COLUMNS, model="m", now_ms=0).reference
    assert [f.sketch.whole().to_bytes() for f in built.features] == [
        f.sketch.to_bytes() for f in plain.features
    ]


def _value(row: dict[str, object]) -> object:
    return "(rest)" if row["s"] in {"US", "CH"} else row["s"]


def chunks_of(reference: Reference, column: str) -> IntArray:
    known = reference.feature(column).calibration
    assert known is not None
    assert known.chunks is not None
    return known.chunks


class ReaderOfOne:
    """Reads one batch of records in memory."""

    def __init__(self, batch: RawBatch) -> None:
        self._batches = [batch]

    def read(self, max_records: int) -> RawBatch | None:
        del max_records
        return self._batches.pop() if self._batches else None

    def position(self) -> bytes:
        return b""

    def close(self) -> None:
        self._batches.clear()


@pytest.mark.parametrize("timed", [True, False])
def test_the_spans_hold_the_rows_that_came_in_them(tmp_path: Path, *, timed: bool) -> None:
    rows = records()
    reference = build(tmp_path / "one", [rows], timed=timed)
    positions = np.array([row["t"] for row in rows]) if timed else np.arange(ROWS)
    borders = Spans.over(positions, ROWS).borders
    assert len(borders) + 1 == ROWS // SPAN_ROWS
    for feature in reference.features:
        bins, column = feature.bins, feature.column.name
        wanted = np.zeros((len(borders) + 1, int(bins.groups.max()) + 1), dtype=np.int64)
        for position, row in zip(positions.tolist(), rows, strict=True):
            value = row[column]
            if isinstance(value, float) and isinstance(bins, NumericBins):
                place = int((bins.edges < value).sum())
            elif isinstance(value, str) and isinstance(bins, Categories):
                place = bins.names.index(value)
            else:
                continue
            wanted[int((borders <= position).sum()), bins.groups[place]] += 1
        assert np.array_equal(chunks_of(reference, column), wanted)
        assert wanted.sum() == feature.summary.n


def test_the_spans_hold_the_faults_that_came_in_them(tmp_path: Path) -> None:
    rows = records()
    rows[40]["x"] = None
    for row in rows[200:300:2]:
        row["x"] = 0.0
    reference = build(tmp_path / "one", [rows])
    times = np.array([row["t"] for row in rows])
    borders = Spans.over(times, ROWS).borders
    span = np.searchsorted(borders, times, side="right")
    known = {name: reference.feature(name).calibration for name in ("x", "c")}
    for name, fault, odd in (
        ("x", Fault.MISSING, [row["x"] is None for row in rows]),
        ("x", Fault.ZERO, [row["x"] == 0.0 for row in rows]),
        ("c", Fault.MISSING, [row["c"] is None for row in rows]),
    ):
        calibration = known[name]
        assert calibration is not None
        wanted = np.bincount(span[np.array(odd)], minlength=len(borders) + 1)
        assert calibration.faults[fault].tolist() == wanted.tolist()
    assert known["x"] is not None
    # No value is infinite, so nothing is kept of those; zeros came in one clump, gaps of c did not.
    assert set(known["x"].faults) == {Fault.MISSING, Fault.ZERO}
    assert known["x"].clump(Fault.ZERO, 300) > 5
    assert known["x"].clump(Fault.NON_FINITE, 300) == 1.0
    assert known["c"] is not None
    assert known["c"].clump(Fault.MISSING, 300) < 2


def test_the_range_is_that_of_all_rows(tmp_path: Path) -> None:
    rows = records()
    bins = build(tmp_path / "one", [rows]).feature("x").bins
    assert isinstance(bins, NumericBins)
    values = [row["x"] for row in rows]
    assert bins.extent == (min(values), max(values))  # type: ignore[type-var]  # numbers


def test_by_event_time_it_does_not_matter_how_rows_are_spread_over_files(tmp_path: Path) -> None:
    rows = records()
    whole = build(tmp_path / "whole", [rows])
    split = build(tmp_path / "split", [rows[1::2], rows[::2]])
    turned = build(tmp_path / "turned", [rows[:1_000][::-1], rows[2_000:], rows[1_000:2_000]])
    assert whole.version == split.version == turned.version
    assert [f.calibration is not None for f in whole.features] == [True, True]


def test_without_times_rows_are_in_the_order_of_their_files(tmp_path: Path) -> None:
    rows = records()
    whole = build(tmp_path / "whole", [rows], timed=False)
    split = build(tmp_path / "split", [rows[:1_700], rows[1_700:]], timed=False)
    turned = build(tmp_path / "turned", [rows[1_700:], rows[:1_700]], timed=False)
    assert whole.version == split.version != turned.version


def test_rows_without_an_order_have_no_spans(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in records()))
    for time, known in ((None, False), (TimeColumn(path="t", unit=TimeUnit.MILLISECONDS), True)):
        source = file_input(path, columns=COLUMNS, time=time)
        built = build_reference(source, COLUMNS, model="m", now_ms=0, in_order=False).reference
        for feature in built.features:
            assert feature.calibration is not None
            assert (feature.calibration.chunks is not None) is known


def test_numbers_have_tails_and_categories_have_none(tmp_path: Path) -> None:
    rows = records()
    reference = build(tmp_path / "one", [rows])
    numeric, categorical = (feature.calibration for feature in reference.features)
    assert numeric is not None
    assert numeric.tails is not None
    x = np.array([row["x"] for row in rows], dtype=np.float64)
    scaled = (x - x.mean()) / x.std()
    assert numeric.tails.skewness == pytest.approx((scaled**3).mean())
    assert numeric.tails.excess_kurtosis == pytest.approx((scaled**4).mean() - 3)
    assert numeric.tails.bin_deviations.shape == reference.features[0].summary.counts.shape
    assert numeric.ordered
    assert categorical is not None
    assert categorical.tails is None
    assert not categorical.ordered


def test_a_trend_over_the_reference_inflates_what_its_windows_scatter(tmp_path: Path) -> None:
    rows = records()
    reference = build(tmp_path / "one", [rows])
    rising, independent = (f.calibration.dependence for f in reference.features if f.calibration is not None)
    assert rising is not None
    assert independent is not None
    # The mean moves by a standard deviation over the reference: by a variance of 1/12 between spans of 50.
    assert rising.inflation(50, Statistic.MEAN) == pytest.approx((1 + 50 / 12) / (1 + 1 / 12), rel=0.3)
    assert independent.inflation(50) < 1.3


def test_records_without_event_times_are_in_the_order_in_which_they_were_written() -> None:
    def partition(times: range) -> tuple[ReaderOfOne, JsonDecoder]:
        records = [json.dumps({"x": time, "c": "a"}).encode() for time in times]
        batch = RawBatch(records=records, numbers=range(len(records)), times_ms=times)
        return ReaderOfOne(batch), JsonDecoder(COLUMNS, None)

    source = InputSet(
        readers={
            "a": lambda _: partition(range(0, 1_000, 2)),
            "b": lambda _: partition(range(1, 1_000, 2)),
        },
        total=1_000,
        unit="rows",
        names=("topic",),
    )
    built = build_reference(source, COLUMNS, model="m", now_ms=0, rows=900).reference
    # x rises with the time of writing: 500 rows of a, and between them the first 400 of b.
    chunks = chunks_of(built, "x")
    assert chunks.sum() == 900
    assert (np.diff(chunks @ np.arange(chunks.shape[1]) / chunks.sum(axis=1)) >= 0).all()
    assert built.provenance.start_ms is None


def test_rows_that_choose_among_rare_categories_are_not_counted_again(tmp_path: Path) -> None:
    # 300 names of about ten rows each: some stand alone, the others are read together.
    rng = np.random.default_rng(8)
    rows = [{"t": i, "x": 0.0, "c": f"n{int(rng.integers(300))}"} for i in range(ROWS)]
    feature = build(tmp_path / "many", [rows]).feature("c")
    assert isinstance(feature.bins, Categories)
    apart = set_apart(row_hash(np.arange(ROWS)))
    names = [str(row["c"]) for row in rows]
    chosen_by = Counter(name for name, chooses in zip(names, apart.tolist(), strict=True) if chooses)
    assert feature.bins.names == tuple(sorted(set(names), key=lambda n: (-chosen_by[n], n))[:100])
    # Every fourth row, by its hash.
    assert apart.mean() == pytest.approx(0.25, abs=0.03)
    counted = Counter(names) - chosen_by
    assert feature.summary.n == ROWS - apart.sum() == sum(counted.values())
    assert feature.summary.counts[:100].tolist() == [counted[name] for name in feature.bins.names]


def test_all_rows_of_few_categories_are_counted(tmp_path: Path) -> None:
    rows = [{"t": i, "x": 0.0, "c": "abc"[i % 3]} for i in range(ROWS)]
    assert build(tmp_path / "few", [rows]).feature("c").summary.n == ROWS


def test_laws_are_simulated_for_the_detectors_asked_for(tmp_path: Path) -> None:
    usual = build(tmp_path / "usual", [records()])
    more = build(tmp_path / "more", [records()], detectors=(*BY_DEFAULT, "energy", "tv"))
    for column, laws in (("x", {"psi", "js", "wasserstein"}), ("c", {"psi", "js"})):
        before, now = usual.feature(column).calibration, more.feature(column).calibration
        assert before is not None
        assert now is not None
        assert before.tables.keys() == laws
        assert now.tables.keys() == {*laws, "tv", *(["energy"] if column == "x" else [])}
        for name in laws:
            assert now.tables[name].quantiles.tolist() == before.tables[name].quantiles.tolist()
    # What a reference knows is part of its version.
    assert usual.version != more.version
