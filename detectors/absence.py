"""Checks of what a window lacks: categories that were frequent, and any variation at all."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import lgamma, log

import numpy as np

from detectors.base import IntArray
from detectors.checks import Check, CheckStatus, Family, Sensitivity
from detectors.shares import tail_above

_NAMED = 5
"""Names that a detail lists."""


def check_vanished(
    name: str,
    counts: IntArray,
    reference: IntArray,
    labels: Sequence[str],
    sensitivity: Sensitivity,
    *,
    clump: float = 1.0,
) -> Check:
    """Ask whether a category that the reference holds is not there at all.

    The value is the reference's share of the most frequent category without a row; the limit is the largest
    share that n rows lack with a chance above the level, split over the categories that are asked about.

    Parameters
    ----------
    counts, reference
        Rows of each category, shape ``(categories,)``, and those of all others last, shape
        ``(categories + 1,)``.
    labels
        Names of the categories, shape ``(categories,)``.
    sensitivity
        Categories of a share up to `min_excess` are not asked about.
    clump
        As `detectors.checking.check_share` takes it.
    """
    n, n_reference = int(counts.sum()), int(reference.sum())
    known = reference[: len(labels)]
    asked = known > sensitivity.min_excess * n_reference
    found = Check(
        name=name,
        family=Family.QUALITY,
        status=CheckStatus.INSUFFICIENT,
        value=None,
        reference=0.0,
        source=f"reference: {int(asked.sum())} categories of {n_reference} rows",
        level=sensitivity.level,
        n=n,
    )
    if min(n, n_reference) < max(sensitivity.min_rows, 1) or not asked.any():
        return found
    many = int(asked.sum())
    gone = np.flatnonzero(asked & (counts[: len(labels)] == 0))
    largest = int(known[gone].max(initial=0))
    upper = _largest_absent(n, n_reference, level=sensitivity.level / many, clump=clump) / n_reference
    ranked = gone[np.argsort(-known[gone], kind="stable")]
    ranked = ranked[known[ranked] > upper * n_reference]
    listed = ", ".join(labels[place] for place in ranked[:_NAMED].tolist())
    more = f" and {len(ranked) - _NAMED} more" if len(ranked) > _NAMED else ""
    value = largest / n_reference
    return replace(
        found,
        status=CheckStatus.VIOLATED if value > upper else CheckStatus.OK,
        value=value,
        upper=upper,
        p_value=min(1.0, many * _absent(n, largest, n_reference, clump)) if len(gone) else 1.0,
        detail=f"without a row: {listed}{more}" if value > upper else "",
    )


def check_constant(
    name: str,
    counts: IntArray,
    reference: IntArray,
    sensitivity: Sensitivity,
    *,
    constant: bool,
    clump: float = 1.0,
    detail: str = "",
) -> Check:
    """Ask whether all rows hold one value, where the reference makes that unlikely.

    The chance that all n rows fall into one bin is largest for the reference's fullest; where that is above
    the level a constant window is none to wonder at.

    Parameters
    ----------
    counts, reference
        Rows of each bin, shape ``(bins,)``.
    constant
        Whether the window's rows hold one value; only then are they in one bin for certain.
    """
    n, n_reference = int(counts.sum()), int(reference.sum())
    found = Check(
        name=name,
        family=Family.QUALITY,
        status=CheckStatus.INSUFFICIENT,
        value=None,
        reference=0.0,
        source=f"reference: {n_reference} rows",
        level=sensitivity.level,
        n=n,
    )
    if min(n, n_reference) < max(sensitivity.min_rows, 1):
        return found
    fullest = int(reference.max())
    chance = tail_above(n / clump, n / clump, fullest / clump, n_reference / clump)
    upper = 1.0 if chance > sensitivity.level else 0.0
    value = 1.0 if constant else 0.0
    return replace(
        found,
        status=CheckStatus.VIOLATED if value > upper else CheckStatus.OK,
        value=value,
        upper=upper,
        p_value=min(1.0, chance) if constant else 1.0,
        detail=detail if value > upper else "",
    )


def _absent(n: int, count: int, n_reference: int, clump: float) -> float:
    """Chance of no row among n where the reference has so many."""
    rest = (n_reference - count) / clump
    return tail_above(n / clump, n / clump, rest, n_reference / clump)


@lru_cache(maxsize=4_096)
def _largest_absent(n: int, n_reference: int, *, level: float, clump: float) -> int:
    """Largest count of the reference of which n rows hold none with a chance above the level.

    All of the counted rows are then the reference's: of m and n rows that is the product of
    (m - i) / (n + m - i) over i below the count, with rows of both sides divided by the clump.
    """
    rows, others, limit = n_reference / clump, n / clump, log(level)
    low, high = 0, n_reference + 1
    while high - low > 1:
        middle = (low + high) // 2
        count = middle / clump
        chance = lgamma(rows + 1) - lgamma(rows - count + 1)
        chance += lgamma(rows + others - count + 1) - lgamma(rows + others + 1)
        low, high = (middle, high) if chance > limit else (low, middle)
    return low
