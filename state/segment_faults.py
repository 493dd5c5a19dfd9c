"""Where in the traffic a check of a column is violated: the segments that add most to its share of rows."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.checks import Check, CheckStatus
from state.reference import FeatureReference
from state.segment_scores import SegmentView, segment_sides
from state.sketches.base import HEADER, MISSING, NON_FINITE, ROWS, Sketch
from state.sketches.categorical import Categories

LISTED = 5
"""Segments of a field that an event of a check lists."""

_SIGNIFICANT = frozenset({CheckStatus.VIOLATED, CheckStatus.SUSPECT})


class FaultSegment(msgspec.Struct, frozen=True, kw_only=True):
    """One segment of a check.

    Attributes
    ----------
    rows
        Those of the window that the share is of.
    value, reference
        The share in the window and in the reference; None where there are no rows.
    part
        Of the change of the whole's share, what this segment makes up: the parts of all segments add up to 1.
    """

    segment: str
    rows: int
    value: float | None
    reference: float | None
    part: float


class FaultSegments(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of one field that make up most of what a check found, the largest part first."""

    check: str
    column: str
    segments: tuple[FaultSegment, ...]


def fault_segments(
    feature: FeatureReference, sketch: Sketch, view: SegmentView, checks: Sequence[Check]
) -> tuple[FaultSegments, ...]:
    """Take apart the checks that are not calm, as far as segments count what they are about.

    With k_s of n rows in segment s, and K_s of N in the reference, the change of the share is the sum of
    k_s / n - K_s / N over segments. Counted are rows without a value, values that are not finite, and new
    categories.
    """
    places = _places(feature)
    asked = [check.name for check in checks if check.status in _SIGNIFICANT and check.name in places]
    found = []
    for name in asked:
        for column, before, now in segment_sides(feature, sketch, view):
            segments = _taken_apart(column.labels, before, now, places[name])
            found.append(FaultSegments(check=name, column=column.name, segments=segments))
    return tuple(found)


def _places(feature: FeatureReference) -> Mapping[str, tuple[int, bool]]:
    """Counter of each check that segments have, and whether its share is of the rows with a value alone."""
    bins = feature.bins
    if isinstance(bins, Categories):
        return {"missing_share": (MISSING, False), "new_share": (HEADER + bins.new, True)}
    return {"missing_share": (MISSING, False), "non_finite_share": (NON_FINITE, False)}


def _taken_apart(
    labels: Sequence[str], before: IntArray, now: IntArray, place: tuple[int, bool]
) -> tuple[FaultSegment, ...]:
    (held, total), (counted, rows) = _shares(before, place), _shares(now, place)
    change = counted / max(rows.sum(), 1) - held / max(total.sum(), 1)
    whole = float(change.sum())
    part = change / whole if whole else np.zeros(len(change))
    order = np.argsort(-part, kind="stable").tolist()
    return tuple(
        FaultSegment(
            segment=labels[i],
            rows=int(rows[i]),
            value=float(counted[i] / rows[i]) if rows[i] else None,
            reference=float(held[i] / total[i]) if total[i] else None,
            part=float(part[i]),
        )
        for i in order[:LISTED]
        if rows[i] or total[i]
    )


def _shares(segments: IntArray, place: tuple[int, bool]) -> tuple[FloatArray, IntArray]:
    """Rows that a check is about, and rows that its share is of, of each segment."""
    counter, valued = place
    of = segments[:, HEADER:].sum(axis=1) if valued else segments[:, ROWS]
    return segments[:, counter].astype(np.float64), of
