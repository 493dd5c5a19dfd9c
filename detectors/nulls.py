"""Laws of scores without drift: tables over the rows of a window, looked up on the careful side."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import chdtri

from detectors.base import FloatArray, IntArray, Summary
from detectors.elementary import geometric

CLOSED_FORM_ROWS = 100
"""Rows that every group expects, on both sides, from which the chi-square law of a divergence holds.

Simulated with 10 groups: at 5 rows a group the Jensen-Shannon divergence rejects .092 at .05, at 20 rows
.057, at 100 rows .047; the PSI is on the careful side throughout.
"""

LARGEST_WINDOW = 1 << 20
"""Rows up to which laws are simulated where the closed form never holds."""


def _levels() -> FloatArray:
    """Chances that are told apart: 60 from 1 to .0004, the customary ones, and few below."""
    customary = [0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001]
    levels = np.concatenate([geometric(1.0, 4e-4, 60), customary, geometric(1e-4, 1e-12, 9)])
    return np.unique(levels)[::-1]


LEVELS = _levels()

_DIGITS, _ROUNDING = 10, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NullTable:
    """Upper quantiles of one detector's score when window and reference come from one distribution.

    Attributes
    ----------
    grid
        Rows of a window, shape ``(rows,)``, increasing.
    levels
        Chances of a score at or above the quantile, shape ``(levels,)``, decreasing from 1.
    quantiles
        Scores divided by their scale, shape ``(rows, levels)``; infinite where no score is that rare.
    scale
        What the scores were divided by: a power of ``v = 1 / n + 1 / m``, see `scale_of`.
    """

    grid: IntArray
    levels: FloatArray
    quantiles: FloatArray
    scale: str

    def p_value(self, score: float, rows: float, noise: float) -> float | None:
        """Chance of a score at least this large: the level of the largest quantile that it reaches.

        Between two sizes of the grid the larger of their chances is taken, beyond the largest that of the
        largest.

        Parameters
        ----------
        rows
            Effective rows of the window; below the grid nothing is known and the answer is None.
        noise
            Inflation times ``1 / n + 1 / m``.
        """
        if rows < self.grid[0]:
            return None
        scaled = score / scale_of(self.scale, noise)
        return max(self._chance(row, scaled) for row in self._rows(rows))

    def limit(self, level: float, rows: float, noise: float) -> float | None:
        """Score that a share of at most `level` of windows reaches; None where none is known."""
        if rows < self.grid[0]:
            return None
        # The rarest level that is not rarer than asked for; one next to it by rounding is the same.
        place = int(np.searchsorted(-self.levels, -level * (1 + 1e-9)))
        if place == self.levels.size:
            return None
        found = max(float(self.quantiles[row, place]) for row in self._rows(rows))
        return found * scale_of(self.scale, noise) if np.isfinite(found) else None

    def _rows(self, rows: float) -> tuple[int, ...]:
        after = int(np.searchsorted(self.grid, rows))
        if after == self.grid.size:
            return (after - 1,)
        return (after,) if self.grid[after] == rows else (after - 1, after)

    def _chance(self, row: int, scaled: float) -> float:
        place = int(np.searchsorted(self.quantiles[row], scaled, side="right")) - 1
        return float(self.levels[max(place, 0)])


def scale_of(scale: str, noise: float) -> float:
    """Resolve the name of a scale, ``"v"`` or ``"sqrt v"``, at a value of v."""
    return noise if scale == "v" else noise**0.5


def closed_form_from(counts: IntArray) -> int | None:
    """Rows of a window from which the chi-square law holds for every group of a reference.

    Examples
    --------
    >>> closed_form_from(np.array([5_000, 4_000, 1_000]))
    1000
    >>> closed_form_from(np.array([5_000, 4_000, 50])) is None
    True
    """
    smallest = int(counts.min())
    return None if smallest < CLOSED_FORM_ROWS else -(-CLOSED_FORM_ROWS * int(counts.sum()) // smallest)


@cache
def chi_square_table(degrees: int, rows: int, factor: float, scale: str) -> NullTable:
    """Give the law ``factor v chi-square`` of a divergence, or its root, the form of a table of one row.

    Parameters
    ----------
    degrees
        Of freedom; with 0 the score is 0 without exception.
    rows
        Rows from which it holds.
    factor
        Of the divergence over the PSI; its root is taken where `scale` is the root of v.
    """
    quantiles = factor * chdtri(degrees, LEVELS) if degrees else np.full(LEVELS.size, np.inf)
    # The quantile of chance 1 is 0, which the inverse misses by a rounding error.
    quantiles[0] = 0.0
    if scale != "v":
        quantiles = np.sqrt(quantiles)
    return NullTable(
        grid=np.array([rows], dtype=np.int64), levels=LEVELS, quantiles=quantiles[np.newaxis], scale=scale
    )


def law_of(reference: Summary, groups: IntArray, name: str, *, factor: float, scale: str) -> NullTable | None:
    """Give the law of a divergence on the groups of a reference: its table, else the closed form, else None.

    Parameters
    ----------
    groups
        Rows per group of the reference, shape ``(groups,)``, at least one row.
    name
        Of the detector whose table is looked for.
    factor, scale
        See `chi_square_table`.
    """
    found = None if reference.calibration is None else reference.calibration.tables.get(name)
    if found is not None:
        return found
    if groups.size == 1:
        return chi_square_table(0, 1, factor, scale)
    closed = closed_form_from(groups)
    return None if closed is None else chi_square_table(groups.size - 1, closed, factor, scale)


def read_law(
    law: NullTable | None, score: float, rows: float, noise: float
) -> tuple[float | None, str | None]:
    """Read a p-value off a law, or the reason why there is none; parameters as for `NullTable.p_value`."""
    if law is None:
        return None, (
            f"a group has fewer than {CLOSED_FORM_ROWS} reference rows, and the reference no simulated law; "
            "build it again"
        )
    p_value = law.p_value(score, rows, noise)
    return p_value, None if p_value is not None else f"fewer than {law.grid[0]} independent rows"


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
