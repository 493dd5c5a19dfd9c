"""A data set holds the rows of its scenario, is the same for the same seed, and is whole or not there."""

import gzip
import hashlib
from pathlib import Path
from typing import cast

import orjson
import pytest

from flows.scenarios.base import DriftKind, ScenarioError, ScenarioOptions
from flows.scenarios.dataset import DatasetFiles, Format, write_dataset
from flows.scenarios.lines import csv_header, csv_lines, csv_reference, json_lines, json_reference
from flows.scenarios.registry import scenario
from flows.scenarios.truth_file import read_truth

DEMO = scenario("demo")
# Longer than one chunk of 8,192 rows, and a multiple of neither 2 nor 3 parts.
LONG = ScenarioOptions(rows=9001, seed=4, reference_rows=500)
SMALL = ScenarioOptions(rows=100, seed=4, reference_rows=50)


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def content(path: Path) -> list[bytes]:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines()


@pytest.mark.parametrize(
    ("kind", "files", "compress"),
    [("jsonl", 1, False), ("jsonl", 3, False), ("jsonl", 2, True), ("csv", 1, True), ("csv", 3, False)],
)
def test_files_hold_the_rows_and_are_identical_for_the_same_seed(
    tmp_path: Path, *, kind: Format, files: int, compress: bool
) -> None:
    written: list[DatasetFiles] = [
        write_dataset(DEMO, LONG, tmp_path / name, format=kind, files=files, compress=compress)
        for name in ("one", "two")
    ]
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    if compress:
        # RFC 1952, 2.3: byte 3 has the flags (8: a name follows), bytes 4 to 7 the time of writing.
        assert {path.read_bytes()[3:8] for path in written[0].events} == {bytes(5)}

    make_rows, make_reference = (
        (json_lines, json_reference) if kind == "jsonl" else (csv_lines, csv_reference)
    )
    head = [] if kind == "jsonl" else [csv_header(DEMO.columns)]
    rows = make_rows(DEMO, LONG, 0, LONG.rows)
    assert [content(path) for path in written[0].events] == [
        head + rows[part::files] for part in range(files)
    ]
    assert content(written[0].reference) == head + make_reference(DEMO, LONG, 0, LONG.reference_rows)


def test_names_of_the_files(tmp_path: Path) -> None:
    one = write_dataset(DEMO, SMALL, tmp_path / "one")
    parts = write_dataset(DEMO, SMALL, tmp_path / "parts", format="csv", files=2, compress=True)
    assert list(digests(tmp_path / "one")) == ["events.jsonl", "reference.jsonl", "truth.json"]
    assert one.events == (tmp_path / "one" / "events.jsonl",)
    assert list(digests(tmp_path / "parts")) == [
        "events/part-0.csv.gz",
        "events/part-1.csv.gz",
        "reference.csv.gz",
        "truth.json",
    ]
    assert read_truth(parts.truth).events == ("events/part-0.csv.gz", "events/part-1.csv.gz")


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    other = ScenarioOptions(rows=100, seed=5, reference_rows=50)
    write_dataset(DEMO, SMALL, tmp_path / "one")
    write_dataset(DEMO, other, tmp_path / "two")
    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert all(one[name] != two[name] for name in one)


def test_truth_says_spans_as_rows_and_as_times(tmp_path: Path) -> None:
    options = ScenarioOptions(rows=1000, seed=7, reference_rows=50, step_ms=60_000)
    truth = read_truth(write_dataset(DEMO, options, tmp_path).truth)
    assert (truth.scenario, truth.seed, truth.rows, truth.step_ms) == ("demo", 7, 1000, 60_000)
    assert (truth.start, truth.reference, truth.events) == (
        "2026-01-05T00:00:00.000Z",
        "reference.jsonl",
        ("events.jsonl",),
    )
    features = {feature.feature: feature for feature in truth.features}
    assert list(features) == [column.name for column in DEMO.columns]
    income = features["income"]
    assert (income.path, income.drift, income.effect) == (
        "features.income",
        DriftKind.SUDDEN,
        "mean +0.5 sd",
    )
    # Row 500 at one row a minute: 8 h 20 min after midnight; row 1000: 16 h 40 min.
    assert [(span.start_row, span.end_row, span.start, span.end) for span in income.spans] == [
        (500, 1000, "2026-01-05T08:20:00.000Z", "2026-01-05T16:40:00.000Z")
    ]
    assert len(features["distance_km"].spans) == 3
    assert features["plan"].spans == ()


@pytest.mark.parametrize("change", [{"schema": "driftflow.truth/0"}, {"extra": 1}, {"rows": "many"}], ids=str)
def test_truth_files_of_another_schema_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = write_dataset(DEMO, SMALL, tmp_path).truth
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **change}))
    with pytest.raises(ScenarioError, match=r"truth\.json is not a truth file of schema driftflow\.truth/2"):
        read_truth(path)


def test_a_truth_file_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"truth\.json"):
        read_truth(tmp_path / "truth.json")


def test_progress_sums_to_all_rows(tmp_path: Path) -> None:
    steps: list[int] = []
    write_dataset(DEMO, LONG, tmp_path, files=2, on_progress=steps.append)
    assert sum(steps) == LONG.rows + LONG.reference_rows
    assert len(steps) > 2
    assert min(steps) > 0


def test_an_interrupted_write_leaves_no_half_file_and_no_truth(tmp_path: Path) -> None:
    write_dataset(DEMO, SMALL, tmp_path)
    before = digests(tmp_path)

    def interrupt(rows: int) -> None:
        if rows == 8192:  # the first chunk of events, after the reference
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_dataset(DEMO, LONG, tmp_path, on_progress=interrupt)
    after = digests(tmp_path)
    assert sorted(after) == ["events.jsonl", "reference.jsonl"]
    assert after["events.jsonl"] == before["events.jsonl"]
    assert after["reference.jsonl"] != before["reference.jsonl"]

    write_dataset(DEMO, SMALL, tmp_path)
    assert digests(tmp_path) == before


def test_events_of_another_layout_are_not_left_beside_new_ones(tmp_path: Path) -> None:
    write_dataset(DEMO, SMALL, tmp_path, files=3)
    before = digests(tmp_path)
    for files, kind in ((1, "jsonl"), (2, "jsonl"), (3, "csv")):
        with pytest.raises(ScenarioError, match="of another data set, wanted a folder without"):
            write_dataset(DEMO, SMALL, tmp_path, files=files, format=cast("Format", kind))
    assert digests(tmp_path) == before


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="files is 0"):
        write_dataset(DEMO, SMALL, tmp_path, files=0)
    with pytest.raises(ScenarioError, match="format is 'xml', wanted jsonl or csv"):
        write_dataset(DEMO, SMALL, tmp_path, format=cast("Format", "xml"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="cannot be written to"):
        write_dataset(DEMO, SMALL, tmp_path / "file")
