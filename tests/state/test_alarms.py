import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.sequential.budget import Budget
from detectors.sequential.detectors import Recursion
from detectors.sequential.evalues import FeatureEvidence
from state.alarms import Alarm, AlarmRules, Alarms, BlockEvidence

COLUMNS = ("a", "b", "c")
BLOCKS = 100
"""Blocks of the budget's period, with one false alarm allowed: c = 100, and a lone column needs 300."""


def asked(names: Sequence[str] = ("up", "down")) -> dict[str, FeatureEvidence]:
    weights = np.full(len(names), 1 / len(names))
    return {c: FeatureEvidence(names=tuple(names), weights=weights, alternatives=()) for c in COLUMNS}


def rules(recursion: Recursion = Recursion.SR) -> AlarmRules:
    return AlarmRules(
        recursion=recursion, budget=Budget(columns=len(COLUMNS), blocks=BLOCKS, episodes=1), source="test"
    )


def block(
    column: str, k: int, e_values: Sequence[float] | None, *, start: int | None = None
) -> BlockEvidence:
    packed = None if e_values is None else np.log(np.array(e_values)).astype("<f8").tobytes()
    return BlockEvidence(
        feature=column, reference="v1", start=k if start is None else start, end=k + 1, log_e=packed
    )


def alarms(recursion: Recursion = Recursion.SR, resume: bytes | None = None) -> Alarms:
    return Alarms(rules(recursion), asked(), resume)


@dataclass
class Oracle:
    """Detectors by their definition: over all blocks since the last alarm, products from every start."""

    recursion: Recursion
    seen: dict[str, list[list[float]]] = field(default_factory=lambda: {c: [] for c in COLUMNS})

    def values(self) -> dict[str, float]:
        combine = sum if self.recursion is Recursion.SR else max
        found = {}
        for column, blocks in self.seen.items():
            per_component = [
                combine([math.prod(b[i] for b in blocks[s:]) for s in range(len(blocks))] or [0.0])
                for i in range(2)
            ]
            found[column] = sum(per_component) / 2
        return found

    def alarmed(self) -> set[str]:
        """Wang & Ramdas (2022): the k largest, for the largest k whose k-th is at least K c / k."""
        ranked = sorted(self.values().items(), key=lambda item: -item[1])
        k = max(
            (i for i, (_, value) in enumerate(ranked, 1) if value >= len(COLUMNS) * BLOCKS / i), default=0
        )
        return {column for column, _ in ranked[:k]}


e_values = st.lists(st.sampled_from([0.25, 0.5, 1.0, 2.0, 8.0, 64.0]), min_size=2, max_size=2)
family = st.fixed_dictionaries({column: st.none() | e_values for column in COLUMNS})


@settings(max_examples=150)
@given(stream=st.lists(family, max_size=14), recursion=st.sampled_from(Recursion), restart=st.integers(0, 13))
def test_alarms_are_those_of_the_definition_wherever_it_restarts(
    stream: list[dict[str, list[float] | None]], recursion: Recursion, restart: int
) -> None:
    held, oracle = alarms(recursion), Oracle(recursion)
    for k, step in enumerate(stream):
        for column, found in step.items():
            if found is not None:
                oracle.seen[column].append(found)
        held.add([block(column, k, step[column]) for column in COLUMNS])
        if k == restart:
            held = alarms(recursion, held.snapshot())
        wanted = oracle.alarmed() if any(found is not None for found in step.values()) else set[str]()
        raised = {c for c in COLUMNS if (a := held.standing(c, k, k + 1)) is not None and a.end == k + 1}
        # A column whose block was joined keeps its last span; it can alarm because others did.
        assert {c for c in wanted if step[c] is not None} == {c for c in raised if step[c] is not None}
        for column in wanted:
            oracle.seen[column] = []
        for column, value in oracle.values().items():
            found_value = held.evidence()[column]
            if value == 0:
                assert found_value is None
            else:
                assert found_value == pytest.approx(math.log10(value), abs=1e-9)


def test_an_alarm_says_what_made_it() -> None:
    held = alarms()
    for k, up in enumerate([0.5, 0.5, 30.0, 30.0]):
        held.add([block("a", k, [up, 0.5]), block("b", k, [1.0, 1.0]), block("c", k, [1.0, 1.0])])
    alarm = held.standing("a", 3, 4)
    assert alarm is not None
    # ((((1 e + 1) e + 1) e + 1) e): of .5, .5, 30, 30 it is 1,605; half of the weight is on each component.
    assert 10**alarm.value == pytest.approx((1_605 + 0.9375) / 2)
    # A lone column: K c = 300.
    assert 10**alarm.limit == pytest.approx(300)
    assert (alarm.component, alarm.since, alarm.start, alarm.end) == ("up", 2, 3, 4)
    assert held.evidence() == {
        "a": None,
        "b": pytest.approx(math.log10(4)),
        "c": pytest.approx(math.log10(4)),
    }
    assert 10**held.limit == pytest.approx(300)


def test_columns_that_move_together_need_less_each() -> None:
    held = alarms()
    held.add([block(c, 0, [120.0, 120.0]) for c in COLUMNS])
    found = [held.standing(c, 0, 1) for c in COLUMNS]
    # Three at 120 each: the third is at least 3 c / 3 = 100, though none reaches 300.
    assert [10**a.limit for a in found if a is not None] == [pytest.approx(100)] * 3


@pytest.mark.parametrize(
    ("window", "stands"),
    [
        ((0, 10), False),
        ((5, 11), True),
        ((12, 14), True),
        # Shorter windows in one more length of the block.
        ((14, 15), True),
        ((17, 18), True),
        ((18, 19), False),
    ],
)
def test_an_alarm_stands_for_windows_about_its_block(window: tuple[int, int], *, stands: bool) -> None:
    alarm = Alarm(start=10, end=14, since=8, value=9.0, limit=3.0, component="up")
    assert alarm.stands(*window) == stands


def test_without_drift_alarms_keep_the_budget() -> None:
    # Likelihood ratios of N(1, 1) against N(0, 1) under the latter: e-values of mean exactly 1.
    rng = np.random.default_rng(11)
    held, count, blocks = alarms(), 0, 4_000
    for k in range(blocks):
        z = rng.normal(size=(len(COLUMNS), 2))
        held.add([block(c, k, np.exp(z[i] - 0.5).tolist()) for i, c in enumerate(COLUMNS)])
        count += any((a := held.standing(c, k, k + 1)) is not None and a.end == k + 1 for c in COLUMNS)
    # In expectation at most blocks / c = 40; three standard errors of a Poisson count above that.
    assert count <= 40 + 3 * math.sqrt(40)
    assert count > 0
