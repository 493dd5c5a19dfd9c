"""Alerts on driftflow itself: symptoms become episodes that open and close without flapping."""

import msgspec

from alerts.notices import Cause, Notice, notice_id
from alerts.signals import Kind, Signal
from alerts.vitals import Look
from alerts.watches import History, MonitorRules, Symptom, Watch, remembered, symptoms
from detectors.verdicts import Severity
from state.durations import Axis
from state.episodes import Change
from state.event_data import instant
from state.events import deterministic_id

HOUR_MS = 3_600_000


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A symptom that was seen.

    Attributes
    ----------
    watch, subject, severity, told
        As `Symptom` has them; `told` is what was said last.
    since_ms
        When it was seen first, by the wall clock.
    episode
        Id of its episode; empty while it has not lasted long enough to be told.
    well_ms
        Since when it is not seen any more; None while it is.
    """

    watch: Watch
    subject: str
    severity: Severity
    told: str
    since_ms: int
    episode: str = ""
    well_ms: int | None = None


class MonitorState(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered between looks."""

    history: History = History()
    troubles: tuple[Trouble, ...] = ()


def watch(state: MonitorState, look: Look, rules: MonitorRules) -> tuple[MonitorState, tuple[Signal, ...]]:
    """Take in one look; return the state after it, and what opened and closed.

    A symptom is told once it was seen at every look for `rules.open_ms`, and its end once it was seen at none
    for `rules.close_ms`: one that comes and goes in less is one episode, or none.
    """
    history = remembered(state.history, look, rules)
    seen = {(each.watch, each.subject): each for each in symptoms(history, look, rules)}
    troubles: list[Trouble] = []
    signals: list[Signal] = []
    for known in state.troubles:
        symptom = seen.pop((known.watch, known.subject), None)
        after, signal = _next(known, symptom, look.at_ms, rules)
        troubles += [] if after is None else [after]
        signals += [] if signal is None else [signal]
    for symptom in seen.values():
        fresh = Trouble(
            watch=symptom.watch,
            subject=symptom.subject,
            severity=symptom.severity,
            told=symptom.told,
            since_ms=look.at_ms,
        )
        after, signal = _next(fresh, symptom, look.at_ms, rules)
        troubles += [] if after is None else [after]
        signals += [] if signal is None else [signal]
    return MonitorState(history=history, troubles=tuple(troubles)), tuple(signals)


def direct_notice(signal: Signal, channel: str, now_ms: int) -> Notice:
    """Write what must be told although nothing can be stored: the store itself is away, or back.

    Its id is that of the hour, so that processes that start again tell it once an hour and no more often.
    """
    hour = str(now_ms // HOUR_MS)
    return Notice(
        id=notice_id(channel, signal.model, signal.check, signal.change, hour),
        channel=channel,
        route="",
        incident=notice_id(channel, signal.model, signal.check),
        cause=Cause.CLOSED if signal.change is Change.CLOSED else Cause.OPENED,
        model=signal.model,
        model_version=signal.model_version,
        title=f"{signal.model}: {signal.told}"[:120],
        signals=(signal,),
        decided_ms=now_ms,
    )


def _next(
    trouble: Trouble, symptom: Symptom | None, now_ms: int, rules: MonitorRules
) -> tuple[Trouble | None, Signal | None]:
    """Go on with one trouble; None in its place once it is over."""
    replace = msgspec.structs.replace
    if symptom is None:
        if not trouble.episode:
            return None, None
        well = now_ms if trouble.well_ms is None else trouble.well_ms
        if now_ms - well < rules.close_ms:
            return replace(trouble, well_ms=well), None
        return None, _signal(trouble, Change.CLOSED, rules)
    trouble = replace(trouble, well_ms=None, told=symptom.told, severity=symptom.severity)
    if trouble.episode or now_ms - trouble.since_ms < rules.open_ms:
        return trouble, None
    about: list[str | int] = [Kind.MONITOR, rules.model, trouble.watch, trouble.subject, trouble.since_ms]
    opened = replace(trouble, episode=deterministic_id(about))
    return opened, _signal(opened, Change.OPENED, rules)


def _signal(trouble: Trouble, change: Change, rules: MonitorRules) -> Signal:
    ended = f"well again; it was: {trouble.told}"
    return Signal(
        event=deterministic_id([trouble.episode, change]),
        model=rules.model,
        model_version=rules.model_version,
        kind=Kind.MONITOR,
        change=change,
        episode=trouble.episode,
        window="",
        feature="",
        severity=trouble.severity,
        check=trouble.watch,
        since=instant(trouble.since_ms, Axis.MILLISECONDS),
        told=ended if change is Change.CLOSED else trouble.told,
    )
