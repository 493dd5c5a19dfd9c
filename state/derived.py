"""Columns that are computed from other fields of the same row, and watched like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from detectors.base import FloatArray, IntArray, Kind
from state.columns import Column, Role, formula_path
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
    categorical: Mapping[str, Sequence[str | None]]


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

    def derive(self, numeric: Mapping[str, FloatArray]) -> Values:
        """Compute them from numeric fields, shape ``(rows,)`` each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Scores from which no decision follows, both ends included."""

    low: float
    high: float


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
        return tuple(found)

    def _column(
        self, measure: str, formula: str, kind: Kind = Kind.NUMERIC, role: Role = Role.SCORE
    ) -> Column:
        return Column(name=f"{self.name}.{measure}", path=formula_path(formula), kind=kind, role=role)

    def derive(self, numeric: Mapping[str, FloatArray]) -> Values:
        """Compute them."""
        matrix, valid = self._matrix(numeric), self.validity(numeric) == CODES[Validity.VALID]
        if self.binary:
            score = np.clip(np.where(valid, matrix[0], np.nan), 0.0, 1.0)
            probabilities = np.stack([score, 1.0 - score])
        else:
            probabilities = normalized(matrix, valid)
        numbers: dict[str, FloatArray] = {}
        texts: dict[str, Sequence[str | None]] = {}
        if self.confidence:
            numbers[f"{self.name}.confidence"] = confidence(probabilities)
        if self.entropy:
            numbers[f"{self.name}.entropy"] = entropy(probabilities)
        if self.margin:
            numbers[f"{self.name}.margin"] = margin(probabilities)
        if self.band is not None:
            texts[f"{self.name}.uncertain"] = _named((NO, YES), self._uncertain(probabilities, self.band))
        if self.predicted:
            texts[f"{self.name}.class"] = _named(self.classes, most_probable(probabilities))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalWidth:
    """How wide the interval is in which the model expects the truth; without a value where its ends cross."""

    low: str
    high: str
    name: str = "interval"

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of both ends."""
        return self.low, self.high

    @property
    def columns(self) -> tuple[Column, ...]:
        """The width."""
        formula = formula_path(f"{self.high} - {self.low}")
        return (Column(name=f"{self.name}.width", path=formula, kind=Kind.NUMERIC, role=Role.SCORE),)

    def derive(self, numeric: Mapping[str, FloatArray]) -> Values:
        """Compute it."""
        valid = self.validity(numeric) == CODES[Validity.VALID]
        low, high = (np.where(valid, numeric[name], np.nan) for name in (self.low, self.high))
        with np.errstate(over="ignore"):
            return Values({f"{self.name}.width": high - low}, {})

    def validity(self, numeric: Mapping[str, FloatArray]) -> IntArray:
        """Tell what is wrong with the ends of each row, by `CODES`, shape ``(rows,)``."""
        low, high = numeric[self.low], numeric[self.high]
        return np.select(
            [np.isinf(low) | np.isinf(high), np.isnan(low) | np.isnan(high), low > high],
            [CODES[v] for v in (Validity.NOT_FINITE, Validity.MISSING, Validity.CROSSED)],
            CODES[Validity.VALID],
        ).astype(np.int64)


def _named(names: Sequence[str], places: IntArray) -> list[str | None]:
    """Turn places into names; -1 is a missing value."""
    known = (*names, None)
    return [known[place] for place in places.tolist()]
