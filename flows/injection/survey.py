"""The first look at a file: how many rows it has, and what is in the fields that faults need."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flows.injection.changes import Facts, needs_facts
from flows.injection.faults import InjectedFault, InjectionError
from flows.injection.forms import FaultKind
from flows.injection.records import CsvRecord, JsonRecord, Record
from flows.sources.base import SourceError
from flows.sources.formats import guess_format
from flows.sources.opening import open_reader

_BATCH_ROWS: Final = 1024
_MOST_BYTES: Final = 67_108_864
_LOOKED_AT: Final = 1_000
"""First rows of which one must have a field that a fault names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a first look at the whole file tells.

    Attributes
    ----------
    header
        Fields of a CSV file; empty for JSON lines.
    facts
        What is in the fields of which faults must know it.
    """

    rows: int
    header: tuple[str, ...]
    facts: dict[str, Facts]

    def of(self, field: str) -> Facts:
        """What is in a field; nothing where nobody needs to know."""
        return self.facts.get(field, Facts())


def look_at(source: Path, faults: Sequence[InjectedFault], on_read: Callable[[int], None]) -> Survey:
    """Read the whole file once.

    Raises
    ------
    InjectionError
        A field is not in it, or its format cannot have such a fault.
    SourceError
        It cannot be read.
    """
    if guess_format(source).tabular:
        raise InjectionError(f"{source.name} is a table of columns, wanted a file of rows: CSV or JSON lines")
    header = _header(source)
    _check_format(faults, header)
    measured = {fault.field for fault in faults if needs_facts(fault)}
    named = {fault.field for fault in faults if fault.field and fault.kind is not FaultKind.EXTRA}
    named |= {fault.where[0] for fault in faults if fault.where is not None}
    facts = {name: Facts() for name in measured}
    rows, unseen = 0, set(named)
    for records in batches(source, on_read):
        for line in records:
            if measured or (unseen and rows < _LOOKED_AT):
                record = parsed(line, header)
                unseen -= {name for name in unseen if record is not None and record.has(name)}
                for name in measured:
                    if record is not None and record.has(name):
                        facts[name].add(record.get(name), record.number(name))
            rows += 1
    if unseen:
        raise InjectionError(
            f"field {min(unseen)!r} is in none of the first {_LOOKED_AT:,} rows of {source.name}; keys of "
            "nested objects are joined by dots"
        )
    return Survey(rows=rows, header=header, facts=facts)


def _check_format(faults: Sequence[InjectedFault], header: tuple[str, ...]) -> None:
    for fault in faults:
        if header and fault.kind in (FaultKind.ABSENT, FaultKind.EXTRA):
            raise InjectionError(
                f"fault {fault.text!r}: all rows of a CSV file have the same fields; use JSON lines"
            )
        where = "" if fault.where is None else fault.where[0]
        for name in (fault.field, fault.options.get("id", ""), where):
            if header and name and name not in header:
                raise InjectionError(
                    f"fault {fault.text!r}: the header has no {name!r}, wanted one of {', '.join(header)}"
                )


def parsed(line: bytes, header: Sequence[str]) -> Record | None:
    """Return a line as a record; None where it is none, as damaged lines of a stream are."""
    try:
        return CsvRecord(line, header) if header else JsonRecord(line)
    except (ValueError, RecursionError):
        return None


def batches(source: Path, on_read: Callable[[int], None]) -> Iterator[Sequence[bytes]]:
    """Yield the records of a file in order, some at a time.

    Raises
    ------
    SourceError
        The file cannot be read, or a record is longer than 64 MB.
    """
    reader = open_reader(source, max_record_bytes=_MOST_BYTES)
    try:
        while (batch := reader.read(_BATCH_ROWS)) is not None:
            if batch.refused:
                raise SourceError(f"{source}: row {batch.refused[0].number:,}: {batch.refused[0].detail}")
            yield batch.records
            on_read(batch.size)
    finally:
        reader.close()


def _header(source: Path) -> tuple[str, ...]:
    if guess_format(source).typed:
        return ()
    reader = open_reader(source)
    reader.close()
    return reader.header
