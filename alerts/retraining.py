"""Decides when to ask that a model be trained again: signals and reports in, requests and refusals out."""

from dataclasses import dataclass

from alerts.measured import Measured
from alerts.notices import Cause, Notice, notice_id
from alerts.retrain_cases import Case, case_of, fresh_labels, without_faults
from alerts.retrain_guards import attempt_of, objections, span_of
from alerts.retrain_rules import RetrainRules
from alerts.retrain_state import (
    OpenEpisode,
    Refusal,
    Requested,
    RetrainState,
    with_refusal,
    with_requested,
    with_told,
)
from alerts.signals import Kind, Signal
from state.durations import Axis
from state.event_data import instant
from state.events import retrain_event
from state.retrain_data import RetrainData, RetrainEpisode, RetrainSpan

_MOST_NAMES = 4
_TITLE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to train again; `body` is its CloudEvent."""

    id: str
    data: RetrainData
    body: bytes
    at_ms: int


def step(
    state: RetrainState, told: Signal | Measured, now_ms: int, rules: RetrainRules
) -> tuple[RetrainState, Request | None]:
    """Take in one event and decide.

    Parameters
    ----------
    told
        A signal, or what a report says.
    now_ms
        The wall clock, milliseconds since the epoch.

    Returns
    -------
    The state after it, and what is asked for.
    """
    after = with_told(state, told)
    return (state, None) if after == state else tick(after, now_ms, rules)


def tick(state: RetrainState, now_ms: int, rules: RetrainRules) -> tuple[RetrainState, Request | None]:
    """Decide anew, because time has passed; `now_ms` by the wall clock."""
    for rule in rules.rules:
        case = case_of(rule, state, rules)
        if case is None:
            continue
        against = objections(case, state, now_ms, rules)
        if not against:
            clean = case if rules.despite_faults else without_faults(case, state, rules)
            request = _request(clean or case, state, now_ms, rules)
            made = Requested(
                id=request.id,
                rule=rule.name,
                episodes=tuple(each.id for each in request.data.episodes),
                at_ms=now_ms,
            )
            return with_requested(state, made), request
        refusal = Refusal(
            rule=rule.name,
            episodes=tuple(each.id for each in case.episodes),
            guards=tuple(guard.value for guard, _ in against),
            reason="; ".join(words for _, words in against),
            first_ms=now_ms,
        )
        state = with_refusal(state, refusal)
    return state, None


def notices(request: Request, channels: tuple[str, ...]) -> tuple[Notice, ...]:
    """Write a request as messages, one to each channel."""
    data = request.data
    return tuple(
        Notice(
            id=notice_id(channel, Cause.RETRAIN, request.id),
            channel=channel,
            route="",
            incident=request.id,
            cause=Cause.RETRAIN,
            model=data.model,
            model_version=data.model_version,
            title=f"Train {data.model} again: {data.reason}"[:_TITLE],
            signals=(),
            decided_ms=request.at_ms,
            payload=request.body.decode(),
        )
        for channel in channels
    )


def _request(case: Case, state: RetrainState, now_ms: int, rules: RetrainRules) -> Request:
    begin, end = span_of(case.episodes, state, rules)
    data = RetrainData(
        model=rules.model,
        model_version=rules.model_version,
        rule=case.rule.name,
        reason=_reason(case),
        reference=state.reference,
        episodes=tuple(_episode(each, rules.axis) for each in case.episodes),
        losses=case.losses,
        drift_share=round(case.share, 6),
        labelled=fresh_labels(case.episodes, state),
        span=RetrainSpan(axis=rules.axis, start=instant(begin, rules.axis), end=instant(end, rules.axis)),
        attempt=attempt_of(case, state),
        requested=str(instant(now_ms, Axis.MILLISECONDS)),
    )
    identity, body = retrain_event(data)
    return Request(id=identity, data=data, body=body, at_ms=now_ms)


def _episode(episode: OpenEpisode, axis: Axis) -> RetrainEpisode:
    return RetrainEpisode(
        id=episode.id,
        kind=episode.kind,
        window=episode.window,
        feature=episode.feature,
        check=episode.check,
        severity=episode.severity,
        since=None if episode.since is None else instant(episode.since, axis),
        told=episode.told,
    )


def _reason(case: Case) -> str:
    """Say it in one line."""
    drifting = list(dict.fromkeys(e.feature for e in case.episodes if e.kind is Kind.DRIFT))
    checks = list(dict.fromkeys(e.check for e in case.episodes if e.check))
    parts = []
    if drifting:
        verb = "drifts" if len(drifting) == 1 else "drift"
        parts.append(f"{_names(drifting)} {verb} ({case.share:.0%} of the features by importance)")
    parts += [f"{each.metric} is {each.value:.4g}, was {each.expected:.4g}" for each in case.losses]
    if checks and not case.losses:
        parts.append(f"{_names(checks)} beyond the limit")
    return "; ".join(parts)


def _names(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
