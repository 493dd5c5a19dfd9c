"""Divergences between two binned columns, as effect sizes on coarse groups.

They have no p-value: without drift each of them is the same chi-square variable up to a constant, so the
chi-square test says what they could say.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import chdtri, rel_entr

from detectors.base import DriftflowError, IntArray, Kind, Reading, Status, Summary
from detectors.coarse import absent, coarsen, matched_rows, totals
from detectors.effects import jensen_shannon_divergence, psi_divergence

_NO_P_VALUE = "the chi-square test says what its p-value could say"


class PseudocountError(DriftflowError):
    """A pseudocount with which a score could be infinite or meaningless."""


def psi(reference: IntArray, current: IntArray, *, pseudocount: float = 0.5) -> float:
    """Population stability index, in nats; 0 for equal counts, never negative, finite.

    The sum of ``(q - p) ln(q / p)`` over the groups, with p and q the shares of the reference and of the
    current side; it is Jeffreys' symmetric divergence. Groups empty on both sides are left out.

    Parameters
    ----------
    reference, current
        Rows per group, shape ``(groups,)``, each side with at least one row.
    pseudocount
        Added to every group of both sides. A group that is empty on one side would otherwise send the score
        to infinity; one half is the prior of Jeffreys. It draws sides of different size apart by a little:
        equal shares from unequal numbers of rows score slightly above 0, and less than `expected_psi`.

    Raises
    ------
    IncompatibleSummaryError
        The two sides do not have the same number of groups.
    EmptyCountsError
        A side holds no rows.
    PseudocountError
        The pseudocount is not a finite number above 0.

    References
    ----------
    Yurdakul & Naranjo (2020), Statistical properties of the population stability index, Journal of Risk
    Model Validation 14(4).

    Examples
    --------
    >>> round(psi(np.array([500, 500]), np.array([750, 250])), 4)
    0.274
    """
    _check_pseudocount(pseudocount)
    return psi_divergence(reference, current, pseudocount=pseudocount).value


def expected_psi(groups: int, n_reference: int, n_current: int) -> float:
    """Mean of the PSI of two samples of one distribution: ``(groups - 1) (1 / n + 1 / m)``.

    The first-order term of Yurdakul & Naranjo (2020), see `psi`; `groups` counts those that hold rows. With a
    pseudocount of one half the true mean is lower where groups hold few rows (by a tenth at 5 rows a group).

    Examples
    --------
    >>> expected_psi(11, 1000, 1000)
    0.02
    """
    return (groups - 1) * (1 / n_reference + 1 / n_current)


def jensen_shannon(reference: IntArray, current: IntArray) -> float:
    """Jensen-Shannon distance: square root of the base-2 divergence, in [0, 1].

    0 for equal shares, 1 for shares without a common group. It is a metric, and it needs no pseudocount.

    Parameters
    ----------
    reference, current
        Rows per group, shape ``(groups,)``, each side with at least one row.

    Raises
    ------
    IncompatibleSummaryError
        The two sides do not have the same number of groups.
    EmptyCountsError
        A side holds no rows.

    References
    ----------
    Endres & Schindelin (2003), A new metric for probability distributions, IEEE Transactions on Information
    Theory 49(7), 1858-1860.

    Examples
    --------
    >>> jensen_shannon(np.array([10, 0]), np.array([0, 30]))
    1.0
    """
    n_reference, n_current = totals(reference, current)
    p = reference / n_reference
    q = current / n_current
    middle = (p + q) / 2
    divergence = float((rel_entr(p, middle) + rel_entr(q, middle)).sum()) / (2 * math.log(2))
    # Rounding can leave the interval by a last digit.
    return math.sqrt(min(max(divergence, 0.0), 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Psi:
    """Population stability index on the groups; `debiased` has its expectation without drift taken off.

    Attributes
    ----------
    pseudocount
        Added to every group of both sides, see `psi`.

    Raises
    ------
    PseudocountError
        The pseudocount is not a finite number above 0.
    """

    name: ClassVar[str] = "psi"
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)
    has_p_value: ClassVar[bool] = False
    pseudocount: float = 0.5

    def __post_init__(self) -> None:
        _check_pseudocount(self.pseudocount)

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the groups, see `psi`."""
        n_reference, n_current = matched_rows(reference, current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        before = coarsen(reference.counts, reference.groups)
        now = coarsen(current.counts, reference.groups)
        found = psi_divergence(before, now, pseudocount=self.pseudocount)
        low, high = found.interval() or (None, None)
        return Reading(
            method=self.name,
            status=Status.OK,
            score=found.value,
            debiased=found.debiased,
            effect_low=low,
            effect_high=high,
            n_effective=float(n_current),
            reason=_NO_P_VALUE,
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the first-order law, `v` times chi-square (Yurdakul & Naranjo, see `psi`)."""
        return _chi_square_limit(reference, n, level)


@dataclass(frozen=True, slots=True, kw_only=True)
class JensenShannon:
    """Jensen-Shannon distance (base 2, in [0, 1]) on the groups; `debiased` is that of the divergence."""

    name: ClassVar[str] = "js"
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)
    has_p_value: ClassVar[bool] = False

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the groups, see `jensen_shannon`."""
        n_reference, n_current = matched_rows(reference, current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        before = coarsen(reference.counts, reference.groups)
        now = coarsen(current.counts, reference.groups)
        score, found = jensen_shannon(before, now), jensen_shannon_divergence(before, now)
        ends = found.interval()
        return Reading(
            method=self.name,
            status=Status.OK,
            score=score,
            debiased=min(_distance(found.debiased), score),
            effect_low=None if ends is None else _distance(ends[0]),
            effect_high=None if ends is None else _distance(ends[1]),
            n_effective=float(n_current),
            reason=_NO_P_VALUE,
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the first-order law: the divergence in nats is an eighth of the PSI."""
        found = _chi_square_limit(reference, n, level)
        return None if found is None else _distance(found)


def _distance(divergence: float) -> float:
    """Distance in bits of a divergence on the scale of the PSI: eight times as many nats."""
    return min(math.sqrt(divergence / (8 * math.log(2))), 1.0)


def _chi_square_limit(reference: Summary, n: int, level: float) -> float | None:
    if reference.n == 0:
        return None
    groups = np.count_nonzero(coarsen(reference.counts, reference.groups))
    return float(chdtri(groups - 1, level)) * (1 / n + 1 / reference.n) if groups > 1 else 0.0


def _check_pseudocount(pseudocount: float) -> None:
    if not 0 < pseudocount < math.inf:
        raise PseudocountError(
            f"PSI with a pseudocount of {pseudocount}; it must be a finite number above 0, such as 0.5, "
            "because a group that is empty on one side has no finite PSI without it."
        )
