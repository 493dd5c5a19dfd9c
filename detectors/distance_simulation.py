"""Laws of distances between values, by simulation on the fine bins."""

from collections.abc import Callable, Collection, Mapping

import numpy as np

from detectors.base import FloatArray, IntArray, Summary
from detectors.energy import squared_gaps
from detectors.moments import deviation_margin, why_no_moments
from detectors.nulls import LEVELS, NullTable, upper_quantiles

DISTANCE_GRID, DISTANCE_DRAWS = (32, 256, 4_096), 3_000
"""Rows of the windows for which a distance is simulated, and how many of each: its scaled law settles early,
and it is simulated on the fine bins, for every column apart."""


def distance_tables(reference: Summary, detectors: Collection[str]) -> Mapping[str, NullTable]:
    """Simulate the laws of the Wasserstein and energy distances; empty where none is to be had.

    The sum of a bin's values is normal given their number: exact in its first two moments, and of no weight
    beside the counts except in the outermost bins. Counts are independent Poisson variables, and the
    distance is scaled by how many there came to be: given their sum they are multinomial.

    Parameters
    ----------
    reference
        Numeric, with moments and light tails; otherwise there is no law.
    detectors
        Names of those that will be asked.
    """
    moments, edges, known = reference.moments, reference.edges, reference.calibration
    tails = None if known is None else known.tails
    names = [name for name in _DISTANCES if name in detectors]
    if moments is None or edges is None or tails is None or moments.minimum == moments.maximum or not names:
        return {}
    if why_no_moments(tails, reference.n) is not None or not np.isfinite(edges).all():
        return {}
    counts = reference.counts
    rng = np.random.default_rng(counts)
    shares = rng.standard_gamma(counts, (DISTANCE_DRAWS, counts.size))
    shares /= shares.sum(axis=1, keepdims=True)
    means = moments.bin_sums / np.maximum(counts, 1)
    rows: dict[str, list[FloatArray]] = {name: [] for name in names}
    for n in DISTANCE_GRID:
        windows = rng.poisson(n * shares)
        # The reference's own mean of a bin is uncertain too, by the root of its rows.
        spread = np.sqrt(windows + windows * windows / np.maximum(counts, 1)) * tails.bin_deviations
        sums = windows * means + rng.standard_normal(windows.shape) * spread
        noise = 1 / windows.sum(axis=1) + 1 / reference.n
        for name in names:
            rows[name].append(upper_quantiles(_DISTANCES[name](reference, windows, sums) / np.sqrt(noise)))
    margin = deviation_margin(tails, reference.n)
    return {
        name: NullTable(
            grid=np.array(DISTANCE_GRID, dtype=np.int64),
            levels=LEVELS,
            quantiles=np.array(rows[name]) * margin,
            scale="sqrt v",
        )
        for name in names
    }


def _wasserstein(reference: Summary, windows: IntArray, sums: FloatArray) -> FloatArray:
    """Wasserstein distances of many windows, see `detectors.transport.wasserstein_grid`."""
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
    return np.asarray(np.abs(areas).sum(axis=1), dtype=np.float64)


def _energy(reference: Summary, windows: IntArray, sums: FloatArray) -> FloatArray:
    """Energy distances of many windows that stay within the reference's extremes, see `detectors.energy`."""
    moments, edges = reference.moments, reference.edges
    assert moments is not None
    assert edges is not None
    borders = np.concatenate([[moments.minimum], edges, [moments.maximum]])
    rows = windows.sum(axis=1, keepdims=True)
    low, _ = squared_gaps(
        borders, reference.counts / reference.n, windows / rows, moments.bin_sums / reference.n, sums / rows
    )
    return np.asarray(np.sqrt(2 * low.sum(axis=1)), dtype=np.float64)


_DISTANCES: Mapping[str, Callable[[Summary, IntArray, FloatArray], FloatArray]] = {
    "wasserstein": _wasserstein,
    "energy": _energy,
}
