"""The comparison of two inputs against scipy, and against what numbers must be whatever the method."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, false_discovery_control, ks_2samp

from detectors.base import FloatArray, Kind
from detectors.verdicts import Rules, Verdict
from flows.compare_columns import ComparedColumn, Standards
from flows.compare_files import Comparison, compare_inputs
from flows.input import file_input
from state.columns import Column

COLUMNS = (
    Column(name="x", path="x", kind=Kind.NUMERIC),
    Column(name="y", path="y", kind=Kind.NUMERIC),
    Column(name="c", path="c", kind=Kind.CATEGORICAL),
)


@dataclass(frozen=True, slots=True)
class Data:
    """The rows of a file as columns; NaN is written as null."""

    x: FloatArray
    y: FloatArray
    c: list[str]

    def take(self, places: NDArray[np.int64]) -> "Data":
        return Data(self.x[places], self.y[places], [self.c[i] for i in places.tolist()])


def write(path: Path, data: Data) -> None:
    rows = zip(data.x.tolist(), data.y.tolist(), data.c, strict=True)
    records = [{"x": None if math.isnan(x) else x, "y": y, "c": c} for x, y, c in rows]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def draw(seed: int, rows: int, *, shift: float = 0.0, shares: tuple[float, ...] = (0.5, 0.3, 0.2)) -> Data:
    rng = np.random.default_rng(seed)
    x: FloatArray = rng.normal(shift, 1.0, rows)
    y: FloatArray = rng.gamma(2.0, 3.0, rows)
    return Data(x, y, rng.choice(["a", "b", "d"], rows, p=shares).tolist())


def compare(folder: Path, before: Data, now: Data, rules: Rules | None = None) -> Comparison:
    write(folder / "before.jsonl", before)
    write(folder / "now.jsonl", now)
    baseline, current = (
        file_input(folder / f"{name}.jsonl", columns=COLUMNS, time=None) for name in ("before", "now")
    )
    return compare_inputs(baseline, current, COLUMNS, Standards(rules=rules or Rules()))


def column(found: Comparison, name: str) -> ComparedColumn:
    return next(each for each in found.columns if each.column == name)


def test_categories_as_scipy_tests_them(tmp_path: Path) -> None:
    before, now = draw(1, 4_000), draw(2, 1_500, shares=(0.47, 0.32, 0.21))

    found = column(compare(tmp_path, before, now), "c")

    counts = [[side.c.count(name) for name in "abd"] for side in (before, now)]
    expected = chi2_contingency(np.array(counts), correction=False)
    assert found.test == "chi2"
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1, 0.3])
def test_numbers_as_scipy_tests_them(tmp_path: Path, shift: float) -> None:
    before, now = draw(3, 8_000), draw(4, 4_000, shift=shift)

    found = column(compare(tmp_path, before, now), "x")

    exact = ks_2samp(before.x, now.x, method="asymp")
    reading = next(each for each in found.readings if each.method == "ks")
    assert found.statistic is not None
    assert reading.bound is not None
    # The statistic over the raw rows lies between the grid's and its bound.
    assert found.statistic <= exact.statistic + 1e-12
    assert exact.statistic <= found.statistic + reading.bound + 1e-12
    # 64 bins cost little: both find or miss together, and p-values agree to a factor where they matter.
    assert found.p_value is not None
    assert (found.p_value < 0.001) == (exact.pvalue < 0.001)
    assert abs(np.log10(max(found.p_value, 1e-30)) - np.log10(max(exact.pvalue, 1e-30))) < 1.5


def test_q_values_as_scipy_corrects_them(tmp_path: Path) -> None:
    found = compare(tmp_path, draw(5, 3_000), draw(6, 2_000, shift=0.08))

    p_values = [each.p_value for each in found.columns if each.p_value is not None]
    q_values = [each.q_value for each in found.columns]
    assert q_values == pytest.approx(false_discovery_control(p_values, method="bh").tolist(), rel=1e-12)


def test_sides_are_those_of_the_rows(tmp_path: Path) -> None:
    before, now = draw(7, 500), draw(8, 300)
    before.x[0] = now.x[0] = now.x[1] = math.nan

    found = column(compare(tmp_path, before, now), "x")

    assert (found.baseline.rows, found.baseline.values, found.baseline.missing) == (500, 499, 1)
    assert (found.current.rows, found.current.values, found.current.missing) == (300, 298, 2)
    # Sums are fixed-point with 16 binary places in units of about a deviation.
    assert found.baseline.mean == pytest.approx(before.x[1:].mean(), abs=1e-4)
    assert found.current.mean == pytest.approx(now.x[2:].mean(), abs=1e-4)


def test_the_same_rows_do_not_differ(tmp_path: Path) -> None:
    rows = draw(9, 2_000)

    found = compare(tmp_path, rows, rows)

    assert not found.drifted
    assert [(each.verdict, each.statistic, each.p_value) for each in found.columns] == [
        (Verdict.OK, 0.0, 1.0)
    ] * 3


def test_the_worst_comes_first_and_limits_hold(tmp_path: Path) -> None:
    before, now = draw(10, 5_000), draw(11, 5_000, shift=0.25, shares=(0.2, 0.2, 0.6))

    found = compare(tmp_path, before, now)

    assert [each.column for each in found.columns] == ["c", "x", "y"]
    assert [each.verdict for each in found.columns] == [Verdict.DRIFT, Verdict.DRIFT, Verdict.OK]
    assert found.drifted
    # A shift of a quarter deviation has a PSI of about its square, .0625.
    lenient = compare(tmp_path, before, now, Rules(min_effect=0.2))
    assert [each.verdict for each in lenient.columns] == [Verdict.DRIFT, Verdict.SUSPECT, Verdict.OK]


def test_too_few_rows_are_not_judged(tmp_path: Path) -> None:
    found = compare(tmp_path, draw(12, 500), draw(13, 20, shift=9.0))

    assert {each.verdict for each in found.columns} == {Verdict.INSUFFICIENT}
    assert {each.q_value for each in found.columns} == {None}


def test_a_column_that_vanishes_is_not_judged_and_its_rows_are_missing(tmp_path: Path) -> None:
    now = draw(15, 200)
    now.x[:] = math.nan

    found = column(compare(tmp_path, draw(14, 500), now), "x")

    assert (found.verdict, found.current.missing, found.current.mean) == (Verdict.INSUFFICIENT, 200, None)


def test_faults_of_the_current_rows_are_named(tmp_path: Path) -> None:
    before, now = draw(21, 2_000), draw(22, 800)
    gaps = np.where(np.arange(800) % 5 == 0, np.nan, now.x)
    broken = Data(gaps, now.y + 1_000 * (np.arange(800) % 10 == 0), ["new", *now.c[1:400], *["new"] * 400])
    named = {c.column: [check.name for check in c.checks] for c in compare(tmp_path, before, broken).columns}
    assert named == {"x": ["missing_share"], "y": ["out_of_range_share"], "c": ["new_share"]}
    assert not any(c.checks for c in compare(tmp_path, before, now).columns)


def test_refused_records_of_both_sides_are_counted(tmp_path: Path) -> None:
    before, now = draw(16, 100), draw(17, 100)
    compare(tmp_path, before, now)
    for name, bad in (("before", b"{\n"), ("now", b'nonsense\n{"x": "text"}\n')):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(path.read_bytes() + bad)
    baseline, current = (
        file_input(tmp_path / f"{name}.jsonl", columns=COLUMNS, time=None) for name in ("before", "now")
    )

    found = compare_inputs(baseline, current, COLUMNS, Standards())

    assert (found.baseline.rows, found.current.rows) == (100, 100)
    assert found.baseline.refused == {"truncated": 1}
    assert found.current.refused == {"malformed": 1, "wrong_type": 1}


def test_progress_sums_to_twice_the_baseline_and_once_the_current(tmp_path: Path) -> None:
    compare(tmp_path, draw(18, 3_000), draw(19, 20_000))
    baseline, current = (
        file_input(tmp_path / f"{name}.jsonl", columns=COLUMNS, time=None) for name in ("before", "now")
    )
    read: list[int] = []

    compare_inputs(baseline, current, COLUMNS, Standards(), on_read=read.append)

    assert sum(read) == 2 * baseline.total + current.total


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_rows_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("order")
    before, now = draw(seed, 300), draw(seed + 1, 200, shift=0.2)
    places = np.random.default_rng(seed).permutation(200)

    there, back = compare(folder, before, now), compare(folder, before, now.take(places))

    assert there.columns == back.columns
