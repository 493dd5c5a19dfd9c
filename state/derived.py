"""Columns that are computed from other fields of the same row, and watched like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np

from detectors.base import FloatArray, IntArray, Kind
from detectors.checks import Direction
from state.columns import Column, Role, formula_path
from state.prediction_checks import AskedShare, AskedSide
from state.probabilities import (
    CODES,
    Validity,
    confidence,
    entropy,
    margin,
    most_probable,
    normalized,
    validity,
)

_OF_PROBABILITIES = tuple(each for each in Validity if each is not Validity.CROSSED)

YES, NO = "yes", "no"
"""Categories of a derived column that says whether something holds."""


@dataclass(frozen=True, slots=True)
class Values:
    """Values of some columns, by name; NaN and None are missing ones.

    Attributes
    ----------
    numeric
        Shape ``(rows,)`` each.
    categorical
        One text or None per row.
    """

    numeric: Mapping[str, FloatArray]
    categorical: Mapping[str, list[str | None]]


NO_TEXTS: Mapping[str, list[str | None]] = MappingProxyType({})
"""No categorical fields."""


class Derivation(Protocol):
    """Makes columns of fields; a value depends on its own row alone."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the fields that are needed."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are made; their path is the formula."""
        ...

    @property
    def asked(self) -> Mapping[str, tuple[AskedShare | AskedSide, ...]]:
        """What is checked of which of them in every window."""
        ...

    def derive(
        self, numeric: Mapping[str, FloatArray], categorical: Mapping[str, list[str | None]] = NO_TEXTS
    ) -> Values:
        """Compute them from fields, ``rows`` values each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Scores from which no decision follows, both ends included.

    Attributes
    ----------
    min_change
        Largest change of their share that does not matter.
    """

    low: float
    high: float
    min_change: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """How sure the model is, from the probabilities of all classes or that of one of two.

    Rows whose probabilities are no probabilities have no value in any of the columns.

    Attributes
    ----------
    name
        What the names of the columns begin with.
    scores
        The numeric fields, one per class; a single one is the probability of one class of two.
    classes
        Names of their classes, in the same order.
    tolerance
        How far the sum of all probabilities may be from 1.
    band
        For one of two classes the scores that are uncertain. With more of them a row is uncertain where its
        largest probability is at most the upper end. None: no such column.
    checked
        Whether it is counted, and checked, what is wrong with a row's probabilities.
    min_invalid
        Largest share of rows with something wrong that does not matter.
    """

    name: str
    scores: tuple[str, ...]
    classes: tuple[str, ...]
    tolerance: float = 0.01
    confidence: bool = True
    entropy: bool = True
    margin: bool = False
    predicted: bool = False
    band: Band | None = None
    checked: bool = False
    min_invalid: float = 0.001

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the scores."""
        return self.scores

    @property
    def binary(self) -> bool:
        """Whether there is the score of one class of two."""
        return len(self.scores) == 1

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those that are asked for."""
        (first, *_), of = self.scores, ", ".join(self.scores)
        largest = f"max({first}, 1 - {first})" if self.binary else f"max({of})"
        found = []
        if self.confidence:
            found.append(self._column("confidence", largest))
        if self.entropy:
            whole = f"{first}, 1 - {first}" if self.binary else of
            found.append(self._column("entropy", f"entropy({whole}) / ln {max(len(self.scores), 2)}"))
        if self.margin:
            made = f"|2 {first} - 1|" if self.binary else f"{largest} - second largest"
            found.append(self._column("margin", made))
        if self.band is not None:
            low, high = f"{self.band.low:g}", f"{self.band.high:g}"
            made = f"{low} <= {first} <= {high}" if self.binary else f"{largest} <= {high}"
            found.append(self._column("uncertain", made, Kind.CATEGORICAL))
        if self.predicted:
            of = ", ".join(f"{n}: {score}" for n, score in zip(self.classes, self.scores, strict=True))
            found.append(self._column("class", f"argmax({of})", Kind.CATEGORICAL, Role.PREDICTION))
        if self.checked:
            found.append(validity_column(self.name, self.scores, _OF_PROBABILITIES))
        return tuple(found)

    @property
    def asked(self) -> Mapping[str, tuple[AskedShare | AskedSide, ...]]:
        """Whether rows are uncertain, or no probabilities."""
        found: dict[str, tuple[AskedShare | AskedSide, ...]] = {}
        if self.band is not None and self.checked:
            share = AskedShare(
                "uncertain_share", YES, direction=Direction.BOTH, min_excess=self.band.min_change
            )
            found[f"{self.name}.uncertain"] = (share,)
        if self.checked:
            outside = AskedShare("out_of_range_share", Validity.OUT_OF_RANGE, min_excess=self.min_invalid)
            off = AskedShare("unnormalized_share", Validity.SUM, min_excess=self.min_invalid)
            found[f"{self.name}.validity"] = (outside,) if self.binary else (outside, off)
        return found

    def _column(
        self, measure: str, formula: str, kind: Kind = Kind.NUMERIC, role: Role = Role.SCORE
    ) -> Column:
        return Column(name=f"{self.name}.{measure}", path=formula_path(formula), kind=kind, role=role)

    def derive(
        self,
        numeric: Mapping[str, FloatArray],
        categorical: Mapping[str, list[str | None]] = NO_TEXTS,  # noqa: ARG002  # numbers are enough
    ) -> Values:
        """Compute them."""
        matrix, codes = self._matrix(numeric), self.validity(numeric)
        valid = codes == CODES[Validity.VALID]
        if self.binary:
            score = np.clip(np.where(valid, matrix[0], np.nan), 0.0, 1.0)
            probabilities = np.stack([score, 1.0 - score])
        else:
            probabilities = normalized(matrix, valid)
        numbers: dict[str, FloatArray] = {}
        texts: dict[str, list[str | None]] = {}
        if self.confidence:
            numbers[f"{self.name}.confidence"] = confidence(probabilities)
        if self.entropy:
            numbers[f"{self.name}.entropy"] = entropy(probabilities)
        if self.margin:
            numbers[f"{self.name}.margin"] = margin(probabilities)
        if self.band is not None:
            texts[f"{self.name}.uncertain"] = named((NO, YES), self._uncertain(probabilities, self.band))
        if self.predicted:
            texts[f"{self.name}.class"] = named(self.classes, most_probable(probabilities))
        if self.checked:
            texts[f"{self.name}.validity"] = named(tuple(Validity), codes)
        return Values(numbers, texts)

    def validity(self, numeric: Mapping[str, FloatArray]) -> IntArray:
        """Tell what is wrong with the probabilities of each row, by `CODES`, shape ``(rows,)``."""
        # What is missing to 1 is the other class's where there is one score: no sum to check.
        return validity(self._matrix(numeric), np.inf if self.binary else self.tolerance)

    def _matrix(self, numeric: Mapping[str, FloatArray]) -> FloatArray:
        return np.stack([numeric[score] for score in self.scores])

    def _uncertain(self, probabilities: FloatArray, band: Band) -> IntArray:
        """Return 1 where a row is uncertain, 0 where not, -1 where its probabilities are missing."""
        if self.binary:
            uncertain = (probabilities[0] >= band.low) & (probabilities[0] <= band.high)
        else:
            uncertain = confidence(probabilities) <= band.high
        return np.where(np.isnan(probabilities[0]), -1, uncertain).astype(np.int64)


def validity_column(name: str, sources: Sequence[str], levels: tuple[str, ...]) -> Column:
    """Return the column that says of each row what is wrong with some of its numbers."""
    return Column(
        name=f"{name}.validity",
        path=formula_path(f"validity({', '.join(sources)})"),
        kind=Kind.CATEGORICAL,
        role=Role.SCORE,
        levels=levels,
    )


def named(names: Sequence[str], places: IntArray) -> list[str | None]:
    """Turn places into names; -1 is a missing value."""
    known = np.array([*map(str, names), None], dtype=np.object_)
    found: list[str | None] = known[places].tolist()
    return found
