"""Compares two inputs column by column: one answer, by the machinery that watches windows."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from math import isfinite

import msgspec

from detectors.base import Kind, Reading
from detectors.checks import Check, CheckStatus
from detectors.multiplicity import family_q_values
from detectors.registry import BY_DEFAULT
from detectors.verdicts import Findings, Rule, Rules, Severity, Verdict
from flows.decode.base import Reason
from flows.input import InputSet
from flows.reference_build import build_reference
from flows.sections.quality import QualityConfig, quality_rules
from flows.summarize import whole_sketch
from state.columns import Column
from state.event_data import Contributor, Histogram
from state.explain import contributors, direction, histogram
from state.quality import column_checks
from state.reference import FeatureReference, Reference
from state.scoring import Scored, score
from state.sketches.base import MISSING, NON_FINITE, Sketch, empty
from state.windows import ClosedWindow

_BATCH_ROWS = 8_192

_RANK = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2, None: 3}


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one side holds of a column.

    `minimum` and `maximum` are None for categories and where there is no finite value, `mean` also where its
    sum could have overflowed.
    """

    rows: int
    values: int
    missing: int
    non_finite: int
    minimum: float | None
    mean: float | None
    maximum: float | None

    @property
    def missing_share(self) -> float:
        """Share of the rows that hold no value."""
        return self.missing / self.rows if self.rows else 0.0


class ComparedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column on both sides.

    Attributes
    ----------
    test, statistic, p_value, q_value
        The detector that decides, its score and p-value, and the p-value corrected for the number of columns
        (Benjamini-Hochberg).
    effect
        PSI less its expectation without drift.
    histogram
        Both sides over the baseline's bins.
    checks
        Checks of data quality that are violated.
    """

    column: str
    kind: Kind
    verdict: Verdict
    severity: Severity | None
    test: str
    statistic: float | None
    p_value: float | None
    q_value: float | None
    effect: float | None
    direction: str
    baseline: Side
    current: Side
    contributors: tuple[Contributor, ...]
    new_categories: tuple[str, ...]
    readings: tuple[Reading, ...]
    histogram: Histogram
    checks: tuple[Check, ...]


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
    rules: Rules,
    *,
    detectors: Collection[str] = BY_DEFAULT,
    on_read: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Compare all rows of two inputs.

    The baseline is read twice and the current input once, in batches: memory does not grow with the rows.

    Parameters
    ----------
    columns
        What both inputs decode, by name; where it stands in each is the business of their decoders.
    detectors
        Names of those that measure.
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
        detectors=detectors,
        on_read=on_read,
    )
    before = ComparedInput(
        files=baseline.names,
        rows=built.reference.provenance.rows,
        refused=_by_reason(Counter(built.refused)),
    )
    return compare_with(built.reference, before, current, rules, detectors=detectors, on_read=on_read)


def compare_with(
    reference: Reference,
    baseline: ComparedInput,
    current: InputSet,
    rules: Rules,
    *,
    detectors: Collection[str] = BY_DEFAULT,
    on_read: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Compare all rows of an input with a reference, as one window.

    Parameters
    ----------
    baseline
        What is said of the rows that the reference was built from.
    """
    summed = _summarize(current, reference, on_read)
    # Two inputs are one window: there is no evidence over time.
    rules = replace(rules, rule=Rule.WINDOW)
    scored = [
        _scored(feature, summed.sketches[feature.column.name], rules.min_effect, detectors)
        for feature in reference.features
    ]
    q_values = family_q_values(
        [found.p_value if found.n >= rules.min_rows else None for found in scored], rules.correction
    )
    compared = [
        _compared(feature, found, summed.sketches[found.feature], q, rules, len(scored))
        for feature, found, q in zip(reference.features, scored, q_values, strict=True)
    ]
    return Comparison(
        baseline=baseline,
        current=ComparedInput(
            files=current.names,
            rows=summed.rows,
            refused=_by_reason(summed.refused),
        ),
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


def _scored(
    feature: FeatureReference, sketch: Sketch, min_effect: float, detectors: Collection[str]
) -> Scored:
    window = ClosedWindow(0, 0, 1, sketch)
    found = score(feature, window, version="", min_effect=min_effect, detectors=detectors)
    assert isinstance(found, Scored)
    return found


def _compared(
    feature: FeatureReference,
    found: Scored,
    sketch: Sketch,
    q_value: float | None,
    rules: Rules,
    columns: int,
) -> ComparedColumn:
    effect = found.effect
    verdict = rules.verdict(Findings(n=found.n, q_value=q_value, p_min_effect=found.p_min_effect))
    decisive = found.reading(found.test)
    return ComparedColumn(
        column=found.feature,
        kind=feature.column.kind,
        verdict=verdict,
        severity=rules.severity(effect) if verdict is Verdict.DRIFT and effect is not None else None,
        test=found.test,
        statistic=None if decisive is None else decisive.score,
        p_value=found.p_value,
        q_value=q_value,
        effect=effect,
        direction=direction(found),
        baseline=_side(feature, feature.sketch),
        current=_side(feature, sketch),
        contributors=contributors(feature, feature.bins.summary(sketch).counts) if found.n else (),
        new_categories=tuple(name for _, name in found.new_names),
        readings=found.readings,
        histogram=histogram(feature, feature.bins.summary(sketch).counts),
        checks=_violated(feature, sketch, rules.min_rows, columns),
    )


def _violated(feature: FeatureReference, sketch: Sketch, min_rows: int, columns: int) -> tuple[Check, ...]:
    """Check a column by the default settings, whose level is split over all columns."""
    given = quality_rules(QualityConfig(), tracks=columns, min_rows=min_rows)
    made = () if given is None else column_checks(feature, sketch, given)
    return tuple(check for check in made if check.status is CheckStatus.VIOLATED)


def _side(feature: FeatureReference, sketch: Sketch) -> Side:
    summary = feature.bins.summary(sketch)
    return Side(
        rows=sketch.rows,
        values=summary.n,
        missing=int(sketch.counters[MISSING]),
        # Categories have no such counter: a text is always a text.
        non_finite=int(sketch.counters[NON_FINITE]),
        minimum=sketch.low if isfinite(sketch.low) else None,
        maximum=sketch.high if isfinite(sketch.high) else None,
        mean=None if summary.moments is None else summary.moments.mean,
    )


def _order(found: ComparedColumn) -> tuple[int, float, float, str]:
    q_value = 2.0 if found.q_value is None else found.q_value
    return _RANK[found.severity], q_value, -(found.effect or 0.0), found.column


def _by_reason(refused: Counter[Reason]) -> dict[str, int]:
    return {str(reason): count for reason, count in refused.most_common()}
