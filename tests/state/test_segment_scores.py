"""Segments of a window against those of the reference, whichever of them the configuration names."""

from dataclasses import replace

import numpy as np

from state.reference import FeatureReference, Reference
from state.scoring import Scored, score
from state.segment_scores import SegmentScores, SegmentView, score_segments
from state.segments import SegmentColumn, Segments
from state.sketches.base import HEADER, MISSING, ROWS, Sketch
from state.windows import ClosedWindow
from tests.evidence import MIN_EFFECT, build, sketch_of, values_of

COUNTRY = SegmentColumn("country", ("DE", "FR"))
DEVICE = SegmentColumn("device", ("phone",))
SEGMENTS = Segments((COUNTRY, DEVICE))
PARTS = {"DE": ("calm", 1_500), "FR": ("calm", 500)}


def counted(feature: FeatureReference, parts: dict[str, tuple[str, int]], segments: Segments) -> Sketch:
    """All rows of a country are of one mood, and come from phones."""
    whole = None
    for seed, (country, (mood, rows)) in enumerate(parts.items()):
        sketch = sketch_of(feature.bins, values_of(feature.column.name, mood, rows, seed))
        width = HEADER + feature.bins.bins
        places = np.zeros((segments.size, width), dtype=np.int64)
        for column, place in segments.spans():
            own = column.labels.index(country if column is COUNTRY else "phone")
            places[place][own] = sketch.counters[:width]
        sketch = replace(sketch, segments=places)
        whole = sketch if whole is None else whole.merge(sketch)
    assert whole is not None
    return whole


def reference() -> Reference:
    plain = build()
    features = [replace(f, sketch=counted(f, PARTS, SEGMENTS)) for f in plain.features]
    return Reference(plain.model, tuple(features), plain.provenance, SEGMENTS)


def view(*names: str) -> SegmentView:
    return SegmentView(reference=SEGMENTS, window=SEGMENTS.picked(names), min_rows=600)


def by_column(found: tuple[SegmentScores, ...]) -> dict[str, SegmentScores]:
    return {each.column: each for each in found}


def test_any_choice_of_the_segments_of_a_reference_reads_the_same() -> None:
    feature = reference().feature("x")
    parts = {"DE": ("large", 700), "FR": ("calm", 700)}
    readings = dict[str, SegmentScores]()
    for names in (("country", "device"), ("device", "country"), ("country",), ("device",)):
        segments = SEGMENTS.picked(names)
        found = score_segments(feature, counted(feature, parts, segments), view(*names))
        assert [each.column for each in found] == list(names)
        for name, each in by_column(found).items():
            assert readings.setdefault(name, each) == each
    country = readings["country"]
    assert [(s.segment, s.against, s.rows, s.share, s.reference_share) for s in country.segments] == [
        ("DE", "segment", 700, 0.5, 0.75),
        # 500 rows of the reference are fewer than it takes.
        ("FR", "whole", 700, 0.5, 0.25),
    ]
    assert [s.segment for s in readings["device"].segments] == ["phone"]


def test_a_window_is_scored_with_its_segments() -> None:
    feature = reference().feature("c")
    sketch = counted(feature, {"DE": ("calm", 300), "FR": ("missing", 100)}, SEGMENTS)
    window = ClosedWindow(0, 0, 1, sketch)
    found = score(feature, window, version="v", min_effect=MIN_EFFECT, segments=view("country", "device"))
    plain = score(feature, window, version="v", min_effect=MIN_EFFECT)
    assert isinstance(found, Scored)
    assert isinstance(plain, Scored)
    (germany, france), _ = (each.segments for each in found.segments)
    assert found.segments == score_segments(feature, sketch, view("country", "device"))
    assert sketch.segments is not None
    assert [germany.rows, germany.missing] == sketch.segments[0, [ROWS, MISSING]].tolist()
    assert (france.missing, france.n, france.effect, france.p_value) == (100, 0, None, None)
    assert plain.segments == ()
    assert plain.readings == found.readings


def test_a_window_of_late_rows_alone_has_no_segments() -> None:
    feature = reference().feature("x")
    sketch = replace(sketch_of(feature.bins, []), segments=None)
    for each in score_segments(feature, sketch, view("country", "device")):
        assert (each.where, each.named, each.reweighted, each.explained) == (None, (), None, None)
        assert {segment.rows for segment in each.segments} == {0}
