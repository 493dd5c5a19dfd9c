import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from state.stores.base import KEEP_ALL, Keeping, Point, Store, StoredEvent, StoreError
from state.stores.redis import RedisStore
from state.stores.redis_series import SeriesBackend
from tests.contracts import redis_servers, store_machine
from tests.contracts.store import StoreContract
from tests.contracts.store_machine import FEW, StoreMachine
from tests.contracts.store_values import a_key, an_event, ids
from tests.integration import services

redis_url = services.redis_url
_shared_stack = services._shared_stack


class RedisContract(StoreContract):
    backend: SeriesBackend

    @pytest.fixture(autouse=True)
    def server(self, redis_url: str) -> Iterator[None]:
        self.url = redis_url
        if self.backend is SeriesBackend.SORTED_SET:
            # A server without the module, where there is one.
            self.url = os.environ.get("REDIS_PLAIN_URL", redis_url)
        with redis_servers.own_prefix(self.url) as self.prefix:
            yield

    def open_store(self, folder: Path, keeping: Keeping = KEEP_ALL) -> Store:  # noqa: ARG002 - keeps nothing on the disk
        forced = self.backend if "REDIS_PLAIN_URL" not in os.environ else None
        store = RedisStore(self.url, keeping=keeping, prefix=self.prefix, series_backend=forced)
        assert store.series_backend is self.backend
        return store


class TestRedisSortedSets(RedisContract):
    backend = SeriesBackend.SORTED_SET


class TestRedisTimeSeries(RedisContract):
    """No times before 0 (https://redis.io/docs/latest/commands/ts.add/). Two laws differ."""

    backend = SeriesBackend.TIMESERIES

    def test_series_times_include_the_start_and_not_the_end(self, store: Store) -> None:
        store.add_points(Point(a_key(), time, float(time)) for time in (0, 1, 2, 3))
        assert store.series(a_key(), start=1, end=3) == [(1, 1.0), (2, 2.0)]
        assert store.series(a_key(), start=-5, end=1) == [(0, 0.0)]
        assert store.series(a_key(), start=2) == [(2, 2.0), (3, 3.0)]
        assert store.series(a_key(), end=0) == []
        assert store.series(a_key(), start=3, end=1) == []

    def test_largest_times_are_kept(self, store: Store) -> None:
        most = 2**63 - 1
        store.add_points([Point(a_key(), 0, 1.0), Point(a_key(), most, 2.0)])
        store.add_events([an_event("a", end=-most), an_event("b", end=most)])
        assert store.series(a_key()) == [(0, 1.0), (most, 2.0)]
        assert store.series(a_key(), start=-most, end=most) == [(0, 1.0)]
        assert store.series(a_key(), end=-most) == []
        assert ids(store.events("fraud", start=most)) == ["b"]

    def test_time_before_zero_refuses_all(self, store: Store) -> None:
        with pytest.raises(
            StoreError, match=r"series:1h:amount.* is at -1; a time series holds times from 0"
        ):
            store.add_points([Point(a_key("country"), 1, 1.0), Point(a_key(), -1, 1.0)])
        assert store.series_keys("fraud") == []


class RedisMachine(StoreMachine):
    """Ids of events are unique within a model, as its keys are in one slot of a cluster."""

    url: str
    backend: SeriesBackend

    def open_store(self) -> Store:
        self.stack = ExitStack()
        self.prefix = self.stack.enter_context(redis_servers.own_prefix(self.url))
        return self.opened()

    def opened(self) -> Store:
        return RedisStore(self.url, keeping=FEW, prefix=self.prefix, series_backend=self.backend)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.opened()

    @rule(events=st.lists(store_machine._EVENTS, max_size=8))
    def add_events(self, events: list[StoredEvent]) -> None:
        super().add_events(events=[replace(event, id=f"{event.model}:{event.id}") for event in events])

    @rule(points=st.lists(store_machine._POINTS, max_size=8), bad=st.booleans())
    def add_points(self, points: list[Point], bad: bool) -> None:  # noqa: FBT001 - drawn
        early = self.backend is SeriesBackend.TIMESERIES and any(point.time < 0 for point in points)
        if early:
            with pytest.raises(StoreError):
                self.store.add_points(points)
            points = [replace(point, time=abs(point.time)) for point in points]
        super().add_points(points=points, bad=bad)

    def teardown(self) -> None:
        super().teardown()
        self.stack.close()


@pytest.mark.parametrize("chosen", list(SeriesBackend))
def test_random_walk_beside_the_model(chosen: SeriesBackend, redis_url: str) -> None:
    class Machine(RedisMachine):
        url = redis_url
        backend = chosen

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=25, stateful_step_count=20, deadline=None)
    )
