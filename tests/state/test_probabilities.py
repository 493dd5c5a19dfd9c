"""Measures of class probabilities against scipy on raw rows, and that no row breaks or touches another."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from detectors.base import FloatArray
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

VALUES = st.one_of(
    st.floats(0, 1),
    st.sampled_from([nan, inf, -inf, -0.0, -0.5, 1.5, 1e300, 5e-324, 1 / 3]),
)


@st.composite
def matrices(draw: st.DrawFn) -> FloatArray:
    classes, rows = draw(st.integers(2, 12)), draw(st.integers(0, 9))
    drawn = draw(st.lists(VALUES, min_size=classes * rows, max_size=classes * rows))
    return np.array(drawn, dtype=np.float64).reshape(classes, rows)


def every_measure(matrix: FloatArray) -> FloatArray:
    """All that is computed of each row, shape ``(measures, rows)``."""
    found = validity(matrix, 0.01)
    shares = normalized(matrix, found == CODES[Validity.VALID])
    return np.stack(
        [found, most_probable(shares), confidence(shares), margin(shares), entropy(shares), *shares]
    )


def one(*row: float) -> Validity:
    (code,) = validity(np.array(row)[:, None], 0.01).tolist()
    return next(found for found, known in CODES.items() if known == code)


def test_measures_are_those_of_scipy_and_numpy() -> None:
    drawn = np.random.default_rng(5).dirichlet([0.5, 1.0, 2.0, 4.0], 500)
    _, classes, largest, above, disorder, *shares = every_measure(drawn.T)
    np.testing.assert_allclose(disorder, scipy_entropy(drawn, axis=1) / np.log(4), rtol=1e-12)
    np.testing.assert_allclose(largest, drawn.max(axis=1), rtol=1e-12)
    np.testing.assert_allclose(above, np.diff(np.sort(drawn, axis=1)[:, -2:], axis=1)[:, 0], atol=1e-12)
    np.testing.assert_array_equal(classes, drawn.argmax(axis=1))
    np.testing.assert_allclose(np.stack(shares), drawn.T, rtol=1e-12)


def test_entropy_reaches_both_ends() -> None:
    assert entropy(np.array([[1.0, 0.25], [0.0, 0.25], [0.0, 0.25], [0.0, 0.25]])).tolist() == [0.0, 1.0]


def test_of_equal_probabilities_the_first_class_is_taken() -> None:
    assert most_probable(np.array([[0.2, nan], [0.4, 0.5], [0.4, 0.5]])).tolist() == [1, -1]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ((0.5, 0.3, 0.2), Validity.VALID),
        # Rounded to two digits: three thirds make .99.
        ((0.33, 0.33, 0.33), Validity.VALID),
        # A softmax in single precision.
        ((1.0000001, -1e-8, 0.0), Validity.VALID),
        ((0.5, 0.3, 0.1), Validity.SUM),
        ((0.0, 0.0, 0.0), Validity.SUM),
        ((1.5, -0.5, 0.0), Validity.OUT_OF_RANGE),
        ((0.5, nan, 0.5), Validity.MISSING),
        ((nan, nan, nan), Validity.MISSING),
        # The first that applies: a number out of range is worse than one that is not there.
        ((1.5, nan, 0.0), Validity.OUT_OF_RANGE),
        ((inf, nan, -2.0), Validity.NOT_FINITE),
        ((-inf, 1.0, 0.0), Validity.NOT_FINITE),
    ],
)
def test_what_is_wrong_with_a_row(row: tuple[float, ...], found: Validity) -> None:
    assert one(*row) is found


@given(matrix=matrices())
def test_measures_are_within_their_ranges_or_missing_with_the_row(matrix: FloatArray) -> None:
    codes, classes, largest, above, disorder, *shares = every_measure(matrix)
    invalid = codes != CODES[Validity.VALID]
    for values in (largest, above, disorder, *shares):
        np.testing.assert_array_equal(np.isnan(values), invalid)
        assert ((values[~invalid] >= 0) & (values[~invalid] <= 1)).all()
    np.testing.assert_array_equal(classes == -1, invalid)
    np.testing.assert_allclose(np.sum(shares, axis=0)[~invalid], 1, rtol=1e-12)
    assert (largest[~invalid] >= (1 - 1e-12) / len(matrix)).all()


@given(matrix=matrices())
def test_a_row_is_the_same_bit_for_bit_in_any_batch(matrix: FloatArray) -> None:
    together = every_measure(matrix)
    for row in range(matrix.shape[1]):
        alone = every_measure(matrix[:, row : row + 1])
        assert alone[:, 0].tobytes() == together[:, row].tobytes()


def test_arguments_are_not_written_to() -> None:
    matrix = np.array([[0.4, nan, 2.0], [0.59, 0.5, 0.1]])
    before = matrix.copy()
    every_measure(matrix)
    np.testing.assert_array_equal(matrix, before)
