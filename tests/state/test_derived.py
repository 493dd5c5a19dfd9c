"""Derived columns: what is made of which fields, by which formula, and what a bad row gives."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from detectors.base import Kind
from state.columns import Role
from state.derived import Band, Certainty
from state.intervals import Bounded, Interval
from state.probabilities import CODES, Validity

BINARY = Certainty(name="p", scores=("p",), classes=("yes",), margin=True, band=Band(low=0.4, high=0.6))
THREE = Certainty(
    name="scores",
    scores=("a", "b", "c"),
    classes=("apple", "pear", "plum"),
    margin=True,
    predicted=True,
    band=Band(low=0.4, high=0.6),
)


def test_one_score_speaks_for_two_classes() -> None:
    made = BINARY.derive({"p": np.array([0.9, 0.5, 0.4, 0.39, nan, 1.2])})
    np.testing.assert_allclose(made.numeric["p.confidence"], [0.9, 0.5, 0.6, 0.61, nan, nan])
    np.testing.assert_allclose(made.numeric["p.margin"], [0.8, 0.0, 0.2, 0.22, nan, nan])
    # -(.9 log2 .9 + .1 log2 .1) = .468996, Shannon (1948), figure 7.
    np.testing.assert_allclose(made.numeric["p.entropy"][:2], [0.468996, 1.0], atol=1e-6)
    assert made.categorical["p.uncertain"] == ["no", "yes", "yes", "no", None, None]


def test_several_scores_also_give_a_class() -> None:
    made = THREE.derive(
        {
            "a": np.array([0.7, 0.1, 0.4, 0.5]),
            "b": np.array([0.2, 0.3, 0.4, 0.5]),
            "c": np.array([0.1, 0.6, 0.2, 0.5]),
        }
    )
    assert made.categorical["scores.class"] == ["apple", "plum", "apple", None]
    assert made.categorical["scores.uncertain"] == ["no", "yes", "yes", None]
    np.testing.assert_allclose(made.numeric["scores.confidence"], [0.7, 0.6, 0.4, nan])


@pytest.mark.parametrize("certainty", [BINARY, THREE])
def test_what_is_announced_is_what_is_made(certainty: Certainty) -> None:
    certainty = replace(certainty, checked=True)
    made = certainty.derive({name: np.array([0.2]) for name in certainty.sources})
    numeric = {column.name for column in certainty.columns if column.kind is Kind.NUMERIC}
    categorical = {column.name for column in certainty.columns if column.kind is Kind.CATEGORICAL}
    assert (set(made.numeric), set(made.categorical)) == (numeric, categorical)
    assert set(certainty.asked) < numeric | categorical
    nothing = replace(
        certainty, confidence=False, entropy=False, margin=False, predicted=False, band=None, checked=False
    )
    assert nothing.asked == {}
    assert nothing.columns == ()
    assert not nothing.derive({name: np.array([0.2]) for name in certainty.sources}).numeric


def test_columns_say_their_formula_and_role() -> None:
    found = {column.name: (column.formula, column.role) for column in (*BINARY.columns, *THREE.columns)}
    assert found["p.confidence"] == ("max(p, 1 - p)", Role.SCORE)
    assert found["p.uncertain"] == ("0.4 <= p <= 0.6", Role.SCORE)
    assert found["scores.entropy"] == ("entropy(a, b, c) / ln 3", Role.SCORE)
    assert found["scores.uncertain"] == ("max(a, b, c) <= 0.6", Role.SCORE)
    assert found["scores.class"] == ("argmax(apple: a, pear: b, plum: c)", Role.PREDICTION)


def test_an_interval_has_a_width_unless_its_ends_cross() -> None:
    interval = Interval(low="l", high="h")
    ends = {"l": np.array([1.0, 2.0, nan, inf, 3.0]), "h": np.array([4.0, 1.0, 1.0, 5.0, 3.0])}
    np.testing.assert_array_equal(interval.derive(ends).numeric["interval.width"], [3, nan, nan, nan, 0])
    wrong = (Validity.VALID, Validity.CROSSED, Validity.MISSING, Validity.NOT_FINITE, Validity.VALID)
    assert interval.validity(ends).tolist() == [CODES[each] for each in wrong]
    assert [column.formula for column in interval.columns] == ["h - l"]


def test_a_width_beyond_all_floats_is_infinite_without_a_warning() -> None:
    ends = {"l": np.array([-1.7e308]), "h": np.array([1.7e308])}
    assert Interval(low="l", high="h").derive(ends).numeric["interval.width"].tolist() == [inf]


def test_what_is_wrong_with_a_row_is_named() -> None:
    checked = replace(THREE, checked=True)
    vectors = np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.1], [-1.0, 1.0, 1.0], [nan, 0.5, 0.5], [0.2, inf, 0.8]])
    made = checked.derive(dict(zip("abc", vectors.T, strict=True)))
    wanted = ["valid", "sum", "out_of_range", "missing", "not_finite"]
    assert made.categorical["scores.validity"] == wanted
    ends = {"l": np.array([1.0, 2.0, nan, inf]), "h": np.array([4.0, 1.0, 1.0, 5.0])}
    crossed = Interval(low="l", high="h", checked=True).derive(ends)
    assert crossed.categorical["interval.validity"] == ["valid", "crossed", "missing", "not_finite"]


@pytest.mark.parametrize(
    ("low", "high", "found", "formula"),
    [
        (0.0, 10.0, ["valid", "valid", "out_of_range", "out_of_range"], "validity(0 <= y <= 10)"),
        (0.0, None, ["valid", "valid", "valid", "out_of_range"], "validity(0 <= y)"),
        (None, 10.0, ["valid", "valid", "out_of_range", "valid"], "validity(y <= 10)"),
    ],
)
def test_values_are_within_their_bounds_or_not(
    low: float | None, high: float | None, found: list[str], formula: str
) -> None:
    bounded = Bounded(source="y", low=low, high=high)
    made = bounded.derive({"y": np.array([0.0, 10.0, 10.5, -0.1, nan, inf])})
    assert made.categorical["y.validity"] == [*found, "missing", "not_finite"]
    assert [column.formula for column in bounded.columns] == [formula]
    assert not any(column.watched for column in bounded.columns)
