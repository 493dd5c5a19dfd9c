"""References, events, series, panes, episodes and alerts in Redis, for several machines."""

from collections.abc import Iterable

from state.stores.base import KEEP_ALL, Keeping, Point, SeriesKey, StoreError
from state.stores.checks import checked_points, key_texts, time_span
from state.stores.redis_alerts import RedisAlerts
from state.stores.redis_episodes import RedisEpisodes
from state.stores.redis_events import RedisEvents
from state.stores.redis_facts import RedisFacts, read_facts
from state.stores.redis_keys import RedisKeys
from state.stores.redis_panes import RedisPanes
from state.stores.redis_references import RedisReferences
from state.stores.redis_series import RedisSeries, SeriesBackend, SortedSets, TimeSeries, probe
from state.stores.redis_server import RedisServer


class RedisStore(RedisReferences, RedisEvents, RedisPanes, RedisEpisodes, RedisAlerts):
    """A `state.stores.base.Store` on a Redis server, a replicated one, or a cluster.

    Every call that writes is one step on the server, all or none. How much of it survives a crash is the
    server's setting: ``appendfsync everysec`` loses a second at most. A server that evicts keys is no store:
    set ``maxmemory-policy noeviction``.

    An event's id is unique within its model, and on a cluster one call holds the data of one model, because
    only the keys of one model are in one slot.

    Threads may share one instance.

    Parameters
    ----------
    url
        ``redis://``, ``rediss://`` (TLS), ``redis+sentinel://host,host/service/0``, ``redis+cluster://host``.
    keeping
        How much is kept.
    compaction
        Keep the mean, maximum and count of every hour and day of a series too, for ever, as series named
        ``{series}:1h:avg``; only for times in milliseconds, and only with the time-series module.
    series_backend
        What series are kept in; None asks the server at the start. Naming it keeps sorted sets in use on a
        server that has the module since.
    prefix
        What all keys begin with.
    timeout_s
        How long a call waits for the server before it raises `StoreBusyError`.

    Raises
    ------
    StoreError
        The URL is malformed, the password is refused, what answers is no Redis, or it cannot keep the series
        as wanted.
    StoreBusyError
        The server cannot be reached, is loading its data, or is a cluster that is not complete.
    """

    def __init__(
        self,
        url: str,
        *,
        keeping: Keeping = KEEP_ALL,
        compaction: bool = False,
        series_backend: SeriesBackend | None = None,
        prefix: str = "driftflow",
        timeout_s: float = 5.0,
    ) -> None:
        self._keeping = keeping
        self._keys = RedisKeys(prefix)
        self._server = RedisServer(url, timeout_s=timeout_s)
        try:
            self._series_backend = (
                probe(self._server, self._keys) if series_backend is None else series_backend
            )
            self._series = self._open_series(keeping.retention, compaction=compaction)
        except BaseException:
            self._server.close()
            raise

    @property
    def series_backend(self) -> SeriesBackend:
        """What this store keeps its series in."""
        return self._series_backend

    def facts(self) -> RedisFacts:
        """Ask the server what it is set to do with memory and disk.

        Raises
        ------
        StoreError
            The server cannot be asked.
        """
        return read_facts(self._server)

    def add_points(self, points: Iterable[Point]) -> None:
        """Store points, all or none; what is older than the retention is dropped.

        Raises
        ------
        StoreError
            A value is not finite, or a time is negative and the backend is the time-series module.
        """
        checked = checked_points(points)
        if checked:
            self._series.add(checked)

    def series(
        self, key: SeriesKey, *, start: int | None = None, end: int | None = None
    ) -> list[tuple[int, float]]:
        """Return ``(time, value)`` with ``start <= time < end`` in order of time."""
        return self._series.read(key, *time_span(start, end))

    def series_keys(self, model: str) -> list[SeriesKey]:
        """Return the keys of a model's series, sorted."""
        names = self._server.run("SMEMBERS", self._keys.series_index(model))
        return sorted((self._keys.series_key(name.decode()) for name in names), key=key_texts)

    def close(self) -> None:
        """Close the connections; called once."""
        self._server.close()

    def _open_series(self, retention: int | None, *, compaction: bool) -> RedisSeries:
        if self._series_backend is SeriesBackend.TIMESERIES:
            return TimeSeries(self._server, self._keys, retention=retention, compaction=compaction)
        if compaction:
            raise StoreError(
                f"store {self._server}: compaction needs the time-series module, and series are kept as "
                f"{self._series_backend}: use Redis 8, or turn compaction off"
            )
        return SortedSets(self._server, self._keys, retention=retention)
