"""Episodes in one SQLite file."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from state.stores.base import Keeping
from state.stores.checks import checked_episodes, time_span
from state.stores.episodes import StoredEpisode
from state.stores.sqlite_file import SqliteFile, newest_end

_FIELDS = tuple(field.name for field in fields(StoredEpisode))
_row = attrgetter(*_FIELDS)

_PUT = """
    INSERT OR REPLACE INTO episode (
        id, model, model_version, "window", feature, reference, since, opened, updated, is_open, severity,
        peak, windows, family, "check"
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_LIST = """
    SELECT
        id, model, model_version, "window", feature, reference, since, opened, updated, is_open, severity,
        peak, windows, family, "check"
    FROM episode
    WHERE model = :model AND opened <= :last AND (is_open OR (updated >= :first AND NOT :open_only))
        AND (:model_version IS NULL OR model_version = :model_version)
        AND (:window IS NULL OR "window" = :window)
        AND (:feature IS NULL OR feature = :feature)
    ORDER BY opened, id
"""
_AGED = "FROM episode WHERE model = ? AND model_version = ? AND NOT is_open AND updated < ?"
_DROP_EPISODES = f"DELETE {_AGED}"
_DROP_ACKNOWLEDGEMENTS = f"DELETE FROM acknowledgement WHERE (model, episode) IN (SELECT model, id {_AGED})"  # noqa: S608 - no values


class SqliteEpisodes:
    """The part of a `state.stores.sqlite.SqliteStore` that keeps episodes."""

    _file: SqliteFile
    _keeping: Keeping

    def put_episodes(self, episodes: Iterable[StoredEpisode]) -> None:
        """Store episodes, all or none; what comes last under an id replaces what is there."""
        checked = checked_episodes(episodes)
        with self._file.transaction():
            self._file.connection.executemany(_PUT, [_row(episode) for episode in checked])
            if self._keeping.retention is not None:
                versions = dict.fromkeys((episode.model, episode.model_version) for episode in checked)
                newest = {version: newest_end(self._file, *version) for version in versions}
                aged = [(*version, self._keeping.cutoff(end)) for version, end in newest.items()]
                drop_episodes(self._file, aged)

    def episodes(
        self,
        model: str,
        *,
        model_version: str | None = None,
        window: str | None = None,
        feature: str | None = None,
        open_only: bool = False,
        start: int | None = None,
        end: int | None = None,
    ) -> list[StoredEpisode]:
        """Return episodes that were open at some time of ``[start, end)``, by opening, then by id."""
        first, last = time_span(start, end)
        parameters = {
            "model": model,
            "model_version": model_version,
            "window": window,
            "feature": feature,
            "open_only": open_only,
            "first": first,
            "last": last,
        }
        with self._file.errors():
            return [_episode(row) for row in self._file.connection.execute(_LIST, parameters)]


def drop_episodes(file: SqliteFile, aged: Sequence[tuple[str, str, int]]) -> None:
    """Drop the episodes of model versions that closed before a time, and who has seen them.

    Parameters
    ----------
    aged
        Model, model version and time of each.
    """
    file.connection.executemany(_DROP_ACKNOWLEDGEMENTS, aged)
    file.connection.executemany(_DROP_EPISODES, aged)


def _episode(row: tuple[Any, ...]) -> StoredEpisode:
    named = dict(zip(_FIELDS, row, strict=True))
    return StoredEpisode(**{**named, "is_open": bool(named["is_open"])})
