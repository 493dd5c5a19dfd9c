"""Episodes in Redis."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from state.stores.base import Keeping
from state.stores.checks import checked_episodes, time_span
from state.stores.episodes import EpisodeFilter, StoredEpisode
from state.stores.redis_keys import RedisKeys, time_of, time_text
from state.stores.redis_scripts import DROP_EPISODE, PUT_EPISODES
from state.stores.redis_server import Command, RedisServer, chunks

_EPISODES_PER_COMMAND = 2_000
_EPISODES_PER_READ = 500


class RedisEpisodes:
    """The part of a `state.stores.redis.RedisStore` that keeps episodes, each as JSON."""

    _server: RedisServer
    _keys: RedisKeys
    _keeping: Keeping

    def put_episodes(self, episodes: Iterable[StoredEpisode]) -> None:
        """Store episodes, all or none; what comes last under an id replaces what is there."""
        checked = checked_episodes(episodes)
        commands = [self._episode_command(chunk) for chunk in chunks(checked, _EPISODES_PER_COMMAND)]
        self._server.run_all(commands, together=True)
        if self._keeping.retention is not None:
            for version in dict.fromkeys((episode.model, episode.model_version) for episode in checked):
                newest = newest_end(self._server, self._keys, *version)
                drop_episodes(self._server, self._keys, *version, self._keeping.cutoff(newest))

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
        wanted = EpisodeFilter(
            model_version=model_version,
            window=window,
            feature=feature,
            open_only=open_only,
            first=first,
            last=last,
        )
        return wanted.select(self._read_episodes(model, open_only=open_only))

    def _read_episodes(self, model: str, *, open_only: bool) -> Iterator[StoredEpisode]:
        index = self._keys.open_episodes(model) if open_only else self._keys.episodes(model)
        names = [self._keys.episode(model, id_.decode()) for id_ in self._server.run("SMEMBERS", index)]
        for chunk in chunks(names, _EPISODES_PER_READ):
            for content in self._server.run("MGET", *chunk):
                # One may have gone since the names were read.
                if content is not None:
                    yield msgspec.json.decode(content, type=StoredEpisode)

    def _episode_command(self, episodes: Sequence[StoredEpisode]) -> Command:
        names: list[str] = []
        values: list[str | bytes | int] = []
        for episode in episodes:
            model = episode.model
            names += (
                self._keys.episode(model, episode.id),
                self._keys.episodes(model),
                self._keys.open_episodes(model),
                self._keys.closed_episodes(model, episode.model_version),
            )
            end = "" if episode.is_open else time_text(episode.updated)
            values += (episode.id, msgspec.json.encode(episode), end)
        return ("EVAL", PUT_EPISODES, len(names), *names, *values)


def newest_end(server: RedisServer, keys: RedisKeys, model: str, model_version: str) -> int | None:
    """Return the largest end of a model version's events: what the age of things is counted from."""
    text = server.run("HGET", keys.newest_events(model), model_version)
    return None if text is None else time_of(text.decode())


def drop_episodes(server: RedisServer, keys: RedisKeys, model: str, model_version: str, cutoff: int) -> None:
    """Drop the episodes of a model version that closed before a time, and who has seen them."""
    ends = keys.closed_episodes(model, model_version)
    members = server.run("ZRANGEBYLEX", ends, "-", f"({time_text(cutoff)}")
    for member in members:
        id_ = member.split(b":", 1)[1].decode()
        names = (keys.episode(model, id_), keys.episodes(model), ends, keys.acknowledgements(model))
        content = server.run("GET", names[0])
        # It may have been written again since, open or with a later end.
        episode = None if content is None else msgspec.json.decode(content, type=StoredEpisode)
        old = episode is not None and not episode.is_open and episode.updated < cutoff
        seen = content if old else b""
        server.run("EVAL", DROP_EPISODE, len(names), *names, id_, seen, member)
