"""Drift events in Redis."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from state.stores.base import Keeping, StoredEvent, StoreError
from state.stores.checks import checked_events, checked_limit, no_event, time_span
from state.stores.redis_episodes import drop_episodes, newest_end
from state.stores.redis_keys import RedisKeys, time_text
from state.stores.redis_scripts import ADD_EVENTS
from state.stores.redis_server import Command, RedisServer, chunks
from state.stores.trimming import newest_ends

_EVENTS_PER_COMMAND = 20_000
"""Redis takes 2**20 arguments per command, and an event is up to twenty."""

_EVENTS_PER_PAGE = 500
_FEWEST_PER_PAGE = 8
"""Events that are read first where few are wanted; some of them may not match."""

_GROWTH = 4
"""A page has that many times the events of the page before, up to `_EVENTS_PER_PAGE`."""

_FIELDS = ("type", "model_version", "window", "feature", "episode", "end", "body")


class _Span(NamedTuple):
    """Bounds of the index of events, as Redis writes them, and from which end they are read."""

    low: bytes
    high: bytes
    newest_first: bool

    @property
    def command(self) -> tuple[str, tuple[bytes, bytes]]:
        return (
            ("ZREVRANGEBYLEX", (self.high, self.low))
            if self.newest_first
            else ("ZRANGEBYLEX", (self.low, self.high))
        )

    def behind(self, member: bytes) -> "_Span":
        return self._replace(high=b"(" + member) if self.newest_first else self._replace(low=b"(" + member)


def _place(bound: bytes) -> bytes:
    """Leave the bracket out, which says whether the member itself belongs to the span."""
    return bound[1:]


class RedisEvents:
    """The part of a `state.stores.redis.RedisStore` that keeps events."""

    _server: RedisServer
    _keys: RedisKeys
    _keeping: Keeping

    def add_events(self, events: Iterable[StoredEvent]) -> int:
        """Store events, all or none; return how many were new."""
        checked = checked_events(events)
        cutoffs = self._cutoffs(checked) if self._keeping.retention is not None else {}
        kept = [e for e in checked if e.end >= cutoffs.get((e.model, e.model_version), e.end)]
        commands = [self._event_command(chunk) for chunk in chunks(kept, _EVENTS_PER_COMMAND)]
        new = int(sum(self._server.run_all(commands, together=True)))
        for version, cutoff in cutoffs.items():
            self._drop_events(*version, cutoff)
            drop_episodes(self._server, self._keys, *version, cutoff)
        return new

    def event(self, model: str, event_id: str) -> StoredEvent:
        """Return one event."""
        row = self._server.run("HMGET", self._keys.event(model, event_id), *_FIELDS)
        if row[0] is None:
            raise no_event(model, event_id)
        return self._event(model, event_id, row)

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
        count = checked_limit(limit)
        found = (
            event
            for event in self._listed(model, self._span(model, first, last, beyond, newest_first), count)
            if model_version in (None, event.model_version)
            and window in (None, event.window)
            and feature in (None, event.feature)
            and (types is None or event.type in types)
        )
        return [event for event, _ in zip(found, range(count), strict=False)] if count else []

    def _event_command(self, events: Sequence[StoredEvent]) -> Command:
        names: list[str] = []
        values: list[str | bytes | int] = []
        for event in events:
            model = event.model
            names += (
                self._keys.event(model, event.id),
                self._keys.events(model),
                self._keys.event_counter(model),
                self._keys.newest_events(model),
            )
            fields = ((name, getattr(event, name)) for name in _FIELDS)
            parts = [part for name, value in fields if value is not None for part in (name, _field(value))]
            values += (time_text(event.end), event.id, event.model_version, len(parts), *parts)
        return ("EVAL", ADD_EVENTS, len(names), *names, *values)

    def _cutoffs(self, events: Sequence[StoredEvent]) -> dict[tuple[str, str], int]:
        """Return the time before which events are dropped, for each model version that these are of."""
        found = {}
        for (model, model_version), end in newest_ends(events).items():
            newest = newest_end(self._server, self._keys, model, model_version)
            found[model, model_version] = self._keeping.cutoff(end if newest is None else max(end, newest))
        return found

    def _drop_events(self, model: str, model_version: str, cutoff: int) -> None:
        """Drop what is too old, from where the last call got to: events of other versions stay in between."""
        index, marks = self._keys.events(model), self._keys.dropped_events(model)
        mark = self._server.run("HGET", marks, model_version)
        begin, stop = b"-" if mark is None else b"[" + mark, f"({time_text(cutoff)}".encode()
        while members := self._server.run("ZRANGEBYLEX", index, begin, stop, "LIMIT", 0, _EVENTS_PER_PAGE):
            names = [self._keys.event(model, member.split(b":", 2)[2].decode()) for member in members]
            versions = self._server.run_all([("HGET", name, "model_version") for name in names])
            old = [
                (member, name)
                for member, name, version in zip(members, names, versions, strict=True)
                if version is not None and version.decode() == model_version
            ]
            drops = [command for member, name in old for command in (("ZREM", index, member), ("DEL", name))]
            self._server.run_all(drops, together=True)
            begin = b"(" + members[-1]
        self._server.run("HSET", marks, model_version, time_text(cutoff))

    def _span(
        self,
        model: str,
        first: int,
        last: int,
        beyond: str | None,
        newest_first: bool,  # noqa: FBT001
    ) -> "_Span":
        """Return between which members of the index to look."""
        # A semicolon is the character after the colon.
        low, high = f"[{time_text(first)}:".encode(), f"({time_text(last)};".encode()
        if beyond is None:
            return _Span(low, high, newest_first)
        member = self._member(model, beyond)
        if newest_first:
            return _Span(low, min(high, b"(" + member, key=_place), newest_first)
        return _Span(max(low, b"(" + member, key=_place), high, newest_first)

    def _member(self, model: str, event_id: str) -> bytes:
        """Find an event in the index, among those of the same end."""
        end = time_text(self.event(model, event_id).end)
        index = self._keys.events(model)
        members: list[bytes] = self._server.run("ZRANGEBYLEX", index, f"[{end}:", f"({end};")
        return next(member for member in members if member.split(b":", 2)[2].decode() == event_id)

    def _listed(self, model: str, span: "_Span", wanted: int) -> Iterator[StoredEvent]:
        """Return the events of a span, page by page; the first page is as small as what is wanted."""
        index = self._keys.events(model)
        size = max(wanted, _FEWEST_PER_PAGE)
        while True:
            command, bounds = span.command
            size = min(size, _EVENTS_PER_PAGE)
            members = self._server.run(command, index, *bounds, "LIMIT", 0, size)
            size *= _GROWTH
            if not members:
                return
            ids = [member.split(b":", 2)[2].decode() for member in members]
            reads = [("HMGET", self._keys.event(model, id_), *_FIELDS) for id_ in ids]
            for member, id_, row in zip(members, ids, self._server.run_all(reads), strict=True):
                # One that is too old may have gone since the index was read.
                if row[0] is None and self._server.run("ZSCORE", index, member) is None:
                    continue
                yield self._event(model, id_, row)
            span = span.behind(members[-1])

    def _event(self, model: str, id_: str, row: Sequence[bytes | None]) -> StoredEvent:
        *texts, end, body = row
        type_, model_version, window, feature, episode = (
            None if text is None else text.decode() for text in texts
        )
        if None in (type_, model_version, window, end, body):
            raise StoreError(
                f"store {self._server}: event {id_!r} of model {model!r} is listed, but its content is gone: "
                f"remove it from {self._keys.events(model)!r}, and set maxmemory-policy to noeviction"
            )
        row_fields = {"type": type_, "model_version": model_version, "window": window, "feature": feature}
        return msgspec.convert(
            {**row_fields, "id": id_, "model": model, "episode": episode, "end": int(end or 0), "body": body},
            StoredEvent,
        )


def _field(value: str | bytes | int) -> str | bytes:
    return str(value) if isinstance(value, int) else value
