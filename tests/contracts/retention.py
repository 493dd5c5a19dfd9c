"""What every store drops when it has grown old, counted in event time."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.stores.base import Keeping, Point, Store, StoredEvent
from state.stores.episodes import StoredEpisode
from state.stores.panes import StoredPane
from tests.contracts.opened_store import OpenedStore
from tests.contracts.store_values import a_key, a_pane, a_reference, an_episode, an_event, from_start, ids

RETENTION = 5
KEEPING = Keeping(retention=RETENTION, panes=100)

_TIMES = st.integers(0, 20)
_VERSIONS = st.sampled_from(["1", "2"])
_models = count()

Item = StoredEvent | StoredEpisode | StoredPane | Point


@dataclass(frozen=True)
class Kept:
    """What a store holds of a model."""

    events: set[str]
    episodes: set[str]
    panes: set[tuple[str, int]]
    points: set[tuple[str, int]]


@st.composite
def items(draw: st.DrawFn) -> Callable[[str], list[Item]]:
    """Draw things of all kinds and ages, for a model that is named later."""
    numbers = range(draw(st.integers(0, 25)))
    each = st.tuples(st.integers(0, 3), _TIMES, _VERSIONS, st.sampled_from("ab"), st.booleans())
    drawn = [draw(each) for _ in numbers]

    def named(model: str) -> list[Item]:
        made: list[Item] = []
        for number, (kind, time, version, column, is_open) in zip(numbers, drawn, strict=True):
            id_ = f"{model}-{number}"
            made.append(
                (
                    an_event(id_, end=time, model=model, model_version=version),
                    an_episode(id_, updated=time, is_open=is_open, model=model, model_version=version),
                    a_pane(time, model=model, model_version=version, feature=column),
                    Point(a_key(column, model=model), time, 1.0),
                )[kind]
            )
        return made

    return named


class RetentionContract(OpenedStore):
    """Nothing asks a clock: an old stream that is played again is kept as it was."""

    # One law of all stores, and every example has a model of its own in the test's one store.
    @settings(
        max_examples=25,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(drawn=items(), data=st.data())
    def test_what_stays_depends_on_what_came_and_not_on_its_order(
        self, tmp_path: Path, drawn: Callable[[str], list[Item]], data: st.DataObject
    ) -> None:
        model = f"m{next(_models)}"
        made = data.draw(st.permutations(drawn(model)))
        with closing(self.open_store(tmp_path, KEEPING)) as store:
            while made:
                size = data.draw(st.integers(1, 6))
                _put(store, made[:size])
                made = made[size:]
            assert _kept(store, model) == _wanted(drawn(model))

    def test_events_and_closed_episodes_go_with_the_newest_event(self, tmp_path: Path) -> None:
        with closing(self.open_store(tmp_path, KEEPING)) as store:
            store.put_reference(a_reference())
            store.activate("fraud", "1", from_start("v1"))
            store.put_episodes(
                [
                    an_episode("closed", opened=1, updated=9, is_open=False),
                    an_episode("open", opened=1, updated=1),
                    an_episode("late", opened=1, updated=10, is_open=False),
                ]
            )
            assert store.add_events([an_event("a", end=9), an_event("b", end=10), an_event("c", end=14)]) == 3
            assert store.add_events([an_event("d", end=15)]) == 1
            assert ids(store.events("fraud")) == ["b", "c", "d"]
            assert [found.id for found in store.episodes("fraud")] == ["late", "open"]
            # What is too old when it comes is no news.
            assert store.add_events([an_event("a", end=9), an_event("e", end=9), an_event("f", end=11)]) == 1
            store.put_episodes([an_episode("closed", opened=1, updated=9, is_open=False)])
            assert ids(store.events("fraud")) == ["b", "f", "c", "d"]
            assert [found.id for found in store.episodes("fraud")] == ["late", "open"]
            assert store.activations("fraud", "1") == (from_start("v1"),)

    def test_versions_of_a_model_age_apart(self, tmp_path: Path) -> None:
        with closing(self.open_store(tmp_path, KEEPING)) as store:
            store.add_events(an_event(f"old{end}", end=end) for end in (1, 4, 8))
            store.add_events(an_event(f"new{end}", end=end, model_version="2") for end in (50, 100))
            store.add_events([an_event("old2", end=2), an_event("old9", end=9)])
            assert ids(store.events("fraud")) == ["old4", "old8", "old9", "new100"]


def _put(store: Store, made: Sequence[Item]) -> None:
    store.put_panes(item for item in made if isinstance(item, StoredPane))
    store.add_points(item for item in made if isinstance(item, Point))
    store.put_episodes(item for item in made if isinstance(item, StoredEpisode))
    store.add_events(item for item in made if isinstance(item, StoredEvent))


def _kept(store: Store, model: str) -> Kept:
    return Kept(
        events=set(ids(store.events(model))),
        episodes={episode.id for episode in store.episodes(model)},
        panes={
            (f"{version}/{pane.feature}", pane.start)
            for version in ("1", "2")
            for column in "ab"
            for pane in store.panes(model, version, column)
        },
        points={(key.feature, time) for key in store.series_keys(model) for time, _ in store.series(key)},
    )


def _wanted(made: Sequence[Item]) -> Kept:
    """Say what stays, by the definition."""
    newest = defaultdict[str, int](lambda: -100)
    for item in made:
        if isinstance(item, StoredEvent):
            newest[item.model_version] = max(newest[item.model_version], item.end)
    panes = {(f"{p.model_version}/{p.feature}", p.start) for p in made if isinstance(p, StoredPane)}
    points = {(p.key.feature, p.time) for p in made if isinstance(p, Point)}
    return Kept(
        events={
            e.id for e in made if isinstance(e, StoredEvent) and e.end >= newest[e.model_version] - RETENTION
        },
        episodes={
            e.id
            for e in made
            if isinstance(e, StoredEpisode)
            and (e.is_open or e.updated >= newest[e.model_version] - RETENTION)
        },
        panes=_near_their_newest(panes),
        points=_near_their_newest(points),
    )


def _near_their_newest(found: set[tuple[str, int]]) -> set[tuple[str, int]]:
    return {
        (name, time)
        for name, time in found
        if time >= max(other for named, other in found if named == name) - RETENTION
    }
