"""Steps of a transform that take texts: categories under other names, hash buckets, parts of dates."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from detectors.base import Kind
from state.transforms import ColumnValues


@dataclass(frozen=True, slots=True)
class FillText:
    """A text in the place of missing ones."""

    takes: ClassVar[Kind] = Kind.CATEGORICAL
    gives: ClassVar[Kind] = Kind.CATEGORICAL
    value: str

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"fill({of}, {self.value!r})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Replace None."""
        return [self.value if value is None else str(value) for value in values]


@dataclass(frozen=True, slots=True)
class Lower:
    """Texts in lower case, without white space around them."""

    takes: ClassVar[Kind] = Kind.CATEGORICAL
    gives: ClassVar[Kind] = Kind.CATEGORICAL

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"lower({of})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Lower."""
        return _each(values, lambda text: text.strip().lower())


@dataclass(frozen=True, slots=True)
class Rename:
    """Categories under other names; several may become one, and others stay as they are."""

    takes: ClassVar[Kind] = Kind.CATEGORICAL
    gives: ClassVar[Kind] = Kind.CATEGORICAL
    names: tuple[tuple[str, str], ...]

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"map({of}, {', '.join(f'{old}: {new}' for old, new in self.names)})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Rename."""
        known = dict(self.names)
        return _each(values, lambda text: known.get(text, text))


@dataclass(frozen=True, slots=True)
class Hashed:
    """One of so many buckets by the text's hash: for more categories than can be counted apart."""

    takes: ClassVar[Kind] = Kind.CATEGORICAL
    gives: ClassVar[Kind] = Kind.CATEGORICAL
    buckets: int

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"hash({of}, {self.buckets})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Hash; the same text is in the same bucket in every process."""
        digits = len(str(self.buckets - 1))

        def bucket(text: str) -> str:
            digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            return f"#{int.from_bytes(digest, 'big') % self.buckets:0{digits}d}"

        return _each(values, bucket)


class DatePart(StrEnum):
    """What of a date is looked at, as it is written: zones are not converted."""

    HOUR = "hour"
    WEEKDAY = "weekday"
    """0 is Monday."""
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    DAYS = "days"
    """Days since 1970-01-01, with their fraction."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS: MappingProxyType[DatePart, Callable[[datetime], float]] = MappingProxyType(
    {
        DatePart.HOUR: lambda at: at.hour,
        DatePart.WEEKDAY: lambda at: at.weekday(),
        DatePart.DAY: lambda at: at.day,
        DatePart.MONTH: lambda at: at.month,
        DatePart.YEAR: lambda at: at.year,
        DatePart.DAYS: lambda at: (at.replace(tzinfo=UTC) - _EPOCH).total_seconds() / 86_400,
    }
)


@dataclass(frozen=True, slots=True)
class Date:
    """A part of an ISO-8601 date or time as a number."""

    takes: ClassVar[Kind] = Kind.CATEGORICAL
    gives: ClassVar[Kind] = Kind.NUMERIC
    part: DatePart

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"{self.part}({of})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Read; a text that is no date is not finite."""
        known: dict[object, float] = {text: self._read(text) for text in {*values} if isinstance(text, str)}
        return np.array([known.get(text, np.nan) for text in values], dtype=np.float64)

    def _read(self, text: str) -> float:
        try:
            return float(_PARTS[self.part](datetime.fromisoformat(text.strip())))
        except ValueError:
            return float("inf")


def _each(values: ColumnValues, made: Callable[[str], str]) -> list[str | None]:
    """Make each text once per batch."""
    known = {text: made(text) for text in {*values} if isinstance(text, str)}
    return [known.get(text) if isinstance(text, str) else None for text in values]
