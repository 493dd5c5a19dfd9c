"""What a row's class probabilities say: how sure the model is, and whether they are probabilities at all."""

import math
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from detectors.base import FloatArray, IntArray

_ROUNDING = 1e-6
"""How far a number may leave its range: probabilities of a model in single precision do, by rounding."""


class Validity(StrEnum):
    """What is wrong with the numbers of one row, the first that applies; in the order of their codes."""

    VALID = "valid"
    NOT_FINITE = "not_finite"
    """A number is NaN or infinite."""
    OUT_OF_RANGE = "out_of_range"
    """A number is outside its bounds."""
    MISSING = "missing"
    """A number is not there."""
    SUM = "sum"
    """The probabilities of all classes do not add up to 1."""
    CROSSED = "crossed"
    """The lower end of an interval is above the upper one."""


CODES = {validity: code for code, validity in enumerate(Validity)}


def validity(matrix: FloatArray, tolerance: float) -> IntArray:
    """Tell what is wrong with each row's probabilities.

    Parameters
    ----------
    matrix
        Probability of each class, shape ``(classes, rows)``; NaN: missing, plus infinity: not finite.
    tolerance
        How far their sum may be from 1.

    Returns
    -------
    codes
        By `CODES`, shape ``(rows,)``.
    """
    missing = np.isnan(matrix)
    outside = np.where(missing, False, (matrix < -_ROUNDING) | (matrix > 1.0 + _ROUNDING))
    # What is not a number counts as none here; what it makes of the sum is not looked at.
    off = abs(_sum(np.where(np.isfinite(matrix), matrix, 0.0)) - 1.0) > tolerance + _ROUNDING
    return np.select(
        [
            np.isinf(matrix).any(axis=0),
            outside.any(axis=0),
            missing.any(axis=0),
            off,
        ],
        [CODES[v] for v in (Validity.NOT_FINITE, Validity.OUT_OF_RANGE, Validity.MISSING, Validity.SUM)],
        CODES[Validity.VALID],
    ).astype(np.int64)


def normalized(matrix: FloatArray, valid: NDArray[np.bool_]) -> FloatArray:
    """Scale the probabilities of valid rows to a sum of exactly 1, as rounded ones miss it; others are NaN.

    Parameters
    ----------
    matrix
        Shape ``(classes, rows)``.
    valid
        Shape ``(rows,)``.

    Returns
    -------
    probabilities
        Within [0, 1] or NaN, same shape as `matrix`.
    """
    inside = np.clip(np.where(valid, matrix, np.nan), 0.0, 1.0)
    return inside / np.where(valid, _sum(inside), np.nan)


def confidence(probabilities: FloatArray) -> FloatArray:
    """Return the largest probability of each row, shape ``(rows,)``; NaN where one is missing."""
    largest: FloatArray = probabilities.max(axis=0)
    return largest


def margin(probabilities: FloatArray) -> FloatArray:
    """Return how far the largest is above the second, shape ``(rows,)``; NaN where one is missing."""
    ordered = np.sort(probabilities, axis=0)
    # NaNs are sorted to the end.
    above: FloatArray = ordered[-1] - ordered[-2]
    return above


def entropy(probabilities: FloatArray) -> FloatArray:
    """Return the entropy of each row over that of equal probabilities, from 0 (sure) to 1, shape ``(rows,)``.

    Shannon (1948): -Σ p ln p, divided by ln(classes); NaN where a probability is missing.
    """
    shares: FloatArray = np.clip(_sum(entr(probabilities)) / math.log(len(probabilities)), 0.0, 1.0)
    return shares


def most_probable(probabilities: FloatArray) -> IntArray:
    """Return the place of each row's largest, of equal ones the first; -1 where one is missing."""
    known = ~np.isnan(probabilities).any(axis=0)
    return np.where(known, np.argmax(np.where(known, probabilities, 0.0), axis=0), -1).astype(np.int64)


def _sum(matrix: FloatArray) -> FloatArray:
    """Add the rows of a matrix in their order: numpy orders terms by the shape, so by how batches are cut."""
    total = np.zeros(matrix.shape[1])
    for row in matrix:
        total += row
    return total
