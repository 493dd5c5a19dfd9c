"""Copies rows, with what faults make of them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from flows.injection.forms import FaultKind
from flows.injection.placed import Placed
from flows.injection.records import Record
from flows.injection.survey import batches, parsed


class Rewriter:
    """Reads a file and gives the lines of its copy.

    Attributes
    ----------
    written
        Lines given so far.
    unreadable
        Rows that a fault would have hit, but that are no records; they are copied as they are.
    """

    def __init__(self, source: Path, header: Sequence[str], faults: Sequence[Placed]) -> None:
        self.written = 0
        self.unreadable = 0
        self._source = source
        self._header = header
        self._faults = faults

    def lines(self, on_read: Callable[[int], None]) -> Iterator[bytes]:
        """Yield the lines of the copy in order, without their ends.

        Raises
        ------
        SourceError
            The file cannot be read.
        """
        row = 0
        for records in batches(self._source, on_read):
            for line in records:
                self._pass_by(row)
                for written in self._copies(line, row):
                    self.written += 1
                    yield written
                row += 1
        self._pass_by(row)

    def _pass_by(self, row: int) -> None:
        for fault in self._faults:
            fault.pass_by(row, self.written)

    def _copies(self, line: bytes, row: int) -> list[bytes]:
        """Return what becomes of a row: most often itself."""
        hitting = [fault for fault in self._faults if fault.hits(row)]
        if not hitting:
            return [line]
        record = parsed(line, self._header)
        if record is None:
            self.unreadable += 1
            return [line]
        hitting = [fault for fault in hitting if _is_meant(record, fault)]
        kinds = {fault.fault.kind for fault in hitting}
        if FaultKind.DROP in kinds:
            hitting = [fault for fault in hitting if fault.fault.kind is FaultKind.DROP]
        rewritten = [_rewrite(record, fault, row) for fault in hitting]
        encoded = record.encode() if any(rewritten) else line
        for fault, done in zip(hitting, rewritten, strict=True):
            fault.changed += done or fault.fault.kind in _OF_LINES
        if FaultKind.DROP in kinds:
            return []
        doubled = [encoded] * (2 if FaultKind.DUPLICATE in kinds else 1)
        bursts = [fault for fault in hitting if fault.fault.kind is FaultKind.BURST]
        return [*doubled, *(copy for fault in bursts for copy in _burst(record, encoded, fault))]


_OF_LINES = (FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.BURST)


def _is_meant(record: Record, placed: Placed) -> bool:
    """Whether a row is one of those that the fault is limited to, as the file has it before any fault."""
    if placed.fault.where is None:
        return True
    field, wanted = placed.fault.where
    return record.has(field) and str(record.get(field)) == wanted


def _rewrite(record: Record, placed: Placed, row: int) -> bool:
    """Do to a record what the fault does; whether it is another one now."""
    fault = placed.fault
    if fault.kind is FaultKind.EXTRA:
        return record.add(fault.field, fault.options.get("value", "unexpected"))
    if fault.kind in _OF_LINES or not record.has(fault.field):
        return False
    if fault.kind is FaultKind.ABSENT:
        record.remove(fault.field)
        return True
    if placed.change is None:
        return False
    before = record.get(fault.field)
    after = placed.change(before, record.number(fault.field), placed.amount(row))
    record.set(fault.field, after)
    return after is not before


def _burst(record: Record, encoded: bytes, placed: Placed) -> Iterator[bytes]:
    """Yield the copies of a row beside itself."""
    name = placed.fault.options.get("id")
    for copy in range(1, int(placed.fault.number("times"))):
        if name is None or not record.has(name):
            yield encoded
            continue
        own = record.get(name)
        record.set(name, f"{own}-copy{copy}")
        yield record.encode()
        record.set(name, own)
