"""The column of errors: missing where prediction or label is, whatever kind they are of."""

import numpy as np

from detectors.base import Kind
from state.errors import PredictionError
from tests.state.outcome_rows import column


def test_numbers_have_a_difference() -> None:
    made = PredictionError(prediction=column("p"), label=column("y"), numbers=True)
    values = made.derive({"p": np.array([3.0, np.nan, 1.0]), "y": np.array([1.0, 1.0, np.nan])}).numeric
    assert np.array_equal(values["error"], [2.0, np.nan, np.nan], equal_nan=True)
    (told,) = made.columns
    assert (told.name, told.formula, told.kind) == ("error", "p - y", Kind.NUMERIC)


def test_classes_are_right_or_wrong() -> None:
    made = PredictionError(prediction=column("p", Kind.CATEGORICAL), label=column("y"), numbers=False)
    texts = {"p": ["1", "0", "1.0", None, "1"]}
    values = made.derive({"y": np.array([1.0, 1.0, 1.0, 1.0, np.nan])}, texts).categorical
    assert values["wrong"] == ["no", "yes", "no", None, None]
    (told,) = made.columns
    assert (told.name, told.formula, told.kind) == ("wrong", "p != y", Kind.CATEGORICAL)
    assert made.sources == ("p", "y")
