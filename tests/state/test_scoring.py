import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Status
from detectors.registry import for_kind
from state.schedule import Schedule
from state.scoring import Evidence, Gap, Judge, Scored, score
from state.sketches.base import LATE, empty
from state.windows import ClosedWindow, EmptySpan
from tests.evidence import FAMILY, MOODS, gap, reference, scored, sketch_of, values_of

moods = st.sampled_from([*MOODS, "gap"])


def of(mood: str, k: int, spec: int = 0) -> Scored | Gap:
    if mood == "gap":
        return gap("x", spec=spec, start=k, end=k + 1, windows=1)
    return scored("x", mood, spec=spec, start=k, end=k + 1)


@pytest.mark.parametrize("column", FAMILY)
def test_a_score_is_what_the_detectors_say(column: str) -> None:
    feature = reference().feature(column)
    values = values_of(column, "slight", 300, 4)
    sketch = sketch_of(feature.bins, values)
    sketch.counters[LATE] = 7
    found = score(feature, ClosedWindow(1, 4, 6, sketch), version="v")
    assert isinstance(found, Scored)
    current = feature.bins.summary(sketch)
    assert found.readings == tuple(d.compare(feature.summary, current) for d in for_kind(feature.column.kind))
    assert (found.feature, found.spec, found.start, found.end, found.reference) == (column, 1, 4, 6, "v")
    assert (found.rows, found.late, found.n) == (300, 7, current.n)
    assert found.missing + found.non_finite + found.n == found.rows
    assert np.frombuffer(found.counts, dtype="<i8").tolist() == current.counts.tolist()
    # y is half zeros, so the law of the grid KS would be wrong for it.
    assert found.test == {"x": "ks", "y": "chi2", "c": "chi2"}[column]
    psi, test = found.reading("psi"), found.reading(found.test)
    assert psi is not None
    assert test is not None
    assert (found.effect, found.p_value) == (psi.debiased, test.p_value)
    assert found.reading("no such detector") is None


def test_a_window_without_values_is_scored_as_insufficient() -> None:
    feature = reference().feature("x")
    found = score(feature, ClosedWindow(0, 0, 1, empty(feature.bins.width)), version="v")
    assert isinstance(found, Scored)
    assert {reading.status for reading in found.readings} == {Status.INSUFFICIENT}
    assert (found.p_value, found.effect) == (None, None)


def test_an_empty_span_is_a_gap() -> None:
    wanted = Gap(feature="x", spec=1, start=2, end=9, reference="v", windows=4)
    assert score(reference().feature("x"), EmptySpan(1, 2, 9, 4), version="v") == wanted


@given(plot=st.lists(st.tuples(moods, st.integers(0, 1)), max_size=25), cut=st.integers(0, 25))
def test_a_streak_counts_unlikely_windows_in_a_row(plot: list[tuple[str, int]], cut: int) -> None:
    found = [of(mood, k, spec) for k, (mood, spec) in enumerate(plot)]
    judge = Judge(0.05, min_rows=50)
    said = judge.add(found[:cut])
    said += Judge(0.05, judge.snapshot(), min_rows=50).add(found[cut:])
    runs = dict[int, list[int]]({0: [], 1: []})
    for k, (mood, spec) in enumerate(plot):
        # "few" has 10 rows, fewer than 50; "missing" and gaps have no value: they say nothing.
        if mood == "calm":
            runs[spec] = []
        elif mood in ("slight", "large", "barred"):
            runs[spec].append(k)
        run = runs[spec]
        assert said[k] == Evidence(found=found[k], streak=len(run), since=run[0] if run else k)


def test_too_few_rows_neither_begin_nor_end_a_streak() -> None:
    # Ten rows without drift, and ten that are far away: both have a p-value, neither is believed.
    far = msgspec.structs.replace(scored("x", "barred", spec=0, start=1, end=2), n=10)
    judge = Judge(0.05, min_rows=50)
    assert [e.streak for e in judge.add([far, of("large", 2), of("few", 3), of("large", 4)])] == [0, 1, 1, 2]


@given(plot=st.lists(moods, min_size=1, max_size=10))
def test_evidence_crosses_processes_unchanged(plot: list[str]) -> None:
    for item in Judge(0.05).add([of(mood, k) for k, mood in enumerate(plot)]):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(item), type=Evidence) == item


def test_the_state_of_a_judge_does_not_grow() -> None:
    judge = Judge(0.05)
    sizes = []
    for k in range(2_000):
        judge.add([of("large", k), of("calm" if k % 3 else "large", k, spec=1)])
        sizes.append(len(judge.snapshot()))
    # Two streaks of two numbers below 2**16: at most 3 bytes each, and their frame.
    assert max(sizes) <= 1 + 2 * (1 + 1 + 2 * 3)


def test_evidence_against_one_reference_is_none_against_the_next() -> None:
    schedule = Schedule(later=((3, "new"),))
    judge = Judge(0.05, min_rows=50, schedule=schedule)
    said = judge.add([of("large", 1), of("large", 2)])
    resumed = Judge(0.05, judge.snapshot(), min_rows=50, schedule=schedule)
    said += resumed.add([of("few", 3), of("large", 4), of("large", 5)])
    assert [(e.streak, e.since) for e in said] == [(1, 1), (2, 1), (0, 3), (1, 4), (2, 4)]
