from contextlib import closing
from pathlib import Path

import pytest

from state.stores.base import KEEP_ALL, Keeping, Store, StoreError
from state.stores.opening import open_store
from state.stores.redis import RedisStore
from state.stores.sqlite import SqliteStore
from tests.contracts.redis_servers import scripted_server
from tests.contracts.store import StoreContract
from tests.contracts.store_values import an_event


class TestOpenedStore(StoreContract):
    def open_store(self, folder: Path, keeping: Keeping = KEEP_ALL) -> Store:
        return open_store(folder / "store.db", keeping)


def test_all_names_of_one_file_open_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(open_store("store.db")) as store:
        assert isinstance(store, SqliteStore)
        store.add_events([an_event("a")])
    path = tmp_path / "store.db"
    for name in (path, str(path), f"sqlite:///{path}", "sqlite:///store.db", "SQLite:///store.db"):
        with closing(open_store(name)) as store:
            assert store.events("fraud") == [an_event("a")]
    assert [file.name for file in tmp_path.iterdir()] == ["store.db"]


@pytest.mark.parametrize("scheme", ["redis", "REDIS"])
def test_redis_url_opens_redis(scheme: str) -> None:
    with (
        scripted_server(b"-ERR unknown command 'TS.RANGE'\r\n") as url,
        closing(open_store(url.replace("redis", scheme))) as store,
    ):
        assert isinstance(store, RedisStore)


@pytest.mark.parametrize("location", ["memory:", "memory://", "MEMORY:", ":memory:"])
def test_memory_is_refused(location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=r"'memory:' would end with the process.*wanted a path"):
        open_store(location)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("", "found ''"),
        ("postgres://ann:s3cret@h/db", "found postgres://: wanted a path"),
        ("sqlite://store.db", "found sqlite://"),
        ("sqlite:///", "found sqlite://"),
        ("redis+other://:s3cret@h", r"the beginning is not one of redis://"),
        ("redis:h", "found 'redis'"),
    ],
)
def test_what_is_no_store_is_refused(
    location: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=reason) as caught:
        open_store(location)
    assert "s3cret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
