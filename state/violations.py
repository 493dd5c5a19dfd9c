"""One violation of a check from its opening to its end, so that it is told once and not once per window."""

import msgspec

from detectors.checks import Check, CheckStatus, Family
from state.episodes import Change

CLEARLY_WORSE = 2.0
"""How many times further off than was last told a value has to be to be told again."""


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """An open violation of one check of one track in one kind of window.

    Attributes
    ----------
    id
        The same in every event of the violation.
    since, opened
        First pane of the window that opened it, and the pane at which that window ended.
    worst, farthest
        The value that was furthest off so far, and by how much.
    told
        By how much the value was off that was told last.
    windows
        Windows since the opening, that one included.
    calm
        Windows in a row without a violation.
    """

    id: str
    family: Family
    since: int
    opened: int
    worst: float
    farthest: float
    told: float
    windows: int
    calm: int


def open_violation(check: Check, *, violation_id: str, start: int, end: int) -> Violation:
    """Begin with the window of panes ``[start, end)`` that showed it."""
    return Violation(
        id=violation_id,
        family=check.family,
        since=start,
        opened=end,
        worst=check.value or 0.0,
        farthest=check.excess,
        told=check.excess,
        windows=1,
        calm=0,
    )


def step_violation(violation: Violation, check: Check, *, overlap: int) -> tuple[Violation, Change | None]:
    """Take one more window into an open violation.

    It ends after `overlap` calm windows in a row, as a drift does; a window with too few rows says nothing.
    It is told again where it is clearly worse: `CLEARLY_WORSE` times further off than was last told, by more
    than the value's own error.
    """
    violation = msgspec.structs.replace(violation, windows=violation.windows + 1)
    if check.status is CheckStatus.INSUFFICIENT or check.value is None:
        return violation, None
    calm = violation.calm + 1 if check.status is CheckStatus.OK else 0
    worse = check.status is CheckStatus.VIOLATED and check.excess >= CLEARLY_WORSE * violation.told
    worse = worse and check.excess - _error(check) > violation.told
    # A calm window can be further off than a bad one, on the good side of what is allowed.
    further = check.status is not CheckStatus.OK and check.excess > violation.farthest
    stepped = msgspec.structs.replace(
        violation,
        calm=calm,
        told=check.excess if worse else violation.told,
        worst=check.value if further else violation.worst,
        farthest=check.excess if further else violation.farthest,
    )
    if calm >= overlap:
        return stepped, Change.CLOSED
    return stepped, Change.UPDATED if worse else None


def _error(check: Check) -> float:
    """Half of the value's interval; 0 where none is known."""
    return 0.0 if check.low is None or check.high is None else (check.high - check.low) / 2
