"""One column of two inputs: what it is judged by, and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

import msgspec

from detectors.base import Kind, Reading
from detectors.checks import Check, CheckStatus
from detectors.registry import BY_DEFAULT
from detectors.thresholds import WindowScore
from detectors.tool_scores import ToolScore
from detectors.verdicts import Findings, Rule, Rules, Severity, Verdict
from flows.detection import measured, score_limits
from flows.sections.detection import DetectionConfig, checked_rules
from flows.sections.quality import QualityConfig, quality_rules
from state.columns import Column
from state.event_data import Contributor, Histogram
from state.explain import contributors, direction, histogram
from state.judge import Limited
from state.quality import column_checks
from state.reference import FeatureReference
from state.scoring import Scored, score
from state.sketches.base import MISSING, NON_FINITE, Sketch
from state.windows import ClosedWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Standards:
    """What a comparison is judged by.

    Attributes
    ----------
    detectors
        Names of those that measure.
    limits
        Scores with a limit of their own, by kind of column; empty where the rule is not `threshold`.
    """

    rules: Rules = field(default_factory=Rules)
    detectors: frozenset[str] = frozenset(BY_DEFAULT)
    quality: QualityConfig = field(default_factory=QualityConfig)
    limits: Mapping[Kind, Limited] = field(default_factory=dict)


def standards_of(
    detection: DetectionConfig, quality: QualityConfig, columns: tuple[Column, ...]
) -> Standards:
    """Read from two sections of a configuration what columns are judged by.

    Raises
    ------
    ConfigError
        There is no such detector or limit, or it does not measure one of the columns.
    """
    return Standards(
        rules=checked_rules(detection),
        detectors=measured(detection),
        quality=quality,
        limits=score_limits(detection, columns),
    )


class LimitedScore(msgspec.Struct, frozen=True, kw_only=True):
    """A score beside the limit of its own.

    Attributes
    ----------
    method
        The detector whose score it is.
    score
        At least 0; None where it could not be measured.
    limit
        None where two inputs have none, as a limit that is learnt from windows before: p-values decide then.
    source
        Where the limit comes from, or why there is none.
    """

    method: str
    score: float | None
    limit: float | None
    source: str


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
    limited
        The score that decides in their place under the rule `threshold`; None under others.
    histogram
        Both sides over the baseline's bins.
    checks
        Checks of data quality that are violated.
    tool_scores
        What the tool of a preset says of the raw values; empty where none was asked for.
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
    limited: LimitedScore | None
    direction: str
    baseline: Side
    current: Side
    contributors: tuple[Contributor, ...]
    new_categories: tuple[str, ...]
    readings: tuple[Reading, ...]
    histogram: Histogram
    checks: tuple[Check, ...]
    tool_scores: tuple[ToolScore, ...] = ()


def score_column(feature: FeatureReference, sketch: Sketch, standards: Standards) -> Scored:
    """Measure all rows of a column as one window."""
    found = score(
        feature,
        ClosedWindow(0, 0, 1, sketch),
        version="",
        min_effect=standards.rules.min_effect,
        detectors=standards.detectors,
    )
    assert isinstance(found, Scored)
    return found


def compared_column(
    feature: FeatureReference,
    found: Scored,
    sketch: Sketch,
    q_value: float | None,
    standards: Standards,
    columns: int,
) -> ComparedColumn:
    """Judge a column.

    Parameters
    ----------
    columns
        How many are compared: the level of the checks is split over all.
    """
    effect, rules = found.effect, standards.rules
    limited = _limited(feature, found, standards)
    verdict = _verdict(found, q_value, limited, rules)
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
        limited=limited,
        direction=direction(found),
        baseline=_side(feature, feature.sketch),
        current=_side(feature, sketch),
        contributors=contributors(feature, feature.bins.summary(sketch).counts) if found.n else (),
        new_categories=tuple(name for _, name in found.new_names),
        readings=found.readings,
        histogram=histogram(feature, feature.bins.summary(sketch).counts),
        checks=_violated(feature, sketch, standards, columns),
    )


def _limited(feature: FeatureReference, found: Scored, standards: Standards) -> LimitedScore | None:
    """Hold a score against its limit, as a first window would be."""
    if feature.column.kind not in standards.limits:
        return None
    limited = standards.limits[feature.column.kind]
    name, threshold = limited.detector.name, limited.threshold
    reading = found.reading(name)
    if reading is None or reading.score is None:
        return LimitedScore(method=name, score=None, limit=None, source="none: there is no such score")
    shown = WindowScore(
        score=abs(reading.score), n=found.n, detector=limited.detector, reference=feature.summary
    )
    limit, _ = threshold.judge(threshold.start(), shown)
    return LimitedScore(method=name, score=shown.score, limit=limit.value, source=limit.source)


def _verdict(found: Scored, q_value: float | None, limited: LimitedScore | None, rules: Rules) -> Verdict:
    exceeded = False
    if limited is None or limited.limit is None or limited.score is None:
        # Two inputs are one window: there is no evidence over time, and no window before.
        rules = replace(rules, rule=Rule.WINDOW)
    else:
        exceeded = limited.score > limited.limit
    findings = Findings(n=found.n, q_value=q_value, p_min_effect=found.p_min_effect, exceeded=exceeded)
    return rules.verdict(findings)


def _violated(
    feature: FeatureReference, sketch: Sketch, standards: Standards, columns: int
) -> tuple[Check, ...]:
    given = quality_rules(standards.quality, tracks=columns, min_rows=standards.rules.min_rows)
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
