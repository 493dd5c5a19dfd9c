"""What is told from the first records of files."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from detectors.base import Kind
from flows.field_samples import Sample, sample_fields
from flows.infer import Inferred, infer_columns

ROWS = 60
NUMERIC, CATEGORICAL = Kind.NUMERIC, Kind.CATEGORICAL


def jsonl(path: Path, rows: Sequence[dict[str, object]]) -> Sample:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return sample_fields(path)


def table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Sample:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return sample_fields(path)


def kinds(found: Inferred) -> dict[str, Kind]:
    return {column.name: column.kind for column in found.columns}


def reasons(found: Inferred) -> dict[str, str]:
    return {item.name: item.reason for item in found.left_out}


# What a field holds in row i, and what is told: a kind, or why it is left out.
JSON_FIELDS: dict[str, tuple[list[object], Kind | str]] = {
    "amount": ([i * 7 % 31 + 0.5 for i in range(ROWS)], NUMERIC),
    "items": ([i % 5 for i in range(ROWS)], NUMERIC),
    "constant": ([3] * ROWS, NUMERIC),
    "gaps": ([None if i % 3 else i % 7 for i in range(ROWS)], NUMERIC),
    "rising": ([i + 0.25 for i in range(ROWS)], NUMERIC),
    "cents": ([(i * 37) % 1009 for i in range(ROWS)], NUMERIC),
    "flag": ([i % 2 == 0 for i in range(ROWS)], CATEGORICAL),
    "device": (["phone" if i % 3 else "tablet" for i in range(ROWS)], CATEGORICAL),
    "mixed": ([i if i % 2 else "many" for i in range(ROWS)], CATEGORICAL),
    "digits_as_text": ([str(i % 4) for i in range(ROWS)], CATEGORICAL),
    "number": (list(range(100, 100 + ROWS)), "a running number"),
    "customer_id": ([(i * 37) % 1009 for i in range(ROWS)], "an identifier"),
    "name": ([f"person {i}" for i in range(ROWS)], "nearly every record has another text"),
    "when": ([f"2026-01-05T00:00:{i:02d}Z" for i in range(ROWS)], "a time"),
    "day": (["2026-01-05"] * ROWS, "a time"),
    "epoch_rising": ([1_767_571_200 + 30 * i for i in range(ROWS)], "a time"),
    "updated": ([1_767_571_200_000 + (i * 37) % 1009 for i in range(ROWS)], "a time"),
    "tags": ([["a"]] * ROWS, "holds lists or empty objects"),
    "nothing": ([None] * ROWS, "holds no value"),
    'quo"te': ([1.5] * ROWS, "its name cannot be written as a path"),
}


def test_json_fields(tmp_path: Path) -> None:
    rows = [{name: values[i] for name, (values, _) in JSON_FIELDS.items()} for i in range(ROWS)]

    found = infer_columns([jsonl(tmp_path / "a.jsonl", rows)])

    assert kinds(found) | reasons(found) == {name: told for name, (_, told) in JSON_FIELDS.items()}


CSV_FIELDS: dict[str, tuple[list[object], Kind | str]] = {
    "amount": ([f"{i * 7 % 31}.5" for i in range(ROWS)], NUMERIC),
    "exponent": ([f"{i % 9}e-3" for i in range(ROWS)], NUMERIC),
    "gaps": (["" if i % 3 else i % 7 for i in range(ROWS)], NUMERIC),
    "r_style": (["NA" if i % 3 else i % 7 for i in range(ROWS)], NUMERIC),
    "grouped": ([f"{i % 7}_000" for i in range(ROWS)], CATEGORICAL),
    "flag": (["true" if i % 2 else "false" for i in range(ROWS)], CATEGORICAL),
    "": (list(range(ROWS)), "a running number"),
    "ts": ([f"2026-01-05 00:00:{i:02d}" for i in range(ROWS)], "a time"),
    "empty": ([""] * ROWS, "holds no value"),
}


def test_csv_fields(tmp_path: Path) -> None:
    rows = [[values[i] for values, _ in CSV_FIELDS.values()] for i in range(ROWS)]

    found = infer_columns([table(tmp_path / "a.csv", list(CSV_FIELDS), rows)])

    assert kinds(found) | reasons(found) == {name: told for name, (_, told) in CSV_FIELDS.items()}
    assert found.missing == ("", "NA")


def test_na_is_a_country_where_there_are_other_texts(tmp_path: Path) -> None:
    found = infer_columns([table(tmp_path / "a.csv", ["country"], [["NA"], ["DE"]] * ROWS)])

    assert found.missing == ("",)


def test_a_header_that_repeats_a_field(tmp_path: Path) -> None:
    found = infer_columns([table(tmp_path / "a.csv", ["x", "x", "y"], [[1.5, 2, 3]] * 5)])

    assert reasons(found) == {"x": "the header has it twice"}
    assert set(kinds(found)) == {"y"}


def test_nested_fields_have_paths_that_decoders_read(tmp_path: Path) -> None:
    row = {"features": {"income": 1.5, "a.b": 2.5}, "x.y": 3.5, "other": {"income": 4.5, "deep": {"z": 5.5}}}

    found = infer_columns([jsonl(tmp_path / "a.jsonl", [row] * 5)])

    # A nested field goes by its last key where that is no other's too.
    assert {column.name: column.paths for column in found.columns} == {
        "features.income": ("features.income",),
        "a.b": (r"features.a\.b",),
        "x.y": (r"x\.y",),
        "other.income": ("other.income",),
        "z": ("other.deep.z",),
    }


def test_a_field_that_is_an_object_now_and_then(tmp_path: Path) -> None:
    found = infer_columns([jsonl(tmp_path / "a.jsonl", [{"a": {"b": 1.5}}, {"a": 2.5}] * 5)])

    assert reasons(found) == {"a": "holds an object in some records and a value in others"}
    assert [column.paths for column in found.columns] == [("a.b",)]


def test_a_kind_suits_both_files(tmp_path: Path) -> None:
    numbers = jsonl(tmp_path / "a.jsonl", [{"x": 1.5, "y": 1, "gone": 2.5}] * 5)
    texts = jsonl(tmp_path / "b.jsonl", [{"x": 1.5, "y": "one"}] * 5)

    assert kinds(infer_columns([numbers, texts])) == {"x": NUMERIC, "y": CATEGORICAL}


def test_csv_and_json_meet_by_name(tmp_path: Path) -> None:
    nested = jsonl(tmp_path / "a.jsonl", [{"features": {"x": 1.5}, "k.l": 2.5}] * 5)
    flat = table(tmp_path / "b.csv", ["features.x", "k.l"], [[1.5, 2.5]] * 5)

    found = infer_columns([nested, flat])

    assert {column.name: column.paths for column in found.columns} == {
        "x": ("features.x", "features.x"),
        "k.l": (r"k\.l", "k.l"),
    }


def test_what_the_baseline_lacks_cannot_be_compared_and_what_vanishes_can(tmp_path: Path) -> None:
    full = jsonl(tmp_path / "a.jsonl", [{"x": 1.5, "y": 2.5}] * 5)
    half = jsonl(tmp_path / "b.jsonl", [{"x": 1.5, "y": None}] * 5)

    assert set(kinds(infer_columns([full, half]))) == {"x", "y"}
    assert reasons(infer_columns([half, full])) == {"y": "holds no value in the baseline"}


@pytest.mark.parametrize("bad", [b"not json\n", b"[1, 2]\n", b'{"x": 1\n', b"\xff\n", b"3\n"])
def test_records_that_cannot_be_read_are_passed_over(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(bad + b'{"x": NaN}\n{"x": 1.5}\n')

    sample = sample_fields(path)

    assert (sample.records, list(sample.fields)) == (2, ["x"])
    assert kinds(infer_columns([sample])) == {"x": NUMERIC}


def test_a_folder_is_sampled_from_all_of_its_files(tmp_path: Path) -> None:
    for part in range(3):
        jsonl(tmp_path / f"{part}.jsonl", [{f"f{part}": 1.5}] * 40)

    sample = sample_fields(tmp_path, records=30)

    assert sample.records == 30
    assert {name: len(field.values) for name, field in sample.fields.items()} == {
        "f0": 10,
        "f1": 10,
        "f2": 10,
    }
