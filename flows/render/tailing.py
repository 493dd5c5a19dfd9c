"""One drift event as one line for people."""

from dataclasses import dataclass

import msgspec
from rich.text import Text

from detectors.verdicts import Severity, Verdict
from flows.render.checks import check_text
from flows.render.performance import performance_note
from flows.render.segments import where_mark
from flows.render.styles import severity_cell, severity_rank, verdict_cell
from flows.render.words import NOTHING, count_text, effect_text, moment_text, moved_text
from state.check_data import CheckData
from state.event_data import Contributor, EpisodeData, MissingReferenceData, WindowData
from state.events import EventType
from state.performance_data import PerformanceData
from state.retrain_data import RetrainData
from state.segment_scores import SegmentScores

_NAMES = {kind: kind.rpartition(".")[2] for kind in EventType}
_STYLES = {
    EventType.OPENED: "bold red",
    EventType.UPDATED: "yellow",
    EventType.CLOSED: "green",
    EventType.REPORT: "dim",
    EventType.MISSING: "bold red",
    EventType.PERFORMANCE_REPORT: "dim",
    EventType.RETRAIN: "bold yellow",
}
_CHECK_STYLES = {"violated": "bold red", "degraded": "bold red", "resolved": "green", "recovered": "green"}
_TIME, _TYPE, _SEVERITY, _EFFECT, _DIRECTION = 16, 9, 8, 6, 9
_MOST_NAMES = 4
_ID = 12


def type_names() -> dict[str, frozenset[EventType]]:
    """Return the types of events by their short names; checks of several families share some.

    Examples
    --------
    >>> list(type_names())[5:]
    ['violated', 'resolved', 'degraded', 'recovered', 'requested']
    """
    found: dict[str, frozenset[EventType]] = {}
    for kind, name in _NAMES.items():
        found[name] = found.get(name, frozenset()) | {kind}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Cells for the names of features and windows; a longer name moves the rest of its line."""

    feature: int
    window: int


class _Result(msgspec.Struct, frozen=True):
    feature: str
    verdict: Verdict
    severity: Severity | None
    effect: float | None


class _Drift(msgspec.Struct, frozen=True):
    window: WindowData
    episode: EpisodeData
    result: _Result
    direction: str
    contributors: tuple[Contributor, ...]
    new_categories: tuple[str, ...]
    segments: tuple[SegmentScores, ...] = ()


class _Report(msgspec.Struct, frozen=True):
    status: str
    window: WindowData
    windows: int
    drifted: bool
    features: tuple[_Result, ...]


class _DriftEvent(msgspec.Struct, frozen=True):
    id: str
    data: _Drift


class _ReportEvent(msgspec.Struct, frozen=True):
    data: _Report


class _CheckEvent(msgspec.Struct, frozen=True):
    id: str
    data: CheckData


class _PerformanceEvent(msgspec.Struct, frozen=True):
    data: PerformanceData


class _MissingEvent(msgspec.Struct, frozen=True):
    data: MissingReferenceData


class _RetrainEvent(msgspec.Struct, frozen=True):
    data: RetrainData


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """The parts of a line that differ between drifts and reports."""

    window: WindowData
    feature: str
    severity: Severity | None
    effect: float | None
    direction: str
    note: str
    id: str = ""


def event_line(kind: EventType, body: bytes, widths: Widths) -> Text:
    """Write time (the window's end), type, feature, window, severity, effect, direction and what moved.

    The event's id comes last where ``driftflow explain`` has more to say.

    Raises
    ------
    msgspec.DecodeError
        The body is not an event of this type.
    """
    if kind is EventType.MISSING:
        return _missing(body)
    if kind is EventType.RETRAIN:
        return _retrain(body)
    if kind.of_check:
        said = _check(body)
    elif kind is EventType.PERFORMANCE_REPORT:
        said = _performance(body)
    else:
        said = _report(body) if kind is EventType.REPORT else _drift(kind, body)
    severity = severity_cell(said.severity)
    line = Text(f"{moment_text(said.window.end):<{_TIME}}  ")
    style = _CHECK_STYLES[_NAMES[kind]] if kind.of_check else _STYLES[kind]
    line.append(f"{_NAMES[kind]:<{_TYPE}}  ", style)
    line.append(f"{_plain(said.feature):<{widths.feature}}  {said.window.name:<{widths.window}}  ")
    line.append(f"{severity.text:<{_SEVERITY}}  ", severity.style)
    line.append(f"{effect_text(said.effect):>{_EFFECT}}  {said.direction:<{_DIRECTION}}  ")
    line.append(_plain(said.note) + _flags(said.window))
    return line.append(f"  {said.id[:_ID]}", "dim") if said.id else line


def _missing(body: bytes) -> Text:
    """Write the one event that is about no window."""
    data = msgspec.json.decode(body, type=_MissingEvent).data
    line = Text(f"{NOTHING:<{_TIME}}  ")
    line.append(f"{_NAMES[EventType.MISSING]:<{_TYPE}}  ", _STYLES[EventType.MISSING])
    return line.append(f"version {_plain(data.model_version)} has no reference: its run waits for one")


def _retrain(body: bytes) -> Text:
    """Write a request to train again, which some channel has put beside the events."""
    data = msgspec.json.decode(body, type=_RetrainEvent).data
    line = Text(f"{moment_text(data.span.end):<{_TIME}}  ")
    line.append(f"{_NAMES[EventType.RETRAIN]:<{_TYPE}}  ", _STYLES[EventType.RETRAIN])
    return line.append(f"train again: {_plain(data.reason)}")


def _drift(kind: EventType, body: bytes) -> _Said:
    event = msgspec.json.decode(body, type=_DriftEvent)
    data = event.data
    moved = [moved_text(each) for each in data.contributors[:2]]
    note = ", ".join(moved)
    if data.new_categories:
        note += f"{'; ' if note else ''}new: {', '.join(data.new_categories[:3])}"
    mark = where_mark(data.segments)
    if mark:
        note += f"{'; ' if note else ''}{mark}"
    if kind is EventType.CLOSED:
        episode = data.episode
        note = (
            f"since {moment_text(episode.since)}, {count_text(episode.windows, 'window')}, "
            f"peak {effect_text(episode.peak_effect)}"
        )
    return _Said(
        window=data.window,
        feature=data.result.feature,
        severity=data.episode.severity,
        effect=data.result.effect,
        direction=data.direction,
        note=note,
        id=event.id,
    )


def _check(body: bytes) -> _Said:
    event = msgspec.json.decode(body, type=_CheckEvent)
    return _Said(
        window=event.data.window,
        feature=event.data.feature or NOTHING,
        severity=None,
        effect=None,
        direction=NOTHING,
        note=f"{event.data.kind}: {check_text(event.data.check)}",
        id=event.id,
    )


def _performance(body: bytes) -> _Said:
    data = msgspec.json.decode(body, type=_PerformanceEvent).data
    return _Said(
        window=data.window,
        feature=NOTHING,
        severity=None,
        effect=None,
        direction=NOTHING,
        note=f"performance: {performance_note(data)}",
    )


def _report(body: bytes) -> _Said:
    data = msgspec.json.decode(body, type=_ReportEvent).data
    drifting = sorted(
        (each for each in data.features if each.verdict is Verdict.DRIFT),
        key=lambda each: (severity_rank(each.severity), -(each.effect or 0.0)),
    )
    return _Said(
        window=data.window,
        feature=NOTHING,
        severity=drifting[0].severity if drifting else None,
        effect=max((each.effect or 0.0 for each in drifting), default=None),
        direction=NOTHING,
        note=_report_note(data, [each.feature for each in drifting]),
    )


def _report_note(data: _Report, drifting: list[str]) -> str:
    if data.status == "empty":
        return f"{count_text(data.windows, 'window')} without rows"
    rows = count_text(data.window.rows, "row")
    if not drifting:
        too_few = all(each.verdict is Verdict.INSUFFICIENT for each in data.features)
        return f"{verdict_cell(Verdict.INSUFFICIENT).text if too_few else 'no drift'}, {rows}"
    names = ", ".join(drifting[:_MOST_NAMES]) + (", …" if len(drifting) > _MOST_NAMES else "")
    whole = "; the whole window drifted" if data.drifted else ""
    return f"{len(drifting)} of {count_text(len(data.features), 'column')} in drift: {names}{whole}, {rows}"


def _flags(window: WindowData) -> str:
    flags = [name for name, on in (("partial", window.partial), ("incomplete", window.incomplete)) if on]
    return f" ({', '.join(flags)})" if flags else ""


def _plain(text: str) -> str:
    """Replace what would end the line or command the terminal: names of categories come from the data."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
