"""One event in words: what fired, against which limit, where that limit comes from, and what moved."""

from collections.abc import Iterator
from math import isfinite

from rich.text import Text

from detectors.base import Reading
from detectors.verdicts import Rule, Verdict
from flows.render.checks import check_facts, check_headline, check_text
from flows.render.grid import Field, Row, grid, note_lines
from flows.render.performance import performance_facts
from flows.render.segments import PART_NOTE, SEGMENT_FIELDS, segment_rows, where_text
from flows.render.styles import severity_cell, verdict_cell
from flows.render.words import NOTHING, count_text, effect_text, moment_text, moved_text, number_text, p_text
from state.check_data import CheckData
from state.event_data import DecisionData, DriftData, FeatureData, ReportData, RuleData, WindowData
from state.events import EventType
from state.performance_data import PerformanceData

_LABEL = 14
_DIRECTIONS = {
    "up": "moved up",
    "down": "moved down",
    "shape": "changed its shape",
    "mix": "changed its mix of categories",
}
_READINGS = (
    Field(title="method"),
    Field(title="score", right=True),
    Field(title="limit", right=True, leaves=2),
    Field(title="p", right=True),
    Field(title="debiased", right=True, leaves=3),
    Field(title="90% interval", right=True, leaves=1),
)
_COLUMNS = (
    Field(title="column", least=10),
    Field(title="verdict"),
    Field(title="severity", leaves=2),
    Field(title="evidence", right=True, leaves=4),
    Field(title="limit", right=True, leaves=5),
    Field(title="q", right=True, leaves=1),
    Field(title="effect", right=True),
    Field(title="rows", right=True, leaves=3),
)


def drift_lines(
    kind: EventType, data: DriftData, width: int, *, formula: str | None = None
) -> Iterator[Text]:
    """Explain an event that opened, updated or closed an episode; `formula` is that of a derived column."""
    result, episode = data.result, data.episode
    yield Text(f" {_headline(kind, data)}", "bold")
    if formula is not None:
        yield from said_lines("derived", f"{result.feature} = {formula}", width)
    yield from said_lines("episode", _episode_text(data), width)
    yield from said_lines("window", _window_text(data.window), width)
    yield from said_lines("decision", decision_text(result.decision), width)
    if result.decision.since is not None:
        since = moment_text(result.decision.since)
        yield from said_lines("since", f"the evidence begins with the block of {since}", width)
    yield from said_lines("test", _test_text(result, data.rule), width)
    yield from said_lines("effect", _effect_text(result, data.rule), width)
    yield from said_lines("rows", _rows_text(result, data), width)
    moved = ", ".join(moved_text(each) for each in data.contributors)
    yield from said_lines("what moved", moved or "nothing stands out", width)
    for scores in data.segments:
        yield from said_lines("where", where_text(scores), width)
    if data.new_categories:
        yield from said_lines("new", ", ".join(data.new_categories), width)
    if episode.severity is not result.severity:
        yield from said_lines(
            "severity", f"{episode.severity}, the highest that the episode has reached", width
        )
    yield Text()
    yield grid(
        _READINGS,
        [_reading_row(reading, data.limits.get(reading.method)) for reading in result.readings],
        width,
    )
    if data.segments:
        yield Text()
        yield grid(SEGMENT_FIELDS, list(segment_rows(data.segments)), width)
        yield from note_lines(PART_NOTE, width, indent=1)


def check_lines(data: CheckData, width: int, *, formula: str | None = None) -> Iterator[Text]:
    """Explain an event that opened, updated or closed a violation; `formula` is that of a derived column."""
    yield Text(f" {check_headline(data)}", "bold")
    if formula is not None:
        yield from said_lines("derived", f"{data.feature} = {formula}", width)
    yield from said_lines("window", _window_text(data.window), width)
    for label, text in check_facts(data):
        yield from said_lines(label, text, width)


def performance_lines(data: PerformanceData, width: int) -> Iterator[Text]:
    """Explain the report on the performance of a window: every metric beside what is expected of it."""
    yield Text(f" {data.model} {data.model_version}: performance in window {data.window.name}", "bold")
    yield from said_lines("window", _window_text(data.window), width)
    for label, text in performance_facts(data):
        yield from said_lines(label, text, width)
    for check in data.checks:
        yield from said_lines(str(check.status), check_text(check), width)


def report_lines(data: ReportData, width: int) -> Iterator[Text]:
    """Explain the report on a window: every column with its verdict."""
    yield Text(f" {data.model} {data.model_version}: report on window {data.window.name}", "bold")
    yield from said_lines("window", _window_text(data.window), width)
    if data.status == "empty":
        yield from said_lines("rows", f"none in {count_text(data.windows, 'window')} in a row", width)
        return
    share = f"{data.drift_share:.0%} of the columns are in drift"
    yield from said_lines("share", f"{share}; the window counts as {_drifted(drifted=data.drifted)}", width)
    sources = {result.decision.source for result in data.features}
    yield from said_lines("limits", "; ".join(sorted(sources)), width)
    for each in data.checks:
        said = f"{each.feature or 'the records'}: {check_text(each.check)}"
        yield from said_lines(each.check.status, said, width)
    yield Text()
    yield grid(_COLUMNS, [_column_row(result) for result in data.features], width)


def decision_text(decision: DecisionData) -> str:
    """Say which rule was applied and what it found.

    Examples
    --------
    >>> decision_text(DecisionData(
    ...     rule=Rule.EVIDENCE, fired=True, statistic="e-sr", value=8.31, limit=5.2,
    ...     source="budget: 1 in 90d", component="mean up", since=None, p_min_effect=0.001))
    'sequential evidence (e-sr) 10^8.3 against 10^5.2, above all of "mean up". Limit: budget: 1 in 90d'
    """
    if decision.rule is Rule.EVIDENCE:
        found = f"sequential evidence ({decision.statistic}) {_power(decision.value)}"
    else:
        found = f"{decision.statistic} {number_text(decision.value)}"
    limit = _power(decision.limit) if decision.rule is Rule.EVIDENCE else number_text(decision.limit)
    made = f', above all of "{decision.component}"' if decision.component else ""
    return f"{found} against {limit}{made}. Limit: {decision.source}"


def _power(log10: float | None) -> str:
    return NOTHING if log10 is None or not isfinite(log10) else f"10^{log10:.1f}"


def _headline(kind: EventType, data: DriftData) -> str:
    moved = _DIRECTIONS.get(data.direction, data.direction)
    feature = data.result.feature
    model = f"{data.model} {data.model_version}"
    return {
        EventType.OPENED: f"{model}: {feature} {moved}",
        EventType.UPDATED: f"{model}: the drift of {feature} grew to severity {data.episode.severity}",
        EventType.CLOSED: f"{model}: {feature} is back at its reference",
    }[kind]


def _episode_text(data: DriftData) -> str:
    episode = data.episode
    opened = f"{episode.id[:12]}, opened {moment_text(episode.opened)}"
    windows = count_text(episode.windows, "window")
    return f"{opened}, {windows} so far, largest effect {effect_text(episode.peak_effect)}"


def _window_text(window: WindowData) -> str:
    marks = [
        word for word, holds in (("partial", window.partial), ("incomplete", window.incomplete)) if holds
    ]
    said = f"{window.name}, {moment_text(window.start)} to {moment_text(window.end)}"
    late = f", {window.late_rows:,} late" if window.late_rows else ""
    return f"{said}, {count_text(window.rows, 'row')}{late}{''.join(f', {mark}' for mark in marks)}"


def _test_text(result: FeatureData, rule: RuleData) -> str:
    level = f"q {p_text(result.q_value)} over the columns of the window (level {rule.false_discovery_rate:g})"
    return f"{result.test}: p {p_text(result.p_value)}, {level}"


def _effect_text(result: FeatureData, rule: RuleData) -> str:
    said = f"PSI {effect_text(result.effect)}"
    if result.effect_low is not None and result.effect_high is not None:
        said += f" ({effect_text(result.effect_low)} to {effect_text(result.effect_high)}, 90%)"
    p_value = result.decision.p_min_effect
    if p_value is None:
        return said
    matters = p_value <= rule.effect_level
    word = "larger than" if matters else "not shown to be larger than"
    level = f"p {p_text(p_value)}, level {rule.effect_level:g}"
    return f"{said}: {word} the {rule.min_effect:g} that does not matter ({level})"


def _rows_text(result: FeatureData, data: DriftData) -> str:
    said = f"{result.n_current:,} with a value"
    if result.n_effective is not None and result.n_effective < result.n_current:
        said += f", worth {result.n_effective:,.0f} independent ones"
    missing = f", {result.missing:,} missing" if result.missing else ""
    return f"{said}{missing}; reference {data.reference.version} with {result.n_reference:,}"


def _reading_row(reading: Reading, limit: float | None) -> Row:
    interval = NOTHING
    if reading.effect_low is not None and reading.effect_high is not None:
        interval = f"{effect_text(reading.effect_low)} to {effect_text(reading.effect_high)}"
    return Row(
        (
            reading.method,
            number_text(reading.score),
            number_text(limit),
            p_text(reading.p_value),
            number_text(reading.debiased),
            interval,
        ),
        note=reading.reason or "",
    )


def _column_row(result: FeatureData) -> Row:
    decision = result.decision
    evidence = decision.rule is Rule.EVIDENCE
    return Row(
        (
            result.feature,
            verdict_cell(result.verdict),
            severity_cell(result.severity),
            _power(decision.value) if evidence else number_text(decision.value),
            _power(decision.limit) if evidence else number_text(decision.limit),
            p_text(result.q_value),
            effect_text(result.effect),
            f"{result.n_current:,}",
        )
    )


def _drifted(*, drifted: bool) -> str:
    return str(Verdict.DRIFT) if drifted else "not in drift"


def said_lines(label: str, text: str, width: int) -> Iterator[Text]:
    """Write a label and its text, broken to the width and hung behind the label."""
    for place, line in enumerate(note_lines(text, width, indent=_LABEL, style="")):
        head = f" {label:<{_LABEL - 1}}" if place == 0 else " " * _LABEL
        yield Text.assemble((head, "dim"), line.plain[_LABEL:])
