"""A step of a transform that takes numbers: a part of the date that an epoch stands for."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import FloatArray, IntArray, Kind
from state.text_steps import DatePart
from state.transforms import ColumnValues

UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
"""Units of epochs, and how many make a second."""

_DAY_S, _HOUR_S = 86_400, 3_600
# Of the years 1 to 9999, as for dates that are written: days since 1970-01-01.
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896


@dataclass(frozen=True, slots=True)
class EpochDate:
    """A part of the UTC date or time that a number of units since 1970-01-01 stands for."""

    takes: ClassVar[Kind] = Kind.NUMERIC
    gives: ClassVar[Kind] = Kind.NUMERIC
    part: DatePart
    unit: str

    def formula(self, of: str) -> str:
        """Write the step."""
        return f"{self.part}({of}, {self.unit})"

    def apply(self, values: ColumnValues) -> ColumnValues:
        """Read; what is not finite, or beyond the years 1 to 9999, is not finite."""
        numbers = np.asarray(values, dtype=np.float64)
        per_second = UNITS[self.unit]
        with np.errstate(invalid="ignore"):
            days = np.floor_divide(numbers, per_second * _DAY_S)
        known = (days >= _FIRST_DAY) & (days <= _LAST_DAY)
        found = np.where(np.isnan(numbers), np.nan, np.inf)
        found[known] = self._part(numbers[known], days[known].astype(np.int64), per_second)
        return found

    def _part(self, numbers: FloatArray, days: IntArray, per_second: int) -> FloatArray:
        dates = days.astype("datetime64[D]")
        months = dates.astype("datetime64[M]")
        match self.part:
            case DatePart.HOUR:
                hours: FloatArray = np.floor_divide(numbers, per_second * _HOUR_S) - days * 24
                return hours
            case DatePart.WEEKDAY:
                # The first day of 1970 was a Thursday.
                return ((days + 3) % 7).astype(np.float64)
            case DatePart.DAY:
                before: IntArray = (dates - months).astype(np.int64)
                return before.astype(np.float64) + 1
            case DatePart.MONTH:
                return (months.astype(np.int64) % 12).astype(np.float64) + 1
            case DatePart.YEAR:
                return dates.astype("datetime64[Y]").astype(np.float64) + 1970
            case DatePart.DAYS:
                return numbers / (per_second * _DAY_S)
