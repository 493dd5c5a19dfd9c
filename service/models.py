"""What the service knows of the models it shows, beside what the stores hold."""

from dataclasses import dataclass

from detectors.base import Kind
from detectors.verdicts import Rules
from state.columns import Role
from state.durations import Axis


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedColumn:
    """One column; `formula` says what it is computed from, None where it stands in the records."""

    name: str
    kind: Kind
    role: Role
    formula: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedWindow:
    """One kind of window; sizes in the unit of the axis."""

    name: str
    size: int
    slide: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedModel:
    """A model as its configuration describes it.

    Attributes
    ----------
    axis
        Whether times are milliseconds since the epoch or row numbers.
    zone
        IANA name of the zone whose midnights windows begin at.
    rules
        What makes a drift, and how severe it is.
    """

    name: str
    version: str
    axis: Axis
    zone: str
    columns: tuple[WatchedColumn, ...]
    windows: tuple[WatchedWindow, ...]
    rules: Rules
