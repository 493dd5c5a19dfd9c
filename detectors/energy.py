"""Energy distance between two columns on ordered bins."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import FloatArray, Kind, Reading, Status, Summary
from detectors.coarse import absent, inflation, matched_rows, totals
from detectors.moments import why_no_moments
from detectors.nulls import NullTable, read_law
from detectors.scatter import Statistic

_ROUNDING = 2.0**-48
"""Of the larger border: an area below it is what rounding leaves of none."""


def squared_gaps(
    borders: FloatArray, p: FloatArray, q: FloatArray, p_sums: FloatArray, q_sums: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Least and greatest integral of ``(F - G)^2`` over each bin.

    The mean of ``F - G`` over a bin is exact, from its sums (see `detectors.transport.wasserstein_grid`), and
    it stays between ``L = max(D[j-1] - q[j], D[j] - p[j])`` and ``U = min(D[j-1] + p[j], D[j] + q[j])``,
    because distribution functions only rise. With mean M its square has a mean of at least ``M^2``
    (Cauchy-Schwarz) and of at most ``(U + L) M - U L``.

    Parameters
    ----------
    borders
        Lower and upper ends of the bins, shape ``(bins + 1,)``, increasing.
    p, q
        Shares of the reference and of windows, shapes ``(bins,)`` and ``(..., bins)``.
    p_sums, q_sums
        Sum of the values in each bin over the rows of the side; shapes alike.

    Returns
    -------
    tuple[FloatArray, FloatArray]
        Each of the shape of `q`.
    """
    widths = np.diff(borders)
    difference = p - q
    at_end = difference.cumsum(axis=-1)
    at_start = at_end - difference
    area = widths * at_start + borders[1:] * difference - (p_sums - q_sums)
    noise = _ROUNDING * np.maximum(np.abs(borders[1:]), np.abs(borders[:-1]))
    area = np.sign(area) * np.maximum(np.abs(area) - noise, 0.0)
    least = np.maximum(at_start - q, at_end - p)
    most = np.minimum(at_start + p, at_end + q)
    # The least and the greatest cross by a rounding error where nothing can happen inside.
    most = np.maximum(most, least)
    with np.errstate(over="ignore"):
        # Over a bin that has room for one double an area that is rounding can have any mean.
        mean = np.clip(np.divide(area, widths, out=np.zeros_like(area), where=widths > 0), least, most)
    return widths * mean * mean, widths * ((most + least) * mean - most * least)


def energy_grid(reference: Summary, current: Summary) -> tuple[float, float] | None:
    """Energy distance ``sqrt(2 integral of (F - G)^2)`` from the bins and their sums.

    Parameters
    ----------
    reference, current
        Summaries over the same bins, each with at least one row.

    Returns
    -------
    tuple[float, float] | None
        ``(score, bound)``, in the root of the column's units: that of the raw rows is in ``[score, score +
        bound]``, up to the rounding of the sums. None where a side has no moments, the bins have no edges, or
        the figure overflows.

    References
    ----------
    Szekely & Rizzo (2013), Energy statistics: a class of statistics based on distances, Journal of
    Statistical Planning and Inference 143, 1249-1272.
    """
    before, now, edges = reference.moments, current.moments, reference.edges
    if before is None or now is None or edges is None:
        return None
    n_reference, n_current = totals(reference.counts, current.counts)
    low, high = min(before.minimum, now.minimum), max(before.maximum, now.maximum)
    # Where all rows are on one side of an edge, the bins beyond it are empty and have no width.
    borders = np.clip(np.concatenate([[low], edges, [high]]), low, high)
    with np.errstate(over="ignore", invalid="ignore"):
        least, most = squared_gaps(
            borders,
            reference.counts / n_reference,
            current.counts / n_current,
            before.bin_sums / n_reference,
            now.bin_sums / n_current,
        )
        score, above = math.sqrt(2 * float(least.sum())), math.sqrt(2 * max(float(most.sum()), 0.0))
    return (score, max(above - score, 0.0)) if math.isfinite(score) and math.isfinite(above) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyDistance:
    """Energy distance, in the root of the column's units, never above that of the raw rows.

    Its law without drift depends on the column's distribution, so it is simulated with the reference; none is
    to be had where tails are heavy.
    """

    name: ClassVar[str] = "energy"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure, see `energy_grid`; UNAVAILABLE for categories and where moments are missing."""
        n_reference, n_current = matched_rows(reference, current)
        if reference.kind is not Kind.NUMERIC:
            return absent(self.name, Status.UNAVAILABLE, n_reference, n_current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        found = energy_grid(reference, current)
        if found is None:
            reason = "a side has no moments, or the distance overflows"
            return absent(self.name, Status.UNAVAILABLE, n_reference, n_current, reason=reason)
        score, bound = found
        inflated = _inflation(reference, n_current)
        noise = inflated * (1 / n_current + 1 / n_reference)
        p_value, missing = _read(reference, score, n_current / inflated, noise)
        return Reading(
            method=self.name,
            status=Status.OK,
            score=score,
            p_value=p_value,
            bound=bound,
            n_effective=n_current / inflated,
            reason=missing,
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the simulated law; None where there is no p-value."""
        law = _law(reference)
        if reference.n == 0 or law is None:
            return None
        inflated = _inflation(reference, n)
        return law.limit(level, n / inflated, inflated * (1 / n + 1 / reference.n))


def _law(reference: Summary) -> NullTable | None:
    return None if reference.calibration is None else reference.calibration.tables.get(EnergyDistance.name)


def _read(reference: Summary, score: float, rows: float, noise: float) -> tuple[float | None, str | None]:
    law, known = _law(reference), reference.calibration
    if law is not None:
        return read_law(law, score, rows, noise)
    tails = None if known is None else known.tails
    missing = None if tails is None else why_no_moments(tails, reference.n)
    if missing is None and reference.moments is not None:
        varies = reference.moments.minimum < reference.moments.maximum
        missing = None if varies else "the reference does not vary"
    return None, missing or "the reference has no simulated law; build it with this detector configured"


def _inflation(reference: Summary, n: int) -> float:
    """Take the larger of two: the tail of the distance is that of a shift, which dependence inflates most."""
    return max(inflation(reference, n, each) for each in (Statistic.DISTRIBUTION, Statistic.MEAN))
