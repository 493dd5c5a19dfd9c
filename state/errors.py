"""The error of each prediction as a column for detectors to watch, of records or of joined rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.base import FloatArray, Kind
from state.columns import Column, Role, formula_path
from state.derived import NO, NO_TEXTS, YES, Values, named
from state.outcome_fields import class_names
from state.prediction_checks import AskedShare, AskedSide

ERROR, WRONG = "error", "wrong"
"""What the column is called: of numbers, and of classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionError:
    """Prediction minus label, or whether the predicted class is wrong; missing where either is.

    Implements `state.derived.Derivation`.
    """

    prediction: Column
    label: Column
    numbers: bool

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of prediction and label."""
        return self.prediction.name, self.label.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """The one column."""
        sign = "-" if self.numbers else "!="
        # A label from elsewhere has no name that anybody has given it.
        label = self.label.path if self.label.name.startswith("@") else self.label.name
        formula = formula_path(f"{self.prediction.name} {sign} {label}")
        name, kind = (ERROR, Kind.NUMERIC) if self.numbers else (WRONG, Kind.CATEGORICAL)
        return (Column(name=name, path=formula, kind=kind, role=Role.LABEL),)

    @property
    def asked(self) -> Mapping[str, tuple[AskedShare | AskedSide, ...]]:
        """Nothing: performance is checked by its metrics."""
        return {}

    def derive(
        self, numeric: Mapping[str, FloatArray], categorical: Mapping[str, list[str | None]] = NO_TEXTS
    ) -> Values:
        """Compute it."""
        if self.numbers:
            with np.errstate(over="ignore", invalid="ignore"):
                error = numeric[self.prediction.name] - numeric[self.label.name]
            return Values({ERROR: error}, {})
        rows = Values(numeric, categorical)
        pairs = zip(class_names(rows, self.prediction), class_names(rows, self.label), strict=True)
        wrong = [
            None if predicted is None or label is None else (NO if predicted == label else YES)
            for predicted, label in pairs
        ]
        return Values({}, {WRONG: wrong})

    def of_payloads(self, predicted: FloatArray, label: FloatArray, *, classes: int) -> Values:
        """Compute it of rows that were joined, from numbers as `state.outcomes` counts them.

        Two classes that are not known may be the same one or not: such a row has no error.

        Parameters
        ----------
        predicted, label
            Shape ``(rows,)``; of classes their indices.
        classes
            Index that stands for a class that is not known.
        """
        if self.numbers:
            with np.errstate(over="ignore", invalid="ignore"):
                return Values({ERROR: predicted - label}, {})
        missing = np.isnan(predicted) | np.isnan(label) | ((predicted == classes) & (label == classes))
        places = np.where(missing, -1, predicted != label).astype(np.int64)
        return Values({}, {WRONG: named((NO, YES), places)})
