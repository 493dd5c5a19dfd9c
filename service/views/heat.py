"""A heat map of columns over time: how severe the drift of each was, page by page and never cell by cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detectors.verdicts import Rules
from service.models import WatchedModel
from service.views.standing import rank
from state.stores.base import SeriesKey, Store
from state.stores.episodes import StoredEpisode

PAGE = 25
"""Columns of one page: what a screen shows, whatever the model has."""

MOST_CELLS = 120
"""Cells of a column; of more windows, one stands for several and shows the worst of them."""

LEVELS = ("no drift", "low", "medium", "high")
"""What the levels of a cell mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """Some columns over time.

    Attributes
    ----------
    ends
        End of the last window of each cell, shape ``(cells,)``.
    features
        Those of this page: open drifts first, the most severe and the latest ahead, then as configured.
    effects
        Largest effect (debiased PSI) of each cell by feature; None where nothing could be compared.
    levels
        The same in drift: an index into `LEVELS`; 0 outside of episodes.
    page, pages
        Which page it is, from 0, and how many there are.
    windows
        Windows that are shown.
    """

    ends: tuple[int, ...]
    features: tuple[str, ...]
    effects: tuple[tuple[float | None, ...], ...]
    levels: tuple[tuple[int, ...], ...]
    page: int
    pages: int
    windows: int


def heat_map(store: Store, model: WatchedModel, window: str, *, start: int | None, page: int = 0) -> HeatMap:
    """Read the heat map of one kind of window from a time on."""
    episodes = [
        each
        for each in store.episodes(model.name, model_version=model.version, window=window, start=start)
        if each.family == "drift"
    ]
    order = ranked([column.name for column in model.columns], episodes)
    pages = max(-(-len(order) // PAGE), 1)
    page = min(max(page, 0), pages - 1)
    features = order[page * PAGE : (page + 1) * PAGE]
    ends = [time for time, _share in store.series(_key(model, window, "", "drift_share"), start=start)]
    cells = _cells(ends)
    effects, levels = [], []
    for feature in features:
        found = dict(store.series(_key(model, window, feature, "effect"), start=start))
        own = [each for each in episodes if each.feature == feature]
        effects.append(tuple(_largest(found.get(end) for end in cell) for cell in cells))
        levels.append(tuple(max(_level(found.get(e), e, own, model.rules) for e in cell) for cell in cells))
    return HeatMap(
        ends=tuple(cell[-1] for cell in cells),
        features=tuple(features),
        effects=tuple(effects),
        levels=tuple(levels),
        page=page,
        pages=pages,
        windows=len(ends),
    )


def ranked(names: Sequence[str], episodes: Iterable[StoredEpisode]) -> list[str]:
    """Order columns: open drifts by severity, then those that ended, the last first, then as configured."""
    best: dict[str, tuple[int, int, int]] = {}
    for each in episodes:
        key = (int(each.is_open), rank(each.severity) if each.is_open else 0, each.updated)
        best[each.feature] = max(best.get(each.feature, key), key)
    return sorted(names, key=lambda name: tuple(-part for part in best.get(name, (0, 0, -(1 << 62)))))


def _cells(ends: Sequence[int]) -> list[Sequence[int]]:
    """Cut the windows into runs of about equal length, one per cell."""
    cells = min(len(ends), MOST_CELLS)
    return [ends[len(ends) * cell // cells : len(ends) * (cell + 1) // cells] for cell in range(cells)]


def _level(effect: float | None, end: int, episodes: Sequence[StoredEpisode], rules: Rules) -> int:
    drifting = any(each.opened <= end and (each.is_open or end < each.updated) for each in episodes)
    return rank(rules.severity(effect)) if drifting and effect is not None else 0


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _key(model: WatchedModel, window: str, feature: str, metric: str) -> SeriesKey:
    return SeriesKey(
        model=model.name,
        model_version=model.version,
        window=window,
        feature=feature,
        segment="",
        metric=metric,
    )
