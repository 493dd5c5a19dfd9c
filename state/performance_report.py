"""From the outcomes of a window to its performance, revision after revision: metrics, violations, events."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from detectors.base import Kind, Summary
from detectors.checks import Check, CheckStatus, Family
from detectors.divergences import Psi
from detectors.performance.base import Metric
from detectors.thresholds import Limit, State, WindowScore
from state.check_events import CheckEvents
from state.episodes import Change
from state.events import EventType, cloud_event
from state.grid import END
from state.joined import Count
from state.outcome_metrics import confusion, metrics_of
from state.outcome_segments import SegmentRules, degraded_segments
from state.outcome_windows import OutcomeWindow
from state.outcomes import OutcomeLayout
from state.performance import PerformanceRules, performance_checks, worse_by
from state.performance_data import (
    ConfusionData,
    MetricData,
    PerformanceData,
    PerformanceSegments,
    metric_data,
    outcome_counts,
)
from state.report import Output
from state.report_context import ReportContext
from state.scoring import Checked
from state.stores.base import StoredEvent
from state.violations import Violation, open_violation, step_violation

TRACK = "@performance"
"""The track of a model's performance: it is no column."""

_DETECTOR = Psi()
_NOTHING = np.zeros(1, dtype=np.int64)
_REFERENCE = Summary(kind=Kind.NUMERIC, counts=_NOTHING, groups=_NOTHING, continuous=False)
"""What a threshold is told of a score; those that learn from a score's past do not ask."""

_Key = tuple[int, str]


class _State(msgspec.Struct):
    open: list[tuple[int, str, Violation]]
    judged: list[tuple[int, str, int]]
    ended: list[tuple[int, str, int]]
    past: list[tuple[int, str, State]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceContext:
    """What a report of performance knows beside the outcomes.

    Attributes
    ----------
    expected
        By version of the reference: what each metric is compared with.
    by_segment
        How it is read by segment; None where it is not.
    """

    report: ReportContext
    layout: OutcomeLayout
    rules: PerformanceRules
    expected: Mapping[str, Mapping[str, Metric]]
    by_segment: SegmentRules | None = None


class PerformanceReport:
    """The performance of a model: it has a report of its own, so that labels that stay away hold up no other.

    Every revision of a window is told. For the end of a violation a window speaks once, with the first
    revision that has enough labels; a later one may still begin a violation or make it worse. What has ended
    is not begun again by windows from before its end.
    """

    def __init__(self, context: PerformanceContext, resume: bytes | None = None) -> None:
        """Begin, or go on from what `snapshot` returned."""
        self._context = context
        self._events = CheckEvents(context.report)
        state = _State([], [], [], []) if resume is None else msgspec.msgpack.decode(resume, type=_State)
        self._open: dict[_Key, Violation] = {(spec, name): held for spec, name, held in state.open}
        self._judged = {(spec, name): end for spec, name, end in state.judged}
        self._ended = {(spec, name): end for spec, name, end in state.ended}
        self._past = {(spec, name): past for spec, name, past in state.past}

    def add(self, windows: Iterable[OutcomeWindow]) -> list[Output]:
        """Take windows in their order; return what they give."""
        return [output for window in windows for output in self._one(window)]

    @property
    def open_violations(self) -> dict[tuple[str, Family], int]:
        """Metrics that are degraded, by the name of their window."""
        specs = [spec for spec, _ in self._open]
        grid = self._context.report.grid
        return {(window.name, Family.PERFORMANCE): specs.count(window.index) for window in grid.windows}

    def snapshot(self) -> bytes:
        """Pack the state."""
        return msgspec.msgpack.encode(
            _State(
                open=[(*key, held) for key, held in self._open.items()],
                judged=[(*key, end) for key, end in self._judged.items()],
                ended=[(*key, end) for key, end in self._ended.items()],
                past=[(*key, past) for key, past in self._past.items()],
            )
        )

    def _one(self, window: OutcomeWindow) -> Iterator[Output]:
        context, report = self._context, self._context.report
        version = report.generations.of_window(window.start).version
        expected = context.expected[version]
        counters = window.sketch.counters
        metrics = metrics_of(context.layout, counters)
        limits = self._limits(window, metrics, expected)
        checks = performance_checks(metrics, expected, context.rules, limits)
        read = self._segments(window, version, checks)
        found = Checked(
            feature=TRACK,
            spec=window.spec,
            start=window.start,
            end=window.end,
            reference=version,
            partial=window.partial,
            incomplete=window.incomplete,
            rows=window.sketch.rows,
            late=int(counters[Count.LATE_PREDICTIONS]),
            checks=checks,
            revision=window.revision,
            faults=degraded_segments(checks, read),
        )
        for check in found.checks:
            told = self._step(found, check)
            if told is not None:
                yield self._events.event(*told, found, check)
                yield self._events.episode(*told, found, check)
        yield self._report(window, found, metrics, expected, read)
        yield from self._points(found, metrics, "")
        for each in read:
            for segment in each.segments:
                yield from self._points(found, segment.metrics, f"{each.column}={segment.segment}")

    def _points(
        self, found: Checked, metrics: Iterable[Metric | MetricData], segment: str
    ) -> Iterator[Output]:
        for metric in metrics:
            if metric.value is not None:
                name = f"{Family.PERFORMANCE}.{metric.name}"
                yield self._context.report.point(found, "", name, metric.value, segment=segment)

    def _segments(
        self, window: OutcomeWindow, version: str, checks: Sequence[Check]
    ) -> tuple[PerformanceSegments, ...]:
        """Read each segment where that is told: they take longer than all the rest of a revision."""
        context, rules = self._context, self._context.by_segment
        told = window.final or any(check.status is CheckStatus.VIOLATED for check in checks)
        if rules is None or not told:
            return ()
        return rules.read(context.layout, window.sketch, version, context.expected[version])

    def _limits(
        self, window: OutcomeWindow, metrics: tuple[Metric, ...], expected: Mapping[str, Metric]
    ) -> dict[str, Limit]:
        """Ask the threshold how much worse each metric may be; it learns from final revisions."""
        rules, found = self._context.rules, dict[str, Limit]()
        if rules.threshold is None:
            return found
        for metric in metrics:
            known = expected.get(metric.name)
            if known is None or metric.name not in rules.metrics:
                continue
            key, score = (window.spec, metric.name), worse_by(metric, known)
            past = self._past.get(key, rules.threshold.start())
            enough = score is not None and metric.n >= rules.min_rows
            scored = WindowScore(score=score or 0.0, n=metric.n, detector=_DETECTOR, reference=_REFERENCE)
            found[metric.name], after = rules.threshold.judge(past, scored)
            if window.final and enough:
                self._past[key] = after
        return found

    def _report(
        self,
        window: OutcomeWindow,
        found: Checked,
        metrics: tuple[Metric, ...],
        expected: Mapping[str, Metric],
        segments: tuple[PerformanceSegments, ...],
    ) -> StoredEvent:
        context, report = self._context, self._context.report
        counters, layout = window.sketch.counters, self._context.layout
        data = PerformanceData(
            model=report.model,
            model_version=report.model_version,
            window=report.window(found),
            reference=report.reference_data(found),
            task=layout.task,
            revision=report.written(window.revision),
            final=window.final,
            counts=outcome_counts(counters),
            metrics=tuple(metric_data(metric, expected) for metric in metrics),
            confusion=ConfusionData(
                classes=layout.classes, counts=confusion(context.layout, counters).tolist()
            )
            if layout.classes
            else None,
            checks=found.checks,
            segments=segments,
        )
        return cloud_event(
            EventType.PERFORMANCE_REPORT,
            data,
            identity=[*report.identity(found), TRACK],
            end=report.instant_of(found.end),
            feature=None,
            episode=None,
        )

    def _step(self, found: Checked, check: Check) -> tuple[Change, Violation] | None:
        """Take one check of one revision; None where there is nothing to tell."""
        if check.status is CheckStatus.INSUFFICIENT:
            return None
        key = (found.spec, check.name)
        held, again = self._open.get(key), found.end <= self._judged.get(key, -END)
        self._judged[key] = max(self._judged.get(key, -END), found.end)
        violated = check.status is CheckStatus.VIOLATED
        if held is None:
            if not violated or found.end <= self._ended.get(key, -END):
                return None
            self._open[key] = open_violation(
                check,
                violation_id=self._events.violation_id(found, check),
                start=found.start,
                end=found.end,
            )
            return Change.OPENED, self._open[key]
        if again and not violated:
            return None
        overlap = self._context.report.grid.windows[found.spec].overlap
        stepped, change = step_violation(held, check, overlap=overlap)
        if again:
            # Its window has counted already.
            stepped = msgspec.structs.replace(stepped, windows=held.windows)
        if change is Change.CLOSED:
            del self._open[key]
            self._ended[key] = found.end
        else:
            self._open[key] = stepped
        return None if change is None else (change, stepped)
