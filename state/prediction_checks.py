"""Checks of predictions: shares of rows that a window holds beside those of the reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from detectors.checking import check_share
from detectors.checks import Check, Counted, Direction, Family, Sensitivity
from detectors.coarse import inflation
from detectors.scatter import Statistic
from state.reference import FeatureReference
from state.sketches.base import Sketch
from state.sketches.categorical import Categories


@dataclass(frozen=True, slots=True)
class AskedShare:
    """How many rows hold one category, of all rows that hold any.

    Attributes
    ----------
    check
        The name of the check.
    min_excess
        Largest difference from the reference's share that does not matter.
    """

    check: str
    category: str
    direction: Direction = Direction.UP
    min_excess: float = 0.01


class Side(StrEnum):
    """Where values lie beside the reference's median."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class AskedSide:
    """How many values lie on one side of the bin with the reference's median: no law of theirs is needed."""

    check: str
    side: Side
    min_excess: float = 0.1

    @property
    def direction(self) -> Direction:
        """More of them are looked for; fewer are more on the other side."""
        return Direction.UP


Asked = AskedShare | AskedSide


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRules:
    """What is checked of predictions, and what makes a violation.

    Attributes
    ----------
    asked
        By track.
    level
        Chance that a window violates one check where nothing has changed, at most.
    min_rows
        Rows, on either side, below which nothing is said.
    """

    asked: Mapping[str, tuple[Asked, ...]]
    level: float
    min_rows: int


def prediction_checks(feature: FeatureReference, window: Sketch, rules: PredictionRules) -> tuple[Check, ...]:
    """Check one window of one track, always the same checks in the same order; a pure function.

    Where rows depend on each other, as the reference knows it, they count as so many fewer.
    """
    n = feature.bins.summary(window).n
    clump = max(1.0, inflation(feature.summary, n, Statistic.DISTRIBUTION)) if n else 1.0
    return tuple(
        check_share(
            asked.check,
            Family.PREDICTION,
            _counted(feature, window, asked),
            _counted(feature, feature.sketch, asked),
            Sensitivity(level=rules.level, min_excess=asked.min_excess, min_rows=rules.min_rows),
            direction=asked.direction,
            clump=clump,
        )
        for asked in rules.asked.get(feature.column.name, ())
    )


def _counted(feature: FeatureReference, sketch: Sketch, asked: Asked) -> Counted:
    bins = feature.bins
    counts = bins.summary(sketch).counts
    n = int(counts.sum())
    if isinstance(asked, AskedSide):
        place = _median_bin(feature)
        beside = counts[place + 1 :] if asked.side is Side.ABOVE else counts[:place]
        return Counted(count=int(beside.sum()), n=n)
    assert isinstance(bins, Categories)
    # Columns that learn their categories have two: what the reference never held is the only new one.
    place = bins.names.index(asked.category) if asked.category in bins.names else bins.new
    return Counted(count=int(counts[place]), n=n)


def _median_bin(feature: FeatureReference) -> int:
    below = np.cumsum(feature.summary.counts)
    return int(np.searchsorted(below, below[-1] / 2))
