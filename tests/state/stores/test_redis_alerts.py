"""Alerts on a real Redis: pages, and processes that commit at once."""

import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace

import pytest

from state.stores import redis_alerts
from state.stores.alerts import Delivery, Progress
from state.stores.base import StoreError
from state.stores.redis import RedisStore
from tests.contracts import redis_servers
from tests.contracts.store_values import a_notice
from tests.integration import services

redis_url = services.redis_url
_shared_stack = services._shared_stack


@pytest.fixture
def prefix(redis_url: str) -> Iterator[str]:
    with redis_servers.own_prefix(redis_url) as prefix:
        yield prefix


def test_pages_of_notices_do_not_show(redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_alerts, "_NOTICES_PER_READ", 2)
    made = [a_notice(str(n), decided_ms=n // 2) for n in range(7)]
    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        store.commit_alerts("fraud", Progress(revision=1, body=b""), made)
        assert store.notices("fraud") == made
        assert store.notices("fraud", newest_first=True, limit=5) == made[:1:-1]
        for notice in made[:5]:
            store.settle_notice(replace(notice, delivery=Delivery.SENT, settled_ms=9))
        assert store.drop_notices("fraud", before_ms=10) == 5
        assert store.notices("fraud", delivery=Delivery.WAITING) == made[5:]


def test_of_commits_at_once_one_is_kept(redis_url: str, prefix: str) -> None:
    kept: list[str] = []
    barrier = threading.Barrier(4)

    def commit(name: str) -> None:
        with closing(RedisStore(redis_url, prefix=prefix)) as store:
            barrier.wait()
            with suppress(StoreError):
                store.commit_alerts("fraud", Progress(revision=1, body=name.encode()), [a_notice(name)])
                kept.append(name)

    threads = [threading.Thread(target=commit, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (name,) = kept
    with closing(RedisStore(redis_url, prefix=prefix)) as store:
        assert store.alert_progress("fraud") == Progress(revision=1, body=name.encode())
        assert store.notices("fraud") == [a_notice(name)]
