"""What alerting keeps, in one SQLite file."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import orjson

from state.stores.alert_checks import (
    checked_acknowledgement,
    checked_claim,
    checked_notices,
    checked_progress,
    no_notice,
    overtaken,
)
from state.stores.alerts import Acknowledgement, Delivery, Progress, StoredNotice
from state.stores.checks import checked_limit
from state.stores.sqlite_file import SqliteFile

_FIELDS = tuple(field.name for field in fields(StoredNotice))
_row = attrgetter(*_FIELDS)

_CLAIM = """
    INSERT INTO alert_claim (model, owner, until_ms) VALUES (:model, :owner, :until_ms)
    ON CONFLICT DO UPDATE SET owner = excluded.owner, until_ms = excluded.until_ms
    WHERE owner = :owner OR until_ms <= :now_ms
"""
_RELEASE = "DELETE FROM alert_claim WHERE model = ? AND owner = ?"
_PROGRESS = "SELECT revision, body FROM alert_progress WHERE model = ?"
_PUT_PROGRESS = "INSERT OR REPLACE INTO alert_progress (model, revision, body) VALUES (?, ?, ?)"
_ADD_NOTICE = """
    INSERT INTO notice (
        id, model, channel, decided_ms, body, delivery, attempts, next_ms, settled_ms, reason
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_SETTLE = """
    UPDATE notice SET delivery = ?, attempts = ?, next_ms = ?, settled_ms = ?, reason = ?
    WHERE model = ? AND id = ?
"""
_COLUMNS = "id, model, channel, decided_ms, body, delivery, attempts, next_ms, settled_ms, reason"
_LIST = f"SELECT {_COLUMNS} FROM notice WHERE model = :model ORDER BY decided_ms, position LIMIT :limit"  # noqa: S608 - no values
_LIST_OF = _LIST.replace("ORDER BY", "AND delivery = :delivery ORDER BY")
_BACKWARDS = ("decided_ms, position", "decided_ms DESC, position DESC")
_DROP = "DELETE FROM notice WHERE model = :model AND settled_ms < :before_ms AND decided_ms < :before_ms"
_ACKNOWLEDGE = """
    INSERT INTO acknowledgement (model, episode, "by", at_ms, note) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_ACKNOWLEDGEMENTS = """
    SELECT model, episode, "by", at_ms, note FROM acknowledgement
    WHERE model = :model
        AND (:episodes IS NULL OR episode IN (SELECT value FROM json_each(:episodes)))
    ORDER BY at_ms, episode
"""


class SqliteAlerts:
    """The part of a `state.stores.sqlite.SqliteStore` that keeps alerts."""

    _file: SqliteFile

    def claim_alerts(self, model: str, *, owner: str, now_ms: int, until_ms: int) -> bool:
        """Take or renew the right to send alerts of a model; return whether `owner` has it."""
        now, until = checked_claim(model, owner, now_ms, until_ms)
        named = {"model": model, "owner": owner, "now_ms": now, "until_ms": until}
        with self._file.transaction():
            return self._file.connection.execute(_CLAIM, named).rowcount == 1

    def release_alerts(self, model: str, *, owner: str) -> None:
        """Give the right back; what is another's stays."""
        with self._file.transaction():
            self._file.connection.execute(_RELEASE, (model, owner))

    def alert_progress(self, model: str) -> Progress | None:
        """Return how far it has come; None before the first commit."""
        with self._file.errors():
            row = self._file.connection.execute(_PROGRESS, (model,)).fetchone()
        return None if row is None else Progress(revision=row[0], body=row[1])

    def commit_alerts(self, model: str, progress: Progress, notices: Sequence[StoredNotice]) -> None:
        """Store progress and the notices that were decided on the way, all or none."""
        checked, wanted = checked_notices(model, notices), checked_progress(model, progress)
        with self._file.transaction():
            row = self._file.connection.execute(_PROGRESS, (model,)).fetchone()
            found = 0 if row is None else row[0]
            if wanted.revision != found + 1:
                raise overtaken(model, found, wanted.revision)
            self._file.connection.execute(_PUT_PROGRESS, (model, wanted.revision, wanted.body))
            self._file.connection.executemany(_ADD_NOTICE, [_row(notice) for notice in checked])

    def settle_notice(self, notice: StoredNotice) -> None:
        """Replace what has become of a notice that is there."""
        (now,) = checked_notices(notice.model, [notice])
        values = (now.delivery, now.attempts, now.next_ms, now.settled_ms, now.reason, now.model, now.id)
        with self._file.transaction():
            if self._file.connection.execute(_SETTLE, values).rowcount == 0:
                raise no_notice(now.model, now.id)

    def notices(
        self,
        model: str,
        *,
        delivery: Delivery | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[StoredNotice]:
        """Return notices in order of `decided_ms`, then of insertion, or the other way round."""
        query = _LIST if delivery is None else _LIST_OF
        if newest_first:
            query = query.replace(*_BACKWARDS)
        named = {"model": model, "delivery": delivery, "limit": checked_limit(limit)}
        with self._file.errors():
            return [_notice(row) for row in self._file.connection.execute(query, named)]

    def drop_notices(self, model: str, *, before_ms: int) -> int:
        """Delete notices that were decided and settled before; return how many."""
        with self._file.transaction():
            return self._file.connection.execute(_DROP, {"model": model, "before_ms": before_ms}).rowcount

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        """Store it; return whether it is the first of its episode."""
        checked = checked_acknowledgement(acknowledgement)
        row = (checked.model, checked.episode, checked.by, checked.at_ms, checked.note)
        with self._file.transaction():
            return self._file.connection.execute(_ACKNOWLEDGE, row).rowcount == 1

    def acknowledgements(self, model: str, episodes: Sequence[str] | None = None) -> list[Acknowledgement]:
        """Return those of some episodes, or all, by time, then by episode."""
        wanted = None if episodes is None else orjson.dumps(list(episodes)).decode()
        with self._file.errors():
            rows = self._file.connection.execute(_ACKNOWLEDGEMENTS, {"model": model, "episodes": wanted})
            return [
                Acknowledgement(model=name, episode=episode, by=by, at_ms=at_ms, note=note)
                for name, episode, by, at_ms, note in rows
            ]


def _notice(row: tuple[Any, ...]) -> StoredNotice:
    named = dict(zip(_FIELDS, row, strict=True))
    return StoredNotice(**{**named, "delivery": Delivery(named["delivery"])})
