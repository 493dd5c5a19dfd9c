"""Wasserstein distance between two columns on ordered bins."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import Kind, Reading, Status, Summary
from detectors.coarse import absent, inflation, matched_rows, totals
from detectors.moments import why_no_moments
from detectors.nulls import NullTable, read_law
from detectors.scatter import Statistic


def wasserstein_grid(reference: Summary, current: Summary) -> float | None:
    """First Wasserstein distance from the bins and their sums, in the column's own units.

    The area between the two distribution functions is exact in every bin up to its sign,
    ``width D[j-1] + (high p[j] - S_reference[j] / m) - (high q[j] - S_current[j] / n)`` with D = F - G, by
    integration in parts, the open outer bins being closed by the pooled extremes. The sum of the absolute
    areas is at most the distance of the raw rows, and equal to it unless the sign of F - G changes inside a
    bin.

    Parameters
    ----------
    reference, current
        Summaries over the same bins, each with at least one row.

    Returns
    -------
    float | None
        At least 0; None where a side has no moments, the bins have no edges, or the figure overflows.

    References
    ----------
    Vallender (1974), Calculation of the Wasserstein distance between probability distributions on the line,
    Theory of Probability and its Applications 18(4), 784-786.
    """
    before, now, edges = reference.moments, current.moments, reference.edges
    if before is None or now is None or edges is None:
        return None
    n_reference, n_current = totals(reference.counts, current.counts)
    lows, highs = np.empty(edges.size + 1), np.empty(edges.size + 1)
    lows[0], lows[1:] = min(before.minimum, now.minimum), edges
    highs[:-1], highs[-1] = edges, max(before.maximum, now.maximum)
    gap = np.empty(edges.size + 1)
    gap[0] = 0.0
    gap[1:] = (reference.counts.cumsum() / n_reference - current.counts.cumsum() / n_current)[:-1]
    with np.errstate(over="ignore", invalid="ignore"):
        inside = highs * (reference.counts / n_reference - current.counts / n_current)
        inside -= before.bin_sums / n_reference - now.bin_sums / n_current
        distance = float(np.abs((highs - lows) * gap + inside).sum())
    return distance if math.isfinite(distance) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wasserstein:
    """First Wasserstein distance, in the column's own units, never above that of the raw rows.

    Its law without drift depends on the column's distribution, so it is simulated with the reference; where
    tails are heavy (no fourth moment) even that is wrong, and there is no p-value.
    """

    name: ClassVar[str] = "wasserstein"
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NUMERIC})
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure, see `wasserstein_grid`; UNAVAILABLE for categories and where moments are missing."""
        n_reference, n_current = matched_rows(reference, current)
        if reference.kind is not Kind.NUMERIC:
            return absent(self.name, Status.UNAVAILABLE, n_reference, n_current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        score = wasserstein_grid(reference, current)
        if score is None:
            reason = "a side has no moments, or the distance overflows"
            return absent(self.name, Status.UNAVAILABLE, n_reference, n_current, reason=reason)
        inflated = _inflation(reference, n_current)
        p_value, reason_for_none = self._judge(reference, score, n_current / inflated, inflated)
        return Reading(
            method=self.name,
            status=Status.OK,
            score=score,
            p_value=p_value,
            n_effective=n_current / inflated,
            reason=reason_for_none,
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the simulated law, see `detectors.null_simulation`; None where there is no p-value."""
        law = self._law(reference)
        if reference.n == 0 or law is None:
            return None
        inflated = _inflation(reference, n)
        return law.limit(level, n / inflated, inflated * (1 / n + 1 / reference.n))

    def _law(self, reference: Summary) -> NullTable | None:
        return None if reference.calibration is None else reference.calibration.tables.get(self.name)

    def _judge(
        self, reference: Summary, score: float, rows: float, inflated: float
    ) -> tuple[float | None, str | None]:
        law, known = self._law(reference), reference.calibration
        if law is not None:
            return read_law(law, score, rows, 1 / rows + inflated / reference.n)
        tails = None if known is None else known.tails
        missing = None if tails is None else why_no_moments(tails, reference.n)
        if missing is not None:
            return None, missing
        if reference.moments is not None and reference.moments.minimum == reference.moments.maximum:
            return None, "the reference does not vary"
        return None, "the reference has no simulated law; build it again"


def _inflation(reference: Summary, n: int) -> float:
    """Take the larger of two: the tail of the distance is that of a shift, which dependence inflates most."""
    return max(inflation(reference, n, each) for each in (Statistic.DISTRIBUTION, Statistic.MEAN))
