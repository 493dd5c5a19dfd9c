"""What is told of a partition's records beside their columns: keys, fields, and where refused ones stood."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from xxhash import xxh3_64_intdigest

from detectors.base import FloatArray, IntArray
from flows.batch import BatchRecords, DeadLetter
from flows.decode.base import Decoder
from flows.sampling import row_hash
from flows.sources.base import RawBatch
from state.sketches.keys import NO_KEY

SAMPLED_MASK = 31
"""The fields of records are looked at whose key's hash has none of these bits: every 32nd."""

_BITS_63 = np.uint64(1)

RefusedByPane = dict[int, Counter[tuple[str, str | None]]]
"""Refused records by the pane in which time stood, then by reason and column."""


class PlacedRows(NamedTuple):
    """The rows of a batch as they count: sorted by pane.

    Attributes
    ----------
    indices
        Index of each among the raw records, shape ``(rows,)``.
    panes, starts
        As in `flows.batch.Batch`.
    numeric, categorical
        Their columns.
    """

    indices: IntArray
    panes: IntArray
    starts: IntArray
    numeric: Mapping[str, FloatArray]
    categorical: Mapping[str, Sequence[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where time stood in a partition before a batch.

    Attributes
    ----------
    max_time
        Largest event time so far; None before the first row.
    frontier
        First pane that was open.
    pane_of
        Panes of event times.
    """

    max_time: int | None
    frontier: int
    pane_of: Callable[[IntArray], IntArray]


@dataclass(slots=True)
class RecordWatch:
    """Looks at the records of one partition.

    What it tells depends on the records and their order alone: which ones are sampled is decided by what they
    hold, so neither the cut of batches nor the name of the partition matters.

    Attributes
    ----------
    id_column
        The column that names a record; None: its bytes do.
    """

    decoder: Decoder
    id_column: str | None
    _waiting: Counter[tuple[str, str | None]] = field(default_factory=Counter)

    def look(self, raw: RawBatch, placed: PlacedRows) -> BatchRecords:
        """Hash the key of each row, and name the fields of the records that are sampled."""
        keys = record_keys(raw, placed, self.id_column)
        fields: dict[int, Counter[tuple[str, ...]]] = {}
        sampled = np.flatnonzero((keys >= 0) & ((keys & SAMPLED_MASK) == 0))
        of_pane = placed.panes[np.searchsorted(placed.starts, sampled, side="right") - 1]
        for row, pane in zip(sampled.tolist(), of_pane.tolist(), strict=True):
            names = self.decoder.fields(raw.records[int(placed.indices[row])])
            fields.setdefault(pane, Counter())[names] += 1
        return BatchRecords(keys=keys, fields=fields)

    def refuse(
        self, letters: Sequence[DeadLetter], numbers: IntArray, times: IntArray, stood: Standing
    ) -> RefusedByPane:
        """Place refused records in the panes in which time stood when they came, like late rows.

        Such a pane has a row, the one that brought time there. Where a time-out has closed it since, the
        record is told as a dead letter only.

        Parameters
        ----------
        numbers, times
            Number and event time of each good record of the batch, shape ``(good,)``, as they came.
        """
        found: RefusedByPane = {}
        first = stood.max_time if stood.max_time is not None else int(times[0]) if len(times) else None
        if first is None:
            self._waiting.update((letter.reason, letter.column) for letter in letters)
            return found
        running = np.maximum.accumulate(np.concatenate(([first], times)))
        before = np.searchsorted(numbers, [letter.number for letter in letters])
        panes = stood.pane_of(running[before]).tolist() if letters else []
        for letter, pane in zip(letters, panes, strict=True):
            if pane >= stood.frontier:
                found.setdefault(pane, Counter())[letter.reason, letter.column] += 1
        if self._waiting:
            pane = int(stood.pane_of(np.array([first], dtype=np.int64))[0])
            if pane >= stood.frontier:
                found.setdefault(pane, Counter()).update(self._waiting)
            self._waiting = Counter()
        return found

    @property
    def waiting(self) -> list[tuple[str, str | None, int]]:
        """Refused records before the first row, by reason and column: they count where that row does."""
        return sorted(
            ((reason, column, count) for (reason, column), count in self._waiting.items()),
            key=lambda item: (item[0], item[1] or ""),
        )

    def resume(self, waiting: Sequence[tuple[str, str | None, int]]) -> None:
        """Go on with what waited when a snapshot was taken."""
        self._waiting = Counter({(reason, column): count for reason, column, count in waiting})


def record_keys(raw: RawBatch, placed: PlacedRows, id_column: str | None) -> IntArray:
    """Hash the key of each row to 63 bits, `NO_KEY` where the column that names it is missing.

    Texts and bytes by XXH3 (Collet, https://xxhash.com), numbers by SplitMix64 of their bits.
    """
    if id_column is None:
        records = raw.records
        return _hashed([records[index] for index in placed.indices.tolist()])
    if id_column in placed.numeric:
        values = placed.numeric[id_column]
        hashes = row_hash((values + 0.0).view(np.int64))
        return np.where(np.isnan(values), NO_KEY, hashes)
    texts = placed.categorical[id_column]
    hashes = _hashed([b"" if text is None else text.encode() for text in texts])
    return np.where([text is None for text in texts], NO_KEY, hashes) if None in texts else hashes


def _hashed(keys: Sequence[bytes]) -> IntArray:
    wide = np.fromiter(map(xxh3_64_intdigest, keys), dtype=np.uint64, count=len(keys))
    return (wide >> _BITS_63).astype(np.int64)
