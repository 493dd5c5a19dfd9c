"""Events and series points of one model, written from what the report decided."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from detectors.registry import detector
from detectors.verdicts import Rule, Verdict
from state.columns import Role
from state.decisions import Heard, decide
from state.episodes import Change, Episode
from state.event_data import (
    DriftData,
    EpisodeData,
    FeatureData,
    NamedCheck,
    ReportData,
)
from state.events import EventType, cloud_event, deterministic_id
from state.explain import contributors, direction, histogram
from state.report_context import ReportContext
from state.scoring import EFFECT, Evidence, Gap, Scored
from state.segment_scores import explaining, furthest
from state.stores.base import Point, StoredEvent
from state.stores.episodes import StoredEpisode

_EVENT_OF = {
    Change.OPENED: EventType.OPENED,
    Change.UPDATED: EventType.UPDATED,
    Change.CLOSED: EventType.CLOSED,
}


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
        verdict, decision = decide(context.rules, item, found, q_value, heard, self.context.written)
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
            since=self.context.written(item.since) if item.streak else None,
            n_reference=feature.summary.n,
            n_current=found.n,
            n_effective=None if graded is None else graded.n_effective,
            missing=found.missing,
            non_finite=found.non_finite,
            readings=found.readings,
            segments=tuple(map(furthest, found.segments)),
        )

    def has_length(self, found: Scored | Gap) -> bool:
        """Whether any instant lies in the window, or in the span of empty ones."""
        return self.context.instant_of(found.start) < self.context.instant_of(found.end)

    def episode_id(self, found: Scored) -> str:
        """Name the episode that a window opens."""
        return deterministic_id(["episode", *self.context.identity(found), found.feature])

    def drift(self, change: Change, episode: Episode, found: Scored, result: FeatureData) -> StoredEvent:
        """Write what a window did to an episode."""
        context = self.context
        feature = context.generations.named(found.reference).feature(found.feature)
        counts = np.frombuffer(found.counts, dtype="<i8").astype(np.int64)
        data = DriftData(
            kind="data" if feature.column.role is Role.FEATURE else feature.column.role,
            model=context.model,
            model_version=context.model_version,
            window=self.context.window(found),
            reference=self.context.reference_data(found),
            episode=EpisodeData(
                id=episode.id,
                since=self.context.written(episode.since),
                opened=self.context.written(episode.opened),
                severity=episode.severity,
                peak_effect=episode.peak,
                windows=episode.windows,
            ),
            result=msgspec.structs.replace(result, segments=()),
            rule=self.context.rule_data(),
            direction=direction(found),
            limits={
                name: detector(name).limit(feature.summary, found.n, context.rules.false_discovery_rate)
                for name in (reading.method for reading in found.readings)
            }
            if found.n
            else {},
            contributors=contributors(feature, counts),
            new_categories=tuple(name for _, name in found.new_names),
            histogram=histogram(feature, counts),
            segments=tuple(map(explaining, found.segments)),
        )
        return cloud_event(
            _EVENT_OF[change],
            data,
            identity=[*self.context.identity(found), found.feature, ""],
            end=self.context.instant_of(found.end),
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
            since=self.context.time_of(episode.since),
            opened=self.context.instant_of(episode.opened),
            updated=self.context.instant_of(found.end),
            is_open=change is not Change.CLOSED,
            severity=episode.severity,
            peak=episode.peak,
            windows=episode.windows,
        )

    def report(
        self, found: Scored | Gap, results: Sequence[FeatureData], checks: tuple[NamedCheck, ...] = ()
    ) -> StoredEvent:
        """Write the report on one window, or on a span of empty ones."""
        context = self.context
        share = drift_share(results)
        data = ReportData(
            status="empty" if isinstance(found, Gap) else "complete",
            model=context.model,
            model_version=context.model_version,
            window=self.context.window(found),
            windows=found.windows if isinstance(found, Gap) else 1,
            reference=self.context.reference_data(found),
            rule=self.context.rule_data(),
            drift_share=share,
            drifted=bool(results) and share >= context.rules.drift_share,
            features=tuple(results),
            checks=checks,
        )
        return cloud_event(
            EventType.REPORT,
            data,
            identity=[*self.context.identity(found), data.status],
            end=self.context.instant_of(found.end),
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
                    yield self.context.point(found, found.feature, metric, value)
            yield from self._segment_points(found)
        yield self.context.point(scored[0], "", "drift_share", drift_share(results))
        yield self.context.point(scored[0], "", "rows", float(scored[0].rows))
        yield self.context.point(scored[0], "", "late_rows", float(scored[0].late))

    def _segment_points(self, found: Scored) -> Iterator[Point]:
        """Give what was read of each segment to its series; its traffic with the first of the columns."""
        first = found.feature == self.context.features[0]
        for scores in found.segments:
            for each in scores.segments:
                name = f"{scores.column}={each.segment}"
                if each.effect is not None:
                    yield self.context.point(found, found.feature, "effect", each.effect, segment=name)
                # In a window in which the column misses nothing that is the share of every segment.
                if each.rows and found.missing:
                    share = each.missing / each.rows
                    yield self.context.point(found, found.feature, "missing_share", share, segment=name)
                if first:
                    yield self.context.point(found, "", "rows", float(each.rows), segment=name)
                    yield self.context.point(found, "", "share", each.share, segment=name)


def drift_share(results: Sequence[FeatureData]) -> float:
    """Share of the watched columns whose verdict is drift."""
    return sum(result.verdict is Verdict.DRIFT for result in results) / len(results) if results else 0.0
