"""Checks of data quality: what a window of one column says beside the distribution of its values."""

from dataclasses import dataclass

from detectors.checking import check_share
from detectors.checks import Check, Counted, Family, Sensitivity
from state.reference import FeatureReference
from state.sketches.base import MISSING, Sketch


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRules:
    """What makes a violation of a check of data quality.

    Attributes
    ----------
    level
        Chance that one window of one track violates any of its checks where nothing has changed, at most.
    min_excess
        Largest difference between two shares that does not matter.
    min_rows
        Rows, on either side, below which nothing is said.
    """

    level: float
    min_excess: float
    min_rows: int


def column_checks(feature: FeatureReference, window: Sketch, rules: QualityRules) -> tuple[Check, ...]:
    """Check one window of one column, always the same checks in the same order; a pure function."""
    sensitivity = Sensitivity(level=rules.level, min_excess=rules.min_excess, min_rows=rules.min_rows)
    return (
        check_share(
            "missing_share",
            Family.QUALITY,
            Counted(count=int(window.counters[MISSING]), n=window.rows),
            Counted(count=int(feature.sketch.counters[MISSING]), n=feature.sketch.rows),
            sensitivity,
        ),
    )
