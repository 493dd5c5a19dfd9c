"""Reads the field names at the top of a CSV file."""

import csv
from pathlib import Path

from flows.sources.base import SourceError
from flows.sources.lines import RecordSplitter
from flows.sources.streams import open_stream


def read_header(path: Path, max_record_bytes: int, block_bytes: int) -> tuple[tuple[str, ...], int]:
    """Return the field names of a CSV file, and the offset behind them in the decompressed stream.

    Raises
    ------
    SourceError
        The file cannot be read, is empty, or its first record is too long or not CSV in UTF-8.
    """
    splitter = RecordSplitter(max_record_bytes=max_record_bytes, quoted=True, at_start=True)
    stream = open_stream(path)
    offset = 0
    ended = False
    try:
        while not ended:
            block = stream.read(block_bytes)
            ended = not block
            split = splitter.finish() if ended else splitter.split(block)
            for index, (record, size) in enumerate(zip(split.records, split.sizes, strict=True)):
                offset += size
                if index in split.too_long:
                    raise SourceError(
                        f"{path}: the header takes {size:,} bytes; max_record_bytes is {max_record_bytes:,}"
                    )
                if record:
                    return _field_names(path, record), offset
    finally:
        stream.close()
    raise SourceError(f"{path}: the file is empty; a CSV file starts with a line of field names")


def _field_names(path: Path, record: bytes) -> tuple[str, ...]:
    try:
        (names,) = csv.reader([record.decode()], strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise SourceError(f"{path}: the header {record[:100]!r} cannot be read: {error}") from error
    return tuple(names)
