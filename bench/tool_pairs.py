"""Pairs of real columns that tools are asked about and tests make again: what scikit-learn brings along."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits

_HALF, _MOST = 300, 1_200


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of a column; categories by their number."""

    before: NDArray[np.float64]
    now: NDArray[np.float64]
    numeric: bool


def pairs() -> Mapping[str, Pair]:
    """Split two data sets where they stand: small and large references, few values and many, two classes."""
    cells, digits = load_breast_cancer(), load_digits()
    ink = digits.data.sum(axis=1)
    quarter = np.digitize(ink, np.quantile(ink, [0.25, 0.5, 0.75]))
    return {
        "radius": _split(cells.data[:, 0], _HALF, numeric=True),
        "malignant": _split(cells.target, _HALF, numeric=False),
        "ink": _split(ink, _MOST, numeric=True),
        # Whole numbers from 0 to 16.
        "pixel": _split(digits.data[:, 20], _MOST, numeric=True),
        "digit": _split(digits.target, _MOST, numeric=False),
        "quarter of ink": _split(quarter, 2 * _HALF, numeric=False),
    }


def _split(values: NDArray[np.generic], rows: int, *, numeric: bool) -> Pair:
    numbers = values.astype(np.float64)
    return Pair(numbers[:rows], numbers[rows:], numeric=numeric)
