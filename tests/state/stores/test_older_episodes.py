"""Episodes that were kept before there were violations of checks are read as the drifts that they are."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from state.stores.episodes import StoredEpisode
from state.stores.sqlite import SqliteStore
from state.stores.sqlite_schema import APPLICATION_ID, LAYOUTS
from tests.contracts.store_values import an_episode

_FIFTH = LAYOUTS[:5]
"""The layouts up to that of the last release without checks."""


def test_those_of_an_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    held = msgspec.to_builtins(an_episode("a"))
    names = [name for name in held if name not in {"family", "check"}]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in (each for layout in _FIFTH for each in layout):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(_FIFTH)}")
        columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
        connection.execute(
            f"INSERT INTO episode ({columns}) VALUES ({marks})",  # noqa: S608  # names of our own
            [held[name] for name in names],
        )
    violation = an_episode("b", check="missing_share", family="quality")
    with closing(SqliteStore(path)) as store:
        assert store.episodes("fraud") == [an_episode("a")]
        store.put_episodes([violation])
    with closing(SqliteStore(path)) as store:
        assert store.episodes("fraud") == [an_episode("a"), violation]


def test_those_of_a_redis() -> None:
    held = msgspec.to_builtins(an_episode("a"))
    body = msgspec.json.encode({name: held[name] for name in held if name not in {"family", "check"}})
    assert msgspec.json.decode(body, type=StoredEpisode) == an_episode("a")
