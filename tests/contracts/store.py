"""What every store keeps to."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from state.stores.base import NotFoundError, Point, Store, StoredEvent, StoreError
from tests.contracts.acknowledgement_store import AcknowledgementStoreContract
from tests.contracts.alert_store import AlertStoreContract
from tests.contracts.episode_store import EpisodeStoreContract
from tests.contracts.pane_store import PaneStoreContract
from tests.contracts.reference_store import ReferenceStoreContract
from tests.contracts.retention import RetentionContract
from tests.contracts.store_values import a_key, a_reference, an_event, ids


class StoreContract(
    ReferenceStoreContract,
    PaneStoreContract,
    EpisodeStoreContract,
    AlertStoreContract,
    AcknowledgementStoreContract,
    RetentionContract,
):
    """A subclass says how to open a store; it may add tests, not replace them."""

    def test_events_come_back_equal_by_end_then_by_insertion(self, store: Store) -> None:
        events = [
            an_event("c", end=5),
            an_event("a", end=7, feature=None),
            an_event("b", end=5, body=b"\x00"),
        ]
        assert store.add_events(events) == 3
        assert store.add_events([an_event("0", end=5)]) == 1
        assert store.events("fraud") == [events[0], events[2], an_event("0", end=5), events[1]]

    def test_event_that_is_there_stays_and_is_not_counted(self, store: Store) -> None:
        store.add_events([an_event("a", body=b"first")])
        again = [an_event("a", body=b"second", end=1), an_event("b"), an_event("b", body=b"third")]
        assert store.add_events(again) == 1
        assert store.events("fraud") == [an_event("a", body=b"first"), an_event("b")]
        assert store.add_events(again) == 0

    def test_adding_nothing_is_allowed(self, store: Store) -> None:
        assert store.add_events([]) == 0
        store.add_points([])
        assert store.events("fraud") == []
        assert store.series_keys("fraud") == []

    def test_iterators_are_read_once(self, store: Store) -> None:
        assert store.add_events(an_event(id_) for id_ in "ab") == 2
        store.add_points(Point(a_key(), time, 1.0) for time in (1, 2))
        assert ids(store.events("fraud")) == ["a", "b"]
        assert store.series(a_key()) == [(1, 1.0), (2, 1.0)]

    def test_event_filters_hold_together(self, store: Store) -> None:
        store.add_events(
            [
                an_event("a", end=1),
                an_event("b", end=2, model_version="2"),
                an_event("c", end=3, window="1d"),
                an_event("d", end=4, feature=None),
                an_event("e", end=5, feature="country"),
                an_event("f", end=6, type_="closed"),
                an_event("g", end=7, model="churn"),
            ]
        )
        assert ids(store.events("fraud")) == list("abcdef")
        assert ids(store.events("fraud", model_version="2")) == ["b"]
        assert ids(store.events("fraud", window="1d")) == ["c"]
        assert ids(store.events("fraud", feature="country")) == ["e"]
        assert ids(store.events("fraud", types=["closed", "updated"])) == ["f"]
        assert store.events("fraud", types=[]) == []
        assert ids(store.events("fraud", window="1h", feature="amount", types=["opened"])) == ["a", "b"]
        assert store.events("nobody") == []

    def test_event_times_include_the_start_and_not_the_end(self, store: Store) -> None:
        store.add_events(an_event(str(end), end=end) for end in (-1, 0, 1, 2, 3))
        assert ids(store.events("fraud", start=0, end=2)) == ["0", "1"]
        assert ids(store.events("fraud", start=2)) == ["2", "3"]
        assert ids(store.events("fraud", end=0)) == ["-1"]
        assert store.events("fraud", start=2, end=2) == []
        assert store.events("fraud", start=3, end=0) == []

    def test_one_event_by_its_id(self, store: Store) -> None:
        store.add_events([an_event("a"), an_event("b", model="churn")])
        assert store.event("fraud", "a") == an_event("a")
        for model, id_ in (("fraud", "b"), ("fraud", "x"), ("none", "a")):
            with pytest.raises(NotFoundError, match=f"model '{model}' has no event '{id_}'"):
                store.event(model, id_)

    def test_newest_first_is_the_other_way_round(self, store: Store) -> None:
        store.add_events([an_event("c", end=5), an_event("a", end=7), an_event("b", end=5)])
        assert ids(store.events("fraud", newest_first=True)) == ["a", "b", "c"]
        assert ids(store.events("fraud", newest_first=True, limit=2)) == ["a", "b"]

    @pytest.mark.parametrize("newest_first", [False, True])
    def test_pages_join_to_the_whole(self, store: Store, *, newest_first: bool) -> None:
        ends = [3, 1, 2, 2, 2, 1, 9, 9]
        store.add_events(an_event(f"e{i}", end=end, feature=f"f{i % 2}") for i, end in enumerate(ends))
        whole = ids(store.events("fraud", feature="f0", newest_first=newest_first))
        assert len(whole) == 4
        found, last = list[str](), None
        while page := store.events(
            "fraud", feature="f0", newest_first=newest_first, beyond=last, limit=1, start=1, end=10
        ):
            last = page[-1].id
            found.append(last)
        assert found == whole
        # The last of a page may be one that the filter would not give.
        other = store.events("fraud", feature="f1", newest_first=newest_first)[0].id
        behind = store.events("fraud", newest_first=newest_first, beyond=other)
        everything = store.events("fraud", newest_first=newest_first)
        assert behind == everything[ids(everything).index(other) + 1 :]
        with pytest.raises(NotFoundError, match="has no event 'x'"):
            store.events("fraud", beyond="x")

    def test_limit_keeps_the_first(self, store: Store) -> None:
        store.add_events(an_event(str(end), end=end) for end in (3, 1, 2))
        assert ids(store.events("fraud", limit=2)) == ["1", "2"]
        assert store.events("fraud", limit=0) == []
        assert len(store.events("fraud", limit=10**30)) == 3
        with pytest.raises(StoreError, match="limit is -1"):
            store.events("fraud", limit=-1)

    def test_second_value_replaces_the_first(self, store: Store) -> None:
        store.add_points([Point(a_key(), 2, 1.0), Point(a_key(), 1, 0.5), Point(a_key(), 2, 3.0)])
        store.add_points([Point(a_key(), 1, -0.25)])
        assert store.series(a_key()) == [(1, -0.25), (2, 3.0)]

    def test_series_do_not_mix(self, store: Store) -> None:
        keys = [a_key(), a_key("country"), a_key(metric="ks"), a_key(segment="eu"), a_key(model="churn")]
        store.add_points(Point(key, 1, float(index)) for index, key in enumerate(keys))
        for index, key in enumerate(keys):
            assert store.series(key) == [(1, float(index))]
        assert store.series(a_key("unknown")) == []

    def test_series_times_include_the_start_and_not_the_end(self, store: Store) -> None:
        store.add_points(Point(a_key(), time, float(time)) for time in (-1, 0, 1, 2))
        assert store.series(a_key(), start=0, end=2) == [(0, 0.0), (1, 1.0)]
        assert store.series(a_key(), start=1) == [(1, 1.0), (2, 2.0)]
        assert store.series(a_key(), end=-1) == []

    def test_values_come_back_bit_for_bit(self, store: Store) -> None:
        # Largest, smallest normal, smallest subnormal binary64, and neighbours of one (IEEE 754-2019, 3.4).
        values = [
            1.7976931348623157e308,
            2.2250738585072014e-308,
            5e-324,
            math.nextafter(1, 0),
            math.nextafter(1, 2),
        ]
        store.add_points(Point(a_key(), time, value) for time, value in enumerate(values))
        assert [value for _, value in store.series(a_key())] == values

    def test_series_keys_are_sorted(self, store: Store) -> None:
        keys = [
            a_key("B"),
            a_key("a", metric="ks"),
            a_key("a", metric="psi"),
            a_key("é"),
            a_key("\U0001f600"),
        ]
        store.add_points(Point(key, 1, 1.0) for key in reversed([*keys, a_key(model="churn")]))
        assert store.series_keys("fraud") == keys
        assert store.series_keys("nobody") == []

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan"), None, "1", 10**400])
    def test_value_that_is_no_finite_number_refuses_all(self, store: Store, value: float) -> None:
        store.add_points([Point(a_key(), 1, 1.0)])
        with pytest.raises(StoreError, match=r"fraud/1/1h/amount//psi.* at 2: the value is .*finite"):
            store.add_points(
                [Point(a_key("country"), 1, 1.0), Point(a_key(), 1, 9.0), Point(a_key(), 2, value)]
            )
        assert store.series(a_key()) == [(1, 1.0)]
        assert store.series_keys("fraud") == [a_key()]

    def test_failing_iterator_leaves_nothing(self, store: Store) -> None:
        def points() -> Iterator[Point]:
            yield Point(a_key(), 1, 1.0)
            raise KeyError("broken")

        def events() -> Iterator[StoredEvent]:
            yield an_event("a")
            raise KeyError("broken")

        with pytest.raises(KeyError):
            store.add_points(points())
        with pytest.raises(KeyError):
            store.add_events(events())
        assert store.series_keys("fraud") == []
        assert store.events("fraud") == []

    @pytest.mark.parametrize("end", [2**63, -(2**63), 10**30, 1.5, None])
    def test_event_with_a_bad_time_refuses_all(self, store: Store, end: int) -> None:
        with pytest.raises(StoreError, match=r"event 'bad': end is"):
            store.add_events([an_event("good"), an_event("bad", end=end)])
        assert store.events("fraud") == []

    @pytest.mark.parametrize("time", [2**63, -(2**63), 1.5, None])
    def test_point_with_a_bad_time_refuses_all(self, store: Store, time: int) -> None:
        with pytest.raises(StoreError, match=r"time is"):
            store.add_points([Point(a_key(), 1, 1.0), Point(a_key(), time, 1.0)])
        assert store.series_keys("fraud") == []

    def test_text_that_is_no_unicode_refuses_all(self, store: Store) -> None:
        with pytest.raises(StoreError, match="not valid Unicode"):
            store.add_events([an_event("good"), an_event("bad", feature="\ud800")])
        with pytest.raises(StoreError, match="not valid Unicode"):
            store.add_points([Point(a_key(), 1, 1.0), Point(a_key("\ud800"), 1, 1.0)])
        assert store.events("fraud") == []
        assert store.series_keys("fraud") == []

    def test_largest_times_are_kept(self, store: Store) -> None:
        most = 2**63 - 1
        store.add_points([Point(a_key(), -most, 1.0), Point(a_key(), most, 2.0)])
        store.add_events([an_event("a", end=-most), an_event("b", end=most)])
        assert store.series(a_key()) == [(-most, 1.0), (most, 2.0)]
        assert store.series(a_key(), start=-most, end=most) == [(-most, 1.0)]
        assert store.series(a_key(), end=-most) == []
        assert ids(store.events("fraud", start=most)) == ["b"]
        with pytest.raises(StoreError, match="end is"):
            store.events("fraud", end=2**63)

    def test_numbers_of_numpy_come_back_plain(self, store: Store) -> None:
        numpy_time, numpy_value = np.int64(5), np.float32(0.5)
        store.add_points([Point(a_key(), numpy_time, numpy_value)])  # type: ignore[arg-type]  # meant so
        store.add_events([an_event("a", end=numpy_time)])  # type: ignore[arg-type]  # meant so
        assert [(type(time), type(value)) for time, value in store.series(a_key())] == [(int, float)]
        assert type(store.events("fraud")[0].end) is int

    def test_nothing_mutable_is_shared(self, store: Store) -> None:
        with pytest.raises(StoreError, match="must be bytes"):
            store.add_events([an_event("a", body=bytearray(b"x"))])  # type: ignore[arg-type]  # meant so
        with pytest.raises(StoreError, match="must be bytes"):
            store.put_reference(a_reference(body=bytearray(b"x")))  # type: ignore[arg-type]  # meant so
        events, points = [an_event("b")], [Point(a_key(), 1, 1.0)]
        store.add_events(events)
        store.add_points(points)
        store.put_reference(a_reference())
        events.clear()
        points.clear()
        store.events("fraud").clear()
        store.series(a_key()).clear()
        store.series_keys("fraud").clear()
        store.references().clear()
        assert ids(store.events("fraud")) == ["b"]
        assert store.series(a_key()) == [(1, 1.0)]
        assert store.series_keys("fraud") == [a_key()]
        assert len(store.references()) == 1
