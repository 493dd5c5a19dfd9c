"""What a reference knows of its own scatter: how it changes over time, its tails, and simulated null laws."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from math import isfinite

import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.dependence import Dependence, dependence
from detectors.nulls import NullTable
from detectors.scatter import Statistic


class Fault(StrEnum):
    """Rows of a column that a reference counts apart, because they come in clumps."""

    MISSING = "missing"
    NON_FINITE = "non_finite"
    ZERO = "zero"


WITHOUT_VALUE = (Fault.MISSING, Fault.NON_FINITE)
"""Those that are in no group; a zero is a value."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tails:
    """Shape of a numeric column's reference rows, where bins and two moments do not tell it.

    Attributes
    ----------
    skewness, excess_kurtosis
        Third and fourth standardised central moments, the latter less the 3 of a normal law.
    bin_deviations
        Standard deviation of the rows inside each fine bin, in the column's units, shape ``(bins,)``; 0
        where a bin holds fewer than two rows.
    """

    skewness: float
    excess_kurtosis: float
    bin_deviations: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """What was measured on the rows of a reference beside their counts; each part may be unknown.

    Attributes
    ----------
    chunks
        Rows per coarse group in consecutive spans of the reference, in order, shape ``(spans, groups)``. None
        where its rows have no order, and where it was built by a version that did not count them.
    tables
        Null laws by the detector's name, for those that need one.
    tails
        None for categories, and where `measure_tails` has none.
    ordered
        Whether the groups have an order, as those of numeric columns do.
    faults
        Rows with a `Fault` in the same spans, shape ``(spans,)`` each; those faults that occur. Only beside
        chunks.
    """

    chunks: IntArray | None = None
    tables: Mapping[str, NullTable] = field(default_factory=dict)
    tails: Tails | None = None
    ordered: bool = True
    faults: Mapping[Fault, IntArray] = field(default_factory=dict)

    @cached_property
    def dependence(self) -> Dependence | None:
        """How much more windows scatter than independent rows would; None where no chunks were counted."""
        return None if self.chunks is None else dependence(self.chunks, ordered=self.ordered)

    def clump(self, fault: Fault, n: int) -> float:
        """Variance of the share of a fault in n rows over that of independent rows, at least 1.

        As if faults came in clumps of so many rows; 1 where the reference has none to learn it from.
        """
        known = self._scatter_of_faults.get(fault)
        return 1.0 if known is None else known.inflation(n, Statistic.CHI_SQUARE)

    @cached_property
    def _scatter_of_faults(self) -> dict[Fault, Dependence]:
        if self.chunks is None:
            return {}
        values = self.chunks.sum(axis=1)
        rows = values.copy()
        for fault in WITHOUT_VALUE:
            rows += self.faults.get(fault, 0)
        found = {}
        for fault, counts in self.faults.items():
            others = (rows if fault in WITHOUT_VALUE else values) - counts
            found[fault] = dependence(np.column_stack([counts, others]), ordered=False)
        return found


def measure_tails(values: FloatArray, edges: FloatArray) -> Tails | None:
    """Measure the tails of rows, or of a sample of them; the order of the values does not matter.

    Parameters
    ----------
    values
        Finite, shape ``(rows,)``.
    edges
        Upper edges of all bins but the last, shape ``(bins - 1,)``, increasing; a bin is ``(low, high]``.

    Returns
    -------
    Tails | None
        None where there are no values, all are the same, or a figure overflows.

    Examples
    --------
    >>> measure_tails(np.array([0.0, 0.0, 0.0, 4.0]), np.array([1.0])).skewness
    1.1547
    """
    ordered = np.sort(values)
    if not len(ordered) or ordered[0] == ordered[-1]:
        return None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        deviation = float(ordered.std())
        scaled = (ordered - ordered.mean()) / deviation
        place = np.searchsorted(edges, ordered, side="left")
        counts = np.maximum(np.bincount(place, minlength=len(edges) + 1), 1)
        inside = scaled - (np.bincount(place, weights=scaled, minlength=len(counts)) / counts)[place]
        squares = np.bincount(place, weights=inside * inside, minlength=len(counts)) / counts
        found = Tails(
            skewness=float((scaled * scaled * scaled).mean()),
            excess_kurtosis=float(np.square(scaled * scaled).mean()) - 3,
            bin_deviations=np.sqrt(squares) * deviation,
        )
    figures = (found.skewness, found.excess_kurtosis, float(found.bin_deviations.sum()))
    return found if all(map(isfinite, figures)) else None
