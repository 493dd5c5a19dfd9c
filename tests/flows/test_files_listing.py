from pathlib import Path

import pytest

from flows.sources.base import SourceError
from flows.sources.files import open_lines
from flows.sources.formats import FileFormat, guess_format, list_files


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", FileFormat.CSV),
        ("a.CSV.GZ", FileFormat.CSV),
        ("a.jsonl", FileFormat.JSONL),
        ("a.ndjson.gz", FileFormat.JSONL),
        ("a.2024.json", FileFormat.JSONL),
    ],
)
def test_formats_by_name(name: str, form: FileFormat) -> None:
    assert guess_format(Path(name)) is form


@pytest.mark.parametrize("name", ["a.txt", "a.parquet.gz", "a", "a.gz", ".csv"])
def test_an_unknown_ending_says_how_to_name_the_format(name: str) -> None:
    with pytest.raises(SourceError, match=r"input\.format to csv or jsonl or parquet or arrow"):
        guess_format(Path(name))


def test_listing(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.csv.gz", ".hidden.csv", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.csv").mkdir()
    assert list(list_files(tmp_path).items()) == [
        ("a.csv.gz", tmp_path / "a.csv.gz"),
        ("b.jsonl", tmp_path / "b.jsonl"),
    ]
    assert list_files(tmp_path / "notes.txt") == {"notes.txt": tmp_path / "notes.txt"}
    with pytest.raises(SourceError, match="no data file"):
        list_files(tmp_path / "folder.csv")
    with pytest.raises(SourceError, match="no such file"):
        list_files(tmp_path / "absent")
    with pytest.raises(SourceError, match="cannot be opened"):
        open_lines(tmp_path / "absent.jsonl")


def test_a_pattern_stands_for_the_files_that_match_it(tmp_path: Path) -> None:
    for name in ("day-1.csv", "day-2.csv.gz", "week-1.csv", "notes.txt", ".day-3.csv", "more/day-4.parquet"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert list(list_files(tmp_path / "day-*")) == ["day-1.csv", "day-2.csv.gz"]
    assert list(list_files(tmp_path / "**/day-*")) == ["day-1.csv", "day-2.csv.gz", "more/day-4.parquet"]
    with pytest.raises(SourceError, match="no data file matches"):
        list_files(tmp_path / "month-*")
