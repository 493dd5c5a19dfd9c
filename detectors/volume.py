"""How many rows a window may have, by how many windows of its size had before."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import pdtr, pdtrc, stdtr

from detectors.base import IntArray
from detectors.checks import CALM_LEVEL, Check, CheckStatus, Direction, Family
from detectors.elementary import log1p

FEWEST_WINDOWS = 8
"""Windows without common rows that must be known before another one is called too empty or too full."""

_MOST_ROWS = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Volumes:
    """Rows of windows of one size.

    Attributes
    ----------
    rows
        Of each window, shape ``(windows,)``; windows may overlap.
    apart
        How many of them share no row with one another.
    source
        Where they are from, in words.
    """

    rows: IntArray
    apart: int
    source: str


def check_volume(
    name: str,
    family: Family,
    rows: int,
    known: Volumes,
    *,
    direction: Direction,
    level: float,
    factor: float,
) -> Check:
    """Hold the rows of a window against those of others.

    A violation needs all of these:

    - it has fewer rows than any known window had over `factor` (or more than any had times `factor`): so a
      season that the known windows went through is no violation;
    - as a further draw of the logarithms of their rows it has a chance of at most the level, by Student's
      law: the prediction interval ``mean ± t s sqrt(1 + 1 / m)`` of `m` windows apart (Hahn & Meeker,
      *Statistical Intervals*, 1991, 4.7), with `s` at least the deviation of a Poisson count;
    - so it has as a Poisson count whose mean are the fewest (or most) rows known: with few rows a window may
      be empty by luck.

    Parameters
    ----------
    direction
        DOWN: too few rows; UP: too many.
    """
    found = Check(
        name=name,
        family=family,
        status=CheckStatus.INSUFFICIENT,
        value=float(rows),
        reference=float(np.mean(known.rows)) if len(known.rows) else None,
        source=known.source,
        level=level,
        n=rows,
    )
    if known.apart < FEWEST_WINDOWS:
        return found
    law = _Law.of(known)
    down = direction is Direction.DOWN

    def violated(count: int) -> bool:
        return _beyond(count, law, down=down, factor=factor) and law.chance(count, down=down) <= level

    status, chance = CheckStatus.OK, law.chance(rows, down=down)
    if _beyond(rows, law, down=down, factor=factor) and chance <= CALM_LEVEL:
        status = CheckStatus.VIOLATED if chance <= level else CheckStatus.SUSPECT
    return Check(
        name=name,
        family=family,
        status=status,
        value=float(rows),
        reference=found.reference,
        lower=float(_last(violated) + 1) if down else None,
        upper=None if down else float(_last(lambda count: not violated(count))),
        source=known.source,
        p_value=chance,
        level=level,
        n=rows,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Law:
    """What is known of a further window's rows: the fewest and most, and Student's law of their logarithm."""

    fewest: int
    most: int
    mean: float
    error: float
    degrees: int

    @classmethod
    def of(cls, known: Volumes) -> "_Law":
        logs = log1p(known.rows.astype(np.float64))
        # The deviation of log(1 + n) for a Poisson count n is about 1 / sqrt(1 + mean).
        deviation = max(float(logs.std(ddof=1)), 1.0 / sqrt(1.0 + float(np.mean(known.rows))))
        return cls(
            fewest=int(known.rows.min()),
            most=int(known.rows.max()),
            mean=float(logs.mean()),
            error=deviation * sqrt(1.0 + 1.0 / known.apart),
            degrees=known.apart - 1,
        )

    def chance(self, rows: int, *, down: bool) -> float:
        """Return the chance of so few (or so many) rows where nothing has changed."""
        distance = (log1p(rows) - self.mean) / self.error
        if down:
            return max(float(stdtr(self.degrees, distance)), float(pdtr(rows, self.fewest)))
        by_luck = float(pdtrc(rows - 1, self.most)) if rows else 1.0
        return max(float(stdtr(self.degrees, -distance)), by_luck)


def _beyond(rows: int, law: _Law, *, down: bool, factor: float) -> bool:
    return rows < law.fewest / factor if down else rows > law.most * factor


def _last(holds: Callable[[int], bool]) -> int:
    """Return the largest count up to which something holds that holds for small ones; -1 for none."""
    low, high = -1, 1
    while high < _MOST_ROWS and holds(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
