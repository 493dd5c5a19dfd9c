"""A random walk of a store beside the model."""

import math

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from state.stores.base import (
    Activation,
    Keeping,
    Point,
    ReferenceInfo,
    SeriesKey,
    Store,
    StoredEvent,
    StoredReference,
    StoreError,
)
from state.stores.episodes import StoredEpisode
from state.stores.memory import MemoryStore
from state.stores.panes import StoredPane
from tests.contracts.alert_machine import AlertMachine
from tests.contracts.store_values import a_key

_NAMES = st.sampled_from(["", "a", "B", "ä", "a\x00b", "1' OR 1=1"])
_TIMES = st.integers(-3, 3) | st.integers(-(2**63) + 1, 2**63 - 1)
_BOUNDS = st.none() | _TIMES
_KEYS = st.builds(
    SeriesKey,
    model=_NAMES,
    model_version=_NAMES,
    window=st.just("1h"),
    feature=_NAMES,
    segment=st.just(""),
    metric=_NAMES,
)
_POINTS = st.builds(Point, _KEYS, _TIMES, st.floats(allow_nan=False, allow_infinity=False))
_EVENTS = st.builds(
    StoredEvent,
    id=st.integers(0, 30).map(str),
    type=_NAMES,
    model=_NAMES,
    model_version=_NAMES,
    window=_NAMES,
    feature=st.none() | _NAMES,
    episode=st.none() | _NAMES,
    end=_TIMES,
    body=st.binary(max_size=5),
)
_REFERENCES = st.builds(
    StoredReference,
    info=st.builds(
        ReferenceInfo,
        model=_NAMES,
        version=_NAMES,
        created_ms=_TIMES,
        rows=st.integers(0, 9),
        start_ms=_BOUNDS,
        end_ms=_BOUNDS,
        source=_NAMES,
    ),
    body=st.binary(max_size=5),
)
_PANES = st.builds(
    StoredPane,
    model=_NAMES,
    model_version=_NAMES,
    feature=_NAMES,
    start=_TIMES,
    # A version is a hash: of longer names the order could differ.
    reference=st.sampled_from(["", "a", "b"]),
    end=_TIMES,
    body=st.binary(max_size=5),
)
_EPISODES = st.builds(
    StoredEpisode,
    id=st.integers(0, 30).map(str),
    model=_NAMES,
    model_version=_NAMES,
    window=_NAMES,
    feature=_NAMES,
    reference=_NAMES,
    since=_TIMES,
    opened=_TIMES,
    updated=_TIMES,
    is_open=st.booleans(),
    severity=_NAMES,
    peak=st.floats(allow_nan=False, allow_infinity=False),
    windows=st.integers(0, 9),
    family=st.sampled_from(["drift", "quality"]),
    check=_NAMES,
)
_ACTIVATIONS = st.builds(Activation, version=_NAMES, effective_from=_BOUNDS)

FEW = Keeping(panes=3)
"""So little that much of what is drawn has to go."""


class StoreMachine(AlertMachine):
    """Does the same to a store that keeps `FEW` and to the model; a subclass opens the store."""

    def __init__(self) -> None:
        super().__init__()
        self.model = MemoryStore(FEW)
        self.store = self.open_store()

    def open_store(self) -> Store:
        raise NotImplementedError

    def teardown(self) -> None:
        self.store.close()

    @rule(reference=_REFERENCES)
    def put_reference(self, reference: StoredReference) -> None:
        self.model.put_reference(reference)
        self.store.put_reference(reference)

    @rule(model=_NAMES, model_version=_NAMES, activation=_ACTIVATIONS)
    def activate(self, model: str, model_version: str, activation: Activation) -> None:
        answers: list[str | tuple[Activation, ...]] = []
        for store in (self.model, self.store):
            try:
                store.activate(model, model_version, activation)
            except StoreError as error:
                answers.append(str(error))
            else:
                answers.append(store.activations(model, model_version))
        assert answers[1] == answers[0]

    @rule(panes=st.lists(_PANES, max_size=8))
    def put_panes(self, panes: list[StoredPane]) -> None:
        self.model.put_panes(panes)
        self.store.put_panes(panes)

    @rule(model=_NAMES, model_version=_NAMES, start=_BOUNDS, end=_BOUNDS)
    def panes(self, model: str, model_version: str, start: int | None, end: int | None) -> None:
        columns = self.model.pane_counts(model, model_version)
        assert self.store.pane_counts(model, model_version) == columns
        for feature in columns:
            expected, found = (
                store.panes(model, model_version, feature, start=start, end=end)
                for store in (self.model, self.store)
            )
            assert found == expected

    @rule(events=st.lists(_EVENTS, max_size=8))
    def add_events(self, events: list[StoredEvent]) -> None:
        assert self.store.add_events(events) == self.model.add_events(events)

    @rule(points=st.lists(_POINTS, max_size=8), bad=st.booleans())
    def add_points(self, points: list[Point], bad: bool) -> None:  # noqa: FBT001 - drawn
        if not bad:
            self.model.add_points(points)
            self.store.add_points(points)
            return
        with pytest.raises(StoreError):
            self.store.add_points([*points, Point(a_key(), 0, math.nan)])

    @rule(episodes=st.lists(_EPISODES, max_size=8))
    def put_episodes(self, episodes: list[StoredEpisode]) -> None:
        self.model.put_episodes(episodes)
        self.store.put_episodes(episodes)

    @rule(
        model=_NAMES,
        model_version=st.none() | _NAMES,
        feature=st.none() | _NAMES,
        open_only=st.booleans(),
        start=_BOUNDS,
        end=_BOUNDS,
    )
    def episodes(
        self,
        model: str,
        *,
        model_version: str | None,
        feature: str | None,
        open_only: bool,
        start: int | None,
        end: int | None,
    ) -> None:
        expected, found = (
            store.episodes(
                model,
                model_version=model_version,
                feature=feature,
                open_only=open_only,
                start=start,
                end=end,
            )
            for store in (self.model, self.store)
        )
        assert found == expected

    @rule(
        model=_NAMES,
        model_version=st.none() | _NAMES,
        window=st.none() | _NAMES,
        feature=st.none() | _NAMES,
        types=st.none() | st.lists(_NAMES.filter(lambda name: "\x00" not in name), max_size=3),
        start=_BOUNDS,
        end=_BOUNDS,
        limit=st.none() | st.integers(0, 5),
    )
    def events(
        self,
        model: str,
        *,
        model_version: str | None,
        window: str | None,
        feature: str | None,
        types: list[str] | None,
        start: int | None,
        end: int | None,
        limit: int | None,
    ) -> None:
        expected, found = (
            store.events(
                model,
                model_version=model_version,
                window=window,
                feature=feature,
                types=types,
                start=start,
                end=end,
                limit=limit,
            )
            for store in (self.model, self.store)
        )
        assert found == expected

    @rule(model=_NAMES, start=_BOUNDS, end=_BOUNDS)
    def series(self, model: str, start: int | None, end: int | None) -> None:
        for key in self.model.series_keys(model):
            assert self.store.series(key, start=start, end=end) == self.model.series(
                key, start=start, end=end
            )

    @invariant()
    def lists_are_equal(self) -> None:
        assert self.store.references() == self.model.references()
        for model in ("", "a", "B"):
            assert self.store.series_keys(model) == self.model.series_keys(model)
            assert self.store.episodes(model) == self.model.episodes(model)
            assert self.store.events(model) == self.model.events(model)
            assert self.store.activated_versions(model) == self.model.activated_versions(model)
            for model_version in ("", "a", "B"):
                assert self.store.activations(model, model_version) == self.model.activations(
                    model, model_version
                )
