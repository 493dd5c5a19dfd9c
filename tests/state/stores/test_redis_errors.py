import socket
from collections.abc import Callable
from contextlib import closing

import pytest

from state.stores.base import Point, StoreBusyError, StoreError
from state.stores.redis import RedisStore
from state.stores.redis_series import SeriesBackend
from tests.contracts.redis_servers import scripted_server
from tests.contracts.store_values import a_key, a_pane, a_reference, an_episode, an_event, from_start

CALLS: list[Callable[[RedisStore], object]] = [
    lambda store: store.put_reference(a_reference()),
    lambda store: store.reference("fraud", "v1"),
    lambda store: store.references(),
    lambda store: store.activate("fraud", "1", from_start("v1")),
    lambda store: store.activations("fraud", "1"),
    lambda store: store.activated_versions("fraud"),
    lambda store: store.add_events([an_event("a")]),
    lambda store: store.events("fraud"),
    lambda store: store.add_points([Point(a_key(), 1, 1.0)]),
    lambda store: store.series(a_key()),
    lambda store: store.put_episodes([an_episode("a")]),
    lambda store: store.episodes("fraud"),
    lambda store: store.put_panes([a_pane(1)]),
    lambda store: store.panes("fraud", "1", "amount"),
    lambda store: store.pane_counts("fraud", "1"),
    lambda store: store.series_keys("fraud"),
]


# The answers are those of Redis 7.4.
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("LOADING Redis is loading the dataset in memory", "loading its data"),
        ("READONLY You can't write against a read only replica.", "read-only replica"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "more memory"),
        ("CLUSTERDOWN The cluster is down", "cluster is not complete"),
        ("CLUSTERDOWN Hash slot not served", "cluster is not complete"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "moves its keys"),
        ("MASTERDOWN Link with MASTER is down", "try again"),
        ("MISCONF Redis is configured to save RDB snapshots", "MISCONF.*takes commands again"),
        ("NOREPLICAS Not enough good replicas to write.", "takes commands again"),
        ("BUSY Redis is busy running a script.", "takes commands again"),
        ("ERR max number of clients reached", "try again"),
    ],
)
def test_what_may_pass_is_busy(answer: str, reason: str) -> None:
    with scripted_server(f"-{answer}\r\n".encode()) as url:
        for backend in SeriesBackend:
            with closing(RedisStore(url, series_backend=backend)) as store:
                for call in CALLS:
                    with pytest.raises(StoreBusyError, match=rf"^store redis://127.0.0.1:\d+/0: .*{reason}"):
                        call(store)
        with pytest.raises(StoreBusyError):
            RedisStore(url)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            "-WRONGPASS invalid username-password pair or user is disabled.",
            "user and the password in the URL",
        ),
        ("-NOAUTH Authentication required.", "user and the password in the URL"),
        ("-NOPERM User default has no permissions to run the 'ts.range' command", "use another user"),
        ("-WRONGTYPE Operation against a key holding the wrong kind of value", "another prefix"),
        ("-MOVED 3999 127.0.0.1:6381", r"redis\+cluster://"),
        ("-ERR something new", "ERR something new|something new: check the server"),
        ("HTTP/1.1 400 Bad Request", "is no Redis"),
    ],
)
def test_what_will_not_pass_is_an_error(answer: str, reason: str) -> None:
    with scripted_server(f"{answer}\r\n".encode()) as url:
        for backend in SeriesBackend:
            with closing(RedisStore(url, series_backend=backend)) as store:
                for call in CALLS:
                    with pytest.raises(StoreError, match=reason) as caught:
                        call(store)
                    assert not isinstance(caught.value, StoreBusyError)
        with pytest.raises(StoreError, match=reason):
            RedisStore(url)


def test_refused_connection_is_busy() -> None:
    with socket.socket() as taken:
        # Bound and not listening: refuses.
        taken.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StoreBusyError, match=r"refused.*cannot be reached; try again when it is up"):
            RedisStore(url)
        cluster = url.replace("redis://", "redis+cluster://")
        with pytest.raises(StoreBusyError, match="try again"):
            RedisStore(cluster, timeout_s=0.2)
        sentinel = url.replace("redis://", "redis+sentinel://") + "/mymaster"
        with pytest.raises(StoreBusyError, match=r"mymaster.*try again"):
            RedisStore(sentinel, timeout_s=0.2)


def test_silent_server_is_busy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(StoreBusyError, match="did not answer in time"):
            RedisStore(url, timeout_s=0.05)


def test_server_without_tls_is_told_apart_from_a_busy_one() -> None:
    with (
        scripted_server(b"+OK\r\n") as url,
        pytest.raises(StoreError, match="encrypted connection failed") as caught,
    ):
        RedisStore(url.replace("redis://", "rediss://"), timeout_s=0.5)
    assert not isinstance(caught.value, StoreBusyError)


@pytest.mark.parametrize("answer", ["-WRONGPASS invalid", "-ERR other", "-OOM full", "HTTP/1.1 400"])
def test_messages_never_hold_the_password(answer: str) -> None:
    with scripted_server(f"{answer}\r\n".encode()) as url:
        secret = url.replace("//", "//ann:s3cr%2Ft@")
        with closing(RedisStore(secret, series_backend=SeriesBackend.TIMESERIES)) as store:
            for call in CALLS:
                with pytest.raises(StoreError) as caught:
                    call(store)
                told = f"{caught.value} {caught.value.__cause__} {store} {store._server}"
                assert "s3cr" not in told


def test_single_server_is_no_cluster() -> None:
    # The answer of Redis 7.4 to CLUSTER SLOTS.
    with (
        scripted_server(b"-ERR This instance has cluster support disabled\r\n") as url,
        pytest.raises(StoreError, match=r"single server: write redis://") as caught,
    ):
        RedisStore(url.replace("redis://", "redis+cluster://"), timeout_s=0.5)
    assert not isinstance(caught.value, StoreBusyError)


def test_refused_password_of_a_cluster_is_an_error() -> None:
    with (
        scripted_server(b"-WRONGPASS invalid username-password pair\r\n") as url,
        pytest.raises(StoreError, match="password in the URL") as caught,
    ):
        RedisStore(url.replace("redis://", "redis+cluster://:s3cret@"), timeout_s=0.5)
    assert not isinstance(caught.value, StoreBusyError)
    assert "s3cret" not in str(caught.value)
