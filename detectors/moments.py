"""How far the moments of a reference can be trusted, by its tails."""

import math

from detectors.calibration import Tails

HEAVY_TAILS = 50.0
"""Excess kurtosis of a sample above which nothing that rests on moments is given a law: where the fourth
moment is infinite a simulated law of the Wasserstein distance has sizes from .035 to .095 at .05."""

_ROWS_PER_KURTOSIS = 500.0
"""Rows for each unit of excess kurtosis + 2: the standard error of the variance is then 4.5 % of it."""


def why_no_moments(tails: Tails, rows: float) -> str | None:
    """Say why the variance of so many independent reference rows is not to be trusted; None where it is."""
    if tails.excess_kurtosis > HEAVY_TAILS:
        return f"its tails are heavy (excess kurtosis {tails.excess_kurtosis:.0f}): no law holds"
    needed = math.ceil(_ROWS_PER_KURTOSIS * (tails.excess_kurtosis + 2))
    return f"with tails like these the reference needs {needed} independent rows" if rows < needed else None


def deviation_margin(tails: Tails, rows: float) -> float:
    """Factor by which the deviation of so many reference rows may be too small: two standard errors.

    The variance of a sample has the relative standard error ``sqrt((excess kurtosis + 2) / rows)``. A sample
    whose tails look light by luck has too small a variance as well, so what passes `why_no_moments` is not
    the average one: without the margin lognormal columns of sigma .8 to 1 reject up to .025 at .01.
    """
    return math.sqrt(1 + 2 * math.sqrt(max(tails.excess_kurtosis + 2, 0.0) / rows))
