"""What is known of real streams, where the folder of data sets is there (`DRIFTFLOW_DATA`)."""

import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bench.real_alarms import Opened, openings, sea_stream
from flows.compare_columns import Standards
from flows.compare_files import compare_inputs
from flows.config import load_config
from flows.input import file_input

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("DRIFTFLOW_DATA", ROOT.parent / "shared" / "data"))
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the folder of data sets is not there: {DATA}; name it in DRIFTFLOW_DATA"
)


@pytest.fixture(autouse=True)
def _data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTFLOW_DATA", str(DATA))


def opened(example: str, reference: Path | None, rows: int | None) -> tuple[Opened, Opened]:
    config = load_config(ROOT / "examples" / example / "driftflow.yaml")
    return openings(config, reference, rows=rows)


def test_elec2_tells_the_features_that_go_live() -> None:
    # Row 17,424: measured on the data, the first row in which the three leave their constant.
    found, violated = opened("elec2", None, rows=8_000)
    for feature in ("vicprice", "vicdemand", "transfer"):
        for window, slide in (("weekly", 336), ("fortnight", 168)):
            (end,) = found[window, feature]
            assert 17_424 < end <= 17_424 + 2 * slide
        # None of them held any other value before.
        (end, *_) = violated["weekly", feature, "out_of_range_share"]
        assert 17_424 < end <= 17_424 + 336
    assert all(end > 17_424 for ends in violated.values() for end in ends)


def test_car_loan_tells_what_moves_and_nothing_else() -> None:
    # Row 25,000, and the columns that move there: the data set's own documentation (NannyML's example).
    reference = DATA / "car_loan" / "synthetic_car_loan_reference.csv.gz"
    found, violated = opened("car_loan", reference, rows=None)
    for feature in ("car_value", "loan_length", "y_pred_proba"):
        (end,) = found["thousand", feature]
        assert 25_000 < end <= 27_000
    for feature in ("debt_to_income_ratio", "driver_tenure", "y_pred"):
        assert ("thousand", feature) not in found
    assert all(end > 25_000 for ends in found.values() for end in ends)
    # Inputs move within their ranges, and nothing is missing.
    assert violated == {}


def _halves(tmp_path: Path) -> Iterator[tuple[Path, list[dict[str, str]]]]:
    source = DATA / "car_loan" / "synthetic_car_loan_analysis.csv.gz"
    rows = list(csv.DictReader(gzip.decompress(source.read_bytes()).decode().splitlines()))
    for name, part in (("first", rows[:25_000]), ("second", rows[25_000:])):
        path = tmp_path / f"{name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(part)
        yield path, part


def test_compare_agrees_with_the_exact_tests_on_two_halves(tmp_path: Path) -> None:
    config = load_config(ROOT / "examples" / "car_loan" / "driftflow.yaml")
    (first, before), (second, now) = _halves(tmp_path)
    compared = compare_inputs(
        file_input(first, columns=config.columns, time=None),
        file_input(second, columns=config.columns, time=None),
        config.columns,
        Standards(rules=config.rules),
        on_read=lambda _: None,
    )
    exact = []
    for column in compared.columns:
        name = column.column
        sides = [[row[name] for row in rows] for rows in (before, now)]
        ks = next((reading for reading in column.readings if reading.method == "ks"), None)
        if ks is not None:
            found = stats.ks_2samp(np.array(sides[0], dtype=float), np.array(sides[1], dtype=float))
            assert ks.score is not None
            assert ks.bound is not None
            assert ks.score - 1e-12 <= found.statistic <= ks.score + ks.bound + 1e-12
            exact.append(found.pvalue)
        else:
            names = sorted({*sides[0], *sides[1]})
            table = [[side.count(value) for value in names] for side in sides]
            exact.append(stats.chi2_contingency(table, correction=False).pvalue)
    wanted = stats.false_discovery_control(exact) <= config.rules.false_discovery_rate
    assert [bool(c.q_value is not None and c.q_value <= 0.05) for c in compared.columns] == wanted.tolist()


def test_sea_stream_stays_quiet(tmp_path: Path) -> None:
    # One concept only: the stream was generated so.
    config, reference = sea_stream(DATA, tmp_path)
    assert openings(load_config(config), reference, rows=None) == ({}, {})


def test_bank_marketing_tells_the_autumn_of_2008() -> None:
    found, _ = opened("bank_marketing", None, rows=24_000)
    # Counted in the file: no customer among the first 24,000 rows was called before, 25 % of those in the
    # window behind; the share of yes rises from 4.7 % to 37 % in rows 30,000 to 32,000.
    assert found["calls", "poutcome"] == found["calls", "pdays"] == [26_000]
    assert found["calls", "y"] == [32_000]
