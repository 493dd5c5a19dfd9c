"""Null laws by simulation: the true shares given the reference are Dirichlet, a window of them multinomial.

Between two order statistics of m rows lies a Dirichlet share of any continuous distribution (Wilks,
Mathematical Statistics, 1962, 8.7); for categories Dirichlet is the posterior of the shares given their
counts. So the reference stays as it is and both errors are in the simulation: its own and the window's.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from detectors.base import FloatArray, IntArray, Summary
from detectors.coarse import coarsen
from detectors.distance_simulation import distance_tables
from detectors.group_statistics import GROUP_STATISTICS
from detectors.nulls import (
    LARGEST_WINDOW,
    LEVELS,
    NullTable,
    chi_square_table,
    closed_form_from,
    scale_of,
    upper_quantiles,
)

DRAWS = 5_000
"""Windows simulated for each size."""

SMALLEST_WINDOW = 16
"""Rows below which no p-value is given."""

_EMPTY_GROUP = 0.5
"""Rows granted to a group that the reference left empty: Jeffreys' prior."""

_COARSE, _FINE = 128, 4_096
"""Rows of a window from which the sizes that are simulated may lie further apart."""

_ALIKE = 1.1
"""Groups whose counts differ by less than this factor have the law of equal ones."""


def null_tables(reference: Summary, detectors: Collection[str]) -> Mapping[str, NullTable]:
    """Simulate all laws that a reference needs, by the detector's name; empty without rows.

    Parameters
    ----------
    reference
        With the tails of its calibration, where they are known: they decide on distances between values.
    detectors
        Names of those that will be asked; ones whose law has a closed form need none.
    """
    if reference.n == 0:
        return {}
    groups = group_tables(coarsen(reference.counts, reference.groups), detectors)
    return {**groups, **distance_tables(reference, detectors)}


def group_tables(counts: IntArray, detectors: Collection[str]) -> Mapping[str, NullTable]:
    """Simulate the laws of those detectors that are `GROUP_STATISTICS` for the coarse groups of a reference.

    The generator is seeded by the counts, so the same reference has the same tables, whichever others are
    simulated beside them. From `closed_form_from` on, the last row of a table is the closed form, where there
    is one.

    Parameters
    ----------
    counts
        Rows per group of the reference, shape ``(groups,)``, at least one row.
    """
    held = np.sort(counts[counts > 0])
    if held.size > 1 and held[-1] < _ALIKE * held[0]:
        # Columns in bins of equal share, of which there may be hundreds, have one table between them.
        held = np.full(held.size, held.sum() // held.size)
    empty = counts.size - held.size
    names = tuple(name for name in GROUP_STATISTICS if name in detectors)
    return _group_tables((0,) * empty + tuple(held.tolist()), names)


@lru_cache(maxsize=64)
def _group_tables(counts: tuple[int, ...], names: tuple[str, ...]) -> Mapping[str, NullTable]:
    reference = np.array(counts, dtype=np.int64)
    if reference.size == 1 or not names:
        return MappingProxyType({})
    rng = np.random.default_rng(counts)
    closed = closed_form_from(reference)
    # From where divergences have a closed form, what has none is simulated once, for all larger windows.
    grid = [*_sizes(SMALLEST_WINDOW, closed or LARGEST_WINDOW + 1), *([] if closed is None else [closed])]
    shares = rng.standard_gamma(np.where(reference > 0, reference, _EMPTY_GROUP), (DRAWS, reference.size))
    shares /= shares.sum(axis=1, keepdims=True)
    rows: dict[str, list[FloatArray]] = {name: [] for name in names}
    for n in grid:
        windows = rng.multinomial(n, shares)
        noise = 1 / n + 1 / int(reference.sum())
        for name in names:
            statistic = GROUP_STATISTICS[name]
            if n == closed and statistic.factor is not None:
                last = chi_square_table(reference.size - 1, closed, statistic.factor, statistic.scale)
                rows[name].append(last.quantiles[0])
            else:
                scores = statistic.scores(reference, windows)
                rows[name].append(upper_quantiles(scores / scale_of(statistic.scale, noise)))
    sizes = np.array(grid, dtype=np.int64)
    return MappingProxyType(
        {
            name: NullTable(
                grid=sizes, levels=LEVELS, quantiles=np.array(rows[name]), scale=GROUP_STATISTICS[name].scale
            )
            for name in names
        }
    )


def _sizes(first: int, end: int) -> list[int]:
    """Sizes at a factor of 1.25 up to `_COARSE`, then 2 and 4: laws settle as windows grow.

    With few rows a score takes few values, and which of them lies beyond a quantile changes with every row.
    """
    sizes = [first]
    while (following := sizes[-1] * _step(sizes[-1])) < end:
        sizes.append(int(following))
    return sizes


def _step(size: int) -> float:
    if size < _COARSE:
        return 1.25
    return 2 if size < _FINE else 4
