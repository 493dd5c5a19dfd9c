"""Corrections for asking about many features at once."""

from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from detectors.base import DriftflowError, FloatArray
from detectors.elementary import log


class PValueError(DriftflowError):
    """Numbers given as p-values that are none."""


class Correction(StrEnum):
    """How the p-values of a family are adjusted."""

    BENJAMINI_HOCHBERG = "benjamini-hochberg"
    """For the share of false ones among those that are called."""
    BONFERRONI = "bonferroni"
    """For any false one at all."""
    NONE = "none"
    """Not at all: of a hundred columns without drift five are called at .05."""


def benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    """Adjust p-values for the false discovery rate.

    Declaring drift wherever the result is at most alpha keeps the expected share of false ones among the
    declared at alpha or below, for independent and for positively dependent p-values.

    Parameters
    ----------
    p_values
        Shape ``(tests,)``, each in [0, 1]; may be empty.

    Returns
    -------
    FloatArray
        Adjusted p-values (q-values) in the order given, shape ``(tests,)``: each at least its p-value, at
        most 1, and in the same ranking.

    Raises
    ------
    PValueError
        The array is not one-dimensional, or a value is outside [0, 1] or NaN.

    References
    ----------
    Benjamini & Hochberg (1995), Controlling the false discovery rate, Journal of the Royal Statistical
    Society B 57(1), 289-300.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.04, 0.04])
    """
    if p_values.ndim != 1:
        raise PValueError(f"P-values of shape {p_values.shape}; give one array of shape (tests,).")
    valid = (p_values >= 0) & (p_values <= 1)
    if not valid.all():
        index = int(np.argmin(valid))
        raise PValueError(
            f"P-value {p_values[index]} at index {index} is not in [0, 1]; leave out tests that gave none."
        )
    descending = np.argsort(-p_values, kind="stable")
    tests = p_values.size
    # The factor is at least 1, so that no rounding can bring a q-value below its p-value.
    scaled = p_values[descending] * (tests / np.arange(tests, 0, -1))
    adjusted = np.empty(tests)
    adjusted[descending] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return adjusted


def family_q_values(
    p_values: Sequence[float | None], correction: Correction = Correction.BENJAMINI_HOCHBERG
) -> list[float | None]:
    """Adjust the p-values of a family in which some members could not be judged (None).

    Those stay in the family with a p-value of 1: the others are then adjusted for all columns that are
    watched, not only for those that happened to have rows. They get no q-value.

    Examples
    --------
    >>> family_q_values([0.01, None])
    [0.02, None]
    >>> family_q_values([0.01, 0.02], Correction.BONFERRONI)
    [0.02, 0.04]
    """
    q_values = _adjusted(np.array([1.0 if p is None else p for p in p_values]), correction).tolist()
    return [None if p is None else q for p, q in zip(p_values, q_values, strict=True)]


def _adjusted(p_values: FloatArray, correction: Correction) -> FloatArray:
    match correction:
        case Correction.BENJAMINI_HOCHBERG:
            return benjamini_hochberg(p_values)
        case Correction.BONFERRONI:
            return np.minimum(p_values * p_values.size, 1.0)
        case Correction.NONE:
            return p_values
        case _:
            assert_never(correction)


def e_benjamini_hochberg(log_m: FloatArray, log_threshold: float) -> NDArray[np.bool_]:
    """Choose the detectors that alarm: the k largest, for the largest k whose k-th is at least ``K c / k``.

    With e-values in place of detectors and ``c = 1 / alpha`` this controls the false discovery rate at alpha
    under any dependence; with e-detectors it bounds the number of false alarms over time, see
    `detectors.sequential.budget.Budget`.

    Parameters
    ----------
    log_m
        Natural logarithms of the K detectors, shape ``(K,)``, minus infinity for 0; may be empty.
    log_threshold
        Natural logarithm of c.

    Returns
    -------
    NDArray[np.bool_]
        Shape ``(K,)``.

    References
    ----------
    Wang & Ramdas (2022), False discovery rate control with e-values, Journal of the Royal Statistical Society
    B 84(3), 822-852. Dandapanthula & Ramdas (2025), Multiple testing in multi-stream sequential change
    detection, arXiv 2501.04130.

    Examples
    --------
    >>> e_benjamini_hochberg(np.log([30.0, 25.0, 1.0]), np.log(10)).tolist()
    [True, True, False]
    """
    count = log_m.size
    descending = np.sort(log_m)[::-1]
    enough = descending >= log_threshold + log(count / np.arange(1, count + 1))
    if not enough.any():
        return np.zeros(count, dtype=np.bool_)
    return np.asarray(log_m >= descending[int(np.flatnonzero(enough)[-1])])
