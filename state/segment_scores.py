"""The segments of one column in one window: how far each is from the reference, and what explains a drift."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from detectors.base import FloatArray, IntArray
from detectors.segments import SegmentReadings, Where, compare_segments
from detectors.significance import primary_test
from state.reference import FeatureReference
from state.segments import SegmentColumn, Segments
from state.sketches.base import HEADER, MISSING, ROWS, Sketch


class SegmentScore(msgspec.Struct, frozen=True, kw_only=True):
    """One segment.

    Attributes
    ----------
    against
        "segment" where it was compared with its own rows of the reference, "whole" where these are too few.
    rows, share, reference_share
        Rows of the window, with or without a value; their share of all rows; the same of the reference.
    missing, n, n_reference
        Rows without a value, with one, and those that they were compared with.
    effect, effect_low, effect_high
        Debiased PSI and its interval of 90 %.
    within, mix
        What happened within the segment, and what a change of its share of the traffic did, to the PSI of the
        whole (`detectors.segments`).
    """

    segment: str
    against: str
    rows: int
    share: float
    reference_share: float
    missing: int
    n: int
    n_reference: int
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    p_value: float | None
    within: float
    mix: float


class SegmentScores(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of one field.

    Attributes
    ----------
    column
        The field whose values they are.
    where, named, explained
        Where the drift is; the segments that explain it, the largest part first; the part of the whole's PSI
        that these make up, None where none is named.
    reweighted
        Debiased PSI that the whole would have with the reference's traffic.
    test
        Whose p-values these are.
    segments
        Those with rows on either side, values first; in an event those that matter most.
    """

    column: str
    where: Where | None
    named: tuple[str, ...]
    explained: float | None
    reweighted: float | None
    test: str
    segments: tuple[SegmentScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentView:
    """How the segments of a window are read.

    Attributes
    ----------
    reference
        Those of the reference, as its sketches have them.
    window
        Those that were counted; each field is one of the reference's.
    min_rows
        Rows of the reference from which a segment is compared with its own.
    """

    reference: Segments
    window: Segments
    min_rows: int


IN_DRIFT = 5
"""Segments of a field that an event of a drift lists."""

IN_REPORT = 3
"""Segments of a field that a report lists of a column."""


def explaining(scores: SegmentScores) -> SegmentScores:
    """Keep the segments that explain most of what moved: those that are named first."""
    named = {segment: place for place, segment in enumerate(scores.named)}
    ranked = sorted(
        scores.segments, key=lambda each: (named.get(each.segment, len(named)), -(each.within + each.mix))
    )
    return msgspec.structs.replace(scores, segments=tuple(ranked[:IN_DRIFT]))


def furthest(scores: SegmentScores) -> SegmentScores:
    """Keep the segments that are furthest from the reference, by the lower end of the interval."""
    read = [each for each in scores.segments if each.effect is not None]
    ranked = sorted(read, key=lambda each: (-(each.effect_low or 0.0), -(each.effect or 0.0)))
    return msgspec.structs.replace(scores, segments=tuple(ranked[:IN_REPORT]))


def score_segments(feature: FeatureReference, sketch: Sketch, view: SegmentView) -> tuple[SegmentScores, ...]:
    """Compare the segments of each field; a pure function."""
    sides = segment_sides(feature, sketch, view)
    return tuple(_score(feature, column, before, now, view.min_rows) for column, before, now in sides)


def segment_sides(
    feature: FeatureReference, sketch: Sketch, view: SegmentView
) -> Iterator[tuple[SegmentColumn, IntArray, IntArray]]:
    """Give each field with its counters of the reference and of the window, shape ``(segments, width)``."""
    width = HEADER + feature.bins.bins
    before, now = (
        np.zeros((size, width), dtype=np.int64) if counted is None else counted
        for size, counted in (
            (view.reference.size, feature.sketch.segments),
            (view.window.size, sketch.segments),
        )
    )
    places = {column.name: place for column, place in view.reference.spans()}
    for column, place in view.window.spans():
        yield column, before[places[column.name]], now[place]


def _score(
    feature: FeatureReference, column: SegmentColumn, before: IntArray, now: IntArray, min_rows: int
) -> SegmentScores:
    found = compare_segments(feature.summary, before[:, HEADER:], now[:, HEADER:], min_rows=min_rows)
    labels = column.labels
    whole = float((found.within + found.mix).sum())
    named = list(found.named)
    return SegmentScores(
        column=column.name,
        where=found.where,
        named=tuple(labels[place] for place in named),
        explained=_part(found, named) / whole if named and whole > 0 else None,
        reweighted=found.reweighted,
        test=primary_test(feature.summary),
        segments=_segments(labels, found, before, now),
    )


def _part(found: SegmentReadings, named: list[int]) -> float:
    return float((found.within[named] + found.mix[named]).sum())


def _segments(
    labels: tuple[str, ...], found: SegmentReadings, before: IntArray, now: IntArray
) -> tuple[SegmentScore, ...]:
    rows, total = now[:, ROWS], max(int(now[:, ROWS].sum()), 1)
    reference_share = before[:, ROWS] / max(int(before[:, ROWS].sum()), 1)
    n = now[:, HEADER:].sum(axis=1)
    effect, low, high = (_or_none(a) for a in (found.psi.debiased, found.psi.low, found.psi.high))
    p_value = _or_none(found.p_value)
    return tuple(
        SegmentScore(
            segment=label,
            against="segment" if found.own[i] else "whole",
            rows=int(rows[i]),
            share=int(rows[i]) / total,
            reference_share=float(reference_share[i]),
            missing=int(now[i, MISSING]),
            n=int(n[i]),
            n_reference=int(found.n_reference[i]),
            effect=effect[i],
            effect_low=low[i],
            effect_high=high[i],
            p_value=p_value[i],
            within=float(found.within[i]),
            mix=float(found.mix[i]),
        )
        for i, label in enumerate(labels)
        if rows[i] or reference_share[i]
    )


def _or_none(values: FloatArray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
