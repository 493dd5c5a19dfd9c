"""What every store refuses to keep, so that all of them give back the same."""

import math
import operator
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from state.stores.base import (
    MAX_TIME,
    Activation,
    NotFoundError,
    Point,
    ReferenceInfo,
    SeriesKey,
    StoredEvent,
    StoredReference,
    StoreError,
)
from state.stores.episodes import StoredEpisode
from state.stores.panes import StoredPane


def key_texts(key: SeriesKey) -> tuple[str, str, str, str, str, str]:
    """Return the fields of a key in their order, which is also the order of keys."""
    return key.model, key.model_version, key.window, key.feature, key.segment, key.metric


def checked_reference(reference: StoredReference) -> StoredReference:
    """Return the reference with plain numbers.

    Raises
    ------
    StoreError
        A field holds what not every store could give back.
    """
    info = reference.info
    name = f"reference {info.version!r} of model {info.model!r}"
    require_texts(name, info.model, info.version, info.source)
    require_bytes(name, reference.body)
    plain = replace(
        info,
        created_ms=whole(f"{name}: created_ms", info.created_ms),
        rows=whole(f"{name}: rows", info.rows),
        start_ms=None if info.start_ms is None else whole(f"{name}: start_ms", info.start_ms),
        end_ms=None if info.end_ms is None else whole(f"{name}: end_ms", info.end_ms),
    )
    return replace(reference, info=plain)


def checked_activation(model: str, model_version: str, activation: Activation) -> Activation:
    """Return the activation with a plain number; raises `StoreError` like `checked_reference`."""
    name = f"activation of {activation.version!r} for version {model_version!r} of model {model!r}"
    require_texts(name, model, model_version, activation.version)
    if activation.effective_from is None:
        return activation
    return replace(activation, effective_from=whole(f"{name}: start", activation.effective_from))


def checked_events(events: Iterable[StoredEvent]) -> list[StoredEvent]:
    """Return the events with plain numbers; raises `StoreError` like `checked_reference`."""
    checked = []
    for event in events:
        name = f"event {event.id!r}"
        require_texts(name, event.id, event.type, event.model, event.model_version, event.window)
        require_texts(name, *(text for text in (event.feature, event.episode) if text is not None))
        require_bytes(name, event.body)
        checked.append(replace(event, end=whole(f"{name}: end", event.end)))
    return checked


def checked_points(points: Iterable[Point]) -> list[Point]:
    """Return the points with plain numbers; raises `StoreError` like `checked_reference`."""
    return [_checked_point(point) for point in points]


def _checked_point(point: Point) -> Point:
    _check_key(point.key)
    # Points are most of what is stored, and nearly all of them are plain already.
    if type(point.time) is int and abs(point.time) <= MAX_TIME and type(point.value) is float:
        plain, time = point, point.time
    else:
        time = whole(f"{_series_name(point.key)}: time", point.time)
        plain = Point(point.key, time, float(point.value)) if _is_finite(point.value) else point
    if not _is_finite(plain.value):
        raise StoreError(
            f"{_series_name(point.key)} at {time}: the value is {point.value!r}; a series holds finite "
            "numbers only: leave out what could not be measured"
        )
    return plain


def _series_name(key: SeriesKey) -> str:
    return f"point of series {'/'.join(key_texts(key))!r}"


@lru_cache(maxsize=100_000)
def _check_key(key: SeriesKey) -> None:
    """Look at a key once: the same ones come with every window."""
    require_texts(_series_name(key), *key_texts(key))


def checked_panes(panes: Iterable[StoredPane]) -> list[StoredPane]:
    """Return the panes with plain numbers; raises `StoreError` like `checked_reference`."""
    checked = []
    for pane in panes:
        name = f"pane of column {pane.feature!r} at {pane.start!r}"
        require_texts(name, pane.model, pane.model_version, pane.feature, pane.reference)
        require_bytes(name, pane.body)
        start, end = whole(f"{name}: start", pane.start), whole(f"{name}: end", pane.end)
        checked.append(replace(pane, start=start, end=end))
    return checked


def checked_episodes(episodes: Iterable[StoredEpisode]) -> list[StoredEpisode]:
    """Return the episodes with plain numbers; raises `StoreError` like `checked_reference`."""
    checked = []
    for episode in episodes:
        name = f"episode {episode.id!r}"
        texts = (episode.model, episode.model_version, episode.window, episode.feature, episode.reference)
        require_texts(name, episode.id, *texts, episode.severity, episode.family, episode.check)
        if not _is_finite(episode.peak):
            raise StoreError(f"{name}: the peak is {episode.peak!r}; it must be a finite number")
        checked.append(
            replace(
                episode,
                since=whole(f"{name}: since", episode.since),
                opened=whole(f"{name}: opened", episode.opened),
                updated=whole(f"{name}: updated", episode.updated),
                is_open=bool(episode.is_open),
                peak=float(episode.peak),
                windows=whole(f"{name}: windows", episode.windows),
            )
        )
    return checked


def no_event(model: str, event_id: str) -> NotFoundError:
    """Tell that a model has no event of an id."""
    return NotFoundError(f"model {model!r} has no event {event_id!r}")


def checked_limit(limit: int | None) -> int:
    """Return how many rows to return at most; raises `StoreError` for a negative number."""
    if limit is None:
        return MAX_TIME
    if limit < 0:
        raise StoreError(f"limit is {limit}; it must be 0 or more, or left out")
    return min(limit, MAX_TIME)


def time_span(start: int | None, end: int | None) -> tuple[int, int]:
    """Return the first and the last time of ``start <= time < end``; the span may be empty.

    Raises
    ------
    StoreError
        A bound is not a whole number that a time could be.
    """
    first = -MAX_TIME if start is None else whole("start", start)
    last = MAX_TIME if end is None else whole("end", end) - 1
    return first, last


def no_such_reference(model: str, version: str, stored: Iterable[ReferenceInfo]) -> NotFoundError:
    """Return the error for a missing reference; it lists what there is."""
    infos = list(stored)
    versions = [info.version for info in infos if info.model == model]
    if versions:
        return NotFoundError(
            f"model {model!r} has no reference {version!r}; it has {', '.join(versions)}: name one of these"
        )
    models = ", ".join(sorted({info.model for info in infos})) or "none"
    return NotFoundError(
        f"model {model!r} has no reference {version!r}, nor any other; models with references: {models}: "
        "build one with 'driftflow reference build'"
    )


def _is_finite(value: object) -> bool:
    try:
        return math.isfinite(value)  # type: ignore[arg-type]  # what is no number raises TypeError
    except (TypeError, OverflowError):
        return False


def whole(name: str, value: object) -> int:
    """Return a plain int of anything that is a whole number, NumPy's too."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # what is no integer raises TypeError
    except TypeError:
        raise StoreError(f"{name} is {value!r}; it must be a whole number") from None
    if abs(number) > MAX_TIME:
        raise StoreError(f"{name} is {number}; it must lie within 64 bits (at most {MAX_TIME})")
    return number


def require_texts(name: str, *texts: object) -> None:
    """Raise `StoreError` for what is no text, or none that UTF-8 can hold."""
    for text in texts:
        if not isinstance(text, str):
            raise StoreError(f"{name}: found {text!r} where text is wanted")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise StoreError(f"{name}: {text!r} is not valid Unicode ({error.reason})") from None


def require_bytes(name: str, body: object) -> None:
    """Raise `StoreError` for what is no bytes."""
    # A bytearray could change after it was stored.
    if not isinstance(body, bytes):
        raise StoreError(f"{name}: the body is of type {type(body).__name__}; it must be bytes")
