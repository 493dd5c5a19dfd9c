"""Memory and sizes over time: a few lines of many samples, and whether something grows."""

from collections.abc import Sequence

import numpy as np

MIB = 1 << 20
WARM_UP = 0.5
"""Share of the time after which memory should have its level: caches, and the longest window filled."""
TABLE_ROWS = 16
LIMIT = 0.1
"""Growth per hour, as a share of the level, from which the verdict is that something grows."""


def picked(samples: int) -> list[int]:
    """Return places of the samples that a table shows, spread over all of them."""
    return sorted({round(i) for i in np.linspace(0, samples - 1, min(TABLE_ROWS, samples))})


def growth(at_s: Sequence[float], sizes: Sequence[int]) -> float:
    """Slope of the straight line with the least squares, in bytes per hour."""
    hours = np.array(at_s, dtype=np.float64) / 3_600
    return float(np.polyfit(hours, np.array(sizes, dtype=np.float64), 1)[0])


def grows(slope: float, sizes: Sequence[int]) -> bool:
    """Whether a slope is more than the limit."""
    return slope > LIMIT * float(np.mean(sizes))
