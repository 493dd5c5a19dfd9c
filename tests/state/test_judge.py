from statistics import mean, stdev

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import IntArray
from detectors.registry import detector
from detectors.thresholds import Exceeding, History, Threshold
from state.alarms import BlockEvidence
from state.evidence import evidence_of
from state.judge import Judge, JudgeContext, Limited, Watched
from state.schedule import UNCHANGED, Schedule
from state.scoring import BlockCounts, Evidence, Gap, Scored
from tests.evidence import FAMILY, MOODS, gap, reference, scored, sketch_of, values_of

moods = st.sampled_from([*MOODS, "gap"])


def of(mood: str, k: int, spec: int = 0) -> Scored | Gap:
    if mood == "gap":
        return gap("x", spec=spec, start=k, end=k + 1, windows=1)
    return scored("x", mood, spec=spec, start=k, end=k + 1)


def judge_of(
    resume: bytes | None = None, *, schedule: Schedule = UNCHANGED, min_rows: int = 50, block_rows: int = 1
) -> Judge:
    asked = {reference().version: evidence_of(reference(), FAMILY, rows=block_rows, risk=0.05)}
    return Judge(JudgeContext(level=0.05, min_rows=min_rows, evidence=asked, schedule=schedule), resume)


def windows(said: list[Evidence | BlockEvidence]) -> list[Evidence]:
    return [item for item in said if isinstance(item, Evidence)]


@given(plot=st.lists(st.tuples(moods, st.integers(0, 1)), max_size=25), cut=st.integers(0, 25))
def test_a_streak_counts_unlikely_windows_in_a_row(plot: list[tuple[str, int]], cut: int) -> None:
    found = [of(mood, k, spec) for k, (mood, spec) in enumerate(plot)]
    judge = judge_of()
    said = judge.add(found[:cut])
    said += judge_of(judge.snapshot()).add(found[cut:])
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
    judge = judge_of()
    assert [e.streak for e in windows(judge.add([far, of("large", 2), of("few", 3), of("large", 4)]))] == [
        0,
        1,
        1,
        2,
    ]


@given(plot=st.lists(moods, min_size=1, max_size=10))
def test_evidence_crosses_processes_unchanged(plot: list[str]) -> None:
    for item in judge_of(min_rows=1).add([of(mood, k) for k, mood in enumerate(plot)]):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(item), type=Evidence) == item


def test_the_state_of_a_judge_does_not_grow() -> None:
    judge = judge_of(min_rows=1)
    sizes = []
    for k in range(2_000):
        judge.add([of("large", k), of("calm" if k % 3 else "large", k, spec=1)])
        sizes.append(len(judge.snapshot()))
    # Two streaks of two numbers below 2**16: at most 3 bytes each, and their frames.
    assert max(sizes) <= 4 + 2 * (1 + 1 + 2 * 3)


def test_evidence_against_one_reference_is_none_against_the_next() -> None:
    schedule = Schedule(later=((3, "new"),))
    judge = judge_of(schedule=schedule)
    said = judge.add([of("large", 1), of("large", 2)])
    resumed = judge_of(judge.snapshot(), schedule=schedule)
    said += resumed.add([of("few", 3), of("large", 4), of("large", 5)])
    assert [(e.streak, e.since) for e in windows(said)] == [(1, 1), (2, 1), (0, 3), (1, 4), (2, 4)]


def block(k: int, counts: IntArray) -> BlockCounts:
    packed = counts.astype("<i8").tobytes()
    return BlockCounts(feature="x", start=k, end=k + 1, reference=reference().version, counts=packed)


@given(rows=st.lists(st.integers(0, 60), min_size=1, max_size=15), cut=st.integers(0, 15))
def test_blocks_are_joined_until_they_have_the_rows(rows: list[int], cut: int) -> None:
    feature = reference().feature("x")
    shown = [
        feature.bins.summary(sketch_of(feature.bins, values_of("x", "calm", n, k))).counts
        for k, n in enumerate(rows)
    ]
    found = [block(k, counts) for k, counts in enumerate(shown)]
    judge = judge_of(block_rows=80)
    said = judge.add(found[:cut])
    said += judge_of(judge.snapshot(), block_rows=80).add(found[cut:])
    column = evidence_of(reference(), FAMILY, rows=80, risk=0.05)["x"]
    first = 0
    for k, item in enumerate(said):
        assert isinstance(item, BlockEvidence)
        assert (item.start, item.end) == (first, k + 1)
        if sum(rows[first : k + 1]) < 80:
            assert item.log_e is None
            continue
        whole = np.sum(shown[first : k + 1], axis=0)
        assert item.log_e == column.log_e(whole).astype("<f8").tobytes()
        first = k + 1


def test_a_state_of_version_1_is_the_streaks() -> None:
    # Version 1 packed {specification: (streak, since)}.
    resumed = judge_of(msgspec.msgpack.encode({0: (2, 5)}))
    (said,) = windows(resumed.add([of("large", 7)]))
    assert (said.streak, said.since) == (3, 5)


def watching(threshold: Threshold, resume: bytes | None = None) -> Judge:
    references = {reference().version: {"x": reference().feature("x").summary}}
    limited = Limited(detector=detector("psi"), threshold=threshold)
    watched = Watched(columns={"x": limited}, references=references)
    return Judge(JudgeContext(level=0.05, min_rows=50, evidence={}, watched=watched), resume)


@given(plot=st.lists(st.tuples(moods, st.integers(0, 1)), max_size=12), cut=st.integers(0, 12))
def test_a_score_is_held_against_the_limit_of_its_own_past(plot: list[tuple[str, int]], cut: int) -> None:
    found = [of(mood, k, spec) for k, (mood, spec) in enumerate(plot)]
    limits = History(windows=3, least=2, sigmas=2.0, exceeding=Exceeding.LEARN)
    judge = watching(limits)
    said = judge.add(found[:cut])
    said += watching(limits, judge.snapshot()).add(found[cut:])
    past = dict[int, list[float]]({0: [], 1: []})
    for item, evidence in zip(found, windows(said), strict=True):
        assert evidence.method == "psi"
        reading = item.reading("psi") if isinstance(item, Scored) else None
        if not isinstance(item, Scored) or item.n < 50 or reading is None or reading.score is None:
            assert evidence.limit is None
            assert evidence.source.startswith("none: ")
            continue
        held = past[item.spec][-3:]
        # Mean and standard deviation with n - 1 degrees of freedom, by the standard library.
        wanted = mean(held) + 2 * stdev(held) if len(held) >= 2 else None
        assert evidence.limit == (None if wanted is None else pytest.approx(wanted))
        past[item.spec].append(reading.score)
