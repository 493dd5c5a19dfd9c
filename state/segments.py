"""Parts of the traffic that are counted apart: the values of a field, frozen with the reference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from detectors.base import IntArray
from state.sketches.segments import SegmentRows

REST = "(rest)"
"""Segment of all values that have none of their own."""

NO_VALUE = "(missing)"
"""Segment of the rows in which the field holds no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSpec:
    """What the configuration says of segments.

    Attributes
    ----------
    columns
        Fields whose values are the segments; empty: nothing is counted by segment.
    top
        Values of a field that a new reference gives a segment of their own.
    min_rows
        Rows with a value from which a segment of a column is compared with its own reference.
    """

    columns: tuple[str, ...] = ()
    top: int = 8
    min_rows: int = 500


NO_SEGMENTS = SegmentSpec()
"""Nothing is counted by segment."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentColumn:
    """The segments of one field: a value each, then the rest, then the rows without a value.

    Attributes
    ----------
    values
        Most frequent in the reference first.
    """

    name: str
    values: tuple[str, ...]
    _codes: dict[str | None, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        codes: dict[str | None, int] = {value: i for i, value in enumerate(self.values)}
        codes[None] = len(self.values) + 1
        object.__setattr__(self, "_codes", codes)

    @property
    def size(self) -> int:
        """Number of segments."""
        return len(self.values) + 2

    @property
    def labels(self) -> tuple[str, ...]:
        """Name each segment, in order."""
        return (*self.values, REST, NO_VALUE)

    def coded(self, values: Sequence[str | None]) -> IntArray:
        """Return the segment of each row, shape ``(rows,)``."""
        rest = len(self.values)
        return np.fromiter(map(self._codes.get, values, repeat(rest)), dtype=np.int64, count=len(values))


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of all fields; in a sketch those of one field stand behind those of the other."""

    columns: tuple[SegmentColumn, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The fields."""
        return tuple(column.name for column in self.columns)

    @property
    def size(self) -> int:
        """Number of segments."""
        return sum(column.size for column in self.columns)

    def spans(self) -> Iterator[tuple[SegmentColumn, slice]]:
        """Give each field with its place among the segments of a sketch."""
        start = 0
        for column in self.columns:
            yield column, slice(start, start + column.size)
            start += column.size

    def picked(self, names: Sequence[str]) -> "Segments":
        """Keep some fields, in this order; each must be there."""
        return Segments(tuple(self.columns[self.names.index(name)] for name in names))

    def rows(self, categorical: Mapping[str, Sequence[str | None]], starts: IntArray) -> SegmentRows | None:
        """Lay the rows of a batch over panes and segments; None where there are no segments.

        Parameters
        ----------
        categorical
            Columns of the batch, by name.
        starts
            First row of each pane, shape ``(panes,)``.
        """
        if not self.columns:
            return None
        codes = [column.coded(categorical[column.name]) for column in self.columns]
        return SegmentRows.laid(codes, [column.size for column in self.columns], starts)


def frozen_values(counts: Mapping[str, int], top: int) -> tuple[str, ...]:
    """Choose the values that become segments: the most frequent ones, ties by name.

    A value that is called like one of the segments that no value has is counted with the rest.
    """
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    return tuple(value for value in ranked if value not in {REST, NO_VALUE})[:top]
