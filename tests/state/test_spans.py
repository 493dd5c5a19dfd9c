import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.spans import FEW_SPANS, MOST_COUNTS, MOST_SPANS, SPAN_ROWS, Spans, bounded

TIMES = st.lists(st.integers(0, 60), min_size=1, max_size=200)


@given(times=TIMES, data=st.data())
def test_each_row_counts_once_in_its_span_and_group_whatever_the_order(
    times: list[int], data: st.DataObject
) -> None:
    places = data.draw(st.lists(st.integers(-1, 4), min_size=len(times), max_size=len(times)))
    groups = np.array([0, 0, 1, 2, 1])
    spans = Spans.over(np.array(times), len(times))
    wanted = np.zeros((len(spans.borders) + 1, 3), dtype=np.int64)
    for time, place in zip(times, places, strict=True):
        if place >= 0:
            wanted[sum(time >= border for border in spans.borders), groups[place]] += 1
    assert np.array_equal(spans.count(np.array(times), np.array(places), groups), wanted)
    order = data.draw(st.permutations(range(len(times))))
    turned, moved = np.array(times)[order], np.array(places)[order]
    assert np.array_equal(Spans.over(turned, len(times)).borders, spans.borders)
    assert np.array_equal(spans.count(turned, moved, groups), wanted)


@given(rows=st.integers(0, 300_000))
def test_spans_of_distinct_positions_hold_equally_many_rows(rows: int) -> None:
    spans = Spans.over(np.arange(rows), rows)
    held = np.diff([0, *spans.borders.tolist(), rows])
    assert held.max() - held.min() <= 1
    assert len(held) <= MOST_SPANS
    if rows >= FEW_SPANS * SPAN_ROWS:
        assert held.min() >= SPAN_ROWS
    assert len(held) >= min(FEW_SPANS, rows // 10)


def test_one_row_far_away_leaves_the_spans_of_the_others_as_they_are() -> None:
    times = np.append(np.arange(5_000) + 1_767_571_200_000, [0, 4_102_444_800_000])
    held = Spans.over(times, len(times)).count(times, np.zeros(len(times), dtype=np.int64), np.array([0]))
    assert held.max() <= 2 * held.min()


def test_rows_of_few_times_make_as_many_spans() -> None:
    times = np.repeat([10, 20, 30], [2_000, 1, 3_000])
    spans = Spans.over(times, len(times))
    assert spans.borders.tolist() in ([20, 30], [30])


@pytest.mark.parametrize("groups", [1, 10, 102, 5_000])
def test_joined_spans_lose_no_row_and_stay_in_order(groups: int) -> None:
    chunks = np.arange(MOST_SPANS * groups).reshape(MOST_SPANS, groups)
    fewer = bounded(chunks)
    assert fewer.size <= max(MOST_COUNTS, groups)
    assert fewer.size * 2 > min(MOST_COUNTS, chunks.size)
    assert np.array_equal(fewer.sum(axis=0), chunks.sum(axis=0))
    assert (np.diff(fewer[:-1], axis=0) > 0).all()
