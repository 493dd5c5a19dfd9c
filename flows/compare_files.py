"""Compares two inputs column by column: one answer, by the machinery that watches windows."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from detectors.multiplicity import family_q_values
from detectors.verdicts import RANK, Rule, Rules, Verdict
from flows.compare_columns import ComparedColumn, Standards, compared_column, score_column
from flows.decode.base import Reason
from flows.input import InputSet
from flows.reference_build import build_reference
from flows.summarize import whole_sketch
from state.columns import Column
from state.reference import FeatureReference, Reference
from state.sketches.base import Sketch, empty

_BATCH_ROWS = 8_192


class ComparedInput(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two inputs: its files, its good rows and the records that were refused, by reason."""

    files: tuple[str, ...]
    rows: int
    refused: dict[str, int]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two inputs compared; `columns` are sorted by severity, then by q-value."""

    baseline: ComparedInput
    current: ComparedInput
    rules: Rules
    columns: tuple[ComparedColumn, ...]

    @property
    def drifted(self) -> bool:
        """Whether any column is in drift."""
        return any(column.verdict is Verdict.DRIFT for column in self.columns)


@dataclass(frozen=True, slots=True)
class _Summed:
    sketches: dict[str, Sketch]
    rows: int
    refused: Counter[Reason]


def compare_inputs(
    baseline: InputSet,
    current: InputSet,
    columns: tuple[Column, ...],
    standards: Standards,
    *,
    on_read: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Compare all rows of two inputs.

    The baseline is read twice and the current input once, in batches: memory does not grow with the rows.

    Parameters
    ----------
    columns
        What both inputs decode, by name; where it stands in each is the business of their decoders.
    on_read
        Called with what each batch read, in the unit of the inputs' `total`.

    Raises
    ------
    BadReferenceError
        The baseline has no good row, or a column holds no value there.
    """
    # Without times a file may stand in any order, and one that is sorted would look as if its rows depended.
    built = build_reference(
        baseline,
        columns,
        model="baseline",
        now_ms=0,
        in_order=False,
        detectors=standards.detectors,
        on_read=on_read,
    )
    before = ComparedInput(
        files=baseline.names,
        rows=built.reference.provenance.rows,
        refused=_by_reason(Counter(built.refused)),
    )
    return compare_with(built.reference, before, current, standards, on_read=on_read)


def compare_with(
    reference: Reference,
    baseline: ComparedInput,
    current: InputSet,
    standards: Standards,
    *,
    on_read: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Compare all rows of an input with a reference, as one window.

    Parameters
    ----------
    baseline
        What is said of the rows that the reference was built from.
    """
    summed = _summarize(current, reference, on_read)
    told = ComparedInput(files=current.names, rows=summed.rows, refused=_by_reason(summed.refused))
    return compare_sketches(reference.features, summed.sketches, baseline, told, standards)


def compare_sketches(
    features: Sequence[FeatureReference],
    sketches: Mapping[str, Sketch],
    baseline: ComparedInput,
    current: ComparedInput,
    standards: Standards,
) -> Comparison:
    """Compare what is counted of each column with its reference, as one window.

    Parameters
    ----------
    sketches
        By the name of the column, over the bins of its reference.
    """
    rules = standards.rules
    if rules.rule is Rule.EVIDENCE:
        # Two inputs are one window: there is no evidence over time.
        rules = replace(rules, rule=Rule.WINDOW)
    scored = [score_column(feature, sketches[feature.column.name], standards) for feature in features]
    q_values = family_q_values(
        [found.p_value if found.n >= rules.min_rows else None for found in scored], rules.correction
    )
    compared = [
        compared_column(feature, found, sketches[found.feature], q, standards, len(scored))
        for feature, found, q in zip(features, scored, q_values, strict=True)
    ]
    return Comparison(
        baseline=baseline,
        current=current,
        rules=rules,
        columns=tuple(sorted(compared, key=_order)),
    )


def _summarize(source: InputSet, reference: Reference, on_read: Callable[[int], None]) -> _Summed:
    """Count an input over the bins of a reference."""
    sketches = {feature.column.name: empty(feature.bins.width) for feature in reference.features}
    refused = Counter[Reason]()
    rows = 0
    for opener in source.readers.values():
        reader, decoder = opener(None)
        try:
            while (raw := reader.read(_BATCH_ROWS)) is not None:
                on_read(raw.size)
                decoded = decoder.decode(raw.records)
                refused.update(refusal.reason for refusal in raw.refused)
                refused.update(refusal.reason for refusal in decoded.refused)
                rows += len(decoded.kept)
                if not len(decoded.kept):
                    continue
                for feature in reference.features:
                    name = feature.column.name
                    sketches[name] = sketches[name].merge(whole_sketch(name, feature.bins, decoded))
        finally:
            reader.close()
    return _Summed(sketches, rows, refused)


def _order(found: ComparedColumn) -> tuple[int, float, float, str]:
    q_value = 2.0 if found.q_value is None else found.q_value
    return -RANK[found.severity], q_value, -(found.effect or 0.0), found.column


def _by_reason(refused: Counter[Reason]) -> dict[str, int]:
    return {str(reason): count for reason, count in refused.most_common()}
