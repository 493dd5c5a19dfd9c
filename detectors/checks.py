"""One quantity of one window held against a limit, and where that limit comes from."""

from dataclasses import dataclass
from enum import StrEnum

CALM_LEVEL = 0.05
"""P-value at or below which a quantity that is further off than matters is not calm."""


class Family(StrEnum):
    """What kind of trouble a check looks for."""

    QUALITY = "quality"
    PREDICTION = "prediction"
    OPERATIONS = "operations"
    PERFORMANCE = "performance"


class CheckStatus(StrEnum):
    """What a check makes of one window."""

    OK = "ok"
    INSUFFICIENT = "insufficient"
    """Too few rows, on one of the sides, to say anything."""
    SUSPECT = "suspect"
    """Further off than matters and not likely, but not beyond the limit."""
    VIOLATED = "violated"


class Direction(StrEnum):
    """On which side of its reference a quantity is looked at."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One quantity of one window against its limits.

    Attributes
    ----------
    name
        What is checked, such as "missing_share".
    value
        None where the status is INSUFFICIENT and there is none.
    low, high
        Interval that holds the true quantity in 90 % of windows, 5 % on either side; None where none is
        known.
    reference
        The reference's value; None for a limit that was given.
    lower, upper
        Smallest and largest value that is no violation; None where that side is not looked at.
    source
        Where the limits come from, in words.
    p_value
        Chance of a value at least this far off where nothing has changed; None for a limit that was given.
    level
        P-value at which the value would pass its limit, but for the smallest excess that matters.
    n
        Rows the value is from.
    detail
        What else there is to say, such as names; empty where there is nothing.
    """

    name: str
    family: Family
    status: CheckStatus
    value: float | None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    lower: float | None = None
    upper: float | None = None
    source: str
    p_value: float | None = None
    level: float | None = None
    n: int
    detail: str = ""

    @property
    def excess(self) -> float:
        """How far the value is from the reference, or beyond a limit that was given; at least 0."""
        if self.value is None:
            return 0.0
        if self.reference is not None:
            return abs(self.value - self.reference)
        above = 0.0 if self.upper is None else self.value - self.upper
        below = 0.0 if self.lower is None else self.lower - self.value
        return max(above, below, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What makes a violation of one check.

    Attributes
    ----------
    level
        Chance that a window violates the check where nothing has changed, at most; above 0.
    min_excess
        Largest difference from the reference that does not matter, in the unit of the quantity.
    min_rows
        Rows, on either side, below which nothing is said.
    """

    level: float
    min_excess: float
    min_rows: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Limits that somebody has set; None: that side is not looked at."""

    lower: float | None = None
    upper: float | None = None
    source: str = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """So many of so many rows."""

    count: int
    n: int

    @property
    def share(self) -> float:
        """Part of the rows; 0 without any."""
        return self.count / self.n if self.n else 0.0

    @property
    def rest(self) -> "Counted":
        """The rows that are not counted, of the same."""
        return Counted(count=self.n - self.count, n=self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its standard error.

    Attributes
    ----------
    degrees
        Degrees of freedom of the error; None where it is known well enough for the normal law.
    """

    value: float
    error: float
    n: int
    degrees: float | None = None


def status_of(excess: float, *, outside: bool, p_value: float, min_excess: float) -> CheckStatus:
    """Return the status of a check that could be made.

    Parameters
    ----------
    excess
        How far the value is from the reference on a side that is looked at; may be negative.
    outside
        Whether it is beyond a limit.
    """
    if outside:
        return CheckStatus.VIOLATED
    return CheckStatus.SUSPECT if excess > min_excess and p_value <= CALM_LEVEL else CheckStatus.OK
