"""Columns with a known law and a reference drawn from it, binned as a run bins them."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from detectors.base import FloatArray, IntArray, Kind, Summary
from detectors.coarse import coarsen
from detectors.sequential.evalues import FeatureEvidence
from state.layout import numeric_bins

MIX = (0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.03, 0.02, 0.01, 0.0)
"""Shares of a column of categories; the last one stands for whatever the reference never saw."""

VANISHING = 6
"""The category of 5 % that goes away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to a column: numbers move and stretch, a category goes, a new one comes.

    Attributes
    ----------
    mean, deviation
        Of a normal column that was standard.
    vanished
        `VANISHING` goes and its rows spread over the others in proportion.
    new_share
        Share of a category that was not there, taken from all others in proportion.
    """

    title: str
    mean: float = 0.0
    deviation: float = 1.0
    vanished: bool = False
    new_share: float = 0.0

    @property
    def of_categories(self) -> bool:
        """Whether the column that changes is one of categories."""
        return self.vanished or self.new_share > 0


CHANGES = (
    Change(title="mean + .1 sd", mean=0.1),
    Change(title="mean + .25 sd", mean=0.25),
    Change(title="mean + .5 sd", mean=0.5),
    Change(title="scale x 1.5", deviation=1.5),
    Change(title="a category of 5 % vanishes", vanished=True),
    Change(title="a new category, 1 %", new_share=0.01),
    Change(title="a new category, 5 %", new_share=0.05),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Columns of one kind, each with a reference of its own.

    Attributes
    ----------
    references
        One for each column.
    evidence
        Prepared from each reference.
    laws, changed
        True shares of the bins before and after the change, shape ``(columns, bins)``.
    chunks
        Rows per group in consecutive spans of each reference, shape ``(columns, spans, groups)``.
    """

    references: tuple[Summary, ...]
    evidence: tuple[FeatureEvidence, ...]
    laws: FloatArray
    changed: FloatArray
    chunks: IntArray

    @property
    def counts(self) -> IntArray:
        """Rows of the references per bin, shape ``(columns, bins)``."""
        return np.array([each.counts for each in self.references])

    @property
    def groups(self) -> IntArray:
        """Group of each bin, the same for all columns."""
        return self.references[0].groups

    def block(self, rng: np.random.Generator, rows: int, drifting: int = 0) -> IntArray:
        """Draw a window of every column, the first `drifting` of them changed."""
        laws = np.concatenate([self.changed[:drifting], self.laws[drifting:]])
        return rng.multinomial(rows, laws)


def numeric_family(rng: np.random.Generator, columns: int, rows: int, span: int, change: Change) -> Family:
    """Standard normal columns; bins at quantiles of each reference, chunks of `span` rows."""
    summaries, laws, changed, chunks = [], [], [], []
    for _ in range(columns):
        sample = rng.normal(size=rows)
        bins = numeric_bins(sample)
        place = np.searchsorted(bins.edges, sample, side="left")
        summary = Summary(
            kind=Kind.NUMERIC,
            counts=np.bincount(place, minlength=bins.edges.size + 1),
            groups=bins.groups,
            continuous=bins.continuous,
            edges=bins.edges,
        )
        summaries.append(summary)
        laws.append(_shares(norm.cdf(bins.edges)))
        changed.append(_shares(norm.cdf(bins.edges, change.mean, change.deviation)))
        spans = bins.groups[place][: rows // span * span].reshape(-1, span)
        chunks.append([np.bincount(each, minlength=int(bins.groups.max()) + 1) for each in spans])
    return _family(summaries, laws, changed, chunks)


def categorical_family(
    rng: np.random.Generator, columns: int, rows: int, span: int, change: Change
) -> Family:
    """Columns of categories with the shares `MIX`, chunks of `span` rows."""
    law = np.array(MIX)
    after = law.copy()
    if change.vanished:
        after[VANISHING] = 0.0
    after *= (1 - change.new_share) / after.sum()
    after[-1] = change.new_share
    chunks = rng.multinomial(span, law, (columns, rows // span))
    rest = rng.multinomial(rows % span, law, columns)
    summaries = [
        Summary(
            kind=Kind.CATEGORICAL,
            counts=chunk.sum(axis=0) + more,
            groups=np.arange(law.size),
            continuous=False,
        )
        for chunk, more in zip(chunks, rest, strict=True)
    ]
    return _family(summaries, [law] * columns, [after] * columns, chunks)


def grouped(family: Family, counts: IntArray) -> IntArray:
    """Rows per coarse group, shape ``(columns, groups)``."""
    return np.array([coarsen(each, family.groups) for each in counts])


def _family(
    summaries: list[Summary], laws: list[FloatArray], changed: list[FloatArray], chunks: object
) -> Family:
    evidence = tuple(FeatureEvidence.prepare(each, family=len(summaries)) for each in summaries)
    return Family(
        references=tuple(summaries),
        evidence=evidence,
        laws=np.array(laws),
        changed=np.array(changed),
        chunks=np.array(chunks),
    )


def _shares(cumulated: FloatArray) -> FloatArray:
    return np.diff(np.concatenate([[0.0], cumulated, [1.0]]))
