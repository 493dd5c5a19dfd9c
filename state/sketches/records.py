"""Sketches of whole records: what came, what was refused, which fields were there, and which keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from detectors.base import IntArray
from state.sketches.base import HEADER, LATE, NAME_LENGTH, ROWS, Sketch, name_hash, sample_names
from state.sketches.keys import key_sample

RECORDS = "@records"
"""The track of a model's records beside its columns; no column can have this name."""

KEYED, SAMPLED, UNKNOWN, STATUSES, ERRORS = range(HEADER, HEADER + 5)
"""Records with a key; records whose fields were looked at, and of these the ones with a field that the
reference does not know; records with a status, and of these the errors."""

_FIXED = HEADER + 5

FieldSets = Mapping[tuple[str, ...], int]
"""Of records whose fields were looked at: how many had exactly these."""

Refused = Mapping[tuple[str, str | None], int]
"""Refused records by reason, and by the column that held another type (None: there is none)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Records of one span of one partition.

    Attributes
    ----------
    rows, late
        Records that count, and those that came too late to.
    keys
        Hash of the key of each record, shape ``(rows,)``.
    statuses, errors
        Records with a status, and those among them that are errors.
    """

    rows: int = 0
    late: int = 0
    keys: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    refused: Refused = field(default_factory=dict)
    fields: FieldSets = field(default_factory=dict)
    statuses: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordLayout:
    """Which counter stands where.

    Attributes
    ----------
    reasons
        Reasons for which records are refused.
    columns
        Names of the fields that are read; a record of another type is counted under the first of them.
    paths
        Where those stand that a record is expected to have, by name; a label may come later.
    known
        Paths of all fields that the reference knows; None where it knows none.
    """

    reasons: tuple[str, ...]
    columns: tuple[str, ...]
    paths: Mapping[str, str]
    known: frozenset[str] | None

    @property
    def width(self) -> int:
        """Number of counters of a sketch."""
        return _FIXED + len(self.reasons) + len(self.columns) + len(self.paths)

    def sketch(self, seen: Seen) -> Sketch:
        """Count records."""
        counters = np.zeros(self.width, dtype=np.int64)
        counters[ROWS], counters[LATE] = seen.rows, seen.late
        counters[STATUSES], counters[ERRORS] = seen.statuses, seen.errors
        counters[KEYED] = np.count_nonzero(seen.keys >= 0)
        for (reason, column), count in seen.refused.items():
            counters[_FIXED + self.reasons.index(reason)] += count
            if column is not None:
                counters[_FIXED + len(self.reasons) + self.columns.index(column)] += count
        names: tuple[str, ...] = ()
        for fields, count in seen.fields.items():
            there = frozenset(fields)
            unknown = () if self.known is None else sorted(there - self.known)
            counters[SAMPLED] += count
            counters[UNKNOWN] += count if unknown else 0
            counters[self.width - len(self.paths) :] += [
                0 if _is_in(path, there) else count for path in self.paths.values()
            ]
            names = (*names, *unknown)
        return Sketch(
            counters,
            names=sample_names((name_hash(name), name[:NAME_LENGTH]) for name in names),
            keys=key_sample(seen.keys),
        )

    def refused(self, sketch: Sketch) -> dict[str, int]:
        """Return refused records by reason."""
        counts = sketch.counters[_FIXED : _FIXED + len(self.reasons)].tolist()
        return dict(zip(self.reasons, counts, strict=True))

    def wrong(self, sketch: Sketch) -> dict[str, int]:
        """Return records that hold another type, by the name of the first such column."""
        start = _FIXED + len(self.reasons)
        counts = sketch.counters[start : start + len(self.columns)].tolist()
        return dict(zip(self.columns, counts, strict=True))

    def absent(self, sketch: Sketch) -> dict[str, int]:
        """Return the records without a field that is read, of those that were looked at, by its column."""
        counts = sketch.counters[self.width - len(self.paths) :].tolist()
        return dict(zip(self.paths, counts, strict=True))

    def there(self, fields: Mapping[str, int]) -> dict[str, int]:
        """Return how many records have a field that is read, by its column, from how many have each field."""
        return {
            column: fields.get(path, 0) + fields.get(_array_of(path), 0)
            for column, path in self.paths.items()
        }


def array_name(path: str) -> str:
    """Name the array at a path, whose elements are not named."""
    return f"{path}[]"


def _array_of(path: str) -> str:
    """Name the array whose element a path may be."""
    return array_name(path.rpartition(".")[0])


def _is_in(path: str, fields: frozenset[str]) -> bool:
    return path in fields or _array_of(path) in fields
