"""What alerting keeps, in Redis."""

from collections.abc import Iterator, Sequence

import msgspec

from state.stores.alert_checks import (
    checked_acknowledgement,
    checked_claim,
    checked_notices,
    checked_progress,
    no_notice,
    overtaken,
    settled,
)
from state.stores.alerts import Acknowledgement, Delivery, Progress, StoredNotice
from state.stores.checks import checked_limit
from state.stores.redis_alert_scripts import CLAIM, COMMIT, DROP, RELEASE, SETTLE
from state.stores.redis_keys import RedisKeys, time_text
from state.stores.redis_server import RedisServer, chunks

_NOTICES_PER_READ = 500
_DELIVERIES = tuple(Delivery)


class RedisAlerts:
    """The part of a `state.stores.redis.RedisStore` that keeps alerts, notices as JSON."""

    _server: RedisServer
    _keys: RedisKeys

    def claim_alerts(self, model: str, *, owner: str, now_ms: int, until_ms: int) -> bool:
        """Take or renew the right to send alerts of a model; return whether `owner` has it."""
        now, until = checked_claim(model, owner, now_ms, until_ms)
        times = (time_text(now), time_text(until))
        return bool(self._server.run("EVAL", CLAIM, 1, self._keys.alert_claim(model), owner, *times))

    def release_alerts(self, model: str, *, owner: str) -> None:
        """Give the right back; what is another's stays."""
        self._server.run("EVAL", RELEASE, 1, self._keys.alert_claim(model), owner)

    def alert_progress(self, model: str) -> Progress | None:
        """Return how far it has come; None before the first commit."""
        revision, body = self._server.run("HMGET", self._keys.alert_progress(model), "revision", "body")
        return None if revision is None else Progress(revision=int(revision), body=body)

    def commit_alerts(self, model: str, progress: Progress, notices: Sequence[StoredNotice]) -> None:
        """Store progress and the notices that were decided on the way, all or none."""
        checked, wanted = checked_notices(model, notices), checked_progress(model, progress)
        keys = [self._keys.alert_progress(model), self._keys.notices(model), self._keys.notice_counter(model)]
        values: list[str | bytes | int] = [wanted.revision, wanted.body]
        for notice in checked:
            keys += (self._keys.notice(model, notice.id), self._keys.notices(model, notice.delivery))
            content = msgspec.json.encode(notice)
            values += (time_text(notice.decided_ms), notice.id, notice.delivery.value, content)
        found = self._server.run("EVAL", COMMIT, len(keys), *keys, *values)
        if found is not None:
            raise overtaken(model, found, wanted.revision)

    def settle_notice(self, notice: StoredNotice) -> None:
        """Replace what has become of a notice that is there."""
        (now,) = checked_notices(notice.model, [notice])
        key = self._keys.notice(now.model, now.id)
        content = self._server.run("HGET", key, "content")
        if content is None:
            raise no_notice(now.model, now.id)
        stored = settled(msgspec.json.decode(content, type=StoredNotice), now)
        keys = (key, *(self._keys.notices(now.model, delivery) for delivery in _DELIVERIES))
        place = 1 + _DELIVERIES.index(now.delivery)
        values = (place, now.delivery.value, msgspec.json.encode(stored))
        if not self._server.run("EVAL", SETTLE, len(keys), *keys, *values):
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
        count = checked_limit(limit)
        if count == 0:
            return []
        index = self._keys.notices(model, "" if delivery is None else delivery)
        members = self._server.run("ZREVRANGE" if newest_first else "ZRANGE", index, 0, count - 1)
        found = (notice for _, notice in self._read_notices(model, members))
        # One may have been settled since its name was read.
        return [notice for notice in found if delivery in (None, notice.delivery)]

    def drop_notices(self, model: str, *, before_ms: int) -> int:
        """Delete notices that were decided and settled before; return how many."""
        end = f"({time_text(before_ms)}"
        members = self._server.run("ZRANGEBYLEX", self._keys.notices(model), "-", end)
        dropped = 0
        for content, notice in self._read_notices(model, members):
            if notice.settled_ms is not None and notice.settled_ms < before_ms:
                indexes = ("", notice.delivery)
                keys = [self._keys.notice(model, notice.id), *(self._keys.notices(model, i) for i in indexes)]
                dropped += self._server.run("EVAL", DROP, len(keys), *keys, content)
        return dropped

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        """Store it; return whether it is the first of its episode."""
        checked = checked_acknowledgement(acknowledgement)
        key = self._keys.acknowledgements(checked.model)
        return bool(self._server.run("HSETNX", key, checked.episode, msgspec.json.encode(checked)))

    def acknowledgements(self, model: str, episodes: Sequence[str] | None = None) -> list[Acknowledgement]:
        """Return those of some episodes, or all, by time, then by episode."""
        if episodes is not None and not episodes:
            return []
        key = self._keys.acknowledgements(model)
        wanted = () if episodes is None else dict.fromkeys(episodes)
        found = self._server.run("HMGET", key, *wanted) if wanted else self._server.run("HVALS", key)
        read = [msgspec.json.decode(each, type=Acknowledgement) for each in found if each is not None]
        return sorted(read, key=lambda each: (each.at_ms, each.episode))

    def _read_notices(self, model: str, members: Sequence[bytes]) -> Iterator[tuple[bytes, StoredNotice]]:
        for chunk in chunks(members, _NOTICES_PER_READ):
            ids = [member.split(b":", 2)[2].decode() for member in chunk]
            commands = [("HGET", self._keys.notice(model, id_), "content") for id_ in ids]
            for content in self._server.run_all(commands):
                # One may have gone since the names were read.
                if content is not None:
                    yield content, msgspec.json.decode(content, type=StoredNotice)
