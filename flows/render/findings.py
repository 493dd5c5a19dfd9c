"""What the events of a run say, gathered for people: episodes, and how many windows were reported."""

import fileinput
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from detectors.base import DriftflowError
from detectors.verdicts import Severity
from flows.render.checks import FoundViolation, found_violation
from flows.render.performance import FoundPerformance, found_performance
from flows.sinks.rolling import log_parts
from state.check_data import CheckData
from state.event_data import Contributor, EpisodeData, Instant, WindowData
from state.events import EventType
from state.performance_data import PerformanceData


class EventsFileError(DriftflowError):
    """A file of events cannot be read back."""


class FoundEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """One drift of one feature in one kind of window.

    Attributes
    ----------
    since, opened, closed
        Start of the first window of the run that led to it; end of the window that opened it; end of the
        window that closed it, None while it is open.
    peak_effect, p_value, q_value
        The largest effect of its windows, and the p-value and q-value of that window.
    direction, contributors, new_categories
        Of the event with the largest effect.
    """

    id: str
    feature: str
    window: str
    since: Instant
    opened: Instant
    closed: Instant | None
    severity: Severity
    peak_effect: float
    test: str
    p_value: float | None
    q_value: float | None
    direction: str
    contributors: tuple[Contributor, ...]
    new_categories: tuple[str, ...]


class WindowCount(msgspec.Struct, frozen=True, kw_only=True):
    """Windows of one kind: those reported, those of them that drifted as a whole, and those without rows."""

    window: str
    reported: int
    drifted: int
    empty: int


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """All drifts and violations of checks in order of their opening; windows and performance by kind."""

    episodes: tuple[FoundEpisode, ...]
    windows: tuple[WindowCount, ...]
    violations: tuple[FoundViolation, ...] = ()
    performance: tuple[FoundPerformance, ...] = ()


class _Result(msgspec.Struct, frozen=True):
    feature: str
    test: str
    p_value: float | None
    q_value: float | None
    effect: float | None


class _Drift(msgspec.Struct, frozen=True):
    model: str
    model_version: str
    window: WindowData
    episode: EpisodeData
    result: _Result
    direction: str
    contributors: tuple[Contributor, ...]
    new_categories: tuple[str, ...]


class _Report(msgspec.Struct, frozen=True):
    status: str
    model: str
    model_version: str
    window: WindowData
    windows: int
    drifted: bool
    features: tuple[_Result, ...]


class _Envelope(msgspec.Struct, frozen=True):
    type: str
    data: msgspec.Raw


def read_findings(*paths: Path, model: str, model_version: str) -> Findings:
    """Read logs of events, those of one model and version, as far back as their files are kept.

    Raises
    ------
    EventsFileError
        A file is missing or holds a line that is not an event of driftflow.
    """
    files = [file for path in paths for file in ([part.path for part in log_parts(path)] or [path])]
    names = " or ".join(map(str, paths))
    try:
        with fileinput.input(files, mode="rb") as lines:
            return gather(lines, model=model, model_version=model_version)
    except OSError as error:
        raise EventsFileError(f"cannot read the events in {names}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise EventsFileError(
            f"{names} holds a line that is not a driftflow event ({error}): run again with --overwrite"
        ) from error


def gather(lines: Iterable[bytes], *, model: str, model_version: str) -> Findings:
    """Gather what events say; each line is one event, in the order they were written."""
    envelope = msgspec.json.Decoder(_Envelope)
    drift, report = msgspec.json.Decoder(_Drift), msgspec.json.Decoder(_Report)
    check, performance = msgspec.json.Decoder(CheckData), msgspec.json.Decoder(PerformanceData)
    gathered = _Gathered({}, {}, {}, {}, {}, {})
    for line in lines:
        found = envelope.decode(line)
        if found.type == EventType.REPORT:
            told = report.decode(found.data)
            if (told.model, told.model_version) == (model, model_version):
                gathered.report(told)
            continue
        if found.type in {EventType.MISSING, EventType.RETRAIN}:
            continue
        if found.type == EventType.PERFORMANCE_REPORT:
            performed = performance.decode(found.data)
            if (performed.model, performed.model_version) == (model, model_version):
                gathered.performed(performed)
            continue
        if EventType(found.type).of_check:
            violated = check.decode(found.data)
            if (violated.model, violated.model_version) == (model, model_version):
                gathered.check(violated)
            continue
        data = drift.decode(found.data)
        if (data.model, data.model_version) == (model, model_version):
            gathered.drift(EventType(found.type), data)
    return Findings(
        episodes=tuple(gathered.episodes.values()),
        windows=tuple(gathered.windows.values()),
        violations=tuple(gathered.violations.values()),
        performance=tuple(gathered.performance.values()),
    )


@dataclass(slots=True)
class _Gathered:
    """Episodes by id, those open by window and feature, what their events told; windows and violations."""

    episodes: dict[str, FoundEpisode]
    open: dict[tuple[str, str], str]
    told: dict[str, float]
    windows: dict[str, WindowCount]
    violations: dict[str, FoundViolation]
    performance: dict[str, FoundPerformance]

    def performed(self, data: PerformanceData) -> None:
        """Take a report of performance into its kind of windows."""
        name = data.window.name
        self.performance[name] = found_performance(data, self.performance.get(name))

    def check(self, data: CheckData) -> None:
        """Take an event into its violation."""
        key = data.episode.id
        self.violations[key] = found_violation(data, self.violations.get(key))

    def drift(self, event: EventType, data: _Drift) -> None:
        """Take an event into its episode; reports of windows in between know of larger effects."""
        episode, result = data.episode, data.result
        held = self.episodes.get(episode.id)
        if held is None:
            held = self._begun(data)
        effect = result.effect or 0.0
        if effect >= self.told.get(episode.id, 0.0) and event is not EventType.CLOSED:
            self.told[episode.id] = effect
            held = msgspec.structs.replace(
                held,
                direction=data.direction,
                contributors=data.contributors,
                new_categories=data.new_categories,
            )
        closed = event is EventType.CLOSED
        self.episodes[episode.id] = msgspec.structs.replace(
            held, severity=episode.severity, closed=data.window.end if closed else None
        )
        place = (data.window.name, result.feature)
        if closed:
            self.open.pop(place, None)
        else:
            self.open[place] = episode.id

    def report(self, data: _Report) -> None:
        """Count a window, and raise the peaks of the episodes that are open in its kind."""
        name = data.window.name
        count = self.windows.get(name, WindowCount(window=name, reported=0, drifted=0, empty=0))
        empty = data.status == "empty"
        self.windows[name] = WindowCount(
            window=name,
            reported=count.reported + (0 if empty else data.windows),
            drifted=count.drifted + data.drifted,
            empty=count.empty + (data.windows if empty else 0),
        )
        for result in data.features:
            key = self.open.get((name, result.feature))
            if key is None or result.effect is None:
                continue
            episode = self.episodes[key]
            if result.effect >= episode.peak_effect:
                self.episodes[key] = msgspec.structs.replace(
                    episode, peak_effect=result.effect, p_value=result.p_value, q_value=result.q_value
                )

    def _begun(self, data: _Drift) -> FoundEpisode:
        episode, result = data.episode, data.result
        return FoundEpisode(
            id=episode.id,
            feature=result.feature,
            window=data.window.name,
            since=episode.since,
            opened=episode.opened,
            closed=None,
            severity=episode.severity,
            peak_effect=episode.peak_effect,
            test=result.test,
            p_value=result.p_value,
            q_value=result.q_value,
            direction=data.direction,
            contributors=data.contributors,
            new_categories=data.new_categories,
        )
