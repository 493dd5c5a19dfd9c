"""Series in Redis: as time series where the server has the module, as sorted sets where it has not."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Protocol

import orjson

from state.stores.base import Point, SeriesKey, StoreError
from state.stores.redis_keys import RedisKeys, labels, time_of, time_text
from state.stores.redis_scripts import ADD_MEMBERS, ADD_SAMPLES
from state.stores.redis_server import Command, RedisServer, chunks, unknown_command

_POINTS_PER_COMMAND = 50_000
"""Redis takes 2**20 arguments per command, and a point is three."""

_BUCKETS = (("1h", 3_600_000), ("1d", 86_400_000))
_AGGREGATIONS = ("avg", "max", "count")


class SeriesBackend(StrEnum):
    """What a series is kept in."""

    TIMESERIES = "timeseries"
    SORTED_SET = "sorted-set"


class RedisSeries(Protocol):
    """Keeps points that were checked already."""

    def add(self, points: Sequence[Point]) -> None:
        """Store points, all or none."""
        ...

    def read(self, key: SeriesKey, first: int, last: int) -> list[tuple[int, float]]:
        """Return ``(time, value)`` with ``first <= time <= last`` in order of time."""
        ...


def probe(server: RedisServer, keys: RedisKeys) -> SeriesBackend:
    """Return what the server can keep series in, by reading one that is not there."""
    try:
        server.run("TS.RANGE", f"{keys.prefix}:probe", "-", "+")
    except StoreError as error:
        if unknown_command(error):
            return SeriesBackend.SORTED_SET
        if not _no_such_key(error):
            raise
    return SeriesBackend.TIMESERIES


class TimeSeries:
    """Keeps every series as one of the time-series module.

    A series is created, with its labels, when this object first writes to it; after that, the script is told
    only the key, and answers which keys have vanished meanwhile.
    """

    def __init__(
        self, server: RedisServer, keys: RedisKeys, *, retention: int | None, compaction: bool
    ) -> None:
        self._server = server
        self._keys = keys
        self._retention = retention
        self._compaction = compaction
        self._created: set[SeriesKey] = set()

    def add(self, points: Sequence[Point]) -> None:
        """Store points, all or none."""
        for point in points:
            if point.time < 0:
                raise StoreError(
                    f"store {self._server}: a point of {self._keys.series(point.key)!r} is at {point.time}; "
                    "a time series holds times from 0: use the sorted-set backend, or another store"
                )
        parts = chunks(points, _POINTS_PER_COMMAND)
        # Of several commands only the first could stop the call, so none of them may come back with a wish.
        known = self._created if len(parts) == 1 else set()
        answers = self._server.run_all([self._command(chunk, known) for chunk in parts], together=True)
        if any(answers):
            # The server has lost keys since: nothing was written yet.
            self._created.clear()
            self._server.run_all([self._command(chunk, set()) for chunk in parts], together=True)
        self._created.update(point.key for point in points)

    def read(self, key: SeriesKey, first: int, last: int) -> list[tuple[int, float]]:
        """Return ``(time, value)`` with ``first <= time <= last`` in order of time."""
        if last < 0:
            return []
        try:
            samples = self._server.run("TS.RANGE", self._keys.series(key), max(first, 0), last)
        except StoreError as error:
            if _no_such_key(error):
                return []
            raise
        return [(int(time), float(value)) for time, value in samples]

    def _command(self, points: Sequence[Point], known: set[SeriesKey]) -> Command:
        positions, numbers = _positions(points)
        wanted = [b"" if key in known else orjson.dumps(self._wanted(key)) for key in positions]
        samples = _samples(points, numbers, str)
        return ("EVAL", ADD_SAMPLES, 2 * len(positions), *_names(positions, self._keys), *wanted, *samples)

    def _wanted(self, key: SeriesKey) -> dict[str, list[str] | list[dict[str, str | list[str]]]]:
        """Return what the script needs to create a series."""
        retention = str(self._retention or 0)
        rules: list[dict[str, str | list[str]]] = [
            {
                "suffix": f":{bucket}:{aggregation}",
                "aggregation": aggregation,
                "bucket_ms": str(bucket_ms),
                "options": ["LABELS", *labels(key), "bucket", bucket, "aggregation", aggregation],
            }
            for bucket, bucket_ms in (_BUCKETS if self._compaction else ())
            for aggregation in _AGGREGATIONS
        ]
        options = ["RETENTION", retention, "DUPLICATE_POLICY", "LAST", "LABELS", *labels(key)]
        return {"options": options, "rules": rules}


class SortedSets:
    """Keeps every series as a sorted set of texts ``time:value``, all with score 0, in order of the text."""

    def __init__(self, server: RedisServer, keys: RedisKeys, *, retention: int | None) -> None:
        self._server = server
        self._keys = keys
        self._retention = retention

    def add(self, points: Sequence[Point]) -> None:
        """Store points, all or none."""
        commands = [self._command(chunk) for chunk in chunks(points, _POINTS_PER_COMMAND)]
        self._server.run_all(commands, together=True)

    def read(self, key: SeriesKey, first: int, last: int) -> list[tuple[int, float]]:
        """Return ``(time, value)`` with ``first <= time <= last`` in order of time."""
        # A semicolon is the character after the colon.
        span = (f"[{time_text(first)}:", f"({time_text(last)};")
        members = self._server.run("ZRANGEBYLEX", self._keys.series(key), *span)
        pairs = (member.decode().split(":") for member in members)
        return [(time_of(time), float(value)) for time, value in pairs]

    def _command(self, points: Sequence[Point]) -> Command:
        positions, numbers = _positions(points)
        samples = _samples(points, numbers, time_text)
        names = _names(positions, self._keys)
        return ("EVAL", ADD_MEMBERS, 2 * len(positions), *names, self._retention or "", *samples)


def _positions(points: Iterable[Point]) -> tuple[list[SeriesKey], list[int]]:
    """Return the different keys, and for each point the number of its key, from 1 as Lua counts."""
    numbers: dict[SeriesKey, int] = {}
    found = [numbers.setdefault(point.key, len(numbers) + 1) for point in points]
    return list(numbers), found


def _names(series: Iterable[SeriesKey], keys: RedisKeys) -> list[str]:
    """Return the series' names and their indexes' by turns."""
    return [name for key in series for name in (keys.series(key), keys.series_index(key.model))]


def _samples(points: Iterable[Point], numbers: Iterable[int], text: Callable[[int], str]) -> list[int | str]:
    """Return number, time and value of each point; `repr` gives a double's shortest exact text."""
    pairs = zip(points, numbers, strict=True)
    return [part for point, number in pairs for part in (number, text(point.time), repr(point.value))]


def _no_such_key(error: StoreError) -> bool:
    return "key does not exist" in str(error.__cause__)
