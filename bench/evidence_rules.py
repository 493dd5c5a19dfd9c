"""The rules that the bench lets judge the same windows, from a bare p-value to the e-detectors."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov, rel_entr

from bench.evidence_columns import Family, grouped
from detectors.base import FloatArray, IntArray, Kind
from detectors.multiplicity import benjamini_hochberg, e_benjamini_hochberg
from detectors.ordered import OVERSHOOT
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import EDetectors, Recursion
from detectors.significance import chi_square_test

LEVEL = 0.05
BoolArray = NDArray[np.bool_]
Rule = Callable[[IntArray], BoolArray]
"""Counts of a window of every column, shape ``(columns, bins)``, to the columns that are called."""

BH = "BH .05 per window"
EVIDENCE = "evidence, e-SR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the window rules need of the references: rows and shares, fine and coarse."""

    family: Family
    rows: int
    shares: FloatArray
    groups: IntArray

    @classmethod
    def of(cls, family: Family) -> "Reference":
        """Take them from a family."""
        counts = family.counts
        return cls(
            family=family,
            rows=int(counts[0].sum()),
            shares=counts / counts.sum(axis=1, keepdims=True),
            groups=grouped(family, counts),
        )

    def p_values(self, counts: IntArray) -> FloatArray:
        """P-values of the test that decides: grid KS for ordered columns, chi-square for categories."""
        if self.family.references[0].kind is Kind.CATEGORICAL:
            pairs = zip(self.groups, grouped(self.family, counts), strict=True)
            return np.array([chi_square_test(before, now).p_value for before, now in pairs])
        n = int(counts[0].sum())
        distances = np.abs((counts / n - self.shares).cumsum(axis=1)).max(axis=1)
        effective = n * self.rows / (n + self.rows)
        loss = OVERSHOOT / math.sqrt(counts.shape[1])
        return np.asarray(kolmogorov(math.sqrt(effective) * distances + loss))

    def psi(self, counts: IntArray) -> FloatArray:
        """PSI on the coarse groups with half a row added to each, as `detectors.divergences.psi`."""
        before, now = self.groups + 0.5, grouped(self.family, counts) + 0.5
        p, q = before / before.sum(axis=1, keepdims=True), now / now.sum(axis=1, keepdims=True)
        return np.asarray(((q - p) * np.log(q / p)).sum(axis=1))

    def jensen_shannon(self, groups: IntArray) -> FloatArray:
        """Jensen-Shannon distance of rows per group, shape ``(..., columns, groups)``."""
        p = self.groups / self.rows
        q = groups / groups.sum(axis=-1, keepdims=True)
        middle = (p + q) / 2
        divergence = (rel_entr(p, middle) + rel_entr(q, middle)).sum(axis=-1)
        return np.sqrt(np.asarray(divergence) / (2 * math.log(2)))


def window_rules(family: Family) -> Mapping[str, Rule]:
    """Return rules that look at one window only."""
    reference = Reference.of(family)
    columns = len(family.references)
    # As NannyML does it: the same distance for chunks of the reference, mean plus three deviations.
    scatter = reference.jensen_shannon(np.swapaxes(family.chunks, 0, 1))
    limit = scatter.mean(axis=0) + 3 * scatter.std(axis=0)
    return {
        "KS p < .05": lambda counts: reference.p_values(counts) < LEVEL,
        f"Bonferroni .05 / {columns}": lambda counts: reference.p_values(counts) < LEVEL / columns,
        BH: lambda counts: benjamini_hochberg(reference.p_values(counts)) <= LEVEL,
        "PSI > .1": lambda counts: reference.psi(counts) > 0.1,
        "PSI > .25": lambda counts: reference.psi(counts) > 0.25,
        "JS > mean + 3 sd of chunks": lambda counts: (
            reference.jensen_shannon(grouped(family, counts)) > limit
        ),
    }


class Evidence:
    """E-detectors of a family under a budget, block after block."""

    def __init__(self, family: Family, budget: Budget, recursion: Recursion = Recursion.SR) -> None:
        """Begin without evidence."""
        self._family = family
        self._detectors = EDetectors.of([each.weights for each in family.evidence], recursion)
        self._log_threshold = budget.log_threshold
        self._state = self._detectors.start()
        self._all = np.ones(len(family.evidence), dtype=np.bool_)

    def __call__(self, counts: IntArray) -> BoolArray:
        """Take up a block of every column; return the columns that alarm, which begin again."""
        return self.take(log_e_values(self._family, counts))

    def take(self, log_e: FloatArray) -> BoolArray:
        """Take up the e-values of a block, where several judges share them."""
        self._state = self._detectors.update(self._state, log_e, self._all)
        alarmed = e_benjamini_hochberg(self._detectors.log_values(self._state), self._log_threshold)
        self._state = self._detectors.restart(self._state, alarmed)
        return alarmed


def log_e_values(family: Family, counts: IntArray) -> FloatArray:
    """Logarithms of the e-values of a block of every column, columns one after the other."""
    return np.concatenate([each.log_e(block) for each, block in zip(family.evidence, counts, strict=True)])
