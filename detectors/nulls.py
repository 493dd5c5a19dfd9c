"""Laws of scores without drift that have no closed form: tables, simulated when a reference is built."""

from dataclasses import dataclass

from detectors.base import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NullTable:
    """Upper quantiles of one detector's score when window and reference come from one distribution.

    Attributes
    ----------
    grid
        Rows of a window, shape ``(rows,)``, increasing.
    levels
        Chances of a score above the quantile, shape ``(levels,)``, decreasing.
    quantiles
        Scores divided by their scale, shape ``(rows, levels)``.
    scale
        Name of what the scores were divided by.
    """

    grid: IntArray
    levels: FloatArray
    quantiles: FloatArray
    scale: str
