"""Late labels come in the order of their arrival, one for each row whose label comes."""

import csv
import itertools
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import orjson
import pytest

from flows.config import load_config
from flows.scenarios.base import BLOCK_ROWS, ScenarioError, ScenarioOptions
from flows.scenarios.dataset import write_dataset, written_rows
from flows.scenarios.late_labels import label_lines
from flows.scenarios.lines import event_times_ms
from flows.scenarios.registry import scenario
from flows.scenarios.truth_file import read_truth
from tests.command_line import caller

HOUSES = scenario("house-prices")
# Longer than two chunks of eight blocks.
OPTIONS = ScenarioOptions(rows=17 * BLOCK_ROWS + 5, seed=2, reference_rows=50)


def millis(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def labels() -> Iterator[dict[str, str]]:
    return map(orjson.loads, itertools.chain.from_iterable(label_lines(HOUSES, OPTIONS, "jsonl")))


def test_labels_are_those_of_their_rows_and_come_in_order() -> None:
    found = list(labels())
    rows = [int(label["id"].removeprefix("house-prices-")) for label in found]
    times = [millis(label["ts"]) for label in found]
    assert times == sorted(times)
    assert len(set(rows)) == len(rows)
    prices = HOUSES.events(OPTIONS.seed, 0, OPTIONS.rows, OPTIONS.rows)["price"]
    assert [label["price"] for label in found] == [prices[row] for row in rows]
    delays = np.array(times) - event_times_ms(HOUSES, OPTIONS, 0, OPTIONS.rows)[rows]
    # Evenly 0 to 24 h.
    assert delays.min() >= 0
    assert 23.9 * 3_600_000 < delays.max() < 24 * 3_600_000
    # Binomial(17,413, 0.95): standard deviation 29.
    assert len(rows) == pytest.approx(0.95 * OPTIONS.rows, abs=5 * 29)


def test_csv_and_json_say_the_same() -> None:
    lines = itertools.chain.from_iterable(label_lines(HOUSES, OPTIONS, "csv"))
    table = csv.DictReader(["id,ts,price", *(line.decode() for line in lines)])
    assert list(table) == [{key: str(value) for key, value in label.items()} for label in labels()]


def test_a_data_set_has_its_labels_in_a_file_and_in_the_reference(tmp_path: Path) -> None:
    options = ScenarioOptions(rows=300, seed=2, reference_rows=50)
    advances: list[int] = []
    files = write_dataset(HOUSES, options, tmp_path, format="csv", on_progress=advances.append)
    assert files.labels == tmp_path / "labels.csv"
    assert read_truth(files.truth).labels == "labels.csv"
    heads = [path.read_text().splitlines()[0] for path in (files.reference, files.events[0], files.labels)]
    assert heads[0] == f"{heads[1]},price"
    assert heads[2] == "id,ts,price"
    assert 600 < sum(advances) <= written_rows(HOUSES, options) == 650


def test_the_configuration_joins_the_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call = caller(capsys, monkeypatch)
    told = call("generate", "house-prices", "--out", tmp_path, "--rows", 300, "--reference-rows", 50)
    assert told.code == 0
    assert "Their labels come later" in told.err
    config = load_config(tmp_path / "driftflow.yaml")
    assert {field.name: field.role for field in config.fields}["id"] == "id"
    assert config.file.labels is not None
    assert (tmp_path / str(config.file.labels.path)).exists()
    assert config.file.performance is not None


def test_a_scenario_without_late_labels_has_none() -> None:
    with pytest.raises(ScenarioError, match="demo has no late labels"):
        next(label_lines(scenario("demo"), OPTIONS, "jsonl"))
