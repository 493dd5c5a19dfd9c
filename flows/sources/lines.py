"""Cuts a stream of bytes into records: lines, or CSV records with line breaks inside quotes."""

import re
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"

RAW_KEPT = 1000
"""Bytes kept of a record that is too long."""

_KEPT = RAW_KEPT + len(BOM)

_LINE_END = 2
"""Most bytes that a line end takes."""

_OPEN_QUOTE = re.compile(rb'(?:(?:"(?:[^"]|"")*+"[^,]*+|[^",][^,]*+)?+,)*+"(?:[^"]|"")*+\Z')
"""Matches a record whose last field opens a quote at its start and does not close it.

Every loop is possessive, so a match takes linear time. A quote inside an unquoted field is a plain
character, as it is to Python's csv module.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Records cut out of the stream, in order.

    Attributes
    ----------
    records
        Without their line ends. Empty lines are in it as empty records; of a record that is too long, the
        first 1,000 bytes are.
    sizes
        Bytes of the stream that each one takes, its line end included.
    too_long
        Indices of the records that are too long.
    has_empty
        Whether an empty line is among the records.
    """

    records: list[bytes]
    sizes: list[int]
    too_long: frozenset[int] = frozenset()
    has_empty: bool = False


class RecordSplitter:
    """Cuts blocks into records; the records do not depend on where the blocks end.

    Holds at most about `max_record_bytes` of an unfinished record. A longer line is passed by unseen. A CSV
    record whose quote does not close within `max_record_bytes` ends with the line that exceeds them, so that
    one stray quote cannot swallow the rest of a file.

    Parameters
    ----------
    max_record_bytes
        Longest record, line end and byte order mark not counted.
    quoted
        A line break inside double quotes is part of the record.
    at_start
        The first block is the beginning of the stream, where a byte order mark may stand.
    """

    def __init__(self, *, max_record_bytes: int, quoted: bool, at_start: bool) -> None:
        self._limit = max_record_bytes
        self._quoted = quoted
        self._at_start = at_start
        # Beyond this many bytes a line is too long whatever line end and mark it has.
        self._hold = max_record_bytes + _LINE_END + len(BOM)
        self._parts: list[bytes] = []
        self._part_size = 0
        self._open: list[bytes] = []
        self._open_size = 0

    def split(self, block: bytes) -> Split:
        """Return the records that end in this block."""
        lines = block.split(b"\n")
        rest = lines.pop()
        if not lines:
            self._keep(rest)
            return Split(records=[], sizes=[])
        sizes = [len(line) + 1 for line in lines]
        if self._part_size:
            sizes[0] += self._part_size
            lines[0] = self._completed(lines[0])
        self._keep(rest)
        if self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(BOM)
        returns = b"\r" in block or lines[0].endswith(b"\r")
        if self._quoted:
            lines, sizes = self._join_quoted(lines, sizes)
        return self._checked(lines, sizes, returns=returns)

    def finish(self) -> Split:
        """Return the last record, where the stream does not end with a line end."""
        if self._part_size:
            last = self.split(b"\n")
            # The line end is ours, not the stream's.
            if last.sizes:
                last.sizes[-1] -= 1
                return last
            self._open_size -= 1
        records = [b"\n".join(self._open)] if self._open else []
        sizes = [self._open_size] if self._open else []
        self._open, self._open_size = [], 0
        return self._checked(records, sizes, returns=True)

    def _keep(self, rest: bytes) -> None:
        """Hold the beginning of a line; of a too long one only the first bytes."""
        if not rest:
            return
        self._part_size += len(rest)
        if self._part_size <= self._hold:
            self._parts.append(rest)
        else:
            self._parts = [b"".join([*self._parts, rest[:_KEPT]])[:_KEPT]]

    def _completed(self, end: bytes) -> bytes:
        """Return the held line with its end; of a too long one only the first bytes."""
        line = b"".join([*self._parts, end if self._part_size <= self._hold else end[:_KEPT]])
        self._parts, self._part_size = [], 0
        return line

    def _join_quoted(self, lines: list[bytes], sizes: list[int]) -> tuple[list[bytes], list[int]]:
        """Join the lines of records with line breaks inside quotes."""
        quotes = [line.count(b'"') for line in lines]
        if not self._open and not any(count & 1 for count in quotes):
            return lines, sizes
        records: list[bytes] = []
        taken: list[int] = []
        for line, size, count in zip(lines, sizes, quotes, strict=True):
            inside = self._stays_open(line, count)
            self._open.append(line)
            self._open_size += size
            if not inside or self._open_size > self._limit + _LINE_END:
                records.append(b"\n".join(self._open))
                taken.append(self._open_size)
                self._open, self._open_size = [], 0
        return records, taken

    def _stays_open(self, line: bytes, quotes: int) -> bool:
        """Tell whether the record goes on after this line."""
        if self._open:
            # Inside a quote the line is what follows an opening quote.
            return not quotes or _OPEN_QUOTE.match(b'"' + line) is not None
        return bool(quotes & 1) and _OPEN_QUOTE.match(line) is not None

    def _checked(self, lines: list[bytes], sizes: list[int], *, returns: bool) -> Split:
        """Take off carriage returns, and mark what is empty or too long."""
        if not lines:
            return Split(records=[], sizes=[])
        records = [line[:-1] if line.endswith(b"\r") else line for line in lines] if returns else lines
        has_empty = b"" in records
        if max(sizes) <= self._limit:
            return Split(records=records, sizes=sizes, has_empty=has_empty)
        too_long = frozenset(
            index
            for index, (record, size) in enumerate(zip(records, sizes, strict=True))
            if size > self._hold + 1 or len(record) > self._limit
        )
        shown = [record[:RAW_KEPT] if at in too_long else record for at, record in enumerate(records)]
        return Split(records=shown, sizes=sizes, too_long=too_long, has_empty=has_empty)
