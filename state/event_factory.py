"""Events and series points of one model, written from what the report decided."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from detectors.registry import for_kind
from detectors.verdicts import Rule, Rules, Verdict
from state.alarms import AlarmRules
from state.columns import Role
from state.decisions import Heard, decide
from state.durations import Axis
from state.episodes import Change, Episode
from state.event_data import (
    DriftData,
    EpisodeData,
    FeatureData,
    Instant,
    ReferenceData,
    ReportData,
    RuleData,
    WindowData,
    instant,
)
from state.events import EventType, cloud_event, deterministic_id
from state.evidence import ColumnEvidence
from state.explain import contributors, direction, histogram
from state.generations import Generations
from state.grid import Grid
from state.scoring import EFFECT, Evidence, Gap, Scored
from state.stores.base import Point, SeriesKey, StoredEvent
from state.stores.episodes import StoredEpisode

_EVENT_OF = {
    Change.OPENED: EventType.OPENED,
    Change.UPDATED: EventType.UPDATED,
    Change.CLOSED: EventType.CLOSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """What events say beside the evidence.

    Attributes
    ----------
    features
        Names of the watched columns, in the order of the configuration: the family.
    fingerprint
        Hash of the configuration keys that can change a decision, hex; part of every id.
    evidence
        What is asked of blocks, by version of the reference and name of the column.
    alarms
        When their answers are an alarm.
    """

    model: str
    model_version: str
    features: tuple[str, ...]
    generations: Generations
    grid: Grid
    rules: Rules
    fingerprint: str
    evidence: Mapping[str, Mapping[str, ColumnEvidence]]
    alarms: AlarmRules


@dataclass(frozen=True, slots=True)
class EventFactory:
    """Writes events; nothing in them differs between two runs over the same data."""

    context: ReportContext

    def feature(
        self, item: Evidence, found: Scored, q_value: float | None, heard: Heard | None
    ) -> FeatureData:
        """Give one column its verdict and write it down; see `state.decisions.decide`."""
        context = self.context
        feature = context.generations.named(found.reference).feature(found.feature)
        effect = found.effect
        graded = found.reading(EFFECT)
        verdict, decision = decide(context.rules, item, found, q_value, heard, self._written)
        drifting = verdict is Verdict.DRIFT and effect is not None
        return FeatureData(
            feature=found.feature,
            kind=feature.column.kind,
            role=feature.column.role,
            verdict=verdict,
            severity=context.rules.severity(effect) if drifting and effect is not None else None,
            decision=decision,
            test=found.test,
            p_value=found.p_value,
            q_value=q_value,
            effect=effect,
            effect_low=None if graded is None else graded.effect_low,
            effect_high=None if graded is None else graded.effect_high,
            since=self._written(item.since) if item.streak else None,
            n_reference=feature.summary.n,
            n_current=found.n,
            n_effective=None if graded is None else graded.n_effective,
            missing=found.missing,
            non_finite=found.non_finite,
            readings=found.readings,
        )

    def has_length(self, found: Scored | Gap) -> bool:
        """Whether any instant lies in the window, or in the span of empty ones."""
        return self._instant_of(found.start) < self._instant_of(found.end)

    def episode_id(self, found: Scored) -> str:
        """Name the episode that a window opens."""
        return deterministic_id(["episode", *self._identity(found), found.feature])

    def drift(self, change: Change, episode: Episode, found: Scored, result: FeatureData) -> StoredEvent:
        """Write what a window did to an episode."""
        context = self.context
        feature = context.generations.named(found.reference).feature(found.feature)
        counts = np.frombuffer(found.counts, dtype="<i8").astype(np.int64)
        data = DriftData(
            kind="data" if feature.column.role is Role.FEATURE else feature.column.role,
            model=context.model,
            model_version=context.model_version,
            window=self._window(found),
            reference=self._reference_data(found),
            episode=EpisodeData(
                id=episode.id,
                since=self._written(episode.since),
                opened=self._written(episode.opened),
                severity=episode.severity,
                peak_effect=episode.peak,
                windows=episode.windows,
            ),
            result=result,
            rule=self._rule_data(),
            direction=direction(found),
            limits={
                each.name: each.limit(feature.summary, found.n, context.rules.false_discovery_rate)
                for each in for_kind(feature.summary.kind)
            }
            if found.n
            else {},
            contributors=contributors(feature, counts),
            new_categories=tuple(name for _, name in found.new_names),
            histogram=histogram(feature, counts),
        )
        return cloud_event(
            _EVENT_OF[change],
            data,
            identity=[*self._identity(found), found.feature, ""],
            end=self._instant_of(found.end),
            feature=found.feature,
            episode=episode.id,
        )

    def episode(self, change: Change, episode: Episode, found: Scored) -> StoredEpisode:
        """Write how an episode stands after what a window did to it."""
        context = self.context
        return StoredEpisode(
            id=episode.id,
            model=context.model,
            model_version=context.model_version,
            window=context.grid.windows[found.spec].name,
            feature=found.feature,
            reference=found.reference,
            since=self._time_of(episode.since),
            opened=self._instant_of(episode.opened),
            updated=self._instant_of(found.end),
            is_open=change is not Change.CLOSED,
            severity=episode.severity,
            peak=episode.peak,
            windows=episode.windows,
        )

    def report(self, found: Scored | Gap, results: Sequence[FeatureData]) -> StoredEvent:
        """Write the report on one window, or on a span of empty ones."""
        context = self.context
        share = drift_share(results)
        data = ReportData(
            status="empty" if isinstance(found, Gap) else "complete",
            model=context.model,
            model_version=context.model_version,
            window=self._window(found),
            windows=found.windows if isinstance(found, Gap) else 1,
            reference=self._reference_data(found),
            rule=self._rule_data(),
            drift_share=share,
            drifted=bool(results) and share >= context.rules.drift_share,
            features=tuple(results),
        )
        return cloud_event(
            EventType.REPORT,
            data,
            identity=[*self._identity(found), data.status],
            end=self._instant_of(found.end),
            feature=None,
            episode=None,
        )

    def points(self, scored: Sequence[Scored], results: Sequence[FeatureData]) -> Iterator[Point]:
        """Give a window's values to their series: each reading, what decides, rows and missing share."""
        for found, result in zip(scored, results, strict=True):
            values: dict[str, float | None] = {r.method: r.score for r in found.readings}
            values |= {
                "p_value": result.p_value,
                "q_value": result.q_value,
                "effect": result.effect,
                "evidence": result.decision.value if result.decision.rule is Rule.EVIDENCE else None,
                "rows": float(found.n),
                "missing_share": found.missing / found.rows if found.rows else None,
            }
            for metric, value in values.items():
                if value is not None:
                    yield self._point(found, found.feature, metric, value)
        yield self._point(scored[0], "", "drift_share", drift_share(results))
        yield self._point(scored[0], "", "rows", float(scored[0].rows))
        yield self._point(scored[0], "", "late_rows", float(scored[0].late))

    def _point(self, found: Scored, feature: str, metric: str, value: float) -> Point:
        context = self.context
        window = context.grid.windows[found.spec].name
        key = _series_key(context.model, context.model_version, window, feature, metric)
        return Point(key, self._instant_of(found.end), value)

    def _window(self, found: Scored | Gap) -> WindowData:
        grid = self.context.grid
        spec = grid.windows[found.spec]
        return WindowData(
            name=spec.name,
            start=self._written(found.start),
            end=self._written(found.end),
            kind="tumbling" if spec.size == spec.slide else "sliding",
            axis=grid.axis,
            partial=isinstance(found, Scored) and found.partial,
            incomplete=isinstance(found, Scored) and found.incomplete,
            rows=found.rows if isinstance(found, Scored) else 0,
            late_rows=found.late if isinstance(found, Scored) else 0,
        )

    def _identity(self, found: Scored | Gap) -> list[str | int]:
        context = self.context
        spec = context.grid.windows[found.spec]
        return [
            context.model,
            context.model_version,
            spec.name,
            self._instant_of(found.start),
            self._instant_of(found.end),
            # Start and end tell the size; the slide decides when an episode closes.
            spec.slide * context.grid.length,
            found.reference,
            context.fingerprint,
            # The revision: results that late labels correct will count it up; here every result is final.
            0,
        ]

    def _reference_data(self, found: Scored | Gap) -> ReferenceData:
        reference = self.context.generations.named(found.reference)
        return ReferenceData(version=reference.version, rows=reference.provenance.rows)

    def _rule_data(self) -> RuleData:
        rules = self.context.rules
        return RuleData(
            rule=rules.rule,
            false_discovery_rate=rules.false_discovery_rate,
            min_rows=rules.min_rows,
            min_effect=rules.min_effect,
            effect_level=rules.effect_level,
        )

    def _instant_of(self, pane: int) -> int:
        return self.context.grid.start_of(pane)

    def _written(self, pane: int) -> Instant:
        return instant(self._time_of(pane), self.context.grid.axis)

    def _time_of(self, pane: int) -> int:
        found = self._instant_of(pane)
        # The first sliding windows begin before row 0, where there is nothing to point at.
        return max(found, 0) if self.context.grid.axis is Axis.ROWS else found


@lru_cache(maxsize=100_000)
def _series_key(model: str, model_version: str, window: str, feature: str, metric: str) -> SeriesKey:
    """Name a series; the same names come with every window, and making them anew costs more than the rest."""
    return SeriesKey(
        model=model,
        model_version=model_version,
        window=window,
        feature=feature,
        segment="",
        metric=metric,
    )


def drift_share(results: Sequence[FeatureData]) -> float:
    """Share of the watched columns whose verdict is drift."""
    return sum(result.verdict is Verdict.DRIFT for result in results) / len(results) if results else 0.0
