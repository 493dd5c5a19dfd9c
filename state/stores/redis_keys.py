"""Names of the keys in Redis, and texts that sort like the times they stand for."""

import re
from dataclasses import dataclass, fields
from functools import lru_cache
from urllib.parse import unquote

from state.stores.base import SeriesKey, StoreError
from state.stores.checks import key_texts

# What separates the parts, what makes a hash tag, what labels may not hold, and what a terminal would hide.
_UNSAFE = re.compile(r"[%:{}(),\x00-\x20\x7f]")
_EMPTY = "%"
_TIMES = 2**63
_FIELDS = tuple(field.name for field in fields(SeriesKey))


def escaped(name: str) -> str:
    """Return a part of a key: never empty, without colons and braces, and different for different names.

    Examples
    --------
    >>> escaped("amount"), escaped("a:b"), escaped("")
    ('amount', 'a%3Ab', '%')
    """
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name) or _EMPTY


def unescaped(part: str) -> str:
    """Return the name that `escaped` made the part of."""
    return "" if part == _EMPTY else unquote(part, errors="strict")


def time_text(time: int) -> str:
    """Return 20 digits that sort like the times; scores of sorted sets are doubles and round beyond 2**53.

    Examples
    --------
    >>> time_text(7), time_text(-1)
    ('10000000000000000007', '09223372036854775807')
    """
    return f"1{time:019d}" if time >= 0 else f"0{_TIMES + time:019d}"


def time_of(text: str) -> int:
    """Return the time that `time_text` wrote."""
    return int(text[1:]) - (0 if text[0] == "1" else _TIMES)


@dataclass(frozen=True, slots=True)
class RedisKeys:
    """Names of all keys below one prefix.

    A model stands in braces, which makes it the hash tag: all keys of a model are in one slot of a cluster
    (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags).
    """

    prefix: str

    @property
    def models(self) -> str:
        """Set of the models that have references."""
        return f"{self.prefix}:models"

    def references(self, model: str) -> str:
        """Hash of the versions with what a list shows of each."""
        return f"{self._model(model)}:references"

    def reference(self, model: str, version: str) -> str:
        """Hash of one reference: info, body, sha256."""
        return f"{self._model(model)}:reference:{escaped(version)}"

    def active(self, model: str) -> str:
        """Text: the reference of a whole model, in older stores; read where a model version has none."""
        return f"{self._model(model)}:active"

    def activations(self, model: str) -> str:
        """Hash of the model versions with what each is compared with, and from when on."""
        return f"{self._model(model)}:activations"

    def event(self, model: str, id_: str) -> str:
        """Hash of one event."""
        return f"{self._model(model)}:event:{escaped(id_)}"

    def events(self, model: str) -> str:
        """Sorted set of the events, by end and insertion."""
        return f"{self._model(model)}:events"

    def event_counter(self, model: str) -> str:
        """Number of events ever inserted."""
        return f"{self._model(model)}:event-counter"

    def episode(self, model: str, id_: str) -> str:
        """Text: one episode, as JSON."""
        return f"{self._model(model)}:episode:{escaped(id_)}"

    def episodes(self, model: str) -> str:
        """Set of the ids of the episodes."""
        return f"{self._model(model)}:episodes"

    def open_episodes(self, model: str) -> str:
        """Set of the ids of those that are open."""
        return f"{self._model(model)}:open-episodes"

    def panes(self, model: str, model_version: str, feature: str) -> str:
        """Sorted set of the last closed panes of one column."""
        return f"{self._model(model)}:sketch:{escaped(model_version)}:{escaped(feature)}"

    def pane_index(self, model: str, model_version: str) -> str:
        """Set of the columns that have panes."""
        return f"{self._model(model)}:sketches:{escaped(model_version)}"

    def newest_events(self, model: str) -> str:
        """Hash of the model versions with the largest end of their events."""
        return f"{self._model(model)}:newest-events"

    def dropped_events(self, model: str) -> str:
        """Hash of the model versions with the time up to which their events were dropped as too old."""
        return f"{self._model(model)}:dropped-events"

    def closed_episodes(self, model: str, model_version: str) -> str:
        """Sorted set of the episodes of a model version that were closed, by their end."""
        return f"{self._model(model)}:closed-episodes:{escaped(model_version)}"

    def alert_claim(self, model: str) -> str:
        """Hash: who sends alerts, and until when."""
        return f"{self._model(model)}:alert-claim"

    def alert_progress(self, model: str) -> str:
        """Hash: how far alerting has come."""
        return f"{self._model(model)}:alert-progress"

    def notice(self, model: str, id_: str) -> str:
        """Hash of one notice."""
        return f"{self._model(model)}:notice:{escaped(id_)}"

    def notices(self, model: str, delivery: str = "") -> str:
        """Sorted set of the notices, or of those of one delivery, by decision and insertion."""
        return f"{self._model(model)}:notices:{delivery}".removesuffix(":")

    def notice_counter(self, model: str) -> str:
        """Number of notices ever inserted."""
        return f"{self._model(model)}:notice-counter"

    def acknowledgements(self, model: str) -> str:
        """Hash of the episodes that somebody has seen, each with who and when, as JSON."""
        return f"{self._model(model)}:acknowledgements"

    def series_index(self, model: str) -> str:
        """Set of the keys of the series."""
        return f"{self._model(model)}:series"

    def series(self, key: SeriesKey) -> str:
        """Time series or sorted set of one series."""
        return f"{self.prefix}:{_series_name(key)}"

    def series_key(self, name: str) -> SeriesKey:
        """Return what `series` made the name of.

        Raises
        ------
        StoreError
            It is no such name.
        """
        model, version, kind, *rest = name.removeprefix(f"{self.prefix}:").split(":")
        parts = (model[1:-1], version, *rest)
        if kind != "series" or len(parts) != len(_FIELDS):
            raise StoreError(
                f"{name!r} is no key of a series; wanted 'series' and {len(_FIELDS)} names: "
                "remove it from the model's index of series"
            )
        return SeriesKey(**dict(zip(_FIELDS, map(unescaped, parts), strict=True)))

    def _model(self, model: str) -> str:
        return f"{self.prefix}:{{{escaped(model)}}}"


@lru_cache(maxsize=2**16)
def _series_name(key: SeriesKey) -> str:
    model, version, window, feature, segment, metric = map(escaped, key_texts(key))
    return f"{{{model}}}:{version}:series:{window}:{feature}:{segment}:{metric}"


def labels(key: SeriesKey) -> list[str]:
    """Return names and values of a series' labels by turns; an empty one is left out, as it must."""
    pairs = zip(_FIELDS, key_texts(key), strict=True)
    return [text for name, value in pairs if value for text in (name, escaped(value))]
