"""A closed window against its reference: readings, and what they are weighed by over time."""

from collections.abc import Collection

import msgspec

from detectors.base import Reading, Summary
from detectors.checks import Check
from detectors.coarse import coarsen, divergence_inflation
from detectors.effects import min_effect_p_value
from detectors.registry import BY_DEFAULT, for_kind
from detectors.significance import primary_test
from state.blocks import Block
from state.operations import OperationRules, latency_checks
from state.prediction_checks import PredictionRules, prediction_checks
from state.quality import QualityRules, column_checks
from state.reference import FeatureReference
from state.segment_faults import FaultSegments, fault_segments
from state.segment_scores import SegmentScores, SegmentView, score_segments
from state.sketches.base import LATE, MISSING, NON_FINITE, Names
from state.windows import ClosedWindow, EmptySpan, Told

EFFECT = "psi"
"""The detector whose debiased score grades a drift."""


class Scored(msgspec.Struct, frozen=True, kw_only=True, tag="window"):
    """Readings of one column in one window.

    `start` and `end` are panes; `reference` is the version that it was compared with; `counts` are the
    window's counters as packed int64, for the histogram. `p_min_effect` is the p-value of "the PSI is at most
    the one that does not matter". `checks` are what else was looked at, in a fixed order, and `segments` the
    parts of the traffic, field by field; `faults` are those parts of the checks that are not calm.
    """

    feature: str
    spec: int
    start: int
    end: int
    reference: str
    partial: bool
    incomplete: bool
    rows: int
    late: int
    missing: int
    non_finite: int
    n: int
    test: str
    p_min_effect: float | None
    readings: tuple[Reading, ...]
    counts: bytes
    new_names: Names
    checks: tuple[Check, ...] = ()
    segments: tuple[SegmentScores, ...] = ()
    faults: tuple[FaultSegments, ...] = ()

    def reading(self, method: str) -> Reading | None:
        """Return the reading of a detector, None where it does not apply to this column."""
        return next((reading for reading in self.readings if reading.method == method), None)

    @property
    def p_value(self) -> float | None:
        """The p-value that decides for this column."""
        found = self.reading(self.test)
        return None if found is None else found.p_value

    @property
    def effect(self) -> float | None:
        """The debiased effect size that grades this column."""
        found = self.reading(EFFECT)
        return None if found is None else found.debiased


class Checked(msgspec.Struct, frozen=True, kw_only=True, tag="checked"):
    """One window of a track that is no column, so it has checks and no reading: `feature` is its name.

    `revision` is the pane before which the labels that it knows were known; 0 where it knows none. `faults`
    are the parts of the traffic of violated checks. `edge`: see `state.windows.ClosedWindow`.
    """

    feature: str
    spec: int
    start: int
    end: int
    reference: str
    partial: bool
    incomplete: bool
    rows: int
    late: int
    checks: tuple[Check, ...]
    revision: int = 0
    faults: tuple[FaultSegments, ...] = ()
    edge: bool = False


class Gap(msgspec.Struct, frozen=True, kw_only=True, tag="gap"):
    """Windows without rows, as one track saw them; `reference` is that of the first of them.

    A column has no `checks` of windows without rows; the records may.
    """

    feature: str
    spec: int
    start: int
    end: int
    reference: str
    windows: int
    checks: tuple[Check, ...] = ()


Found = Scored | Checked | Gap
"""What one track says of one window."""


class BlockCounts(msgspec.Struct, frozen=True, kw_only=True, tag="counts"):
    """Rows of one column in one evidence block, per bin as packed int64; `start` and `end` are panes."""

    feature: str
    start: int
    end: int
    reference: str
    counts: bytes


class Evidence(msgspec.Struct, frozen=True, kw_only=True, tag="evidence"):
    """What one window of one column adds to what was known of it.

    Attributes
    ----------
    streak
        Windows in a row, this one included, whose p-value was at or below the level, all of them against
        one reference; 0 where it is not.
    since
        First pane of the streak's first window; this window's where there is none.
    method, limit, source
        The score that has a limit of its own, that limit, and where it comes from or why there is none; None
        where no rule asks for one.
    """

    found: Found
    streak: int
    since: int
    method: str | None = None
    limit: float | None = None
    source: str = ""


def score(
    feature: FeatureReference,
    closed: Told,
    *,
    version: str,
    min_effect: float,
    detectors: Collection[str] = BY_DEFAULT,
    quality: QualityRules | None = None,
    predictions: PredictionRules | None = None,
    operations: OperationRules | None = None,
    watched: bool = True,
    segments: SegmentView | None = None,
) -> Found | BlockCounts:
    """Take all readings of one closed window; a pure function.

    Parameters
    ----------
    version
        Of the reference that the feature is from.
    min_effect
        The PSI that `Scored.p_min_effect` asks about.
    detectors
        Names of those that measure.
    quality
        What the checks of data quality go by; None where there are none.
    predictions
        The same of predictions.
    operations
        What latencies are held against; None: nothing.
    watched
        Whether the track is a column of the family; others have checks of predictions only.
    segments
        How the segments of a window are read; None where rows are not counted by segment.
    """
    name = feature.column.name
    if isinstance(closed, EmptySpan):
        return Gap(
            feature=name,
            spec=closed.spec,
            start=closed.start,
            end=closed.end,
            reference=version,
            windows=closed.windows,
        )
    if isinstance(closed, Block):
        counts = feature.bins.summary(closed.sketch).counts
        return BlockCounts(
            feature=name,
            start=closed.start,
            end=closed.end,
            reference=version,
            counts=counts.astype("<i8").tobytes(),
        )
    asked = () if predictions is None else prediction_checks(feature, closed.sketch, predictions)
    if not watched:
        return Checked(
            feature=name,
            spec=closed.spec,
            start=closed.start,
            end=closed.end,
            reference=version,
            partial=closed.partial,
            incomplete=closed.incomplete,
            rows=closed.sketch.rows,
            late=int(closed.sketch.counters[LATE]),
            checks=asked,
        )
    checks = () if quality is None else column_checks(feature, closed.sketch, quality)
    return _score_window(
        feature,
        closed,
        version=version,
        min_effect=min_effect,
        detectors=detectors,
        checks=(*checks, *asked, *latency_checks(feature, closed.sketch, operations)),
        segments=segments,
    )


def _score_window(
    feature: FeatureReference,
    closed: ClosedWindow,
    *,
    version: str,
    min_effect: float,
    detectors: Collection[str],
    checks: tuple[Check, ...],
    segments: SegmentView | None,
) -> Scored:
    name = feature.column.name
    reference, current = feature.summary, feature.bins.summary(closed.sketch)
    counters = closed.sketch.counters
    return Scored(
        feature=name,
        spec=closed.spec,
        start=closed.start,
        end=closed.end,
        reference=version,
        partial=closed.partial,
        incomplete=closed.incomplete,
        rows=closed.sketch.rows,
        late=int(counters[LATE]),
        missing=int(counters[MISSING]),
        non_finite=int(counters[NON_FINITE]),
        n=current.n,
        test=primary_test(reference),
        p_min_effect=_p_min_effect(reference, current, min_effect),
        readings=tuple(each.compare(reference, current) for each in for_kind(reference.kind, detectors)),
        counts=current.counts.astype("<i8").tobytes(),
        new_names=closed.sketch.names,
        checks=checks,
        segments=() if segments is None else score_segments(feature, closed.sketch, segments),
        faults=() if segments is None else fault_segments(feature, closed.sketch, segments, checks),
    )


def _p_min_effect(reference: Summary, current: Summary, min_effect: float) -> float | None:
    """Ask whether the effect is at most one that does not matter; None for a window without a value."""
    if not current.n:
        return None
    return min_effect_p_value(
        coarsen(reference.counts, reference.groups),
        coarsen(current.counts, reference.groups),
        min_effect,
        inflation=divergence_inflation(reference, current.n),
    )
