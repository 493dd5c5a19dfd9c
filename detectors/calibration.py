"""What a reference knows of its own scatter: how it changes over time, its tails, and simulated null laws."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from detectors.base import FloatArray, IntArray
from detectors.dependence import Dependence, dependence
from detectors.nulls import NullTable

MOST_CHUNKS = 256
"""Consecutive spans of a reference whose rows are counted apart."""


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
        Rows per coarse group in consecutive spans of the reference, in order, shape ``(spans, groups)`` with
        at most `MOST_CHUNKS` spans. None where the reference was built by a version that did not count them.
    tables
        Null laws by the detector's name, for those that need one.
    tails
        None for categories, and where the column has no moments.
    ordered
        Whether the groups have an order, as those of numeric columns do.
    """

    chunks: IntArray | None = None
    tables: Mapping[str, NullTable] = field(default_factory=dict)
    tails: Tails | None = None
    ordered: bool = True

    @cached_property
    def dependence(self) -> Dependence | None:
        """How much more windows scatter than independent rows would; None where no chunks were counted."""
        return None if self.chunks is None else dependence(self.chunks, ordered=self.ordered)
