"""A bounded sample of a column, the same for the same rows, to choose bins from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray

SAMPLE_ROWS = 200_000
"""Values from which the edges of bins are chosen; the share of a bin is then known to .0005 or better."""

_APART = 3
"""Rows whose hash has none of these bits are set apart."""

DISTINCT = 200_000
"""Distinct categories that are counted at once; beyond, the rarest are forgotten."""


def row_hash(rows: IntArray) -> IntArray:
    """Scatter row numbers over 63 bits (SplitMix64, Steele, Lea & Flood 2014), same shape.

    A sample of every k-th row would fall in step with data that has a period.
    """
    x = rows.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


@dataclass(slots=True)
class NumericSample:
    """Keeps the values of rows whose hash ends in enough zeros, more zeros as more rows come.

    `low` and `high` are the extremes of all finite values, in the sample or not.
    """

    limit: int = SAMPLE_ROWS
    low: float = inf
    high: float = -inf
    _mask: int = 0
    _values: list[FloatArray] = field(default_factory=list)
    _hashes: list[IntArray] = field(default_factory=list)
    _kept: int = 0

    def add(self, values: FloatArray, hashes: IntArray) -> None:
        """Take values (NaN and infinities are passed over) with the hashes of their rows, same shape."""
        finite = np.isfinite(values)
        self.low = min(self.low, float(values.min(where=finite, initial=inf)))
        self.high = max(self.high, float(values.max(where=finite, initial=-inf)))
        keep = finite & ((hashes & self._mask) == 0)
        self._values.append(values[keep])
        self._hashes.append(hashes[keep])
        self._kept += int(keep.sum())
        while self._kept > self.limit:
            self._mask = self._mask * 2 + 1
            values, hashes = self.values, np.concatenate(self._hashes)
            keep = (hashes & self._mask) == 0
            self._values, self._hashes, self._kept = [values[keep]], [hashes[keep]], int(keep.sum())

    @property
    def extent(self) -> tuple[float, float] | None:
        """Both extremes; None without a value."""
        return (self.low, self.high) if self.low <= self.high else None

    @property
    def values(self) -> FloatArray:
        """The sample, shape ``(kept,)``."""
        return np.concatenate(self._values) if self._values else np.zeros(0)


def set_apart(hashes: IntArray) -> NDArray[np.bool_]:
    """Tell which rows, by their hashes, choose the categories of a column that has too many: every fourth."""
    apart: NDArray[np.bool_] = (hashes & _APART) == 0
    return apart


@dataclass(slots=True)
class CategoryCounts:
    """Counts categories exactly while there are few; of very many, the frequent ones.

    `apart` counts those of the rows that are set apart.
    """

    limit: int = DISTINCT
    counts: Counter[str] = field(default_factory=Counter)
    apart: Counter[str] = field(default_factory=Counter)

    def add(self, values: Sequence[str | None], hashes: IntArray) -> None:
        """Take values (None is passed over) with the hashes of their rows."""
        self.counts.update(value for value in values if value is not None)
        pairs = zip(values, set_apart(hashes).tolist(), strict=True)
        self.apart.update(value for value, apart in pairs if apart and value is not None)
        if len(self.counts) > self.limit:
            self.counts = Counter(dict(self.counts.most_common(self.limit // 2)))
            self.apart = Counter({name: n for name, n in self.apart.items() if name in self.counts})
