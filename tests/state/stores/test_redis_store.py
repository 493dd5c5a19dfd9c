import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from redis import Redis

from state.stores import redis_events, redis_series
from state.stores.alerts import Delivery, Progress
from state.stores.base import Keeping, Point, SeriesKey, StoreError
from state.stores.redis import RedisStore
from state.stores.redis_series import SeriesBackend
from state.stores.redis_server import Command, RedisServer
from tests.contracts import redis_servers
from tests.contracts.store_values import (
    a_key,
    a_notice,
    a_pane,
    a_reference,
    an_acknowledgement,
    an_episode,
    an_event,
    from_start,
    ids,
    starting,
)
from tests.integration import services

Raw = Callable[..., Any]

redis_url = services.redis_url
_shared_stack = services._shared_stack


@pytest.fixture
def prefix(redis_url: str) -> Iterator[str]:
    with redis_servers.own_prefix(redis_url) as prefix:
        yield prefix


@pytest.fixture
def raw(redis_url: str) -> Iterator[Raw]:
    """Send a command past the store."""
    with Redis.from_url(redis_url, protocol=2) as client:
        yield client.execute_command


def test_server_with_the_module_is_found(redis_url: str, prefix: str) -> None:
    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        assert store.series_backend is SeriesBackend.TIMESERIES
        assert str(store.series_backend) == "timeseries"


def test_server_without_the_module_is_found() -> None:
    with (
        redis_servers.scripted_server(b"-ERR unknown command 'TS.RANGE'\r\n") as url,
        closing(RedisStore(url)) as store,
    ):
        assert str(store.series_backend) == "sorted-set"


def test_keys_and_labels_are_as_documented(redis_url: str, prefix: str, raw: Raw) -> None:
    key = SeriesKey(
        model="a:b", model_version="v(1)", window="1h", feature="ä", segment="x=y,z", metric="psi"
    )
    with closing(RedisStore(redis_url, keeping=Keeping(retention=5000), prefix=prefix)) as store:
        store.put_reference(a_reference("v1", model="a:b"))
        store.activate("a:b", "1", from_start("v1"))
        store.add_events([an_event("e1", model="a:b")])
        store.add_points([Point(key, 1, 0.5)])
        store.put_episodes([an_episode("d1", model="a:b"), an_episode("d2", model="a:b", is_open=False)])
        store.put_panes([a_pane(1, model="a:b", model_version="v(1)", feature="ä")])
        store.claim_alerts("a:b", owner="me", now_ms=0, until_ms=9)
        notices = [a_notice("n1", model="a:b"), a_notice("n2", model="a:b")]
        store.commit_alerts("a:b", Progress(revision=1, body=b""), notices)
        store.settle_notice(replace(notices[0], delivery=Delivery.SENT, settled_ms=6))
        store.acknowledge(an_acknowledgement("d1", model="a:b"))
    model = f"{prefix}:{{a%3Ab}}"
    series = f"{model}:v%281%29:series:1h:ä:x=y%2Cz:psi"
    wanted = [
        f"{prefix}:models",
        f"{model}:references",
        f"{model}:reference:v1",
        f"{model}:activations",
        f"{model}:event:e1",
        f"{model}:events",
        f"{model}:event-counter",
        f"{model}:series",
        f"{model}:newest-events",
        f"{model}:dropped-events",
        f"{model}:episode:d1",
        f"{model}:episode:d2",
        f"{model}:closed-episodes:1",
        f"{model}:episodes",
        f"{model}:open-episodes",
        f"{model}:alert-claim",
        f"{model}:alert-progress",
        f"{model}:notice-counter",
        f"{model}:notice:n1",
        f"{model}:notice:n2",
        f"{model}:notices",
        f"{model}:notices:sent",
        f"{model}:notices:waiting",
        f"{model}:acknowledgements",
        f"{model}:sketch:v%281%29:ä",
        f"{model}:sketches:v%281%29",
        series,
    ]
    assert {name.decode() for name in raw("KEYS", f"{prefix}*")} == set(wanted)
    assert raw("HGET", f"{model}:event:e1", "body") == b"{}"
    info = _info(raw, series)
    assert info[b"retentionTime"] == 5000
    assert info[b"duplicatePolicy"] == b"last"
    assert {name.decode(): value.decode() for name, value in info[b"labels"]} == {
        "model": "a%3Ab",
        "model_version": "v%281%29",
        "window": "1h",
        "feature": "ä",
        "segment": "x=y%2Cz",
        "metric": "psi",
    }


def test_active_reference_of_an_older_store_holds_for_every_version(
    redis_url: str, prefix: str, raw: Raw
) -> None:
    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        store.put_reference(a_reference("v1"))
        store.put_reference(a_reference("v2"))
        raw("SET", f"{prefix}:{{fraud}}:active", "v1")
        assert store.activations("fraud", "1") == (from_start("v1"),)
        assert store.activated_versions("fraud") == []
        store.activate("fraud", "1", starting("v2", 5))
        store.activate("fraud", "2", from_start("v2"))
        assert store.activations("fraud", "1") == (from_start("v1"), starting("v2", 5))
        assert store.activations("fraud", "2") == (from_start("v2"),)
        assert store.activations("fraud", "3") == (from_start("v1"),)


@pytest.mark.parametrize("backend", list(SeriesBackend))
def test_retention_is_counted_from_the_newest_point(
    backend: SeriesBackend, redis_url: str, prefix: str
) -> None:
    opened = RedisStore(redis_url, keeping=Keeping(retention=100), prefix=prefix, series_backend=backend)
    with closing(opened) as store:
        store.add_points(Point(a_key(), time, 1.0) for time in (1000, 899, 900, 950))
        assert [time for time, _ in store.series(a_key())] == [900, 950, 1000]
        store.add_points([Point(a_key(), 1060, 1.0), Point(a_key("country"), 1, 1.0)])
        store.add_points([Point(a_key(), 5, 1.0)])
        assert [time for time, _ in store.series(a_key())] == [1000, 1060]
        assert store.series(a_key("country")) == [(1, 1.0)]


def test_changed_retention_holds_for_what_is_there(redis_url: str, prefix: str, raw: Raw) -> None:
    for retention in (100, 200):
        with closing(RedisStore(redis_url, keeping=Keeping(retention=retention), prefix=prefix)) as store:
            store.add_points([Point(a_key(), 1, 1.0)])
    (name,) = raw("SMEMBERS", f"{prefix}:{{fraud}}:series")
    assert _info(raw, name)[b"retentionTime"] == 200


def test_compaction_keeps_mean_maximum_and_count(redis_url: str, prefix: str, raw: Raw) -> None:
    hour = 3_600_000
    values = np.random.default_rng(1).normal(size=60)
    times = [index * hour // 2 for index in range(60)]
    # A second opening finds the series there, without rules for it to add twice.
    for begin in (0, 30):
        opened = RedisStore(redis_url, keeping=Keeping(retention=hour), compaction=True, prefix=prefix)
        with closing(opened) as store:
            pairs = list(zip(times, values, strict=True))[begin : begin + 30]
            store.add_points(Point(a_key(), time, float(value)) for time, value in pairs)
            assert store.series_keys("fraud") == [a_key()]
    name = f"{prefix}:{{fraud}}:1:series:1h:amount:%:psi"
    # The bucket of the newest point is still open.
    by_hour = values[:58].reshape(-1, 2)
    for aggregation, wanted in (
        ("avg", by_hour.mean(axis=1)),
        ("max", by_hour.max(axis=1)),
        ("count", [2] * 29),
    ):
        found = raw("TS.RANGE", f"{name}:1h:{aggregation}", "-", "+")
        assert [int(time) for time, _ in found] == [index * hour for index in range(29)]
        np.testing.assert_allclose([float(value) for _, value in found], wanted, rtol=1e-12)
    found = raw("TS.RANGE", f"{name}:1d:max", "-", "+")
    assert [(int(time), float(value)) for time, value in found] == [(0, values[:48].max())]
    found = raw("TS.QUERYINDEX", "aggregation=avg", "bucket=1d", "model=fraud")
    assert f"{name}:1d:avg".encode() in found


def test_compaction_without_the_module_is_refused(redis_url: str, prefix: str) -> None:
    with pytest.raises(StoreError, match=r"compaction needs the time-series module.*sorted-set"):
        RedisStore(
            redis_url,
            compaction=True,
            prefix=prefix,
            series_backend=SeriesBackend.SORTED_SET,
        )


@pytest.mark.parametrize("backend", list(SeriesBackend))
def test_series_deleted_by_others_is_made_anew(
    backend: SeriesBackend, redis_url: str, prefix: str, raw: Raw
) -> None:
    with closing(RedisStore(redis_url, prefix=prefix, series_backend=backend)) as store:
        store.add_points([Point(a_key(), 1, 1.0), Point(a_key("country"), 1, 1.0)])
        raw("DEL", f"{prefix}:{{fraud}}:1:series:1h:amount:%:psi", f"{prefix}:{{fraud}}:series")
        store.add_points([Point(a_key(), 2, 2.0), Point(a_key("country"), 2, 2.0)])
        assert store.series(a_key()) == [(2, 2.0)]
        assert store.series(a_key("country")) == [(1, 1.0), (2, 2.0)]
        assert a_key() in store.series_keys("fraud")


@pytest.mark.parametrize("backend", list(SeriesBackend))
def test_key_of_another_kind_refuses_all(
    backend: SeriesBackend, redis_url: str, prefix: str, raw: Raw
) -> None:
    raw("SET", f"{prefix}:{{fraud}}:1:series:1h:amount:%:psi", "mine")
    with closing(RedisStore(redis_url, prefix=prefix, series_backend=backend)) as store:
        with pytest.raises(StoreError, match=r"series:1h:amount:%:psi is of type string.*another prefix"):
            store.add_points([Point(a_key("country"), 1, 1.0), Point(a_key(), 1, 1.0)])
        assert store.series(a_key("country")) == []
        with pytest.raises(StoreError, match="WRONGTYPE"):
            store.series(a_key())


def test_damaged_reference_is_refused(redis_url: str, prefix: str, raw: Raw) -> None:
    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        store.put_reference(a_reference(body=b"bins"))
        raw("HSET", f"{prefix}:{{fraud}}:reference:v1", "body", "bims")
        with pytest.raises(StoreError, match=r"reference:v1.* does not match its sha256"):
            store.reference("fraud", "v1")
        raw("DEL", f"{prefix}:{{fraud}}:reference:v1")
        with pytest.raises(
            StoreError, match=r"reference:v1.* is listed, but its content is gone.*noeviction"
        ):
            store.reference("fraud", "v1")
        store.put_reference(a_reference(body=b"bins"))
        assert store.reference("fraud", "v1") == a_reference(body=b"bins")


def test_lost_event_is_told(redis_url: str, prefix: str, raw: Raw) -> None:
    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        store.add_events([an_event("a"), an_event("b")])
        raw("DEL", f"{prefix}:{{fraud}}:event:b")
        with pytest.raises(
            StoreError, match=r"event 'b' of model 'fraud' is listed, but its content is gone"
        ):
            store.events("fraud")


def test_pages_and_commands_do_not_show(redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_events, "_EVENTS_PER_PAGE", 2)
    monkeypatch.setattr(redis_events, "_EVENTS_PER_COMMAND", 3)
    monkeypatch.setattr(redis_series, "_POINTS_PER_COMMAND", 3)
    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        assert store.add_events(an_event(str(n), end=n // 3, type_="ab"[n % 2]) for n in range(11)) == 11
        assert store.add_events(an_event(str(n)) for n in range(13)) == 2
        assert ids(store.events("fraud", end=9)) == [str(n) for n in range(11)]
        assert ids(store.events("fraud", types=["b"], limit=4)) == ["1", "3", "5", "7"]
        for value in (1.0, 2.0):
            store.add_points(Point(a_key(f"f{n % 4}"), n, value) for n in range(11))
            assert store.series(a_key("f1")) == [(1, value), (5, value), (9, value)]


def test_who_wants_few_events_does_not_wait_for_many(
    redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, run_all = list[int](), RedisServer.run_all

    def counted(server: RedisServer, commands: Sequence[Command], *, together: bool = False) -> list[Any]:
        read.append(len(commands))
        return run_all(server, commands, together=together)

    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        store.add_events(an_event(str(n), end=n, type_="a" if n < 100 else "b") for n in range(1_000))
        monkeypatch.setattr(RedisServer, "run_all", counted)
        assert ids(store.events("fraud", newest_first=True, limit=1)) == ["999"]
        # The first page, of 8.
        assert read == [8]
        read.clear()
        # What lies further back is found in pages that grow: 8, 32, 128, 500, 332 are all there are.
        assert ids(store.events("fraud", newest_first=True, types=["a"], limit=2)) == ["99", "98"]
        assert read == [8, 32, 128, 500, 332]


def test_thousands_of_points_fit_into_one_call(redis_url: str, prefix: str) -> None:
    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        store.add_points(Point(a_key(f"f{n % 5}"), n, n / 7) for n in range(10_000))
        assert store.series(a_key("f3")) == [(n, n / 7) for n in range(3, 10_000, 5)]


def test_writers_at_once_count_every_event_once(redis_url: str, prefix: str) -> None:
    counts: list[int] = []

    def write(order: int) -> None:
        with closing(RedisStore(redis_url, prefix=prefix)) as store:
            counts.extend(store.add_events([an_event(str(n))]) for n in range(40)[::order])

    threads = [threading.Thread(target=write, args=(order,)) for order in (1, -1, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 40
    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        assert sorted(ids(store.events("fraud")), key=int) == [str(n) for n in range(40)]


def test_activations_at_once_are_all_kept(redis_url: str, prefix: str) -> None:
    def activate(version: str) -> None:
        with closing(RedisStore(redis_url, prefix=prefix)) as store:
            barrier.wait()
            # The latest start wins in whatever order they come; the others are then refused.
            for start in range(20):
                with suppress(StoreError):
                    store.activate("fraud", "1", starting(version, start))

    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        for version in ("v1", "v2", "v3"):
            store.put_reference(a_reference(version))
        store.activate("fraud", "1", from_start("v1"))
        barrier = threading.Barrier(3)
        threads = [threading.Thread(target=activate, args=(version,)) for version in ("v1", "v2", "v3")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        starts = [activation.effective_from for activation in store.activations("fraud", "1")]
    assert starts == [None, *range(20)]


def _info(raw: Raw, name: str | bytes) -> dict[bytes, Any]:
    """Return what TS.INFO tells; its answer has names and values by turns."""
    answer = raw("TS.INFO", name)
    return dict(zip(answer[::2], answer[1::2], strict=True))
