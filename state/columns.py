"""What the configuration says about the fields of a record."""

from dataclasses import dataclass, replace
from enum import StrEnum

from detectors.base import Kind
from state.transforms import Transform


class Role(StrEnum):
    """What a column means to the model."""

    FEATURE = "feature"
    PREDICTION = "prediction"
    SCORE = "score"
    LABEL = "label"
    ID = "id"
    """Names the record, so that what comes later can be joined to it."""
    SEGMENT = "segment"
    """Says which part of the traffic the record belongs to."""
    INTERVAL_LOW = "interval_low"
    """Lower end of the interval in which the model expects the truth."""
    INTERVAL_HIGH = "interval_high"
    """Its upper end."""
    LATENCY = "latency"
    """How long the answer took."""
    STATUS = "status"
    """How the request ended."""

    @property
    def watched(self) -> bool:
        """Whether windows of such a column are compared with the reference for its own sake."""
        return self not in {Role.ID, Role.SEGMENT, Role.INTERVAL_LOW, Role.INTERVAL_HIGH}


class TimeUnit(StrEnum):
    """How event time is written."""

    ISO = "iso"
    """ISO-8601 text; a time without an offset is in the configured zone."""
    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One field of a record, or what is derived from some.

    Attributes
    ----------
    name
        What readings and events call it.
    path
        Where it stands: a CSV header, or keys of nested JSON objects joined by dots. A derived column has its
        formula there, behind an equals sign, and so has one that is transformed.
    class_name
        The class whose probability a score is; None where it is none.
    levels
        All that a column can hold which is there to be checked, and not watched for drift; else empty.
    transform
        What makes it of the field that is read; None where it is that field.
    """

    name: str
    path: str
    kind: Kind
    role: Role = Role.FEATURE
    class_name: str | None = None
    levels: tuple[str, ...] = ()
    transform: Transform | None = None

    @property
    def read(self) -> "Column":
        """The field as decoders read it."""
        if self.transform is None:
            return self
        return replace(self, path=self.transform.path, kind=self.transform.takes, transform=None)

    @property
    def watched(self) -> bool:
        """Whether windows of the column are compared with the reference."""
        return self.role.watched and not self.levels

    @property
    def formula(self) -> str | None:
        """What a derived column is computed by; None where the column is a field of the record."""
        return self.path.removeprefix(FORMULA) if self.path.startswith(FORMULA) else None


FORMULA = "= "
"""What the path of a derived column begins with."""


def formula_path(formula: str) -> str:
    """Return the path of a column that is computed by a formula."""
    return FORMULA + formula


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumn:
    """The field that holds event time; `zone` is the IANA name for ISO texts without an offset."""

    path: str
    unit: TimeUnit = TimeUnit.ISO
    zone: str = "UTC"
