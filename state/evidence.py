"""What is asked of each watched column's blocks, prepared from one reference."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.base import FloatArray, IntArray
from detectors.dependence import Dependence
from detectors.sequential.evalues import FeatureEvidence
from state.explain import group_label
from state.reference import FeatureReference, Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnEvidence:
    """The questions about one column, and how many rows a block needs to answer them.

    Attributes
    ----------
    questions
        Prepared from the reference.
    dependence
        How rows of the reference depend on one another; None where that is not known.
    rows
        Rows with a value that one answer takes at least: blocks with fewer are joined.
    """

    questions: FeatureEvidence
    dependence: Dependence | None
    rows: int

    def log_e(self, counts: IntArray) -> FloatArray:
        """Logarithms of the e-values of a block, from its rows per bin, shape ``(components,)``."""
        rows = int(counts.sum())
        inflation = 1.0 if self.dependence is None else self.dependence.largest_inflation(rows)
        return self.questions.log_e(counts, inflation=inflation)


def evidence_of(
    reference: Reference, names: Sequence[str], *, rows: int, risk: float
) -> dict[str, ColumnEvidence]:
    """Prepare all watched columns as one family.

    Parameters
    ----------
    rows
        That a block has at least. A column whose neighbouring blocks of that size would still depend on each
        other takes as many more as its reference shows to be enough, and at most what it can show.
    risk
        Chance, over the draw of the reference, that its own error is larger than the evidence allows for.
    """
    return {
        name: _column_evidence(reference.feature(name), family=len(names), rows=rows, risk=risk)
        for name in names
    }


def _column_evidence(feature: FeatureReference, *, family: int, rows: int, risk: float) -> ColumnEvidence:
    summary = feature.summary
    calibration = summary.calibration
    dependence = None if calibration is None else calibration.dependence
    wanted, inflation = rows, 1.0
    if dependence is not None and dependence.rows.size:
        wanted = max(rows, dependence.independent_rows() or round(float(dependence.rows[-1])))
        inflation = dependence.largest_inflation(summary.n)
    groups = int(summary.groups.max()) + 1
    return ColumnEvidence(
        questions=FeatureEvidence.prepare(
            summary,
            family=family,
            risk=risk,
            reference_inflation=inflation,
            labels=tuple(group_label(feature, group) for group in range(groups)),
        ),
        dependence=dependence,
        rows=wanted,
    )
