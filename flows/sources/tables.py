"""Reads Parquet and Arrow files, row by row as JSON objects, from any position."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from flows.decode.base import Reason
from flows.sources.base import RawBatch, RefusedRecord, SourceError
from flows.sources.formats import FileFormat
from flows.sources.lines import RAW_KEPT

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 8_192
_POSITION_VERSION = 1


class _Position(msgspec.Struct, frozen=True):
    v: int
    row: int


class TableReader:
    """Reads the rows of one table; implements `flows.sources.base.Reader`.

    A row becomes a JSON object, so that tables are decoded, refused and kept like other records. Times become
    ISO-8601 texts (of nanoseconds the microseconds), NaN becomes null, which is how data frames write a value
    that is missing.

    Attributes
    ----------
    header
        Empty: a row names its fields itself.

    Raises
    ------
    SourceError
        pyarrow is not installed, or the file is no such table.
    """

    header: tuple[str, ...] = ()

    def __init__(
        self,
        path: Path,
        *,
        format: FileFormat,  # noqa: A002  the configuration's own word
        max_record_bytes: int,
        resume: bytes | None = None,
    ) -> None:
        self._path = path
        self._max_record_bytes = max_record_bytes
        self._row = 0 if resume is None else _read_position(path, resume)
        self.total_bytes = path.stat().st_size
        self._rows, batches = _opened(path, format, self._row)
        self._objects = (row for batch in batches for row in _objects(batch))
        self._told = self._bytes_before(self._row)

    def read(self, max_records: int) -> RawBatch | None:
        """Return up to `max_records` rows, or None at the end of the file.

        Raises
        ------
        SourceError
            The file is damaged; what could be read before was returned before.
        """
        records, numbers, refused = list[bytes](), list[int](), list[RefusedRecord]()
        while len(records) + len(refused) < max_records:
            try:
                record = next(self._objects, None)
            except _pyarrow_errors() as error:
                if records or refused:
                    break
                raise SourceError(f"{self._path}: {error}") from error
            if record is None:
                break
            if len(record) > self._max_record_bytes:
                refused.append(self._refusal(record))
            else:
                records.append(record)
                numbers.append(self._row)
            self._row += 1
        if not records and not refused:
            return None
        told = self._bytes_before(self._row)
        size, self._told = told - self._told, told
        return RawBatch(records=records, numbers=numbers, refused=tuple(refused), size=size)

    def position(self) -> bytes:
        """Return the number of the next row, as bytes."""
        return msgspec.json.encode(_Position(v=_POSITION_VERSION, row=self._row))

    def close(self) -> None:
        """Close the file."""
        self._objects.close()

    def _bytes_before(self, row: int) -> int:
        """Bytes of the file that count as read with so many rows: what a row takes is not known."""
        return self.total_bytes * row // self._rows if self._rows else self.total_bytes

    def _refusal(self, record: bytes) -> RefusedRecord:
        return RefusedRecord(
            number=self._row,
            reason=Reason.TOO_LONG,
            detail=f"the record takes {len(record):,} bytes; max_record_bytes is {self._max_record_bytes:,}",
            raw=record[:RAW_KEPT],
        )


def _read_position(path: Path, resume: bytes) -> int:
    try:
        position = msgspec.json.decode(resume, type=_Position)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: {resume[:100]!r} is not a position in a table: {error}") from error
    if position.v != _POSITION_VERSION or position.row < 0:
        raise SourceError(f"{path}: cannot resume at {resume[:100]!r}; reset the state to start over")
    return position.row


def _opened(path: Path, format: FileFormat, row: int) -> tuple[int, Iterator["pa.RecordBatch"]]:  # noqa: A002
    """Return how many rows there are, and the batches from a row on."""
    try:
        return _parquet(path, row) if format is FileFormat.PARQUET else _arrow(path, row)
    except ImportError as error:
        raise SourceError(
            f"{path}: Parquet and Arrow files need the extra 'parquet': pip install 'driftflow[parquet]'"
        ) from error
    except _pyarrow_errors() as error:
        raise SourceError(f"{path}: no readable {format} file: {error}") from error


def _parquet(path: Path, row: int) -> tuple[int, Iterator["pa.RecordBatch"]]:
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415  # an extra

    file = ParquetFile(path)
    groups = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
    first, skipped = _group_of(groups, row)

    def batches() -> Iterator["pa.RecordBatch"]:
        with file:
            wanted = range(first, len(groups))
            yield from _from_row(file.iter_batches(_ROWS, row_groups=wanted), row - skipped)

    return file.metadata.num_rows, batches()


def _arrow(path: Path, row: int) -> tuple[int, Iterator["pa.RecordBatch"]]:
    from pyarrow.ipc import open_file  # noqa: PLC0415  # an extra

    file = open_file(path)
    sizes = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
    first, skipped = _group_of(sizes, row)

    def batches() -> Iterator["pa.RecordBatch"]:
        with file:
            held = (file.get_batch(i) for i in range(first, len(sizes)))
            pieces = (
                batch.slice(start, _ROWS) for batch in held for start in range(0, batch.num_rows, _ROWS)
            )
            yield from _from_row(pieces, row - skipped)

    return sum(sizes), batches()


def _group_of(sizes: list[int], row: int) -> tuple[int, int]:
    """Return which group of rows holds a row, and how many rows stand before that group."""
    before = 0
    for place, size in enumerate(sizes):
        if row < before + size:
            return place, before
        before += size
    return len(sizes), before


def _from_row(batches: Iterator["pa.RecordBatch"], row: int) -> Iterator["pa.RecordBatch"]:
    for batch in batches:
        if row < batch.num_rows:
            yield batch.slice(row)
        row = max(row - batch.num_rows, 0)


def _objects(batch: "pa.RecordBatch") -> Iterator[bytes]:
    """Write each row as a JSON object."""
    names = batch.schema.names
    columns = [_plain(column).to_pylist() for column in batch.columns]
    for values in zip(*columns, strict=True):
        yield orjson.dumps(dict(zip(names, values, strict=True)), default=_written)


def _plain(column: "pa.Array") -> "pa.Array":
    """Cut nanoseconds to microseconds, which is what Python's times hold."""
    import pyarrow as pa  # noqa: PLC0415  # an extra

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    return column


def _written(value: Any) -> float | str:  # noqa: ANN401  # whatever a table may hold
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)


def _pyarrow_errors() -> tuple[type[Exception], ...]:
    from pyarrow import ArrowException  # noqa: PLC0415  # an extra

    return (ArrowException, OSError)
