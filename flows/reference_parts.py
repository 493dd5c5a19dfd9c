"""The rows that a reference is built from, in batches, each with its place in the order of all."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from flows.decode.base import Decoded, Decoder
from flows.input import InputSet, OpenReader
from flows.sources.base import RawBatch
from state.columns import Column

_BATCH_ROWS = 8_192


@dataclass(frozen=True, slots=True)
class Part:
    """A batch.

    Attributes
    ----------
    first
        Number of its first good row among all good rows.
    decoder
        What decoded it.
    """

    raw: RawBatch
    decoded: Decoded
    first: int
    decoder: Decoder

    @property
    def numbers(self) -> IntArray:
        """Number of each good row, shape ``(kept,)``."""
        return np.arange(self.first, self.first + len(self.decoded.kept))

    @property
    def times(self) -> IntArray | None:
        """Event time of each good row, else when its record was written, shape ``(kept,)``; None without."""
        if self.decoded.time_ms is not None or self.raw.times_ms is None:
            return self.decoded.time_ms
        return np.asarray(self.raw.times_ms, dtype=np.int64)[self.decoded.kept]

    @property
    def positions(self) -> IntArray:
        """What puts good rows in order: times, or numbers where there are none, shape ``(kept,)``."""
        times = self.times
        return self.numbers if times is None else times


def read_parts(
    source: InputSet, rows: int | None, on_read: Callable[[int], None], *, before: int | None = None
) -> Generator[Part]:
    """Read partitions one after the other, up to a number of good rows.

    Parameters
    ----------
    on_read
        Called with what each batch read, in the unit of `source.total`.
    before
        Rows with this event time or a later one are passed over; None: none is.
    """
    seen = 0
    for opener in source.readers.values():
        for raw, decoded, decoder in _read(opener, on_read):
            left = None if rows is None else rows - seen
            part = Part(raw, decoded, seen, decoder)
            if before is not None and part.times is not None:
                part = _chosen(part, part.times < before)
            kept = len(part.decoded.kept)
            yield part if left is None or kept <= left else _first(part, left)
            seen += kept
            if rows is not None and seen >= rows:
                return


def offered(source: InputSet, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Keep the columns that the rows are read with."""
    if not columns:
        return ()
    with closing(read_parts(source, 1, lambda _: None)) as parts:
        first = next(parts, None)
    names = set[str]() if first is None else {*first.decoded.numeric, *first.decoded.categorical}
    return tuple(column for column in columns if column.name in names)


def end_of_span(source: InputSet, span: int) -> int | None:
    """Return where a span of event time ends that begins with the earliest of the first rows.

    Those are the first batch of each partition. None where no row there has a time.
    """
    earliest = list[int]()
    for opener in source.readers.values():
        batch = next(_read(opener, lambda _: None), None)
        times = None if batch is None else Part(batch[0], batch[1], 0, batch[2]).times
        if times is not None and len(times):
            earliest.append(int(times.min()))
    return min(earliest) + span if earliest else None


def _read(opener: OpenReader, on_read: Callable[[int], None]) -> Iterator[tuple[RawBatch, Decoded, Decoder]]:
    reader, decoder = opener(None)
    try:
        while (raw := reader.read(_BATCH_ROWS)) is not None:
            on_read(raw.size)
            yield raw, decoder.decode(raw.records), decoder
    finally:
        reader.close()


def _first(part: Part, rows: int) -> Part:
    """Keep the first good rows of a part, and only the records up to the last of them."""
    raw, decoded = part.raw, part.decoded
    last = int(decoded.kept[rows - 1]) + 1
    return Part(
        RawBatch(
            records=raw.records[:last],
            numbers=raw.numbers[:last],
            refused=tuple(r for r in raw.refused if r.number <= raw.numbers[last - 1]),
            times_ms=None if raw.times_ms is None else raw.times_ms[:last],
        ),
        replace(
            _selected(decoded, np.arange(rows)), refused=tuple(r for r in decoded.refused if r.index < last)
        ),
        part.first,
        part.decoder,
    )


def _chosen(part: Part, keep: NDArray[np.bool_]) -> Part:
    """Keep some of the good rows, given for each of them."""
    if keep.all():
        return part
    return replace(part, decoded=_selected(part.decoded, np.flatnonzero(keep)))


def _selected(decoded: Decoded, rows: IntArray) -> Decoded:
    places = rows.tolist()
    return replace(
        decoded,
        kept=decoded.kept[rows],
        numeric={name: values[rows] for name, values in decoded.numeric.items()},
        categorical={name: [values[i] for i in places] for name, values in decoded.categorical.items()},
        time_ms=None if decoded.time_ms is None else decoded.time_ms[rows],
    )
