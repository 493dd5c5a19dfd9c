"""Opens one file as a reader of records, whatever its format."""

from pathlib import Path
from typing import Protocol

from flows.sources.base import Reader
from flows.sources.files import open_lines
from flows.sources.formats import FileFormat, guess_format
from flows.sources.tables import TableReader


class HeadedReader(Reader, Protocol):
    """A reader that knows the names of fields before the first record, where the format has a header."""

    @property
    def header(self) -> tuple[str, ...]:
        """Field names of a CSV file; empty for records that name their fields themselves."""
        ...


def open_reader(
    path: Path,
    *,
    format: FileFormat | None = None,  # noqa: A002  the configuration's own word
    max_record_bytes: int = 1_048_576,
    resume: bytes | None = None,
) -> HeadedReader:
    """Open one file.

    Parameters
    ----------
    format
        None: guessed from the name.
    max_record_bytes
        A longer record is refused.
    resume
        What the reader's `position` returned; None starts at the first record.

    Raises
    ------
    SourceError
        The file cannot be opened or read as its format says, or the position is none of it.
    """
    known = guess_format(path) if format is None else format
    if known.tabular:
        return TableReader(path, format=known, max_record_bytes=max_record_bytes, resume=resume)
    return open_lines(path, format=known, max_record_bytes=max_record_bytes, resume=resume)
