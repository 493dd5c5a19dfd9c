"""Divergences between two binned columns, as effect sizes on coarse groups.

Without drift each of them is about the same chi-square variable up to a constant, so their p-values say what
the chi-square test says and must not be counted beside it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from scipy.special import rel_entr

from detectors.base import DriftflowError, IntArray, Kind, Reading, Status, Summary
from detectors.coarse import absent, coarsen, divergence_inflation, matched_rows, totals
from detectors.effects import jensen_shannon_divergence, psi_divergence
from detectors.nulls import NullTable, law_of, read_law

HALF_A_ROW = 0.5
"""Pseudocount of the prior of Jeffreys."""

_NATS_PER_BIT = 8 * math.log(2)
"""Of the divergence that is eight times the Jensen-Shannon divergence, and about the PSI."""


class PseudocountError(DriftflowError):
    """A pseudocount with which a score could be infinite or meaningless."""


def psi(reference: IntArray, current: IntArray, *, pseudocount: float = HALF_A_ROW) -> float:
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
    >>> import numpy as np
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
    >>> import numpy as np
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
    has_p_value: ClassVar[bool] = True
    pseudocount: float = HALF_A_ROW

    def __post_init__(self) -> None:
        _check_pseudocount(self.pseudocount)

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the groups, see `psi`."""
        n_reference, n_current = matched_rows(reference, current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        before = coarsen(reference.counts, reference.groups)
        now = coarsen(current.counts, reference.groups)
        inflated = divergence_inflation(reference, n_current)
        found = psi_divergence(before, now, inflation=inflated, pseudocount=self.pseudocount)
        p_value, reason = read_law(
            self._law(reference, before), found.value, n_current / inflated, found.noise
        )
        low, high = found.interval() or (None, None)
        return Reading(
            method=self.name,
            status=Status.OK,
            score=found.value,
            p_value=p_value,
            debiased=found.debiased,
            effect_low=low,
            effect_high=high,
            n_effective=n_current / inflated,
            reason=reason,
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the law without drift, see `detectors.nulls`."""
        return _limit(self._law, reference, n, level)

    def _law(self, reference: Summary, groups: IntArray) -> NullTable | None:
        # Tables are those of half a row a group; with any other the closed form alone is left.
        name = self.name if self.pseudocount == HALF_A_ROW else ""
        return law_of(reference, groups, name, factor=1.0, scale="v")


@dataclass(frozen=True, slots=True, kw_only=True)
class JensenShannon:
    """Jensen-Shannon distance (base 2, in [0, 1]) on the groups; `debiased` is that of the divergence."""

    name: ClassVar[str] = "js"
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)
    has_p_value: ClassVar[bool] = True

    def compare(self, reference: Summary, current: Summary) -> Reading:
        """Measure on the groups, see `jensen_shannon`."""
        n_reference, n_current = matched_rows(reference, current)
        if n_reference == 0 or n_current == 0:
            return absent(self.name, Status.INSUFFICIENT, n_reference, n_current)
        before = coarsen(reference.counts, reference.groups)
        now = coarsen(current.counts, reference.groups)
        inflated = divergence_inflation(reference, n_current)
        found = jensen_shannon_divergence(before, now, inflation=inflated)
        score, ends = jensen_shannon(before, now), found.interval()
        p_value, reason = read_law(_distance_law(reference, before), score, n_current / inflated, found.noise)
        return Reading(
            method=self.name,
            status=Status.OK,
            score=score,
            p_value=p_value,
            debiased=min(_distance(found.debiased), score),
            effect_low=None if ends is None else _distance(ends[0]),
            effect_high=None if ends is None else _distance(ends[1]),
            n_effective=n_current / inflated,
            reason=reason,
            n_reference=n_reference,
            n_current=n_current,
        )

    def limit(self, reference: Summary, n: int, level: float) -> float | None:
        """Quantile of the law without drift, see `detectors.nulls`."""
        found = _limit(_distance_law, reference, n, level)
        return None if found is None else min(found, 1.0)


def _distance_law(reference: Summary, groups: IntArray) -> NullTable | None:
    return law_of(reference, groups, JensenShannon.name, factor=1 / _NATS_PER_BIT, scale="sqrt v")


def _limit(
    law: Callable[[Summary, IntArray], NullTable | None], reference: Summary, n: int, level: float
) -> float | None:
    if reference.n == 0:
        return None
    found = law(reference, coarsen(reference.counts, reference.groups))
    inflated = divergence_inflation(reference, n)
    noise = inflated * (1 / n + 1 / reference.n)
    return None if found is None else found.limit(level, n / inflated, noise)


def _distance(divergence: float) -> float:
    """Distance in bits of a divergence on the scale of the PSI: eight times as many nats."""
    return min(math.sqrt(divergence / _NATS_PER_BIT), 1.0)


def _check_pseudocount(pseudocount: float) -> None:
    if not 0 < pseudocount < math.inf:
        raise PseudocountError(
            f"PSI with a pseudocount of {pseudocount}; it must be a finite number above 0, such as 0.5, "
            "because a group that is empty on one side has no finite PSI without it."
        )
