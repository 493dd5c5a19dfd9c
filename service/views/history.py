"""The history of one column: its scores with their limits, and its episodes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson

from service.models import WatchedModel, WatchedWindow
from service.views.lines import Line, first_shown, last_end, read_line
from service.views.standing import rank
from state.events import EventType
from state.stores.base import Store
from state.stores.episodes import StoredEpisode

MOST_SEGMENTS = 8
"""Segments that are drawn: more lines nobody tells apart."""

Limits = tuple[tuple[str, float], ...]
"""Names and values of levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One column in one kind of window.

    Attributes
    ----------
    end
        Of the last window; None before the first.
    lines
        What is measured, each with the levels it is held against; those without a point are left out.
    side_by_side
        The effect in every kind of window.
    known_segments
        All that the column is measured in, sorted.
    segments
        The effect of those that were asked for, otherwise of those that are furthest off now, at most
        `MOST_SEGMENTS`.
    traffic
        The share of the traffic of those that were asked for.
    episodes
        Drifts and violations in this kind of window that were open in the span.
    spans
        When drifts were open: begin and end.
    """

    end: int | None
    lines: tuple[tuple[Line, Limits], ...]
    side_by_side: tuple[Line, ...]
    known_segments: tuple[str, ...]
    segments: tuple[Line, ...]
    traffic: tuple[Line, ...]
    episodes: tuple[StoredEpisode, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def told(self) -> str:
        """Say how it stands in a sentence."""
        parts = [
            f"in drift, {each.severity} at most" if each.family == "drift" else f"{each.check} violated"
            for each in self._going
        ]
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}." if text else "No drift, and no check is violated."

    @property
    def level(self) -> str:
        """Return the class of its banner."""
        going = self._going
        return going[0].severity or "suspect" if going else "ok"

    @property
    def _going(self) -> list[StoredEpisode]:
        """Return those that are open, the most severe first."""
        return sorted((e for e in self.episodes if e.is_open), key=lambda e: (-rank(e.severity), e.id))


def history_of(
    store: Store,
    model: WatchedModel,
    window: WatchedWindow,
    feature: str,
    *,
    windows: int,
    segments: Sequence[str] = (),
) -> History:
    """Read the history of a column in the last windows; 0 reads all. `segments` are those to show."""
    start = first_shown(store, model, window, windows) if windows else None
    end = last_end(store, model, window.name)
    episodes = store.episodes(
        model.name, model_version=model.version, window=window.name, feature=feature, start=start
    )
    lines = []
    for metric, limits in _limits(store, model, window.name, feature):
        line = read_line(store, model, window.name, metric, feature=feature, start=start)
        # Values that were never missing are no news.
        if any(value or metric != "missing_share" for _time, value in line.points):
            lines.append((line, limits))
    known, shown, traffic = _segments(store, model, window.name, feature, segments, start)
    return History(
        end=end,
        lines=tuple(lines),
        side_by_side=tuple(
            replace(line, title=each.name)
            for each in model.windows
            if (line := read_line(store, model, each.name, "effect", feature=feature, start=start)).points
        ),
        known_segments=known,
        segments=shown,
        traffic=traffic,
        episodes=tuple(episodes),
        spans=tuple(
            (each.opened, each.updated if not each.is_open else end or each.updated)
            for each in episodes
            if each.family == "drift"
        ),
    )


def _limits(store: Store, model: WatchedModel, window: str, feature: str) -> list[tuple[str, Limits]]:
    """Say which metrics are shown, and what each is held against; the evidence's limit is the last told."""
    rules = model.rules
    told = store.events(
        model.name,
        model_version=model.version,
        window=window,
        feature=feature,
        types=[EventType.OPENED, EventType.UPDATED, EventType.CLOSED],
        newest_first=True,
        limit=1,
    )
    limit: Limits = ()
    if told:
        decision = orjson.loads(told[0].body)["data"]["result"]["decision"]
        if decision["statistic"].startswith("e-") and decision["limit"] is not None:
            limit = (("limit", decision["limit"]),)
    sizes = (("matters", rules.min_effect), ("medium", rules.medium), ("high", rules.high))
    return [("effect", sizes), ("evidence", limit), ("p_value", ()), ("missing_share", ())]


def _segments(
    store: Store,
    model: WatchedModel,
    window: str,
    feature: str,
    asked: Sequence[str],
    start: int | None,
) -> tuple[tuple[str, ...], tuple[Line, ...], tuple[Line, ...]]:
    """Read the names of all segments, the effect of those to show, and the traffic of those asked for."""
    wanted = (model.version, window, feature, "effect")
    keys = (key for key in store.series_keys(model.name) if key.segment)
    known = tuple(
        sorted(k.segment for k in keys if (k.model_version, k.window, k.feature, k.metric) == wanted)
    )
    picked = [name for name in asked if name in known]

    def lines_of(names: Sequence[str], metric: str, of: str) -> list[Line]:
        read = partial(read_line, store, model, window, metric, feature=of, start=start)
        lines = (replace(read(segment=name), title=name) for name in names)
        return [line for line in lines if line.points]

    shown = lines_of(picked or known, "effect", feature)
    if not picked:
        shown = sorted(shown, key=lambda line: (-line.points[-1][1], line.title))[:MOST_SEGMENTS]
    return known, tuple(shown), tuple(lines_of(picked, "share", ""))
