"""Reads CSV and JSONL files, plain or gzip, from any position."""

from pathlib import Path

import msgspec

from flows.decode.base import Reason
from flows.sources.base import RawBatch, RefusedRecord, SourceError
from flows.sources.csv_header import read_header
from flows.sources.formats import FileFormat, guess_format
from flows.sources.lines import RecordSplitter, Split
from flows.sources.streams import ByteStream, open_stream

BLOCK_BYTES = 262_144
"""Bytes read at once: small enough that the records cut from it are still in the cache when decoded."""

_POSITION_VERSION = 1


class _Position(msgspec.Struct, frozen=True):
    """Where a reader stands.

    `offset` counts bytes of the decompressed stream before the next undelivered record, `number` is that
    record's, `empty` the empty lines passed so far.
    """

    v: int
    offset: int
    number: int
    empty: int


class FileReader:
    """Reads the records of one file; implements `flows.sources.base.Reader`.

    Built by `open_lines`. A last record without a line end is delivered like the others.

    Attributes
    ----------
    header
        Field names of a CSV file; empty for JSONL.
    total_bytes
        Size of the file on disk when it was opened; the sum of `RawBatch.size` ends there.
    empty_lines
        Empty lines passed so far, those before a resumed position included.
    """

    def __init__(
        self,
        stream: ByteStream,
        splitter: RecordSplitter,
        start: _Position,
        *,
        header: tuple[str, ...],
        max_record_bytes: int,
        block_bytes: int,
    ) -> None:
        self.header = header
        self.total_bytes = stream.total_bytes
        self.empty_lines = start.empty
        self._stream = stream
        self._splitter = splitter
        self._offset = start.offset
        self._number = start.number
        self._max_record_bytes = max_record_bytes
        self._block_bytes = block_bytes
        self._split = Split(records=[], sizes=[])
        self._next = 0
        self._ended = False
        self._error: SourceError | None = None
        self._consumed = 0

    def read(self, max_records: int) -> RawBatch | None:
        """Return up to `max_records` records, or None at the end of the file.

        Raises
        ------
        SourceError
            The file ends in the middle or is damaged; what could be read before was returned before.
        """
        records: list[bytes] = []
        numbers: list[int] = []
        refused: list[RefusedRecord] = []
        missing = max_records
        while missing > 0 and self._more():
            missing -= self._take(missing, records, numbers, refused)
        if not records and not refused:
            if self._error is not None:
                raise self._error
            return None
        size = self._stream.consumed - self._consumed
        self._consumed += size
        return RawBatch(records=records, numbers=numbers, refused=tuple(refused), size=size)

    def position(self) -> bytes:
        """Return the position of the next undelivered record, for `open_lines`."""
        return msgspec.json.encode(
            _Position(v=_POSITION_VERSION, offset=self._offset, number=self._number, empty=self.empty_lines)
        )

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _more(self) -> bool:
        """Read on until there is a record; False at the end or at a damaged place."""
        while self._next == len(self._split.records):
            if self._ended or self._error is not None:
                return False
            try:
                block = self._stream.read(self._block_bytes)
            except SourceError as error:
                self._error = error
                return False
            self._ended = not block
            self._split = self._splitter.split(block) if block else self._splitter.finish()
            self._next = 0
        return True

    def _take(
        self, limit: int, records: list[bytes], numbers: list[int], refused: list[RefusedRecord]
    ) -> int:
        """Deliver up to `limit` lines of the current split; return how many records they hold."""
        split = self._split
        start = self._next
        end = self._next = min(start + limit, len(split.records))
        part = split.records[start:end]
        self._offset += sum(split.sizes[start:end])
        first = self._number
        if not split.has_empty and not split.too_long:
            records += part
            self._number += len(part)
            numbers += range(first, self._number)
            return len(part)
        for index, record in enumerate(part, start):
            if index in split.too_long:
                refused.append(self._refusal(record, split.sizes[index]))
                self._number += 1
            elif record:
                records.append(record)
                numbers.append(self._number)
                self._number += 1
            else:
                self.empty_lines += 1
        return self._number - first

    def _refusal(self, beginning: bytes, size: int) -> RefusedRecord:
        return RefusedRecord(
            number=self._number,
            reason=Reason.TOO_LONG,
            detail=f"the record takes {size:,} bytes; max_record_bytes is {self._max_record_bytes:,}",
            raw=beginning,
        )


def open_lines(
    path: Path,
    *,
    format: FileFormat | None = None,  # noqa: A002  the configuration's own word
    max_record_bytes: int = 1_048_576,
    resume: bytes | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> FileReader:
    """Open one file of lines; gzip is known by its first bytes, not by its name.

    Parameters
    ----------
    format
        None: guessed from the name.
    max_record_bytes
        A longer record is refused, and never held in memory.
    resume
        What `FileReader.position` returned; None starts at the first record.
    block_bytes
        Bytes read at once; the records do not depend on it.

    Raises
    ------
    SourceError
        The file cannot be opened or is shorter than the position, the position is not one, the format cannot
        be guessed, or a CSV file has no readable header.
    """
    quoted = (guess_format(path) if format is None else format) is FileFormat.CSV
    start = _Position(v=_POSITION_VERSION, offset=0, number=0, empty=0)
    header: tuple[str, ...] = ()
    if quoted:
        header, end = read_header(path, max_record_bytes, block_bytes)
        start = _Position(v=_POSITION_VERSION, offset=end, number=0, empty=0)
    if resume is not None:
        start = _read_position(path, resume)
    stream = open_stream(path)
    try:
        stream.skip(start.offset)
    except SourceError:
        stream.close()
        raise
    splitter = RecordSplitter(max_record_bytes=max_record_bytes, quoted=quoted, at_start=start.offset == 0)
    return FileReader(
        stream, splitter, start, header=header, max_record_bytes=max_record_bytes, block_bytes=block_bytes
    )


def _read_position(path: Path, resume: bytes) -> _Position:
    try:
        position = msgspec.json.decode(resume, type=_Position)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: {resume[:100]!r} is not a position in a file: {error}") from error
    if position.v != _POSITION_VERSION or min(position.offset, position.number, position.empty) < 0:
        raise SourceError(
            f"{path}: cannot resume at {resume[:100]!r}; expected a position of version "
            f"{_POSITION_VERSION}. Reset the state to start over"
        )
    return position
