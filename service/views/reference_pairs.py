"""Two references side by side: how far apart their columns are, as far as their frozen bins tell."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.base import FloatArray, Summary
from state.reference import FeatureReference, Reference
from state.sketches.base import MISSING
from state.sketches.categorical import Categories

_NAMED = 3
"""Categories of a side that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedColumn:
    """One column in both references.

    Attributes
    ----------
    distance
        From 0 (alike) to 1: of numbers the largest gap between the shares of rows up to a value
        (Kolmogorov-Smirnov), of categories half the sum of differences of their shares (total variation).
        None where a side has no value, or the kinds differ.
    shift
        Difference of the means, in standard deviations of the first; None of categories, and without scatter.
    missing
        Shares of rows without a value, of the first and of the second.
    first, second
        What stands in it, in few words.
    """

    name: str
    kind: str
    distance: float | None
    shift: float | None
    missing: tuple[float, float]
    first: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two references.

    Attributes
    ----------
    columns
        Those that both have, the furthest apart first.
    only_first, only_second
        Names of columns that one of them lacks.
    """

    columns: tuple[PairedColumn, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


def pair_of(first: Reference, second: Reference) -> Pair:
    """Put two references side by side."""
    before = {feature.column.name: feature for feature in first.features}
    after = {feature.column.name: feature for feature in second.features}
    columns = [_paired(before[name], after[name]) for name in before if name in after]
    return Pair(
        columns=tuple(sorted(columns, key=lambda each: -(each.distance or 0.0))),
        only_first=tuple(name for name in before if name not in after),
        only_second=tuple(name for name in after if name not in before),
    )


def _paired(first: FeatureReference, second: FeatureReference) -> PairedColumn:
    return PairedColumn(
        name=first.column.name,
        kind=str(first.column.kind),
        distance=_distance(first, second),
        shift=_shift(first.summary, second.summary),
        missing=(_missing(first), _missing(second)),
        first=_words(first),
        second=_words(second),
    )


def _distance(first: FeatureReference, second: FeatureReference) -> float | None:
    if not (first.summary.n and second.summary.n) or first.bins.kind is not second.bins.kind:
        return None
    if isinstance(first.bins, Categories) and isinstance(second.bins, Categories):
        return _variation(first, first.bins, second, second.bins)
    return _gap(first, second)


def _gap(first: FeatureReference, second: FeatureReference) -> float:
    """Return the largest gap of both cumulative shares at edges of bins; rows lie evenly within each."""
    (ends, shares), (other_ends, other_shares) = _cumulated(first), _cumulated(second)
    common = np.intersect1d(ends, other_ends)
    # Of whole numbers the edges are shared, and between them there is nothing to interpolate.
    enough = 2 * len(common) >= min(len(ends), len(other_ends))
    places = common if enough else np.union1d(ends, other_ends)
    gaps = np.interp(places, ends, shares) - np.interp(places, other_ends, other_shares)
    return float(np.abs(gaps).max())


def _cumulated(feature: FeatureReference) -> tuple[FloatArray, FloatArray]:
    """Return ends of bins, and the share of the rows up to each."""
    found = feature.summary
    edges = np.empty(0) if found.edges is None else found.edges
    low, high = feature.sketch.low, feature.sketch.high
    ends = np.concatenate(([min([low, *edges[:1]])], edges, [max([high, *edges[-1:]])]))
    return ends, np.concatenate(([0.0], np.cumsum(found.counts))) / found.n


def _variation(
    first: FeatureReference, bins: Categories, second: FeatureReference, other: Categories
) -> float:
    before, after = _shares(first, bins), _shares(second, other)
    told = {name for name in before if _known(name, after, other)}
    told |= {name for name in after if _known(name, before, bins)}
    apart = sum(abs(before.get(name, 0.0) - after.get(name, 0.0)) for name in told)
    rest = sum(share for name, share in before.items() if name not in told)
    other_rest = sum(share for name, share in after.items() if name not in told)
    # What neither names stands together: how it is spread nobody knows.
    rest += 1.0 - sum(before.values())
    other_rest += 1.0 - sum(after.values())
    return (apart + abs(rest - other_rest)) / 2


def _known(name: str, shares: Mapping[str, float], bins: Categories) -> bool:
    """Say whether it is known how often a side has a category: it names it, or knows that it has none."""
    return name in shares or (bins.complete and name not in bins.rare)


def _shares(feature: FeatureReference, bins: Categories) -> dict[str, float]:
    found = feature.summary
    return {name: count / found.n for name, count in zip(bins.names, found.counts.tolist(), strict=False)}


def _shift(first: Summary, second: Summary) -> float | None:
    before, after = first.moments, second.moments
    if before is None or after is None or not before.variance > 0:
        return None
    return (after.mean - before.mean) / float(np.sqrt(before.variance))


def _missing(feature: FeatureReference) -> float:
    return int(feature.sketch.counters[MISSING]) / max(feature.sketch.rows, 1)


def _words(feature: FeatureReference) -> str:
    found = feature.summary
    if not found.n:
        return "no value"
    if isinstance(feature.bins, Categories):
        shares = sorted(_shares(feature, feature.bins).items(), key=lambda each: -each[1])
        return ", ".join(f"{name} {share:.0%}" for name, share in shares[:_NAMED])
    if found.moments is None:
        return f"{feature.sketch.low:.4g} to {feature.sketch.high:.4g}"
    return f"mean {found.moments.mean:.4g}, sd {float(np.sqrt(found.moments.variance)):.4g}"
