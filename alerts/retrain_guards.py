"""Reasons against a request to train again, each with words that say what is missing."""

from datetime import UTC, datetime

from alerts.retrain_cases import FAULTS, Case, beginning, fresh_labels, without_faults
from alerts.retrain_rules import Begin, Guard, RetrainRules
from alerts.retrain_state import OpenEpisode, RetrainState
from state.durations import Axis, format_span


def objections(case: Case, state: RetrainState, now_ms: int, rules: RetrainRules) -> list[tuple[Guard, str]]:
    """List what speaks against it, in words; nothing: it may be made."""
    clean = case if rules.despite_faults else without_faults(case, state, rules)
    if clean is None:
        return [(Guard.DATA_QUALITY, _faults(state))]
    found = [
        (Guard.TOO_SOON, _too_soon(state, now_ms, rules)),
        (Guard.ATTEMPTS, _attempts(clean, state, rules)),
        (Guard.LABELS, _labels(clean, state, rules)),
        (Guard.SPAN, _span(clean, state, rules)),
        (Guard.HOURS, _hours(now_ms, rules)),
    ]
    return [(guard, words) for guard, words in found if words]


def attempt_of(case: Case, state: RetrainState) -> int:
    """Number the request that would be made: 1 where none has named one of the episodes."""
    named = {each.id for each in case.episodes}
    return 1 + sum(1 for each in state.requests if named & set(each.episodes))


def span_of(episodes: tuple[OpenEpisode, ...], state: RetrainState, rules: RetrainRules) -> tuple[int, int]:
    """Return the first instant of the rows to train on, and the first behind them."""
    end = 0 if state.at is None else state.at
    if isinstance(rules.train_on, int):
        return end - rules.train_on, end
    if rules.train_on is Begin.SINCE:
        begin = beginning(episodes)
    else:
        begin = min((each.opened for each in episodes if each.opened is not None), default=None)
    return end if begin is None else begin, end


def _faults(state: RetrainState) -> str:
    names = [
        f"{each.check or each.kind} of {each.feature or 'the records'}"
        for each in state.open
        if each.kind in FAULTS
    ]
    return f"the data may be faulty: {', '.join(names[:4])} is open; mend that first"


def _too_soon(state: RetrainState, now_ms: int, rules: RetrainRules) -> str:
    if not state.requests:
        return ""
    last, every = state.requests[-1], rules.at_most_every_ms
    if now_ms - last.at_ms >= every:
        return ""
    return (
        f"the last request was made at {moment(last.at_ms)}, at most one is in "
        f"{format_span(every, Axis.MILLISECONDS)}: the next may be at {moment(last.at_ms + every)}"
    )


def _attempts(case: Case, state: RetrainState, rules: RetrainRules) -> str:
    made = attempt_of(case, state) - 1
    if made < rules.attempts:
        return ""
    return f"it was asked for {made} times and the drift lasts: retraining does not help, or does not happen"


def _labels(case: Case, state: RetrainState, rules: RetrainRules) -> str:
    if not rules.fresh_labels:
        return ""
    rows = fresh_labels(case.episodes, state)
    if rows >= rules.fresh_labels:
        return ""
    return f"{rows:,} rows have a label since it began, wanted {rules.fresh_labels:,}"


def _span(case: Case, state: RetrainState, rules: RetrainRules) -> str:
    begin, end = span_of(case.episodes, state, rules)
    return "" if begin < end else "there are no rows yet behind the window that showed it"


def _hours(now_ms: int, rules: RetrainRules) -> str:
    if rules.between is None or rules.between.hold(now_ms):
        return ""
    return f"it may be asked for at {rules.between} ({rules.between.zone.key}) only"


def moment(at_ms: int) -> str:
    """Write a moment of the wall clock in UTC.

    Examples
    --------
    >>> moment(0)
    '1970-01-01T00:00:00Z'
    """
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
