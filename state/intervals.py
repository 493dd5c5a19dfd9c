"""Columns that are computed from prediction intervals, and from predictions that have bounds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.base import FloatArray, IntArray, Kind
from state.columns import Column, Role, formula_path
from state.derived import NO_TEXTS, Values, named, validity_column
from state.prediction_checks import AskedShare, AskedSide, Side
from state.probabilities import CODES, Validity

_OF_INTERVALS = (Validity.VALID, Validity.NOT_FINITE, Validity.MISSING, Validity.CROSSED)
_OF_BOUNDED = (Validity.VALID, Validity.NOT_FINITE, Validity.OUT_OF_RANGE, Validity.MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """How wide the interval is in which the model expects the truth; without a width where its ends cross.

    Attributes
    ----------
    low, high
        Names of the fields with its ends.
    width
        Whether its width is watched.
    checked
        Whether it is counted, and checked, what is wrong with a row's interval.
    min_change
        Largest change of the share of wider, or of narrower, intervals that does not matter.
    min_invalid
        Largest share of rows with something wrong that does not matter.
    """

    low: str
    high: str
    name: str = "interval"
    width: bool = True
    checked: bool = False
    min_change: float = 0.1
    min_invalid: float = 0.001

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of both ends."""
        return self.low, self.high

    @property
    def columns(self) -> tuple[Column, ...]:
        """The width, and what is wrong."""
        formula = formula_path(f"{self.high} - {self.low}")
        width = Column(name=f"{self.name}.width", path=formula, kind=Kind.NUMERIC, role=Role.SCORE)
        wrong = validity_column(self.name, self.sources, _OF_INTERVALS)
        return (*((width,) if self.width else ()), *((wrong,) if self.checked else ()))

    @property
    def asked(self) -> Mapping[str, tuple[AskedShare | AskedSide, ...]]:
        """Whether intervals are wider or narrower than they were, cross, or are not there.

        The ends are no columns that are watched, so nothing else would miss them.
        """
        if not self.checked:
            return {}
        found: dict[str, tuple[AskedShare | AskedSide, ...]] = {
            f"{self.name}.validity": (
                AskedShare("missing_share", Validity.MISSING),
                AskedShare("non_finite_share", Validity.NOT_FINITE, min_excess=self.min_invalid),
                AskedShare("crossed_share", Validity.CROSSED, min_excess=self.min_invalid),
            )
        }
        if self.width:
            found[f"{self.name}.width"] = (
                AskedSide("wider_share", Side.ABOVE, min_excess=self.min_change),
                AskedSide("narrower_share", Side.BELOW, min_excess=self.min_change),
            )
        return found

    def derive(
        self,
        numeric: Mapping[str, FloatArray],
        categorical: Mapping[str, list[str | None]] = NO_TEXTS,  # noqa: ARG002  # numbers are enough
    ) -> Values:
        """Compute them."""
        codes = self.validity(numeric)
        valid = codes == CODES[Validity.VALID]
        low, high = (np.where(valid, numeric[name], np.nan) for name in (self.low, self.high))
        with np.errstate(over="ignore"):
            width = {f"{self.name}.width": high - low} if self.width else {}
        wrong = {f"{self.name}.validity": named(tuple(Validity), codes)} if self.checked else {}
        return Values(width, wrong)

    def validity(self, numeric: Mapping[str, FloatArray]) -> IntArray:
        """Tell what is wrong with the ends of each row, by `CODES`, shape ``(rows,)``."""
        low, high = numeric[self.low], numeric[self.high]
        return np.select(
            [np.isinf(low) | np.isinf(high), np.isnan(low) | np.isnan(high), low > high],
            [CODES[v] for v in (Validity.NOT_FINITE, Validity.MISSING, Validity.CROSSED)],
            CODES[Validity.VALID],
        ).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """Whether values of a column are within its bounds, both ends included; None: no bound on that side."""

    source: str
    low: float | None
    high: float | None
    min_invalid: float = 0.001

    @property
    def sources(self) -> tuple[str, ...]:
        """The column."""
        return (self.source,)

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is wrong with its values."""
        low = "" if self.low is None else f"{self.low:g} <= "
        high = "" if self.high is None else f" <= {self.high:g}"
        return (validity_column(self.source, (f"{low}{self.source}{high}",), _OF_BOUNDED),)

    @property
    def asked(self) -> Mapping[str, tuple[AskedShare | AskedSide, ...]]:
        """Whether values are outside."""
        outside = AskedShare("out_of_range_share", Validity.OUT_OF_RANGE, min_excess=self.min_invalid)
        return {f"{self.source}.validity": (outside,)}

    def derive(
        self,
        numeric: Mapping[str, FloatArray],
        categorical: Mapping[str, list[str | None]] = NO_TEXTS,  # noqa: ARG002  # numbers are enough
    ) -> Values:
        """Look at each value."""
        values = numeric[self.source]
        below = np.zeros(len(values), dtype=np.bool_) if self.low is None else values < self.low
        above = np.zeros(len(values), dtype=np.bool_) if self.high is None else values > self.high
        codes = np.select(
            [np.isinf(values), below | above, np.isnan(values)],
            [CODES[v] for v in (Validity.NOT_FINITE, Validity.OUT_OF_RANGE, Validity.MISSING)],
            CODES[Validity.VALID],
        )
        return Values({}, {f"{self.source}.validity": named(tuple(Validity), codes.astype(np.int64))})
