"""From the bytes of an event to a signal: what routes match, and one line that says what was found."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from alerts.signals import Bars, Kind, Signal
from detectors.checks import Check
from state.check_data import CheckData
from state.episodes import Change
from state.event_data import DriftData, Histogram, MissingReferenceData
from state.events import EventType

MOST_GROUPS = 12
"""Groups of bins or categories that a picture shows at most."""

_MOVES = {"up": "mean up", "down": "mean down", "shape": "another shape", "mix": "another mix"}
_CHANGES = {
    EventType.OPENED: Change.OPENED,
    EventType.UPDATED: Change.UPDATED,
    EventType.CLOSED: Change.CLOSED,
}


class _Envelope(msgspec.Struct):
    id: str
    type: str
    partitionkey: str
    data: msgspec.Raw


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def read_signal(body: bytes, *, model: str) -> Signal | None:
    """Read the signal of an event; None for what tells nothing: reports, other models, what is no event.

    Examples
    --------
    >>> read_signal(b"{}", model="fraud") is None
    True
    """
    try:
        envelope = _ENVELOPE.decode(body)
        if envelope.partitionkey != model:
            return None
        return _signal(envelope)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _signal(envelope: _Envelope) -> Signal | None:
    if envelope.type in _CHANGES:
        data = msgspec.json.decode(envelope.data, type=DriftData)
        return _of_drift(envelope.id, data, _CHANGES[EventType(envelope.type)])
    if envelope.type == EventType.MISSING:
        return _of_missing(envelope.id, msgspec.json.decode(envelope.data, type=MissingReferenceData))
    if envelope.type in list(EventType) and EventType(envelope.type).of_check:
        return _of_check(envelope.id, msgspec.json.decode(envelope.data, type=CheckData))
    return None


def _of_drift(event: str, data: DriftData, change: Change) -> Signal:
    result = data.result
    return Signal(
        event=event,
        model=data.model,
        model_version=data.model_version,
        kind=Kind.DRIFT,
        change=change,
        episode=data.episode.id,
        window=data.window.name,
        feature=result.feature,
        segments=tuple(f"{each.column}={name}" for each in data.segments for name in each.named),
        severity=data.episode.severity,
        start=data.window.start,
        end=data.window.end,
        since=data.episode.since,
        told=_drift_told(data, change),
        effect=data.episode.peak_effect if change is Change.CLOSED else result.effect,
        bars=_bars(data.histogram),
    )


def _drift_told(data: DriftData, change: Change) -> str:
    result = data.result
    if change is Change.CLOSED:
        most = f"PSI at most {data.episode.peak_effect:.3f}"
        return f"back to the reference after {_windows(data.episode.windows)}, {most}"
    effect = (
        "" if result.effect is None else f"PSI {result.effect:.3f} (matters above {data.rule.min_effect:g})"
    )
    return ", ".join(
        part
        for part in (_MOVES.get(data.direction, data.direction), effect, f"{result.n_current:,} rows")
        if part
    )


def _of_check(event: str, data: CheckData) -> Signal:
    check = data.check
    named = [f"{each.column}={each.segments[0].segment}" for each in data.segments if each.segments]
    if data.segment:
        named.insert(0, data.segment)
    return Signal(
        event=event,
        model=data.model,
        model_version=data.model_version,
        kind=Kind(data.kind),
        change=data.change,
        episode=data.episode.id,
        window=data.window.name,
        feature=data.feature,
        segments=tuple(dict.fromkeys(named)),
        check=check.name,
        start=data.window.start,
        end=data.window.end,
        since=data.episode.since,
        told=_check_told(check, data),
        effect=check.value,
    )


def _check_told(check: Check, data: CheckData) -> str:
    name = check.name.replace("_", " ")
    value = "unknown" if check.value is None else f"{check.value:.4g}"
    if data.change is Change.CLOSED:
        return (
            f"{name} is {value} again, after {_windows(data.episode.windows)}; worst {data.episode.worst:.4g}"
        )
    limits = [
        f"{word} {limit:.4g}"
        for word, limit in (("at least", check.lower), ("at most", check.upper))
        if limit is not None
    ]
    allowed = f" (allowed {' and '.join(limits)})" if limits else ""
    return f"{name} {value}{allowed}{f', {check.detail}' if check.detail else ''}"


def _of_missing(event: str, data: MissingReferenceData) -> Signal:
    return Signal(
        event=event,
        model=data.model,
        model_version=data.model_version,
        kind=Kind.REFERENCE,
        change=Change.OPENED,
        episode=event,
        window="",
        feature="",
        told=f"version {data.model_version} has no reference, so nothing is compared",
    )


def _windows(count: int) -> str:
    return "1 window" if count == 1 else f"{count} windows"


def _bars(found: Histogram) -> Bars | None:
    """Join neighbours until at most `MOST_GROUPS` groups are left, as equal in number of bins as can be."""
    bins = len(found.reference)
    before, now = sum(found.reference), sum(found.current)
    if not bins or not before or not now:
        return None
    groups = min(bins, MOST_GROUPS)
    borders = [bins * place // groups for place in range(groups + 1)]
    spans = list(pairwise(borders))
    return Bars(
        labels=tuple(_label(found, first, last) for first, last in spans),
        reference=tuple(sum(found.reference[first:last]) / before for first, last in spans),
        current=tuple(sum(found.current[first:last]) / now for first, last in spans),
    )


def _label(found: Histogram, first: int, last: int) -> str:
    if found.edges is not None:
        if last <= len(found.edges):
            return f"to {found.edges[last - 1]:.4g}"
        # The last group begins where the one before it ends, however many bins it joins.
        return f"above {found.edges[first - 1]:.4g}" if first else "all"
    names: Sequence[str] = (found.categories or ())[first:last]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more" if names else "other"
