"""A store in memory: the fake for tests, and the model that the other stores are held to."""

from collections import Counter
from collections.abc import Iterable, Sequence

from state.stores.base import (
    KEEP_ALL,
    Activation,
    Keeping,
    Point,
    ReferenceInfo,
    SeriesKey,
    StoredEvent,
    StoredReference,
)
from state.stores.checks import (
    checked_activation,
    checked_episodes,
    checked_events,
    checked_limit,
    checked_panes,
    checked_points,
    checked_reference,
    key_texts,
    no_event,
    no_such_reference,
    time_span,
)
from state.stores.episodes import EpisodeFilter, StoredEpisode
from state.stores.memory_alerts import MemoryAlerts
from state.stores.panes import StoredPane
from state.stores.schedules import extended
from state.stores.trimming import last_panes, newest_ends


class MemoryStore(MemoryAlerts):
    """A `state.stores.base.Store` that ends with the process."""

    def __init__(self, keeping: Keeping = KEEP_ALL) -> None:
        super().__init__()
        self._keeping = keeping
        self._references: dict[tuple[str, str], StoredReference] = {}
        self._schedules: dict[tuple[str, str], tuple[Activation, ...]] = {}
        self._events: dict[str, StoredEvent] = {}
        self._series: dict[SeriesKey, dict[int, float]] = {}
        self._panes: list[StoredPane] = []
        self._episodes: dict[tuple[str, str], StoredEpisode] = {}

    def put_reference(self, reference: StoredReference) -> None:
        """Store it; storing the same version again changes nothing."""
        checked = checked_reference(reference)
        self._references.setdefault((checked.info.model, checked.info.version), checked)

    def reference(self, model: str, version: str) -> StoredReference:
        """Return one version."""
        found = self._references.get((model, version))
        if found is None:
            raise no_such_reference(model, version, self.references())
        return found

    def references(self, model: str | None = None) -> list[ReferenceInfo]:
        """Return what is there, oldest first."""
        infos = (reference.info for reference in self._references.values())
        chosen = [info for info in infos if model is None or info.model == model]
        return sorted(chosen, key=lambda info: (info.created_ms, info.model, info.version))

    def activate(self, model: str, model_version: str, activation: Activation) -> None:
        """Compare a model version with a stored reference from a time on."""
        checked = checked_activation(model, model_version, activation)
        self.reference(model, checked.version)
        schedule = self.activations(model, model_version)
        self._schedules[model, model_version] = extended(
            schedule, checked, model=model, model_version=model_version
        )

    def activations(self, model: str, model_version: str) -> tuple[Activation, ...]:
        """Return what a model version is compared with, oldest first."""
        return self._schedules.get((model, model_version), ())

    def activated_versions(self, model: str) -> list[str]:
        """Return the model versions with activations of their own, sorted."""
        return sorted(model_version for name, model_version in self._schedules if name == model)

    def add_events(self, events: Iterable[StoredEvent]) -> int:
        """Store events, all or none; return how many were new."""
        before = set(self._events)
        for event in checked_events(events):
            self._events.setdefault(event.id, event)
        newest = newest_ends(self._events.values())
        self._events = {
            id_: event
            for id_, event in self._events.items()
            if event.end >= self._keeping.cutoff(newest[event.model, event.model_version])
        }
        self._drop_episodes(newest)
        return len(self._events.keys() - before)

    def event(self, model: str, event_id: str) -> StoredEvent:
        """Return one event."""
        found = self._events.get(event_id)
        if found is None or found.model != model:
            raise no_event(model, event_id)
        return found

    def events(
        self,
        model: str,
        *,
        model_version: str | None = None,
        window: str | None = None,
        feature: str | None = None,
        types: Sequence[str] | None = None,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        beyond: str | None = None,
    ) -> list[StoredEvent]:
        """Return the events that match all that is given, in order of `end`, then of insertion."""
        first, last = time_span(start, end)
        count = checked_limit(limit)
        # The sort is stable, so insertion decides among equal ends.
        ordered = sorted((e for e in self._events.values() if e.model == model), key=lambda event: event.end)
        if newest_first:
            ordered.reverse()
        if beyond is not None:
            ordered = ordered[ordered.index(self.event(model, beyond)) + 1 :]
        found = [
            event
            for event in ordered
            if model_version in (None, event.model_version)
            and window in (None, event.window)
            and feature in (None, event.feature)
            and (types is None or event.type in types)
            and first <= event.end <= last
        ]
        return found[:count]

    def add_points(self, points: Iterable[Point]) -> None:
        """Store points, all or none."""
        checked = checked_points(points)
        for point in checked:
            self._series.setdefault(point.key, {})[point.time] = point.value
        for key in {point.key for point in checked}:
            first = self._keeping.cutoff(max(self._series[key]))
            self._series[key] = {t: value for t, value in self._series[key].items() if t >= first}

    def series(
        self, key: SeriesKey, *, start: int | None = None, end: int | None = None
    ) -> list[tuple[int, float]]:
        """Return ``(time, value)`` with ``start <= time < end`` in order of time."""
        first, last = time_span(start, end)
        return sorted((t, value) for t, value in self._series.get(key, {}).items() if first <= t <= last)

    def series_keys(self, model: str) -> list[SeriesKey]:
        """Return the keys of a model's series, sorted."""
        return sorted((key for key in self._series if key.model == model), key=key_texts)

    def put_panes(self, panes: Iterable[StoredPane]) -> None:
        """Store panes, all or none; of each column the last ones stay."""
        self._panes = last_panes([*self._panes, *checked_panes(panes)], self._keeping)

    def panes(
        self,
        model: str,
        model_version: str,
        feature: str,
        *,
        start: int | None = None,
        end: int | None = None,
    ) -> list[StoredPane]:
        """Return panes with ``start <= pane.start < end`` in order of start, then of reference."""
        first, last = time_span(start, end)
        wanted = (model, model_version, feature)
        return [
            pane
            for pane in self._panes
            if (pane.model, pane.model_version, pane.feature) == wanted and first <= pane.start <= last
        ]

    def pane_counts(self, model: str, model_version: str) -> dict[str, int]:
        """Return how many panes there are of each column, sorted by its name."""
        counted = Counter(
            pane.feature for pane in self._panes if (pane.model, pane.model_version) == (model, model_version)
        )
        return dict(sorted(counted.items()))

    def put_episodes(self, episodes: Iterable[StoredEpisode]) -> None:
        """Store episodes, all or none; what comes last under an id replaces what is there."""
        self._episodes |= {(episode.model, episode.id): episode for episode in checked_episodes(episodes)}
        self._drop_episodes(newest_ends(self._events.values()))

    def episodes(
        self,
        model: str,
        *,
        model_version: str | None = None,
        window: str | None = None,
        feature: str | None = None,
        open_only: bool = False,
        start: int | None = None,
        end: int | None = None,
    ) -> list[StoredEpisode]:
        """Return episodes that were open at some time of ``[start, end)``, by opening, then by id."""
        first, last = time_span(start, end)
        wanted = EpisodeFilter(
            model_version=model_version,
            window=window,
            feature=feature,
            open_only=open_only,
            first=first,
            last=last,
        )
        return wanted.select(episode for (name, _), episode in self._episodes.items() if name == model)

    def _drop_episodes(self, newest: dict[tuple[str, str], int]) -> None:
        gone = [
            key
            for key, episode in self._episodes.items()
            if not episode.is_open
            and episode.updated < self._keeping.cutoff(newest.get((episode.model, episode.model_version)))
        ]
        for key in gone:
            del self._episodes[key]
            self._acknowledgements.pop(key, None)

    def close(self) -> None:
        """Release nothing; the values stay readable."""
