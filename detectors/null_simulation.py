"""Null laws by simulation: the true shares given the reference are Dirichlet, a window of them multinomial.

Between two order statistics of m rows lies a Dirichlet share of any continuous distribution (Wilks,
Mathematical Statistics, 1962, 8.7); for categories Dirichlet is the posterior of the shares given their
counts. So the reference stays as it is and both errors are in the simulation: its own and the window's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from detectors.base import FloatArray, IntArray, Summary
from detectors.coarse import coarsen
from detectors.moments import deviation_margin, why_no_moments
from detectors.nulls import (
    LARGEST_WINDOW,
    LEVELS,
    NullTable,
    chi_square_table,
    closed_form_from,
    scale_of,
)

DRAWS = 5_000
"""Windows simulated for each size."""

DISTANCE_GRID, DISTANCE_DRAWS = (32, 256, 4_096), 3_000
"""Rows of the windows for which the Wasserstein distance is simulated, and how many of each: its scaled law
settles early, and it is simulated on the fine bins, for every column apart."""

SMALLEST_WINDOW = 16
"""Rows below which no p-value is given."""

_EMPTY_GROUP = 0.5
"""Rows granted to a group that the reference left empty: Jeffreys' prior."""

_COARSE, _FINE = 128, 4_096
"""Rows of a window from which the sizes that are simulated may lie further apart."""

_ALIKE = 1.1
"""Groups whose counts differ by less than this factor have the law of equal ones."""

_DIGITS, _ROUNDING = 10, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStatistic:
    """A score on coarse groups that does not depend on their order.

    Attributes
    ----------
    scores
        Of reference counts, shape ``(groups,)``, and of many windows, shape ``(windows, groups)``.
    scale
        What the score grows with, see `NullTable`.
    factor
        Of the score (of its square where the scale is a root) over the PSI, to the first order.
    """

    scores: Callable[[IntArray, IntArray], FloatArray]
    scale: str
    factor: float


def psi_scores(reference: IntArray, windows: IntArray) -> FloatArray:
    """PSI of many windows, see `detectors.divergences.psi`; shapes as in `GroupStatistic`."""
    held = windows + reference > 0
    groups = held.sum(axis=1, keepdims=True)
    added = 0.5 * groups
    p = (reference + 0.5) / (reference.sum() + added)
    q = (windows + 0.5) / (windows.sum(axis=1, keepdims=True) + added)
    terms = (q - p) * np.log(q / p)
    terms[~held] = 0.0
    return np.asarray(terms.sum(axis=1), dtype=np.float64)


def jensen_shannon_scores(reference: IntArray, windows: IntArray) -> FloatArray:
    """Jensen-Shannon distance in bits of many windows; shapes as in `GroupStatistic`."""
    p = np.broadcast_to(reference / reference.sum(), windows.shape)
    q = windows / windows.sum(axis=1, keepdims=True)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log2(p / middle), 0.0) + np.where(q > 0, q * np.log2(q / middle), 0.0)
    return np.asarray(np.sqrt(np.clip(terms.sum(axis=1) / 2, 0.0, 1.0)), dtype=np.float64)


GROUP_STATISTICS: Mapping[str, GroupStatistic] = MappingProxyType(
    {
        "psi": GroupStatistic(scores=psi_scores, scale="v", factor=1.0),
        "js": GroupStatistic(scores=jensen_shannon_scores, scale="sqrt v", factor=0.125 / np.log(2)),
    }
)
"""Statistics with a law of their own, by the detector's name; one more is one line."""


def null_tables(reference: Summary) -> Mapping[str, NullTable]:
    """Simulate all laws that a reference needs, by the detector's name; empty without rows.

    Parameters
    ----------
    reference
        With the tails of its calibration, where they are known: they decide on the Wasserstein distance.
    """
    if reference.n == 0:
        return {}
    tables = dict(group_tables(coarsen(reference.counts, reference.groups)))
    law = distance_table(reference)
    return tables if law is None else {**tables, "wasserstein": law}


def group_tables(counts: IntArray) -> Mapping[str, NullTable]:
    """Simulate the laws of all `GROUP_STATISTICS` for the coarse groups of a reference.

    The generator is seeded by the counts, so the same reference has the same tables. From `closed_form_from`
    on, the last row of a table is the closed form.

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
    return _group_tables((0,) * empty + tuple(held.tolist()))


@lru_cache(maxsize=64)
def _group_tables(counts: tuple[int, ...]) -> Mapping[str, NullTable]:
    reference = np.array(counts, dtype=np.int64)
    if reference.size == 1:
        return MappingProxyType({})
    rng = np.random.default_rng(counts)
    closed = closed_form_from(reference)
    grid = _sizes(SMALLEST_WINDOW, closed or LARGEST_WINDOW + 1)
    shares = rng.standard_gamma(np.where(reference > 0, reference, _EMPTY_GROUP), (DRAWS, reference.size))
    shares /= shares.sum(axis=1, keepdims=True)
    rows: dict[str, list[FloatArray]] = {name: [] for name in GROUP_STATISTICS}
    for n in grid:
        windows = rng.multinomial(n, shares)
        noise = 1 / n + 1 / int(reference.sum())
        for name, statistic in GROUP_STATISTICS.items():
            scores = statistic.scores(reference, windows)
            rows[name].append(upper_quantiles(scores / scale_of(statistic.scale, noise)))
    return MappingProxyType(
        {
            name: _table(grid, rows[name], statistic, reference.size - 1, closed)
            for name, statistic in GROUP_STATISTICS.items()
        }
    )


def _table(
    grid: list[int], rows: list[FloatArray], statistic: GroupStatistic, degrees: int, closed: int | None
) -> NullTable:
    if closed is not None:
        last = chi_square_table(degrees, closed, statistic.factor, statistic.scale)
        grid, rows = [*grid, closed], [*rows, last.quantiles[0]]
    return NullTable(
        grid=np.array(grid, dtype=np.int64), levels=LEVELS, quantiles=np.array(rows), scale=statistic.scale
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


def upper_quantiles(scores: FloatArray) -> FloatArray:
    """Scores that at most a share `LEVELS` of the draws reaches, less one standard error of that share.

    So a chance read from the quantiles is too large rather than too small, also where many scores are equal.

    Parameters
    ----------
    scores
        Shape ``(draws,)``, at least 0.

    Returns
    -------
    FloatArray
        Shape ``(levels,)``, never falling; infinite where even the largest score is not rare enough.
    """
    # Equal counts in another order differ by a rounding error; they are one score.
    ordered = np.round(np.sort(scores), _DIGITS)
    draws = scores.size
    allowed = np.floor(LEVELS * (draws + 1) - np.sqrt(LEVELS * draws)).astype(np.int64)
    # The first place from which at most `allowed` scores are left, past all that equal the one before.
    place = draws - np.clip(allowed, 0, draws)
    before = ordered[np.maximum(place - 1, 0)]
    place = np.where(place > 0, np.searchsorted(ordered, before, side="right"), 0)
    found = np.where(place < draws, ordered[np.minimum(place, draws - 1)], np.inf)
    found[0] = 0.0
    # A score computed another way may fall short of its twin by a rounding error.
    return found * (1 - _ROUNDING)


def distance_table(reference: Summary) -> NullTable | None:
    """Simulate the law of the Wasserstein distance on the fine bins; None where none is to be had.

    The sum of a bin's values is normal given their number: exact in its first two moments, and of no weight
    beside the counts except in the outermost bins. Counts are independent Poisson variables, and the
    distance is scaled by how many there came to be: given their sum they are multinomial.

    Parameters
    ----------
    reference
        Numeric, with moments and light tails; otherwise the answer is None.
    """
    moments, edges, known = reference.moments, reference.edges, reference.calibration
    tails = None if known is None else known.tails
    if moments is None or edges is None or tails is None or moments.minimum == moments.maximum:
        return None
    if why_no_moments(tails, reference.n) is not None or not np.isfinite(edges).all():
        return None
    counts = reference.counts
    rng = np.random.default_rng(counts)
    shares = rng.standard_gamma(counts, (DISTANCE_DRAWS, counts.size))
    shares /= shares.sum(axis=1, keepdims=True)
    means = moments.bin_sums / np.maximum(counts, 1)
    rows = []
    for n in DISTANCE_GRID:
        windows = rng.poisson(n * shares)
        # The reference's own mean of a bin is uncertain too, by the root of its rows.
        spread = np.sqrt(windows + windows * windows / np.maximum(counts, 1)) * tails.bin_deviations
        sums = windows * means + rng.standard_normal(windows.shape) * spread
        rows.append(upper_quantiles(_distances(reference, windows, sums)))
    return NullTable(
        grid=np.array(DISTANCE_GRID, dtype=np.int64),
        levels=LEVELS,
        quantiles=np.array(rows) * deviation_margin(tails, reference.n),
        scale="sqrt v",
    )


def _distances(reference: Summary, windows: IntArray, sums: FloatArray) -> FloatArray:
    """Scaled Wasserstein distances of many windows, see `detectors.transport.wasserstein_grid`."""
    moments, edges = reference.moments, reference.edges
    assert moments is not None
    assert edges is not None
    rows = windows.sum(axis=1, keepdims=True)
    gaps = reference.counts / reference.n - windows / rows
    below = gaps.cumsum(axis=1)[:, :-1]
    areas = moments.bin_sums / -reference.n + sums / rows
    # Of the outer bins only the inner edge counts: what lies beyond is in their sums.
    areas[:, :-1] += edges * gaps[:, :-1]
    areas[:, -1] += edges[-1] * gaps[:, -1] if edges.size else 0.0
    areas[:, 1:-1] += np.diff(edges) * below[:, :-1]
    noise = 1 / rows[:, 0] + 1 / reference.n
    return np.asarray(np.abs(areas).sum(axis=1) / np.sqrt(noise), dtype=np.float64)
