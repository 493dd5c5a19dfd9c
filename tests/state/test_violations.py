"""Violations of checks: when they open, are told again, and end."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.checks import Check, CheckStatus, Family
from state.episodes import Change
from state.violations import CLEARLY_WORSE, Violation, open_violation, step_violation

VIOLATED, SUSPECT, OK, FEW = (
    CheckStatus.VIOLATED,
    CheckStatus.SUSPECT,
    CheckStatus.OK,
    CheckStatus.INSUFFICIENT,
)


def check(value: float, status: CheckStatus = VIOLATED, half: float = 0.0) -> Check:
    return Check(
        name="missing_share",
        family=Family.QUALITY,
        status=status,
        value=value,
        low=value - half,
        high=value + half,
        reference=0.1,
        upper=0.15,
        source="reference",
        n=100,
    )


def opened(value: float = 0.3) -> Violation:
    return open_violation(check(value), violation_id="v", start=3, end=7)


@pytest.mark.parametrize(
    ("found", "change"),
    [
        (check(0.4), None),
        # Twice .2 away from the reference is told again, where the error leaves no doubt.
        (check(0.5), Change.UPDATED),
        (check(0.5, half=0.25), None),
        (check(0.5, SUSPECT), None),
        (check(0.12, SUSPECT), None),
        (check(0.1, FEW), None),
        (check(0.1, OK), Change.CLOSED),
    ],
)
def test_what_a_window_does_to_a_violation(found: Check, change: Change | None) -> None:
    violation, did = step_violation(opened(), found, overlap=1)
    assert did is change
    assert (violation.id, violation.since, violation.opened, violation.windows) == ("v", 3, 7, 2)


def test_a_value_that_fell_below_is_worst_where_it_is_furthest_off() -> None:
    violation = opened(0.3)
    for value, worst in ((0.05, 0.3), (-0.2, -0.2), (0.35, -0.2), (0.41, 0.41)):
        violation, _ = step_violation(violation, check(value), overlap=1)
        assert violation.worst == worst


def test_a_calm_window_is_never_the_worst() -> None:
    # A rate of .005 is further from the .1 that are allowed than the .15 that were too many, and is none.
    violation, _ = step_violation(opened(0.15), check(0.005, OK), overlap=2)
    assert violation.worst == 0.15
    assert step_violation(violation, check(0.17), overlap=2)[0].worst == 0.17


@dataclass
class Told:
    """Oracle: what is told of a run of windows, looked at as a whole."""

    values: list[float]
    statuses: list[CheckStatus]

    def changes(self, overlap: int) -> list[tuple[int, Change]]:
        found, told, calm = list[tuple[int, Change]](), 0.0, 0
        for place, (value, status) in enumerate(zip(self.values, self.statuses, strict=True)):
            if status is FEW:
                continue
            off = abs(value - 0.1)
            if told == 0.0:
                if status is VIOLATED:
                    found.append((place, Change.OPENED))
                    told, calm = off, 0
                continue
            calm = calm + 1 if status is OK else 0
            if calm == overlap:
                found.append((place, Change.CLOSED))
                told = 0.0
            elif status is VIOLATED and off >= CLEARLY_WORSE * told and off > told:
                found.append((place, Change.UPDATED))
                told = off
        return found


@given(
    st.lists(
        st.tuples(st.sampled_from([0.2, 0.3, 0.45, 0.6, 0.9]), st.sampled_from(CheckStatus)), max_size=25
    ),
    st.integers(1, 3),
)
def test_a_run_of_windows_is_told_as_by_hand(windows: list[tuple[float, CheckStatus]], overlap: int) -> None:
    found, held = list[tuple[int, Change]](), None
    for place, (value, status) in enumerate(windows):
        each = check(value, status)
        change: Change | None = None
        if held is not None:
            held, change = step_violation(held, each, overlap=overlap)
        elif status is VIOLATED:
            held, change = open_violation(each, violation_id="v", start=0, end=1), Change.OPENED
        if change is not None:
            found.append((place, change))
        if change is Change.CLOSED:
            held = None
    expected = Told([value for value, _ in windows], [status for _, status in windows]).changes(overlap)
    assert found == expected


def test_a_check_without_a_value_or_an_interval_is_taken() -> None:
    nothing = replace(check(0.5, FEW), value=None, low=None, high=None)
    assert step_violation(opened(), nothing, overlap=1)[1] is None
    sure = replace(check(0.9), low=None, high=None)
    assert step_violation(opened(), sure, overlap=1)[1] is Change.UPDATED
