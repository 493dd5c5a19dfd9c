"""Both sides of one column: the reference and the last window, from the panes that the store keeps."""

from dataclasses import dataclass

import numpy as np

from detectors.base import FloatArray
from service.bars import BARS, bars_of
from service.models import WatchedModel, WatchedWindow
from service.views.loaded import LoadedReferences
from state.closed_panes import read_pane
from state.explain import histogram
from state.reference import FeatureReference
from state.sketches.base import Sketch, merge_all
from state.stores.base import Store

MOST_CATEGORIES = 12
"""Categories that are named; the others are one."""

_LARGE, _LARGEST = 10_000, 10_000_000
"""Bars between these are labelled with whole numbers."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Those of the bands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Shares of rows by bar or category.

    Attributes
    ----------
    labels
        Category, or the middle of the bar as text.
    reference, current
        Share of the rows with a value.
    numeric
        Whether the labels are numbers in their order.
    rows
        Rows of the current side.
    start, end
        Span of the current side.
    """

    labels: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]
    numeric: bool
    rows: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Quantiles of a numeric column, pane by pane.

    Attributes
    ----------
    ends
        End of each pane, shape ``(panes,)``.
    values
        For each of `QUANTILES` one value per pane.
    reference
        The same of the reference, one value per quantile.
    """

    ends: tuple[int, ...]
    values: tuple[tuple[float, ...], ...]
    reference: tuple[float, ...]


def sides_of(
    store: Store,
    model: WatchedModel,
    window: WatchedWindow,
    feature: str,
    end: int,
    *,
    references: LoadedReferences,
) -> Sides | None:
    """Put the panes of the window that ends at `end` beside the reference; None where panes are gone."""
    panes = store.panes(model.name, model.version, feature, start=end - window.size, end=end)
    if not panes:
        return None
    # Where two references share a pane, the later one counts from it on.
    version = panes[-1].reference
    reference = references.feature(store, model.name, version, feature)
    current = merge_all([read_pane(pane).sketch for pane in panes if pane.reference == version])
    found = histogram(reference, reference.bins.summary(current).counts)
    before, now = (np.array(side, dtype=np.int64) for side in (found.reference, found.current))
    if found.categories is None:
        low, high = _extent(reference, current)
        bars = bars_of(np.array(found.edges), before, now, low, high, bars=BARS)
        middles = (bars.borders[:-1] + bars.borders[1:]) / 2
        labels = tuple(_label(middle) for middle in middles.tolist())
        shares = [bars.reference.tolist(), bars.current.tolist()]
    else:
        labels, *shares = _categories(
            found.categories, before / max(before.sum(), 1), now / max(now.sum(), 1)
        )
    return Sides(
        labels=labels,
        reference=tuple(shares[0]),
        current=tuple(shares[1]),
        numeric=found.categories is None,
        rows=current.rows,
        start=end - window.size,
        end=end,
    )


def bands_of(
    store: Store, model: WatchedModel, feature: str, *, references: LoadedReferences
) -> Bands | None:
    """Read the quantiles of a numeric column over time; None of categories, and where no pane is kept."""
    panes = store.panes(model.name, model.version, feature)
    if not panes:
        return None
    known: dict[str, FeatureReference] = {}
    ends, values = [], []
    for pane in panes:
        if pane.reference not in known:
            known[pane.reference] = references.feature(store, model.name, pane.reference, feature)
        quantiles = _quantiles(known[pane.reference], read_pane(pane).sketch)
        if quantiles is not None:
            ends.append(pane.end)
            values.append(quantiles)
    last = known[panes[-1].reference]
    reference = _quantiles(last, last.sketch)
    if not ends or reference is None:
        return None
    return Bands(ends=tuple(ends), values=tuple(zip(*values, strict=True)), reference=tuple(reference))


def _quantiles(reference: FeatureReference, sketch: Sketch) -> list[float] | None:
    """Read quantiles off the bins; rows lie evenly within each."""
    found = reference.bins.summary(sketch)
    if found.edges is None or not found.n:
        return None
    low, high = _extent(reference, sketch)
    borders = np.concatenate(([min([low, *found.edges[:1]])], found.edges, [max([high, *found.edges[-1:]])]))
    cumulative = np.concatenate(([0], np.cumsum(found.counts))) / found.n
    places: FloatArray = np.interp(QUANTILES, cumulative, borders)
    return [float(np.clip(place, sketch.low, sketch.high)) for place in places]


def _label(middle: float) -> str:
    """Write the middle of a bar; prices and the like are read with all their digits.

    Examples
    --------
    >>> _label(12_270.4), _label(0.012345), _label(3e9)
    ('12270', '0.01234', '3e+09')
    """
    return f"{middle:.0f}" if _LARGE <= abs(middle) < _LARGEST else f"{middle:.4g}"


def _extent(reference: FeatureReference, current: Sketch) -> tuple[float, float]:
    low, high = min(reference.sketch.low, current.low), max(reference.sketch.high, current.high)
    return (low, high) if low <= high else (0.0, 0.0)


def _categories(
    names: list[str], before: FloatArray, now: FloatArray
) -> tuple[tuple[str, ...], list[float], list[float]]:
    rows = [row for row in zip(names, before.tolist(), now.tolist(), strict=True) if row[1] or row[2]]
    rows.sort(key=lambda row: -max(row[1:]))
    rest = rows[MOST_CATEGORIES:]
    rows = rows[:MOST_CATEGORIES]
    if rest:
        rows.append((f"{len(rest)} others", sum(row[1] for row in rest), sum(row[2] for row in rest)))
    return tuple(row[0] for row in rows), [row[1] for row in rows], [row[2] for row in rows]
