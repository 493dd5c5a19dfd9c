"""The evidence that one block of rows holds against "nothing has changed since the reference"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.base import DriftflowError, FloatArray, IntArray, Kind, Summary
from detectors.sequential.alternatives import Alternatives, Distance, Mix, Shares, Shifts

RISK = 0.05
"""Chance, over the draw of the reference, that any limit of any column of a family is wrong."""


class EvidenceError(DriftflowError):
    """Evidence asked for with settings that give none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureEvidence:
    """All questions about one column, prepared from its reference.

    Attributes
    ----------
    names
        Of the components, such as "mean up", "share of group 3 down", "ks"; a name stands once for each size
        of shift that is asked for.
    weights
        Shape ``(components,)``, sum 1: equal between the kinds of question, equal within each.
    """

    names: tuple[str, ...]
    weights: FloatArray
    alternatives: tuple[Alternatives, ...]

    @classmethod
    def prepare(
        cls,
        reference: Summary,
        *,
        family: int,
        risk: float = RISK,
        reference_inflation: float = 1.0,
        labels: Sequence[str] | None = None,
    ) -> Self:
        """Ask what suits the column: distance, mean, scale and shares in order, or mix and shares.

        With a chance of ``1 - risk`` over the draw of the reference every e-value of every column of the
        family has an expectation of at most 1 without drift: the risk is spread evenly over all limits that
        the family takes from its references.

        Parameters
        ----------
        reference
            Of the column; without a row it has no components.
        family
            Columns that share the risk and the budget, at least 1.
        reference_inflation
            Rows of the reference that count as one, at least 1, because they depend on one another.
        labels
            Names of the groups; "group 0", ... where not given.

        Raises
        ------
        EvidenceError
            A setting out of its range.
        """
        if family < 1 or not 0 < risk < 1 or not reference_inflation >= 1:
            raise EvidenceError(
                f"Evidence for a family of {family} columns at risk {risk} and inflation "
                f"{reference_inflation}; wanted at least 1 column, a risk between 0 and 1, and an "
                "inflation of at least 1."
            )
        if reference.n == 0:
            return cls(names=(), weights=np.empty(0), alternatives=())
        counts, groups = reference.counts / reference_inflation, reference.groups
        cells = int(groups.max()) + 1
        named = tuple(labels) if labels is not None else tuple(f"group {each}" for each in range(cells))
        asked: Sequence[Alternatives]
        if reference.kind is Kind.NUMERIC:
            # A distance, four directions of shift, and two limits of each share.
            share = risk / (family * (1 + 4 + 2 * cells))
            asked = (
                Distance.prepare(counts, share),
                Shifts.prepare(counts, share),
                Shares.prepare(counts, groups, named, share),
            )
        else:
            share = risk / (family * (1 + 2 * cells))
            asked = (Mix.prepare(counts, groups, share), Shares.prepare(counts, groups, named, share))
        names = tuple(name for each in asked for name in each.names)
        return cls(names=names, weights=_even_weights(names), alternatives=tuple(asked))

    def log_e(self, counts: IntArray, *, inflation: float = 1.0) -> FloatArray:
        """Logarithms of the e-values of one block, shape ``(components,)``.

        Parameters
        ----------
        counts
            Rows per bin of the reference, shape ``(bins,)``.
        inflation
            Rows that count as one, at least 1: variances of counts over those of independent rows.

        Returns
        -------
        FloatArray
            All 0 where the block holds less than one independent row.
        """
        rows = float(counts.sum()) / inflation
        if rows < 1 or not self.names:
            return np.zeros(len(self.names))
        scaled = counts / inflation
        return np.concatenate([each.log_e(scaled, rows) for each in self.alternatives])


def _even_weights(names: Sequence[str]) -> FloatArray:
    kinds = [name.split(" ", 1)[0] for name in names]
    found = set(kinds)
    return np.array([1 / (len(found) * kinds.count(kind)) for kind in kinds])
