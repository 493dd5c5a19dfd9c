"""What the configuration says about the fields of a record."""

from dataclasses import dataclass
from enum import StrEnum

from detectors.base import Kind


class Role(StrEnum):
    """What a column means to the model."""

    FEATURE = "feature"
    PREDICTION = "prediction"
    SCORE = "score"
    LABEL = "label"


class TimeUnit(StrEnum):
    """How event time is written."""

    ISO = "iso"
    """ISO-8601 text; a time without an offset is in the configured zone."""
    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One watched field of a record.

    Attributes
    ----------
    name
        What readings and events call it.
    path
        Where it stands: a CSV header, or keys of nested JSON objects joined by dots.
    """

    name: str
    path: str
    kind: Kind
    role: Role = Role.FEATURE


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumn:
    """The field that holds event time; `zone` is the IANA name for ISO texts without an offset."""

    path: str
    unit: TimeUnit = TimeUnit.ISO
    zone: str = "UTC"
