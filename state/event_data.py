"""What events say: the `data` of each type, as docs/schemas/drift-event.v1.json describes it."""

from datetime import UTC, datetime, timedelta

import msgspec

from detectors.base import Reading
from detectors.checks import Check
from detectors.multiplicity import Correction
from detectors.verdicts import Rule, Severity, Verdict
from state.columns import Role
from state.durations import Axis
from state.segment_scores import SegmentScores

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Instant = str | int
"""A point in event time: ISO-8601 with milliseconds and Z, or a row number."""


class WindowData(msgspec.Struct, frozen=True, kw_only=True):
    """The window an event is about; `end` is the first instant that is no longer in it.

    `partial` tells that it starts before the stream's first pane, or ends behind its last; `incomplete` that
    a time-out closed it while rows may still have been on their way, or that rows of a partition that
    appeared in mid-run were dropped from it.
    """

    name: str
    start: Instant
    end: Instant
    kind: str
    axis: Axis
    partial: bool
    incomplete: bool
    rows: int
    late_rows: int


class ReferenceData(msgspec.Struct, frozen=True, kw_only=True):
    """The reference it was compared with."""

    version: str
    rows: int


class DecisionData(msgspec.Struct, frozen=True, kw_only=True):
    """Which rule was applied, what it looked at, its limit and where that comes from.

    Attributes
    ----------
    rule, fired
        The rule, and whether it called this a drift.
    statistic, value, limit
        What is compared with what: the evidence (`e-sr`, `e-cusum`; as logarithms to base 10), `q_value`, or
        the score of a detector. None where there is nothing yet.
    source
        Where the limit comes from, in words.
    component
        What the evidence is made of above all, such as "mean up"; None for other rules.
    since
        Where the change began, as the evidence has it.
    p_min_effect
        P-value of "the PSI is at most `min_effect`".
    """

    rule: Rule
    fired: bool
    statistic: str
    value: float | None
    limit: float | None
    source: str
    component: str | None
    since: Instant | None
    p_min_effect: float | None


class FeatureData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column in one window.

    Attributes
    ----------
    decision
        Which rule was applied, and what it found.
    test, p_value, q_value
        The test of this window, its p-value, and the share of false alarms among features at least this
        unlikely (Benjamini-Hochberg over the columns of the window).
    effect, effect_low, effect_high
        PSI less its expectation without drift, and its interval of 90 %.
    since
        Start of the first window of the run of unlikely ones that this window continues.
    n_effective
        Rows of the window less what autocorrelation takes from their weight.
    segments
        In a report: for each segment column those that are furthest from the reference.
    """

    feature: str
    kind: str
    role: Role
    verdict: Verdict
    severity: Severity | None
    decision: DecisionData
    test: str
    p_value: float | None
    q_value: float | None
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    since: Instant | None
    n_reference: int
    n_current: int
    n_effective: float | None
    missing: int
    non_finite: int
    readings: tuple[Reading, ...]
    segments: tuple[SegmentScores, ...] = ()


class RuleData(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that were applied."""

    rule: Rule
    false_discovery_rate: float
    min_rows: int
    min_effect: float
    effect_level: float
    # Events of before do not name it: there was one.
    correction: Correction = Correction.BENJAMINI_HOCHBERG


class EpisodeData(msgspec.Struct, frozen=True, kw_only=True):
    """The episode an event belongs to; `severity` is the highest that it has reached."""

    id: str
    since: Instant
    opened: Instant
    severity: Severity
    peak_effect: float
    windows: int


class Contributor(msgspec.Struct, frozen=True, kw_only=True):
    """A group of bins or categories, with its share on both sides and its part of the PSI."""

    label: str
    reference: float
    current: float
    psi: float


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides over the same bins: `edges` (numeric, upper edges) or `categories` names them."""

    edges: list[float] | None
    categories: list[str] | None
    reference: list[int]
    current: list[int]


class DriftData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data of an event that opens, updates or closes an episode.

    `limits` are, by detector, the scores that a share `rule.false_discovery_rate` of windows with as many
    rows exceeds without drift; None where that is not known. `segments` say for each segment column where the
    drift is, with those that explain most of it.
    """

    kind: str
    model: str
    model_version: str
    window: WindowData
    reference: ReferenceData
    episode: EpisodeData
    result: FeatureData
    rule: RuleData
    direction: str
    limits: dict[str, float | None]
    contributors: tuple[Contributor, ...]
    new_categories: tuple[str, ...]
    histogram: Histogram
    segments: tuple[SegmentScores, ...] = ()


class NamedCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check in a report, after what it is of; an empty feature is the records as a whole."""

    feature: str
    check: Check


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """Data of the report on one window: every watched column, in the order of the configuration.

    `checks` are those that are violated or not calm, of the columns in their order, then of the records.
    `status` is "complete"; "empty" for a span of `windows` windows in a row without a single row.
    """

    status: str
    model: str
    model_version: str
    window: WindowData
    windows: int
    reference: ReferenceData
    rule: RuleData
    drift_share: float
    drifted: bool
    features: tuple[FeatureData, ...]
    # Not in the events of earlier releases.
    checks: tuple[NamedCheck, ...] = ()


class MissingReferenceData(msgspec.Struct, frozen=True, kw_only=True):
    """Data of the event that a model version has no reference: its run waits, and compares nothing.

    `columns` are those that a reference must have.
    """

    model: str
    model_version: str
    columns: tuple[str, ...]


def instant(value: int, axis: Axis) -> Instant:
    """Write a point in event time.

    Examples
    --------
    >>> instant(1_767_571_200_000, Axis.MILLISECONDS)
    '2026-01-05T00:00:00.000Z'
    """
    if axis is Axis.ROWS:
        return value
    return (_EPOCH + timedelta(milliseconds=value)).isoformat(timespec="milliseconds").removesuffix(
        "+00:00"
    ) + "Z"


def position(value: Instant) -> int:
    """Read what `instant` wrote: milliseconds since the epoch, or a row number.

    Examples
    --------
    >>> position("2026-01-05T00:00:00.000Z")
    1767571200000
    """
    if isinstance(value, int):
        return value
    return (datetime.fromisoformat(value) - _EPOCH) // timedelta(milliseconds=1)
