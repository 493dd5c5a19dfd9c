"""The last closed panes in Redis."""

from collections.abc import Iterable, Sequence

from state.stores.base import Keeping
from state.stores.checks import checked_panes, time_span
from state.stores.panes import StoredPane
from state.stores.redis_keys import RedisKeys, escaped, time_of, time_text, unescaped
from state.stores.redis_scripts import ADD_PANES
from state.stores.redis_server import Command, RedisServer, chunks
from state.stores.trimming import last_panes

_PANES_PER_COMMAND = 2_000
"""A pane is about a kilobyte, and a script keeps others waiting."""


class RedisPanes:
    """The part of a `state.stores.redis.RedisStore` that keeps panes.

    Those of one column are a sorted set of ``start:reference:end:body``, all with score 0, in order of the
    text.
    """

    _server: RedisServer
    _keys: RedisKeys
    _keeping: Keeping

    def put_panes(self, panes: Iterable[StoredPane]) -> None:
        """Store panes, all or none; of each column the last ones stay."""
        kept = last_panes(checked_panes(panes), self._keeping)
        commands = [self._pane_command(chunk) for chunk in chunks(kept, _PANES_PER_COMMAND)]
        self._server.run_all(commands, together=True)

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
        first, last = time_span(start, end)
        name = self._keys.panes(model, model_version, feature)
        # A semicolon is the character after the colon.
        span = (f"[{time_text(first)}:", f"({time_text(last)};")
        return [
            _pane(model, model_version, feature, member)
            for member in self._server.run("ZRANGEBYLEX", name, *span)
        ]

    def pane_counts(self, model: str, model_version: str) -> dict[str, int]:
        """Return how many panes there are of each column, sorted by its name."""
        names = self._server.run("SMEMBERS", self._keys.pane_index(model, model_version))
        features = sorted(name.decode() for name in names)
        commands = [("ZCARD", self._keys.panes(model, model_version, feature)) for feature in features]
        counts = self._server.run_all(commands) if commands else []
        return {feature: int(count) for feature, count in zip(features, counts, strict=True) if count}

    def _pane_command(self, panes: Sequence[StoredPane]) -> Command:
        columns: dict[tuple[str, str, str], int] = {}
        values: list[str | bytes | int] = []
        for pane in panes:
            column = (pane.model, pane.model_version, pane.feature)
            place = f"{time_text(pane.start)}:{escaped(pane.reference)}"
            content = f"{time_text(pane.end)}:".encode() + pane.body
            values += (columns.setdefault(column, len(columns) + 1), place, content)
        names = [
            name
            for model, version, feature in columns
            for name in (self._keys.panes(model, version, feature), self._keys.pane_index(model, version))
        ]
        features = [feature for _, _, feature in columns]
        limits = (self._keeping.panes, self._keeping.retention or "")
        return ("EVAL", ADD_PANES, len(names), *names, *limits, *features, *values)


def _pane(model: str, model_version: str, feature: str, member: bytes) -> StoredPane:
    start, reference, end, body = member.split(b":", 3)
    return StoredPane(
        model=model,
        model_version=model_version,
        feature=feature,
        start=time_of(start.decode()),
        reference=unescaped(reference.decode()),
        end=time_of(end.decode()),
        body=body,
    )
