"""E-detectors: evidence of block after block, added up so that the time to a false alarm has a bound.

The state is one array for all components of all columns of a family. Functions return new arrays; what a
caller stores is his business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray
from detectors.elementary import exp, log

BoolArray = NDArray[np.bool_]


class Recursion(StrEnum):
    """How a detector takes up the e-value of the next block."""

    SR = "e-sr"
    """Shiryaev-Roberts: ``M <- (M + 1) e``, the sum over all moments at which drift may have begun."""
    CUSUM = "e-cusum"
    """``M <- max(M, 1) e``, the largest over those moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EDetectors:
    """Detectors of all columns of a family; each column's is the weighted mean of its components'.

    Without drift a column's detector grows by at most 1 a block in expectation, from 0, whatever the
    dependence between columns and components: ``E[M_t | past] = (M + 1) E[e | past] <= M + 1``.

    Attributes
    ----------
    weights
        Of all components, columns one after the other, shape ``(components,)``.
    owners
        Column of each component, same shape.
    columns
        How many there are; a column may have no component, and never alarms then.

    References
    ----------
    Shin, Ramdas & Rinaldo (2023), E-detectors: a nonparametric framework for sequential change detection,
    New England Journal of Statistics in Data Science 2(2), 229-260.
    """

    weights: FloatArray
    owners: IntArray
    columns: int
    recursion: Recursion = Recursion.SR

    @classmethod
    def of(cls, weights: Sequence[FloatArray], recursion: Recursion = Recursion.SR) -> Self:
        """Lay out a family from the weights of each column's components."""
        return cls(
            weights=np.concatenate([np.empty(0), *weights]),
            owners=np.repeat(np.arange(len(weights)), [each.size for each in weights]),
            columns=len(weights),
            recursion=recursion,
        )

    def start(self) -> FloatArray:
        """Return the state before any block: logarithms of 0, shape ``(components,)``."""
        return np.full(self.weights.shape, -np.inf)

    def update(self, log_m: FloatArray, log_e: FloatArray, arrived: BoolArray) -> FloatArray:
        """Take up one block of the columns that have one.

        Parameters
        ----------
        log_m
            The state, shape ``(components,)``.
        log_e
            Logarithms of the e-values, same shape; those of columns without a block are not read.
        arrived
            Columns that have a block, shape ``(columns,)``.
        """
        before = np.logaddexp(log_m, 0.0) if self.recursion is Recursion.SR else np.maximum(log_m, 0.0)
        return np.where(arrived[self.owners], before + log_e, log_m)

    def log_values(self, log_m: FloatArray) -> FloatArray:
        """Logarithm of each column's detector, shape ``(columns,)``; minus infinity where it is 0."""
        peaks = np.full(self.columns, -np.inf)
        np.maximum.at(peaks, self.owners, log_m)
        finite = np.where(np.isfinite(peaks), peaks, 0.0)
        parts = self.weights * exp(log_m - finite[self.owners])
        with np.errstate(divide="ignore"):
            return log(np.bincount(self.owners, weights=parts, minlength=self.columns)) + finite

    def restart(self, log_m: FloatArray, alarmed: BoolArray) -> FloatArray:
        """Set the columns that raised an alarm back to 0; `alarmed` is of shape ``(columns,)``."""
        return np.where(alarmed[self.owners], -np.inf, log_m)

    def leader(self, log_m: FloatArray, column: int) -> int:
        """Index, among a column's own components, of the one that carries most of its detector."""
        mine = self.owners == column
        return int(np.argmax(log_m[mine] + log(self.weights[mine])))
