"""Performance by segment: counters and metrics of the segment's rows alone, the worst segments named."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any

import numpy as np
import pytest

from detectors.base import IntArray
from detectors.checks import Check, CheckStatus, Family
from detectors.performance.base import Task
from state.joined import Count
from state.outcome_fields import OutcomeFields, Outcomes
from state.outcome_layout import ReferenceOutcomes
from state.outcome_metrics import metrics_of
from state.outcome_segments import (
    MOST_WIDTH,
    SegmentRules,
    countable,
    degraded_segments,
    expected_by_segment,
)
from state.outcome_windows import OutcomeWindow
from state.outcomes import OutcomeLayout, Use
from state.performance import PerformanceRules
from state.performance_data import MetricData, PerformanceSegments, SegmentPerformance
from state.performance_report import PerformanceReport
from state.reference import Reference
from state.segments import SegmentColumn, Segments
from state.sketches.base import Sketch, empty, from_bytes, merge_all
from state.stores.base import Point, StoredEvent
from tests.evidence import build, context
from tests.performed import LAYOUT, performance_context
from tests.state.outcome_rows import CLASS_FIELDS, NUMBER_FIELDS, Rows

BINARY = OutcomeLayout(task=Task.BINARY, classes=("no", "yes"), positive=1, scored=True)
NUMBERS = OutcomeLayout(task=Task.REGRESSION, intervals=True, center=10.0, unit=16.0)
SEGMENTS = Segments((SegmentColumn("country", ("DE", "FR")), SegmentColumn("device", ("phone",))))
CASES = [
    pytest.param(BINARY, CLASS_FIELDS, id="binary"),
    pytest.param(NUMBERS, NUMBER_FIELDS, id="regression"),
]


def rows_of(count: int, seed: int = 4) -> Rows:
    rng = np.random.default_rng(seed)
    truth, score = rng.random(count) < 0.4, np.round(rng.random(count), 6)
    label = rng.normal(10, 5, count)
    label[::17] = np.nan
    return Rows(
        numeric={
            "score": score,
            "predicted": label + rng.normal(size=count),
            "label": label,
            "low": label - 1,
            "high": label + rng.normal(1, 1, count),
        },
        categorical={
            "predicted": ["yes" if s > 0.5 else "no" for s in score.tolist()],
            "label": ["yes" if t else "no" if i % 19 else None for i, t in enumerate(truth.tolist())],
            "country": [["DE", "FR", "US", None][i] for i in rng.integers(0, 4, count).tolist()],
            "device": [["phone", "web"][i] for i in rng.integers(0, 2, count).tolist()],
        },
    )


def some(rows: Rows, chosen: Sequence[bool]) -> Rows:
    return Rows(
        numeric={name: values[np.array(chosen)] for name, values in rows.numeric.items()},
        categorical={name: list(compress(values, chosen)) for name, values in rows.categorical.items()},
    )


def cells(outcomes: Outcomes, rows: Rows, known: IntArray, panes: IntArray) -> dict[tuple[int, int], Sketch]:
    found = outcomes.layout.sketches(
        known, panes, outcomes.prediction_payload(rows), outcomes.label_payload(rows)
    )
    return {(at, pane): from_bytes(sketch.to_bytes()) for at, pane, sketch in found}


@pytest.mark.parametrize(("layout", "fields"), CASES)
def test_a_segment_counts_what_its_rows_alone_would(layout: OutcomeLayout, fields: OutcomeFields) -> None:
    rows, rng = rows_of(300), np.random.default_rng(5)
    known, panes = rng.integers(0, 2, 300), rng.integers(0, 3, 300)
    plain, split = Outcomes(layout=layout, fields=fields), Outcomes.by_segment(layout, fields, SEGMENTS)
    assert split.prediction_payload(rows).shape == (300, split.layout.widths[0])
    whole, found = cells(plain, rows, known, panes), cells(split, rows, known, panes)
    assert whole.keys() == found.keys()
    for column, place in SEGMENTS.spans():
        codes = column.coded(rows.categorical[column.name])
        for segment in range(column.size):
            chosen = codes == segment
            own = cells(plain, some(rows, chosen.tolist()), known[chosen], panes[chosen])
            for key, sketch in found.items():
                assert sketch.segments is not None
                wanted = own[key].counters if key in own else np.zeros(layout.width, dtype=np.int64)
                assert sketch.segments[place][segment].tolist() == wanted.tolist()
    assert all(found[key].whole().to_bytes() == whole[key].to_bytes() for key in whole)


@pytest.mark.parametrize(("layout", "fields"), CASES)
def test_counters_do_not_depend_on_cuts_or_order(layout: OutcomeLayout, fields: OutcomeFields) -> None:
    rows, at = rows_of(200), np.zeros(200, dtype=np.int64)
    split = Outcomes.by_segment(layout, fields, SEGMENTS)
    (whole,) = cells(split, rows, at, at).values()
    order = np.random.default_rng(6).permutation(200) % 3
    parts = [some(rows, (order == part).tolist()) for part in range(3)]
    found = list[Sketch]()
    for part in parts:
        own = at[: len(part.numeric["score"])]
        found += cells(split, part, own, own).values()
    merged = merge_all(found)
    assert merged.to_bytes() == whole.to_bytes()


def test_layouts_with_very_many_counters_are_not_split() -> None:
    classes = tuple(f"c{i}" for i in range(60))
    wide = OutcomeLayout(task=Task.MULTICLASS, classes=classes)
    assert wide.width > MOST_WIDTH
    assert countable(wide, SEGMENTS) == Segments()
    assert countable(BINARY, SEGMENTS) is SEGMENTS
    assert countable(NUMBERS, SEGMENTS) is SEGMENTS


def reference(outcomes: Outcomes, rows: Rows) -> Reference:
    at = np.zeros(len(rows.numeric["score"]), dtype=np.int64)
    (sketch,) = cells(outcomes, rows, at, at).values()
    known = ReferenceOutcomes(replace(outcomes.layout, segments=()), sketch)
    return replace(build(), segments=SEGMENTS, outcomes=known)


def test_metrics_of_segments_are_those_of_their_rows() -> None:
    split = Outcomes.by_segment(BINARY, CLASS_FIELDS, SEGMENTS)
    plain = Outcomes(layout=BINARY, fields=CLASS_FIELDS)
    rules = PerformanceRules(metrics=("accuracy", "roc_auc"))
    frozen = reference(split, rows_of(2_000, 7))
    known = expected_by_segment(frozen, rules, min_rows=600)
    # Two devices of 1,000 rows each are enough, countries of 500 are not.
    assert set(known) == {("device", "phone"), ("device", "(rest)")}
    rows, at = rows_of(500), np.zeros(500, dtype=np.int64)
    (sketch,) = cells(split, rows, at, at).values()
    assert frozen.outcomes is not None
    whole = rules.expected(frozen.outcomes.metrics)
    told = SegmentRules(segments=SEGMENTS, metrics=rules.metrics, expected={"v": known})
    for each, column in zip(told.read(split.layout, sketch, "v", whole), SEGMENTS.columns, strict=True):
        assert each.column == column.name
        for segment in each.segments:
            chosen = column.coded(rows.categorical[column.name]) == column.labels.index(segment.segment)
            (own,) = cells(plain, some(rows, chosen.tolist()), at[chosen], at[chosen]).values()
            wanted = {metric.name: metric for metric in metrics_of(BINARY, own.counters)}
            assert segment.rows == int(own.counters[Use.USED])
            assert [m.name for m in segment.metrics] == ["accuracy", "roc_auc"]
            against = known.get((column.name, segment.segment), whole)
            assert segment.against == ("segment" if column.name == "device" else "whole")
            for metric in segment.metrics:
                assert (metric.value, metric.low) == (wanted[metric.name].value, wanted[metric.name].low)
                assert metric.expected == against[metric.name].value


def test_a_reference_without_segments_expects_the_whole() -> None:
    assert expected_by_segment(build(), PerformanceRules(metrics=("accuracy",)), min_rows=1) == {}


def performed(segment: str, rows: int, **values: tuple[float, float]) -> SegmentPerformance:
    """Metrics by name: value and what was expected."""
    return SegmentPerformance(
        segment=segment,
        against="whole",
        rows=rows,
        share=0.5,
        metrics=tuple(
            MetricData(
                name=name,
                value=value,
                low=None,
                high=None,
                error=None,
                bound=0,
                n=rows,
                reason=None,
                expected=known,
            )
            for name, (value, known) in values.items()
        ),
    )


@pytest.mark.parametrize(
    ("metric", "worst", "part"),
    [
        # 100 rows that lost .3 and 300 that lost .02: 30 of 36.
        ("accuracy", "small", 30 / 36),
        ("mae", "large", 300 / 310),
        # Twice as far from zero, on the other side of it.
        ("bias", "large", 300 / 310),
    ],
)
def test_the_segments_that_are_worst_are_named(metric: str, worst: str, part: float) -> None:
    values: Mapping[str, dict[str, tuple[float, float]]] = {
        "small": {"accuracy": (0.6, 0.9), "mae": (1.1, 1.0), "bias": (-0.1, 0.0)},
        "large": {"accuracy": (0.88, 0.9), "mae": (2.0, 1.0), "bias": (-2.0, 1.0)},
    }
    read = PerformanceSegments(
        column="country",
        segments=(performed("small", 100, **values["small"]), performed("large", 300, **values["large"])),
    )
    check = Check(
        name=metric, family=Family.PERFORMANCE, status=CheckStatus.VIOLATED, value=0.5, source="", n=400
    )
    (found,) = degraded_segments([check, replace(check, name="other", status=CheckStatus.OK)], [read])
    assert (found.check, found.column) == (metric, "country")
    assert found.segments[0].segment == worst
    assert found.segments[0].part == pytest.approx(part)
    assert sum(each.part for each in found.segments) == pytest.approx(1)


def told(*, degraded: bool, final: bool, split: bool) -> tuple[list[dict[str, Any]], list[Point]]:
    """What a report says of a window in which phones are wrong."""
    column = SegmentColumn("device", ("phone",))
    counters = np.zeros((3, LAYOUT.width), dtype=np.int64)
    wrong = 300 if degraded else 50
    for place, (right, bad) in enumerate([(500 - wrong, wrong), (450, 50)]):
        counters[place, [Use.USED, Count.PREDICTIONS]] = 500
        counters[place, LAYOUT.width - 4 :] = [right // 2, bad // 2, bad - bad // 2, right - right // 2]
    sketch = replace(empty(LAYOUT.width), counters=counters.sum(axis=0), segments=counters if split else None)
    by = SegmentRules(
        segments=Segments((column,)),
        metrics=("accuracy",),
        expected={context().generations.first.version: {}},
    )
    logic = PerformanceReport(replace(performance_context(context()), by_segment=by if split else None))
    window = OutcomeWindow(0, 0, 2, 3, final, partial=False, sketch=sketch)
    outputs = logic.add([window])
    return (
        [json.loads(item.body)["data"] for item in outputs if isinstance(item, StoredEvent)],
        [item for item in outputs if isinstance(item, Point) and item.key.segment],
    )


def test_a_report_tells_segments_where_something_is_degraded_and_in_the_end() -> None:
    *violated, report = told(degraded=True, final=False, split=True)[0]
    (device,) = report["segments"]
    assert [(each["segment"], each["rows"]) for each in device["segments"]] == [
        ("phone", 500),
        ("(rest)", 500),
    ]
    accuracy = {each["segment"]: each["metrics"][0]["value"] for each in device["segments"]}
    assert accuracy == {"phone": 0.4, "(rest)": 0.9}
    worst = next(data for data in violated if data["check"]["name"] == "accuracy")["segments"]
    assert worst[0]["segments"][0]["segment"] == "phone"
    assert worst[0]["segments"][0]["part"] == pytest.approx(1)
    assert "segments" in told(degraded=False, final=True, split=True)[0][-1]
    assert "segments" not in told(degraded=False, final=False, split=True)[0][-1]
    points = told(degraded=False, final=True, split=True)[1]
    assert {(p.key.segment, p.key.metric) for p in points} == {
        ("device=phone", "performance.accuracy"),
        ("device=(rest)", "performance.accuracy"),
    }


def test_without_segments_events_are_as_they_were() -> None:
    for data in told(degraded=True, final=True, split=False)[0]:
        assert "segments" not in data
