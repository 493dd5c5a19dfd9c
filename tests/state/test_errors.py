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


def test_joined_numbers_have_the_same_difference() -> None:
    made = PredictionError(prediction=column("p"), label=column("y"), numbers=True)
    predicted, label = np.array([3.0, np.nan, 1.0]), np.array([1.0, 1.0, np.nan])
    of_records = made.derive({"p": predicted, "y": label}).numeric["error"]
    of_joined = made.of_payloads(predicted, label, classes=0).numeric["error"]
    assert np.array_equal(of_joined, of_records, equal_nan=True)


def test_joined_classes_are_right_or_wrong_as_far_as_they_are_known() -> None:
    made = PredictionError(prediction=column("p", Kind.CATEGORICAL), label=column("y"), numbers=False)
    # Of two classes 0 and 1: 2 is one that the reference did not have.
    predicted = np.array([1.0, 0.0, 2.0, 1.0, 2.0, np.nan, 1.0])
    label = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 1.0, np.nan])
    wrong = made.of_payloads(predicted, label, classes=2).categorical["wrong"]
    assert wrong == ["no", "yes", "yes", "yes", None, None, None]
