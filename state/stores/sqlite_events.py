"""Drift events in one SQLite file."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import orjson

from state.stores.base import Keeping, StoredEvent
from state.stores.checks import checked_events, checked_limit, no_event, time_span
from state.stores.sqlite_episodes import drop_episodes
from state.stores.sqlite_file import SqliteFile, newest_end
from state.stores.trimming import newest_ends

_FIELDS = tuple(field.name for field in fields(StoredEvent))
_row = attrgetter(*_FIELDS)

# "ON CONFLICT (...) DO NOTHING" and not "OR IGNORE", which would swallow broken constraints too.
_ADD = """
    INSERT INTO event (id, type, model, model_version, "window", feature, episode, "end", body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""
_GET = """
    SELECT id, type, model, model_version, "window", feature, episode, "end", body FROM event
    WHERE model = ? AND id = ?
"""
_PLACE = 'SELECT "end", position FROM event WHERE model = ? AND id = ?'
_LIST = """
    SELECT id, type, model, model_version, "window", feature, episode, "end", body FROM event
    WHERE model = :model AND "end" BETWEEN :first AND :last
        AND (:beyond IS NULL OR ("end", position) {behind} (:beyond, :beyond_position))
        AND (:model_version IS NULL OR model_version = :model_version)
        AND (:window IS NULL OR "window" = :window)
        AND (:feature IS NULL OR feature = :feature)
        AND (:types IS NULL OR type IN (SELECT value FROM json_each(:types)))
    ORDER BY "end" {order}, position {order} LIMIT :limit
"""
_OLDEST_FIRST = _LIST.format(behind=">", order="ASC")
_NEWEST_FIRST = _LIST.format(behind="<", order="DESC")
_DROP = 'DELETE FROM event WHERE model = ? AND model_version = ? AND "end" < ?'


class SqliteEvents:
    """The part of a `state.stores.sqlite.SqliteStore` that keeps events."""

    _file: SqliteFile
    _keeping: Keeping

    def add_events(self, events: Iterable[StoredEvent]) -> int:
        """Store events, all or none; return how many were new."""
        checked = checked_events(events)
        with self._file.transaction():
            cutoffs = {
                version: self._keeping.cutoff(max(end, newest_end(self._file, *version) or end))
                for version, end in newest_ends(checked).items()
            }
            rows = [_row(e) for e in checked if e.end >= cutoffs[e.model, e.model_version]]
            before = self._file.connection.total_changes
            self._file.connection.executemany(_ADD, rows)
            new = self._file.connection.total_changes - before
            if self._keeping.retention is not None:
                aged = [(*version, cutoff) for version, cutoff in cutoffs.items()]
                self._file.connection.executemany(_DROP, aged)
                drop_episodes(self._file, aged)
        return new

    def event(self, model: str, event_id: str) -> StoredEvent:
        """Return one event."""
        with self._file.errors():
            row = self._file.connection.execute(_GET, (model, event_id)).fetchone()
        if row is None:
            raise no_event(model, event_id)
        return _event(row)

    def events(
        self,
        model: str,
        *,
        model_version: str | None = None,
        window: str | None = None,
        feature: str | None = None,
        types: Sequence[str] | None = None,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        beyond: str | None = None,
    ) -> list[StoredEvent]:
        """Return the events that match all that is given, in order of `end`, then of insertion."""
        first, last = time_span(start, end)
        place = (None, None) if beyond is None else self._place(model, beyond)
        parameters = {
            "beyond": place[0],
            "beyond_position": place[1],
            "model": model,
            "model_version": model_version,
            "window": window,
            "feature": feature,
            "types": None if types is None else orjson.dumps(list(types)).decode(),
            "first": first,
            "last": last,
            "limit": checked_limit(limit),
        }
        listed = _NEWEST_FIRST if newest_first else _OLDEST_FIRST
        with self._file.errors():
            return [_event(row) for row in self._file.connection.execute(listed, parameters)]

    def _place(self, model: str, event_id: str) -> tuple[int, int]:
        with self._file.errors():
            row = self._file.connection.execute(_PLACE, (model, event_id)).fetchone()
        if row is None:
            raise no_event(model, event_id)
        end, position = row
        return end, position


def _event(row: Sequence[Any]) -> StoredEvent:
    return StoredEvent(**dict(zip(_FIELDS, row, strict=True)))
