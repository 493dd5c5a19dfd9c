"""What every threshold must do; a class of tests to inherit, given a fixture `threshold`."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Detector, Kind, Summary
from detectors.calibration import Calibration
from detectors.divergences import Psi
from detectors.ordered import KolmogorovSmirnov
from detectors.testing.summaries import frozen_ints
from detectors.thresholds import Limit, State, Threshold, WindowScore

SCORES = st.lists(st.floats(0, 1e6) | st.sampled_from([0.0, 1.0, 1e300]), max_size=40)

examples = settings(max_examples=30)

MOST_NUMBERS = 10_000
"""Numbers that a state may hold however many windows there were."""


def reference(spans: int = 64) -> Summary:
    """A reference of four groups with its spans counted."""
    chunks = np.random.default_rng(3).multinomial(50, [0.1, 0.2, 0.3, 0.4], size=spans)
    return Summary(
        kind=Kind.CATEGORICAL,
        counts=frozen_ints(chunks.sum(axis=0)),
        groups=frozen_ints(range(4)),
        continuous=False,
        calibration=Calibration(chunks=frozen_ints(chunks), ordered=False),
    )


KNOWN, UNKNOWN = reference(), reference(1)


def scored(
    score: float, *, n: int = 100, of: Summary = KNOWN, detector: Detector | None = None
) -> WindowScore:
    return WindowScore(score=score, n=n, detector=detector or Psi(), reference=of)


def run(threshold: Threshold, scores: Sequence[float], *, of: Summary = KNOWN) -> tuple[list[Limit], State]:
    """Judge windows one after the other."""
    limits, state = [], threshold.start()
    for score in scores:
        limit, state = threshold.judge(state, scored(score, of=of))
        limits.append(limit)
    return limits, state


class ThresholdContract:
    def test_says_what_it_is(self, threshold: Threshold) -> None:
        assert threshold.name
        assert threshold.name == threshold.name.strip().lower()
        assert type(threshold).__name__ in repr(threshold)
        with pytest.raises((AttributeError, TypeError)):
            threshold.name = "other"  # type: ignore[misc]  # that it cannot be done is the point

    @examples
    @given(scores=SCORES)
    def test_limits_are_finite_and_say_where_they_come_from(
        self, threshold: Threshold, scores: list[float]
    ) -> None:
        for limit in run(threshold, scores)[0]:
            assert limit.value is None or (type(limit.value) is float and math.isfinite(limit.value))
            assert limit.value is None or limit.value >= 0
            assert limit.source == limit.source.strip()
            assert limit.source
            assert (limit.value is None) == limit.source.startswith("none")

    @examples
    @given(scores=SCORES, one=st.floats(0, 1e9), other=st.floats(0, 1e9))
    def test_a_score_is_no_part_of_its_own_limit(
        self, threshold: Threshold, scores: list[float], one: float, other: float
    ) -> None:
        _, state = run(threshold, scores)
        assert threshold.judge(state, scored(one))[0] == threshold.judge(state, scored(other))[0]

    @examples
    @given(scores=SCORES, cut=st.integers(0, 40))
    def test_it_goes_on_from_a_stored_state_as_if_nothing_had_been(
        self, threshold: Threshold, scores: list[float], cut: int
    ) -> None:
        straight, last = run(threshold, scores)
        limits, state = run(threshold, scores[:cut])
        stored = msgspec.msgpack.encode(state)
        state = msgspec.msgpack.decode(stored, type=tuple[float, ...])
        for score in scores[cut:]:
            limit, state = threshold.judge(state, scored(score))
            limits.append(limit)
        assert limits == straight
        assert state == last

    def test_a_state_stays_small_and_finite(self, threshold: Threshold) -> None:
        scores = np.random.default_rng(4).exponential(size=600).tolist()
        _, state = run(threshold, [*scores, 1e308, 1e308, 1e308])
        assert isinstance(state, tuple)
        assert len(state) <= MOST_NUMBERS
        assert all(type(each) is float for each in state)
        assert all(map(math.isfinite, state))

    def test_a_reference_that_knows_nothing_of_its_scatter_is_no_error(self, threshold: Threshold) -> None:
        for of in (UNKNOWN, reference(0)):
            for detector in (Psi(), KolmogorovSmirnov()):
                limit, _ = threshold.judge(threshold.start(), scored(1.0, of=of, detector=detector))
                assert limit.source
