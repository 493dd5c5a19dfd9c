"""The last closed panes in one SQLite file."""

from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter

from state.stores.base import Keeping
from state.stores.checks import checked_panes, time_span
from state.stores.panes import StoredPane
from state.stores.sqlite_file import SqliteFile
from state.stores.trimming import last_panes

_FIELDS = tuple(field.name for field in fields(StoredPane))
_row = attrgetter(*_FIELDS)

_PUT = """
    INSERT INTO pane (model, model_version, feature, start, reference, "end", body)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (model, model_version, feature, start, reference)
    DO UPDATE SET "end" = excluded."end", body = excluded.body
"""
_TRIM = """
    DELETE FROM pane WHERE position IN (
        SELECT position FROM pane WHERE model = ? AND model_version = ? AND feature = ?
        ORDER BY start DESC, reference DESC LIMIT -1 OFFSET ?
    )
"""
_NEWEST = "SELECT max(start) FROM pane WHERE model = ? AND model_version = ? AND feature = ?"
_DROP = "DELETE FROM pane WHERE model = ? AND model_version = ? AND feature = ? AND start < ?"
_LIST = """
    SELECT model, model_version, feature, start, reference, "end", body FROM pane
    WHERE model = ? AND model_version = ? AND feature = ? AND start BETWEEN ? AND ? ORDER BY start, reference
"""
_COUNT = """
    SELECT feature, count(*) FROM pane WHERE model = ? AND model_version = ? GROUP BY feature ORDER BY feature
"""


class SqlitePanes:
    """The part of a `state.stores.sqlite.SqliteStore` that keeps panes."""

    _file: SqliteFile
    _keeping: Keeping

    def put_panes(self, panes: Iterable[StoredPane]) -> None:
        """Store panes, all or none; of each column the last ones stay."""
        kept = last_panes(checked_panes(panes), self._keeping)
        columns = dict.fromkeys((pane.model, pane.model_version, pane.feature) for pane in kept)
        with self._file.transaction():
            self._file.connection.executemany(_PUT, map(_row, kept))
            for column in columns:
                self._trim(column)

    def _trim(self, column: tuple[str, str, str]) -> None:
        connection = self._file.connection
        connection.execute(_TRIM, (*column, self._keeping.panes))
        if self._keeping.retention is not None:
            (newest,) = connection.execute(_NEWEST, column).fetchone()
            connection.execute(_DROP, (*column, self._keeping.cutoff(newest)))

    def panes(
        self,
        model: str,
        model_version: str,
        feature: str,
        *,
        start: int | None = None,
        end: int | None = None,
    ) -> list[StoredPane]:
        """Return panes with ``start <= pane.start < end`` in order of start, then of reference."""
        span = time_span(start, end)
        with self._file.errors():
            rows = self._file.connection.execute(_LIST, (model, model_version, feature, *span))
            return [StoredPane(**dict(zip(_FIELDS, row, strict=True))) for row in rows]

    def pane_counts(self, model: str, model_version: str) -> dict[str, int]:
        """Return how many panes there are of each column, sorted by its name."""
        with self._file.errors():
            return dict(self._file.connection.execute(_COUNT, (model, model_version)))
