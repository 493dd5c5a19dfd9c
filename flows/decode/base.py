"""What a decoder takes and gives, and the reasons for which a record is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from detectors.base import FloatArray, IntArray


class Reason(StrEnum):
    """Why a record became a dead letter."""

    MALFORMED = "malformed"
    """Not JSON, or not one object."""
    TRUNCATED = "truncated"
    """The record ends in the middle."""
    NOT_UTF8 = "not_utf8"
    TOO_LONG = "too_long"
    """Longer than `input.max_record_bytes`."""
    WRONG_TYPE = "wrong_type"
    """A watched field holds a value of another type."""
    WRONG_FIELDS = "wrong_fields"
    """A CSV row has more or fewer fields than the header."""
    NO_TIME = "no_time"
    """The time field is missing, null or empty."""
    BAD_TIME = "bad_time"
    """The time field cannot be read as a time."""
    TIME_OUT_OF_RANGE = "time_out_of_range"
    """Event time before `time.earliest`, after `time.latest`, or too far ahead of the record's own."""


class Finding(NamedTuple):
    """Why a record is refused, and what was found; `column` is the first one that holds another type."""

    reason: Reason
    detail: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record of a batch that is refused: its index in the batch, and what a `Finding` says."""

    index: int
    reason: Reason
    detail: str
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The good records of one batch as columns; order kept.

    Attributes
    ----------
    kept
        Index in the batch of each good record, shape ``(rows,)``, increasing.
    numeric
        Values by column name, shape ``(rows,)``. NaN: missing. Plus infinity: present but not finite (a NaN
        or Infinity literal), which is counted apart.
    categorical
        Values by column name, one text or None (missing) per row.
    time_ms
        Event time in milliseconds since the epoch, shape ``(rows,)``; None where no time column is set.
    refused
        The others, in order.
    """

    kept: IntArray
    numeric: dict[str, FloatArray]
    categorical: dict[str, list[str | None]]
    time_ms: IntArray | None
    refused: tuple[Refusal, ...]


class Decoder(Protocol):
    """Turns raw records into columns; never raises for data."""

    def decode(self, records: Sequence[bytes]) -> Decoded:
        """Decode one batch of any size; equal to decoding its records one by one."""
        ...

    def fields(self, record: bytes) -> tuple[str, ...]:
        """Name all fields of a good record, those that are not read too, as paths in its own order."""
        ...
