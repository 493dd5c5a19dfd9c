"""What every detector does before it measures: same bins, rows on both sides, coarse groups."""

import math

import numpy as np

from detectors.base import (
    DriftflowError,
    FloatArray,
    IncompatibleSummaryError,
    IntArray,
    Reading,
    Status,
    Summary,
)
from detectors.scatter import Statistic


class EmptyCountsError(DriftflowError):
    """One side of a comparison holds no rows, so it has no shares."""


def coarsen(counts: IntArray, groups: IntArray) -> IntArray:
    """Sum the counts of the bins of each group.

    Parameters
    ----------
    counts
        Rows per bin, shape ``(bins,)``; sums are exact up to 2**53 rows.
    groups
        Group of each bin, shape ``(bins,)``, values ``0..k-1``.

    Returns
    -------
    IntArray
        Rows per group, shape ``(k,)``.

    Examples
    --------
    >>> coarsen(np.array([1, 2, 3, 4]), np.array([0, 0, 1, 2]))
    array([3, 3, 4])
    """
    return np.bincount(groups, weights=counts).astype(np.int64)


def totals(reference: IntArray, current: IntArray) -> tuple[int, int]:
    """Rows of both sides, once it is certain that they have shares over the same groups.

    Raises
    ------
    IncompatibleSummaryError
        The two sides do not have the same number of groups.
    EmptyCountsError
        A side holds no rows.
    """
    if reference.shape != current.shape:
        raise IncompatibleSummaryError(
            f"Counts of shape {current.shape} compared with a reference of shape {reference.shape}; "
            "count both over the same groups."
        )
    n_reference, n_current = int(reference.sum()), int(current.sum())
    if n_reference == 0 or n_current == 0:
        raise EmptyCountsError(
            f"{n_reference} reference rows and {n_current} current rows; shares need at least one row on "
            "each side, so check for empty sides first."
        )
    return n_reference, n_current


def occupied(reference: IntArray, current: IntArray) -> int:
    """Return the number of groups that hold a row on either side."""
    return int(np.count_nonzero(reference + current))


def matched_rows(reference: Summary, current: Summary) -> tuple[int, int]:
    """Rows of both sides, once it is certain that the two are over the same bins.

    Raises
    ------
    IncompatibleSummaryError
        The two sides have different kinds, numbers of bins, edges or groups.
    """
    if reference.kind is not current.kind:
        raise IncompatibleSummaryError(
            f"A {current.kind} summary compared with a {reference.kind} reference; "
            "summarize the window with the reference's own bins."
        )
    if reference.counts.shape != current.counts.shape:
        raise IncompatibleSummaryError(
            f"{current.counts.size} bins compared with a reference of {reference.counts.size} bins; "
            "summarize the window with the reference's own bins."
        )
    if not _same(reference.edges, current.edges) or not _same(reference.groups, current.groups):
        raise IncompatibleSummaryError(
            f"Both summaries have {reference.counts.size} bins, but their edges or groups differ; "
            "summarize the window with the reference's own bins."
        )
    return reference.n, current.n


def absent(
    method: str, status: Status, n_reference: int, n_current: int, *, reason: str | None = None
) -> Reading:
    """Return the reading of a detector that could not measure; the default reasons are rows and order."""
    if reason is None and status is Status.INSUFFICIENT:
        reason = f"the {'window' if n_reference else 'reference'} has no row with a value"
    return Reading(
        method=method,
        status=status,
        score=None,
        reason=reason or "categories have no order",
        n_reference=n_reference,
        n_current=n_current,
    )


def inflation(reference: Summary, n: int, statistic: Statistic) -> float:
    """Variance of a statistic of n rows over that of independent rows; 1 where that is not known."""
    known = None if reference.calibration is None else reference.calibration.dependence
    return 1.0 if known is None else known.inflation(n, statistic)


def chi_square_ratios(reference: Summary, n: int) -> tuple[float, float]:
    """Mean and variance of Pearson's statistic over those of independent rows; 1 and 1 where not known."""
    known = None if reference.calibration is None else reference.calibration.dependence
    return (1.0, 1.0) if known is None else known.chi_square_ratios(n)


def divergence_inflation(reference: Summary, n: int) -> float:
    """Root of the variance ratio of Pearson's statistic, of which all divergences are about a multiple.

    It is at least the ratio of the means: what is divided by it has a spread of the right size and a mean on
    the careful side.
    """
    return math.sqrt(chi_square_ratios(reference, n)[1])


def _same(left: FloatArray | IntArray | None, right: FloatArray | IntArray | None) -> bool:
    # Windows share the arrays of their reference, so the comparison by value is the rare case.
    return left is right or (left is not None and right is not None and np.array_equal(left, right))
