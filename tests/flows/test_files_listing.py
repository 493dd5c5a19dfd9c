from pathlib import Path

import pytest

from flows.sources.base import SourceError
from flows.sources.files import FileFormat, guess_format, list_files, open_reader


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


@pytest.mark.parametrize("name", ["a.parquet", "a", "a.gz", ".csv"])
def test_an_unknown_ending_says_how_to_name_the_format(name: str) -> None:
    with pytest.raises(SourceError, match=r"input\.format to csv or jsonl"):
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
        open_reader(tmp_path / "absent.jsonl")
