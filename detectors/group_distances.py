"""Distances between the shares of coarse groups: Kullback-Leibler, Hellinger, total variation, L-infinity.

The first two are divergences, so without drift they are the chi-square variable that the PSI is, up to a
constant; the other two have simulated laws alone.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import IntArray, Kind, Reading, Status, Summary
from detectors.coarse import absent, coarsen, divergence_inflation, inflation, matched_rows, occupied
from detectors.group_statistics import GROUP_STATISTICS
from detectors.nulls import NullTable, chi_square_table, law_of, read_law
from detectors.scatter import Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class KullbackLeibler:
    """Divergence of the window from the reference, ``sum of q ln(q / p)``, in nats; 0 and above, finite.

    Half a row is added to every group of both sides, as in `detectors.divergences.psi`. It is not symmetric:
    what the window holds and the reference does not weighs more than the other way round.

    References
    ----------
    Kullback & Leibler (1951), On information and sufficiency, Annals of Mathematical Statistics 22, 79-86.
    """

    name: ClassVar[str] = "kl"
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the groups; `debiased` is less half of what the PSI expects without drift."""
        return _compare(self.name, reference, current)

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the law without drift, see `detectors.nulls`."""
        return _limit(self.name, reference, n, level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hellinger:
    """Hellinger distance, the root of ``1 - sum of sqrt(p q)``; in [0, 1], a metric.

    References
    ----------
    Hellinger (1909), Neue Begruendung der Theorie quadratischer Formen von unendlichvielen Veraenderlichen,
    Journal fuer die reine und angewandte Mathematik 136, 210-271.
    """

    name: ClassVar[str] = "hellinger"
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the groups; `debiased` is the root of the square less its expectation without drift."""
        return _compare(self.name, reference, current)

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the law without drift, see `detectors.nulls`."""
        return _limit(self.name, reference, n, level)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalVariation:
    """Half the sum of the absolute differences of shares: the share of rows that had to move; in [0, 1]."""

    name: ClassVar[str] = "tv"
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the groups."""
        return _compare(self.name, reference, current)

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the simulated law; None where the reference has none."""
        return _limit(self.name, reference, n, level)


@dataclass(frozen=True, slots=True, kw_only=True)
class LInfinity:
    """Largest absolute difference of a share, in [0, 1]."""

    name: ClassVar[str] = "linf"
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the groups."""
        return _compare(self.name, reference, current)

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the simulated law; None where the reference has none."""
        return _limit(self.name, reference, n, level)


def share_distance(name: str, reference: IntArray, current: IntArray) -> float:
    """Score of one window by the name of the detector.

    Parameters
    ----------
    reference, current
        Rows per group, shape ``(groups,)``, each side with at least one row.

    Examples
    --------
    >>> half, quarter = np.array([500, 500]), np.array([250, 750])
    >>> share_distance("tv", half, quarter), share_distance("linf", half, quarter)
    (0.25, 0.25)
    >>> round(share_distance("hellinger", half, quarter) ** 2, 4)  # 1 - (sqrt(1 / 8) + sqrt(3 / 8))
    0.0341
    """
    return float(GROUP_STATISTICS[name].scores(reference, current[np.newaxis])[0])


def _compare(name: str, reference: Summary, current: Summary) -> Reading:
    n_reference, n_current = matched_rows(reference, current)
    if n_reference == 0 or n_current == 0:
        return absent(name, Status.INSUFFICIENT, n_reference, n_current)
    before = coarsen(reference.counts, reference.groups)
    now = coarsen(current.counts, reference.groups)
    score = share_distance(name, before, now)
    inflated = _inflation(name, reference, n_current)
    noise = inflated * (1 / n_reference + 1 / n_current)
    law = _law(name, reference, before)
    p_value, reason = read_law(law, score, n_current / inflated, noise)
    if law is None and GROUP_STATISTICS[name].factor is None:
        reason = "the reference has no simulated law; build it with this detector configured"
    return Reading(
        method=name,
        status=Status.OK,
        score=score,
        p_value=p_value,
        debiased=_debiased(name, score, (occupied(before, now) - 1) * noise),
        n_effective=n_current / inflated,
        reason=reason,
        n_reference=n_reference,
        n_current=n_current,
    )


def _limit(name: str, reference: Summary, n: int, level: float) -> float | None:
    if reference.n == 0:
        return None
    law = _law(name, reference, coarsen(reference.counts, reference.groups))
    inflated = _inflation(name, reference, n)
    return None if law is None else law.limit(level, n / inflated, inflated * (1 / n + 1 / reference.n))


def _law(name: str, reference: Summary, groups: IntArray) -> NullTable | None:
    statistic = GROUP_STATISTICS[name]
    if statistic.factor is not None:
        return law_of(reference, groups, name, factor=statistic.factor, scale=statistic.scale)
    if groups.size == 1:
        return chi_square_table(0, 1, 1.0, statistic.scale)
    return None if reference.calibration is None else reference.calibration.tables.get(name)


def _debiased(name: str, score: float, expected_psi: float) -> float | None:
    """Take the expectation without drift off a divergence; None for what is none."""
    statistic = GROUP_STATISTICS[name]
    if statistic.factor is None:
        return None
    expected = statistic.factor * expected_psi
    if statistic.scale == "v":
        return max(0.0, score - expected)
    return min(math.sqrt(max(0.0, score * score - expected)), score)


def _inflation(name: str, reference: Summary, n: int) -> float:
    """Of the divergences; of one share alone that of the share that scatters most, if it is larger."""
    common = divergence_inflation(reference, n)
    return max(common, inflation(reference, n, Statistic.SHARE)) if name == "linf" else common
