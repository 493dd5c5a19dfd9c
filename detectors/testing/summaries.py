"""Summaries built from raw rows or counts, the slow and obvious way, with arrays that refuse writes."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from detectors.base import FloatArray, IntArray, Kind, Moments, Summary


def frozen_ints(values: ArrayLike) -> IntArray:
    """Return whole numbers that refuse writes."""
    array = np.array(values, dtype=np.int64)
    array.setflags(write=False)
    return array


def frozen_floats(values: ArrayLike) -> FloatArray:
    """Return real numbers that refuse writes."""
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def bin_of(values: FloatArray, edges: FloatArray) -> NDArray[np.intp]:
    """Bin of each value: a bin is ``(low, high]``."""
    return np.searchsorted(edges, values, side="left")


def numeric(
    values: ArrayLike,
    edges: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    continuous: bool = True,
    moments: bool = True,
) -> Summary:
    """Count rows over the bins of these upper edges; every bin is a group unless `groups` are given."""
    rows, uppers = frozen_floats(values), frozen_floats(edges)
    bins = uppers.size + 1
    index = bin_of(rows, uppers)
    first_moments = None
    if moments and rows.size:
        first_moments = Moments(
            bin_sums=frozen_floats([rows[index == each].sum() for each in range(bins)]),
            mean=float(rows.mean()),
            variance=float(rows.var()),
            minimum=float(rows.min()),
            maximum=float(rows.max()),
        )
    return Summary(
        kind=Kind.NUMERIC,
        counts=frozen_ints([(index == each).sum() for each in range(bins)]),
        groups=frozen_ints(np.arange(bins) if groups is None else groups),
        continuous=continuous,
        edges=uppers,
        moments=first_moments,
    )


def categorical(counts: Sequence[int], *, groups: ArrayLike | None = None) -> Summary:
    """Summarize categories by their rows; every one is a group of its own unless `groups` are given."""
    return Summary(
        kind=Kind.CATEGORICAL,
        counts=frozen_ints(counts),
        groups=frozen_ints(np.arange(len(counts)) if groups is None else groups),
        continuous=False,
    )


def nudged(value: float, toward: float) -> float:
    """Return the next double in a direction."""
    return float(np.nextafter(value, toward))


VALUES = st.floats(-1e6, 1e6, allow_subnormal=False) | st.integers(-3, 3).map(float)
"""Rows with and without ties."""


@st.composite
def bin_edges(draw: st.DrawFn) -> list[float]:
    """Draw edges of which some close a bin that has room for one double only."""
    edges = draw(st.lists(VALUES, max_size=8))
    atoms = [nudged(each, -np.inf) for each in edges if draw(st.booleans())]
    return sorted({*edges, *atoms})


@st.composite
def numeric_pairs(draw: st.DrawFn) -> tuple[list[float], list[float], list[float]]:
    """Draw rows of two sides, and edges."""
    edges = draw(bin_edges())
    rows = VALUES | st.sampled_from(edges) if edges else VALUES
    return (
        draw(st.lists(rows, min_size=1, max_size=30)),
        draw(st.lists(rows, min_size=1, max_size=30)),
        edges,
    )


@st.composite
def count_pairs(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Draw counts of two sides over the same groups, at least one row each."""
    groups = draw(st.integers(1, 12))
    side = st.lists(st.integers(0, 200), min_size=groups, max_size=groups).filter(any)
    return draw(side), draw(side)


@st.composite
def summary_pairs(draw: st.DrawFn, kinds: frozenset[Kind]) -> tuple[Summary, Summary]:
    """Draw a reference and a window of one of the kinds, over the same bins and coarse groups."""
    kind = draw(st.sampled_from(sorted(kinds)))
    if kind is Kind.CATEGORICAL:
        before, now = draw(count_pairs())
        groups = coarse_groups(len(before), draw(st.integers(1, 12)))
        return categorical(before, groups=groups), categorical(now, groups=groups)
    rows_before, rows_now, edges = draw(numeric_pairs())
    groups = coarse_groups(len(edges) + 1, draw(st.integers(1, 12)))
    continuous = draw(st.booleans())
    return (
        numeric(rows_before, edges, groups=groups, continuous=continuous),
        numeric(rows_now, edges, groups=groups, continuous=continuous),
    )


def coarse_groups(bins: int, wanted: int) -> list[int]:
    """Spread bins over at most `wanted` groups of neighbours, none of them empty."""
    groups = min(bins, wanted)
    return [each * groups // bins for each in range(bins)]
