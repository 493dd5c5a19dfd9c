import msgspec
import numpy as np
import pytest

from detectors.segments import Where
from flows.render.segments import fault_text, segment_facts, segment_lines, where_mark, where_text
from state.segment_faults import FaultSegment, FaultSegments
from state.segment_scores import SegmentScore, SegmentScores, explaining, furthest
from tests.evidence import build
from tests.state.test_reference import segmented


def score(segment: str, **changed: float | None) -> SegmentScore:
    found = SegmentScore(
        segment=segment,
        against="segment",
        rows=10,
        share=0.1,
        reference_share=0.1,
        missing=0,
        n=10,
        n_reference=10,
        effect=0.0,
        effect_low=0.0,
        effect_high=0.1,
        p_value=0.5,
        within=0.0,
        mix=0.0,
    )
    return msgspec.structs.replace(found, **changed)


def scores(where: Where | None, *named: str, segments: tuple[SegmentScore, ...] = ()) -> SegmentScores:
    return SegmentScores(
        column="country",
        where=where,
        named=named,
        explained=0.78 if named else None,
        reweighted=0.012,
        test="ks",
        segments=segments,
    )


@pytest.mark.parametrize(
    ("found", "text", "mark"),
    [
        (scores(Where.SEGMENTS, "DE"), "in country = DE: 78% of it", "in country = DE"),
        (
            scores(Where.SEGMENTS, "a", "b", "c", "d", "e"),
            "in country = a, b, c and 2 more: 78% of it",
            "in country = a, b, c and 2 more",
        ),
        (
            scores(Where.MIX, "FR", "DE"),
            (
                "in the traffic of country, above all FR, DE: "
                "with the reference's traffic the effect would be 0.012"
            ),
            "in the traffic of country",
        ),
        (scores(Where.EVERYWHERE), "everywhere: no half of the segments of country has it alone", ""),
        (scores(None), "the rows do not tell which segment of country it is in", ""),
        # Values come from the data: none of them may command the terminal.
        (scores(Where.SEGMENTS, "\x1b[2J"), "in country = �[2J: 78% of it", "in country = �[2J"),
    ],
)
def test_where_a_drift_is_in_words(found: SegmentScores, text: str, mark: str) -> None:
    assert where_text(found) == text
    assert where_mark([found]) == mark


def test_a_metric_of_a_segment_is_no_share_of_its_rows() -> None:
    segment = FaultSegment(segment="FR", rows=900, value=0.1734, reference=0.8373, part=0.94)
    found = FaultSegments(check="accuracy", column="country", segments=(segment,))
    assert fault_text(found) == "country = FR: 94% of it (0.1734, expected 0.8373)"
    nothing = FaultSegments(check="accuracy", column="country", segments=())
    assert fault_text(nothing) == "country = none of them alone"


def test_events_list_what_explains_most_with_the_named_first() -> None:
    segments = tuple(score(str(i), within=0.1 * i, mix=-0.05 * i) for i in range(9))
    found = explaining(scores(Where.SEGMENTS, "2", segments=segments))
    assert [each.segment for each in found.segments] == ["2", "8", "7", "6", "5"]


def test_reports_list_what_is_surely_far() -> None:
    segments = (
        score("unsure", effect=0.9, effect_low=0.0),
        score("nothing", effect=None, effect_low=None),
        score("far", effect=0.3, effect_low=0.2),
        score("near", effect=0.1, effect_low=0.05),
        score("nearer", effect=0.05, effect_low=0.01),
    )
    found = furthest(scores(None, segments=segments))
    assert [each.segment for each in found.segments] == ["far", "near", "nearer"]


def test_a_reference_lists_its_segments() -> None:
    reference = segmented()
    found = segment_facts(reference, min_rows=2_001)
    assert [(each.column, each.segment, each.rows, each.own) for each in found if each.rows] == [
        ("country", "DE", 2_000, False),
        ("device", "phone", 2_000, False),
    ]
    lines = [line.plain for line in segment_lines(found, 100)]
    assert lines[0] == " segments of country: DE 100%*"
    assert "2 segments with too few rows" in lines[-1]
    assert segment_facts(build(), 1) == ()
    assert np.isclose(sum(each.share for each in found if each.column == "country"), 1)
