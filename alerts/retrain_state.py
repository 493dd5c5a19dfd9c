"""What is remembered between events to decide on retraining."""

import msgspec

from alerts.measured import Labelled, Measured, time_of
from alerts.signals import Kind, Signal
from detectors.verdicts import Severity
from state.episodes import Change
from state.event_data import position

MOST_WINDOWS = 1_000
"""Windows of predictions whose labels are remembered, by name of the window specification."""
MOST_CLOSED = 1_000
"""Closed episodes that are remembered, so that a repeated event opens none of them again."""
MOST_KEPT = 100
"""Requests, and refusals, that are remembered."""


class OpenEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """A drift or a violation that lasts; `since` and `opened` in event time, None where not known."""

    id: str
    kind: Kind
    window: str
    feature: str
    check: str
    severity: Severity | None
    since: int | None
    opened: int | None
    told: str


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A request that a rule asked for and guards did not let through.

    Attributes
    ----------
    rule, episodes
        The rule, and the episodes that it looked at.
    guards
        Names of the guards.
    reason
        Why, in words.
    first_ms
        Since when these guards hold it back, by the wall clock.
    """

    rule: str
    episodes: tuple[str, ...]
    guards: tuple[str, ...]
    reason: str
    first_ms: int


class Requested(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was made."""

    id: str
    rule: str
    episodes: tuple[str, ...]
    at_ms: int


class RetrainState(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes
    ----------
    open
        Episodes that last, in the order in which they opened.
    closed
        Ids of those that do not any more, the latest last.
    labelled
        Windows of predictions as their latest report has them, by end.
    at
        Event time so far; None before the first event.
    reference
        Version of the reference that reports compare with; empty before the first one.
    requests, refusals
        The latest last.
    """

    open: tuple[OpenEpisode, ...] = ()
    closed: tuple[str, ...] = ()
    labelled: tuple[Labelled, ...] = ()
    at: int | None = None
    reference: str = ""
    requests: tuple[Requested, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def with_told(state: RetrainState, told: Signal | Measured) -> RetrainState:
    """Take in a signal or a report; what was taken in before changes nothing."""
    if isinstance(told, Measured):
        state = msgspec.structs.replace(
            state,
            at=_later(state.at, told.at),
            reference=told.reference if state.at is None or told.at >= state.at else state.reference,
        )
        return state if told.labelled is None else _with_labelled(state, told.labelled)
    state = msgspec.structs.replace(state, at=_later(state.at, time_of(told)))
    return _with_signal(state, told)


def with_requested(state: RetrainState, made: Requested) -> RetrainState:
    """Remember a request."""
    return msgspec.structs.replace(state, requests=(*state.requests, made)[-MOST_KEPT:])


def with_refusal(state: RetrainState, refusal: Refusal) -> RetrainState:
    """Remember a refusal; in place of the last one of its rule where that has the same cause."""
    last = next((each for each in reversed(state.refusals) if each.rule == refusal.rule), None)
    if last is not None and (last.episodes, last.guards) == (refusal.episodes, refusal.guards):
        refusal = msgspec.structs.replace(refusal, first_ms=last.first_ms)
        if refusal == last:
            return state
        kept = tuple(each for each in state.refusals if each is not last)
    else:
        kept = state.refusals
    return msgspec.structs.replace(state, refusals=(*kept, refusal)[-MOST_KEPT:])


def _with_signal(state: RetrainState, signal: Signal) -> RetrainState:
    if signal.kind in {Kind.MONITOR, Kind.REFERENCE} or signal.episode in state.closed:
        return state
    known = next((each for each in state.open if each.id == signal.episode), None)
    if signal.change is Change.CLOSED:
        return msgspec.structs.replace(
            state,
            open=tuple(each for each in state.open if each is not known),
            closed=(*state.closed, signal.episode)[-MOST_CLOSED:],
        )
    if known is not None:
        worse = msgspec.structs.replace(known, severity=signal.severity, told=signal.told or known.told)
        return msgspec.structs.replace(
            state, open=tuple(worse if each is known else each for each in state.open)
        )
    found = OpenEpisode(
        id=signal.episode,
        kind=signal.kind,
        window=signal.window,
        feature=signal.feature,
        check=signal.check,
        severity=signal.severity,
        since=None if signal.since is None else position(signal.since),
        opened=time_of(signal),
        told=signal.told,
    )
    return msgspec.structs.replace(state, open=(*state.open, found))


def _with_labelled(state: RetrainState, found: Labelled) -> RetrainState:
    same = [each for each in state.labelled if (each.window, each.end) == (found.window, found.end)]
    if same and same[0].revision >= found.revision:
        return state
    kept = [each for each in state.labelled if each not in same]
    kept = sorted([*kept, found], key=lambda each: (each.end, each.window))
    mine = [each for each in kept if each.window == found.window]
    drop = mine[:-MOST_WINDOWS]
    return msgspec.structs.replace(state, labelled=tuple(each for each in kept if each not in drop))


def _later(before: int | None, after: int | None) -> int | None:
    known = [each for each in (before, after) if each is not None]
    return max(known, default=None)
