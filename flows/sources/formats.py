"""Formats of files, told from their names, and the files behind a path."""

from enum import StrEnum
from glob import has_magic
from pathlib import Path

from flows.sources.base import SourceError


class FileFormat(StrEnum):
    """How records are written in a file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    ARROW = "arrow"
    """Arrow IPC, which is also called Feather, version 2."""

    @property
    def typed(self) -> bool:
        """Whether values have types of their own, so that a record is read as a JSON object."""
        return self is not FileFormat.CSV

    @property
    def tabular(self) -> bool:
        """Whether the file is a table of columns and not a stream of bytes."""
        return self in {FileFormat.PARQUET, FileFormat.ARROW}


_ENDINGS = {
    ".csv": FileFormat.CSV,
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
    ".json": FileFormat.JSONL,
    ".parquet": FileFormat.PARQUET,
    ".arrow": FileFormat.ARROW,
    ".feather": FileFormat.ARROW,
}

_TOLD = f"{', '.join(_ENDINGS)}, texts with or without .gz"


def guess_format(path: Path) -> FileFormat:
    """Tell the format from the name: .csv, .jsonl, .ndjson, .json (with or without .gz), .parquet, .arrow.

    Raises
    ------
    SourceError
        The name ends otherwise.
    """
    found = _format_of(path.name)
    if found is None:
        raise SourceError(
            f"{path}: the name does not tell the format; expected {_TOLD}. Set input.format to "
            f"{' or '.join(FileFormat)}"
        )
    return found


def _format_of(name: str) -> FileFormat | None:
    plain = name.lower().removesuffix(".gz")
    found = _ENDINGS.get(Path(plain).suffix)
    packed = plain != name.lower()
    return None if found is None or (packed and found.tabular) else found


def list_files(path: Path) -> dict[str, Path]:
    """Return the data files behind a path by partition id, which is the file's name; sorted.

    A file is itself, whatever its name. Of a folder, hidden files and names that do not tell a format are
    left out, and folders inside it are not entered. A pattern such as ``day-*.csv`` stands for the files that
    match it (``**`` enters folders); their ids are their paths below what the pattern begins with.

    Raises
    ------
    SourceError
        There is no such path, the folder holds no data file, or no file matches.
    """
    if path.is_file():
        return {path.name: path}
    if path.is_dir():
        found = {entry.name: entry for entry in sorted(path.iterdir()) if _is_data_file(entry)}
        if not found:
            raise SourceError(f"{path}: the folder holds no data file; expected names that end in {_TOLD}")
        return found
    if has_magic(str(path)):
        return _matching(path)
    raise SourceError(f"{path}: no such file or folder; check input.path")


def _matching(pattern: Path) -> dict[str, Path]:
    parts = pattern.parts
    first = next(place for place, part in enumerate(parts) if has_magic(part))
    base = Path(*parts[:first])
    files = sorted(base.glob("/".join(parts[first:])))
    found = {file.relative_to(base).as_posix(): file for file in files if _is_data_file(file)}
    if not found:
        raise SourceError(f"{pattern}: no data file matches; expected names that end in {_TOLD}")
    return found


def _is_data_file(path: Path) -> bool:
    return not path.name.startswith(".") and path.is_file() and _format_of(path.name) is not None
