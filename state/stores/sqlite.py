"""References, events, series, panes, episodes and alerts in one SQLite file."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from state.stores.base import KEEP_ALL, Keeping, Point, SeriesKey
from state.stores.checks import checked_points, key_texts, time_span
from state.stores.sqlite_alerts import SqliteAlerts
from state.stores.sqlite_episodes import SqliteEpisodes
from state.stores.sqlite_events import SqliteEvents
from state.stores.sqlite_file import SqliteFile
from state.stores.sqlite_panes import SqlitePanes
from state.stores.sqlite_references import SqliteReferences

_KEY_FIELDS = tuple(field.name for field in fields(SeriesKey))

_ADD_SERIES = """
    INSERT INTO series (model, model_version, "window", feature, segment, metric)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_SERIES_ID = """
    SELECT id FROM series WHERE model = ? AND model_version = ? AND "window" = ? AND feature = ?
        AND segment = ? AND metric = ?
"""
_ADD_POINT = "INSERT INTO point VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_NEWEST_POINT = "SELECT max(time) FROM point WHERE series = ?"
_DROP_POINTS = "DELETE FROM point WHERE series = ? AND time < ?"
_LIST_POINTS = "SELECT time, value FROM point WHERE series = ? AND time BETWEEN ? AND ? ORDER BY time"
_LIST_SERIES = """
    SELECT model, model_version, "window", feature, segment, metric FROM series WHERE model = ?
    ORDER BY model_version, "window", feature, segment, metric
"""


class SqliteStore(SqliteReferences, SqliteEvents, SqlitePanes, SqliteEpisodes, SqliteAlerts):
    """A `state.stores.base.Store` in one file, for one machine.

    Every call is one transaction. With write-ahead logging and ``synchronous=NORMAL`` what a call has stored
    survives kill -9 of the process, at any moment; after a loss of power or a crash of the operating system
    the file is whole, but the last calls may be missing
    (https://sqlite.org/pragma.html#pragma_synchronous).

    Several processes may use one file on a local disk. One instance is one connection, for one thread
    at a time.

    Parameters
    ----------
    path
        The file; it is created where it is missing, its folder is not.
    keeping
        How much is kept.
    busy_timeout_s
        How long a call waits for another process before it raises `StoreBusyError`.

    Raises
    ------
    StoreError
        The folder is missing, the file is not a database or another program's, it has a newer schema, or it
        cannot be opened.
    """

    def __init__(self, path: Path, *, keeping: Keeping = KEEP_ALL, busy_timeout_s: float = 5.0) -> None:
        self._keeping = keeping
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def add_points(self, points: Iterable[Point]) -> None:
        """Store points, all or none."""
        checked = checked_points(points)
        with self._file.transaction():
            # Ids are looked up anew in every call: a remembered one would outlive a rolled back insert.
            ids = {key: self._series_id(key) for key in dict.fromkeys(point.key for point in checked)}
            rows = [(ids[point.key], point.time, point.value) for point in checked]
            self._file.connection.executemany(_ADD_POINT, rows)
            if self._keeping.retention is not None:
                self._drop_points(ids.values())

    def series(
        self, key: SeriesKey, *, start: int | None = None, end: int | None = None
    ) -> list[tuple[int, float]]:
        """Return ``(time, value)`` with ``start <= time < end`` in order of time."""
        first, last = time_span(start, end)
        with self._file.errors():
            row = self._file.connection.execute(_SERIES_ID, key_texts(key)).fetchone()
            if row is None:
                return []
            return self._file.connection.execute(_LIST_POINTS, (row[0], first, last)).fetchall()

    def series_keys(self, model: str) -> list[SeriesKey]:
        """Return the keys of a model's series, sorted."""
        with self._file.errors():
            return [
                SeriesKey(**dict(zip(_KEY_FIELDS, row, strict=True)))
                for row in self._file.connection.execute(_LIST_SERIES, (model,))
            ]

    def close(self) -> None:
        """Close the file; called once."""
        self._file.close()

    def _drop_points(self, series: Iterable[int]) -> None:
        for id_ in series:
            (newest,) = self._file.connection.execute(_NEWEST_POINT, (id_,)).fetchone()
            self._file.connection.execute(_DROP_POINTS, (id_, self._keeping.cutoff(newest)))

    def _series_id(self, key: SeriesKey) -> int:
        found = self._file.connection.execute(_SERIES_ID, key_texts(key)).fetchone()
        if found is None:
            self._file.connection.execute(_ADD_SERIES, key_texts(key))
            found = self._file.connection.execute(_SERIES_ID, key_texts(key)).fetchone()
        return int(found[0])
