"""Declared steps that make values of one field into what is watched: what they are, and those of numbers.

A value depends on its own row alone.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Protocol

import numpy as np

from detectors.base import FloatArray, Kind
from detectors.elementary import log, log1p

ColumnValues = FloatArray | Sequence[str | None]
"""Numbers (NaN: missing, plus infinity: not finite), or texts (None: missing)."""


class Step(Protocol):
    """One step; a frozen value whose fields are its options."""

    takes: ClassVar[Kind]
    gives: ClassVar[Kind]

    def formula(self, of: str) -> str:
        """Write the step around what it is applied to."""
        ...

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Return new values, one per value."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """Steps from a field as it is read to a column.

    Attributes
    ----------
    path
        Where the field stands in a record.
    steps
        At least one; each takes what the one before gives.
    """

    path: str
    steps: tuple[Step, ...]

    @property
    def takes(self) -> Kind:
        """As what the field is read."""
        return self.steps[0].takes

    @property
    def formula(self) -> str:
        """Write all steps around the path."""
        found = self.path
        for step in self.steps:
            found = step.formula(found)
        return found

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Apply the steps in order."""
        for step in self.steps:
            values = step.apply(values)
        return values


@dataclass(frozen=True, slots=True)
class FillNumber:
    """A number in the place of missing ones."""

    takes: ClassVar[Kind] = Kind.NUMERIC
    gives: ClassVar[Kind] = Kind.NUMERIC
    value: float

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"fill({of}, {self.value:g})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Replace NaN."""
        numbers = np.asarray(values, dtype=np.float64)
        return np.where(np.isnan(numbers), self.value, numbers)


@dataclass(frozen=True, slots=True)
class Clip:
    """Numbers outside the ends become the ends; what is not finite stays so."""

    takes: ClassVar[Kind] = Kind.NUMERIC
    gives: ClassVar[Kind] = Kind.NUMERIC
    low: float
    high: float

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"clip({of}, {self.low:g}, {self.high:g})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Clip finite numbers."""
        numbers = np.asarray(values, dtype=np.float64)
        return np.where(np.isfinite(numbers), np.clip(numbers, self.low, self.high), numbers)


@dataclass(frozen=True, slots=True)
class Log:
    """Natural logarithm of the number plus `added`; where there is none, the value is not finite."""

    takes: ClassVar[Kind] = Kind.NUMERIC
    gives: ClassVar[Kind] = Kind.NUMERIC
    added: float = 0.0

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"log({of})" if self.added == 0 else f"log({self.added:g} + {of})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Take the logarithm."""
        numbers = np.asarray(values, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return _marked(log1p(numbers) if self.added == 1 else log(numbers + self.added), numbers)


@dataclass(frozen=True, slots=True)
class Scale:
    """``(value - center) / width``."""

    takes: ClassVar[Kind] = Kind.NUMERIC
    gives: ClassVar[Kind] = Kind.NUMERIC
    center: float
    width: float

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"({of} - {self.center:g}) / {self.width:g}"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Scale; a result beyond all doubles is not finite."""
        numbers = np.asarray(values, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            return _marked((numbers - self.center) / self.width, numbers)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The name of the bucket that a number is in: from its lower edge on, up to the next and without it."""

    takes: ClassVar[Kind] = Kind.NUMERIC
    gives: ClassVar[Kind] = Kind.CATEGORICAL
    edges: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of all buckets, lowest first.

        Examples
        --------
        >>> Bucket((18.0, 65.0)).names
        ('< 18', '18 to 65', '>= 65')
        """
        shown = [f"{edge:g}" for edge in self.edges]
        between = [f"{low} to {high}" for low, high in pairwise(shown)]
        return (f"< {shown[0]}", *between, f">= {shown[-1]}")

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"bucket({of}, {', '.join(f'{edge:g}' for edge in self.edges)})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Name the buckets; what is missing or not finite is missing."""
        numbers, names = np.asarray(values, dtype=np.float64), self.names
        finite = np.isfinite(numbers).tolist()
        return [
            names[bisect_right(self.edges, number)] if known else None
            for number, known in zip(numbers.tolist(), finite, strict=True)
        ]


def _marked(found: FloatArray, before: FloatArray) -> FloatArray:
    """Keep missing ones missing; what is not finite is plus infinity, as decoders mark it."""
    marked = np.where(np.isfinite(found), found, np.inf)
    marked[np.isnan(before)] = np.nan
    marked[np.isinf(before)] = np.inf
    return marked
