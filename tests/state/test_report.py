import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.multiplicity import benjamini_hochberg
from detectors.verdicts import Rule, Rules, Severity, Verdict
from state.event_data import DriftData, EpisodeData, FeatureData, ReportData, instant
from state.events import EventType
from state.generations import Generations
from state.report import Output, Report
from state.schedule import Schedule
from state.scoring import Evidence
from state.stores.base import Point, StoredEvent
from state.stores.episodes import StoredEpisode
from tests.evidence import FAMILY, MOODS, Plot, build, context, evidence, reference, scored

OVERLAP = {0: 1, 1: 3}
"""Calm windows that close an episode: of 5 h by 2 h, the third window after one shares no row with it."""

RANK = {Severity.LOW: 0, Severity.MEDIUM: 1, Severity.HIGH: 2}


@st.composite
def plots(draw: st.DrawFn) -> Plot:
    """Draw windows of both specifications in the order of their ends, as the window step sends them."""
    moods = st.none() | st.fixed_dictionaries({name: st.sampled_from(MOODS) for name in FAMILY})
    found = [(spec, k, draw(moods)) for spec in (0, 1) for k in range(draw(st.integers(0, 8)))]
    return sorted(found, key=lambda item: (item[1] * 2 + (2 if item[0] == 0 else 5), item[0]))


def straight(said: dict[str, list[Evidence]]) -> list[Output]:
    return Report(context()).add(item for items in zip(*said.values(), strict=True) for item in items)


def data(event: StoredEvent) -> DriftData | ReportData:
    found = json.loads(event.body)["data"]
    if event.type == EventType.REPORT:
        return msgspec.convert(found, ReportData)
    return msgspec.convert(found, DriftData)


def reports(outputs: Sequence[Output]) -> list[ReportData]:
    return [d for e in outputs if isinstance(e, StoredEvent) if isinstance(d := data(e), ReportData)]


def drifts(outputs: Sequence[Output]) -> list[StoredEvent]:
    return [e for e in outputs if isinstance(e, StoredEvent) and e.type != EventType.REPORT]


@settings(max_examples=60)
@given(plot=plots(), drawn=st.data())
def test_how_columns_interleave_and_where_the_report_restarts_makes_no_difference(
    plot: Plot, drawn: st.DataObject
) -> None:
    said = evidence(plot, context())
    queues = {name: list(items) for name, items in said.items()}
    report, found = Report(context()), list[Output]()
    while any(queues.values()):
        name = drawn.draw(st.sampled_from([name for name, items in queues.items() if items]))
        many = drawn.draw(st.integers(1, 4))
        found += report.add(queues[name][:many])
        del queues[name][:many]
        if drawn.draw(st.booleans()):
            report = Report(context(), report.snapshot())
    assert found == straight(said)
    assert len(reports(found)) == len(plot)


@dataclass
class Machine:
    """Oracle of one column's episodes in one kind of window, from its verdicts alone."""

    overlap: int
    worst: Severity | None = None
    calm: int = 0

    def takes(self, result: FeatureData) -> EventType | None:
        if result.verdict is Verdict.INSUFFICIENT:
            return None
        if self.worst is None:
            self.worst, self.calm = result.severity, 0
            return None if self.worst is None else EventType.OPENED
        self.calm = self.calm + 1 if result.verdict is Verdict.OK else 0
        if self.calm == self.overlap:
            self.worst = None
            return EventType.CLOSED
        if result.severity is not None and RANK[result.severity] > RANK[self.worst]:
            self.worst = result.severity
            return EventType.UPDATED
        return None


@settings(max_examples=60)
@given(plot=plots())
def test_episodes_follow_from_the_verdicts(plot: Plot) -> None:
    outputs = straight(evidence(plot, context()))
    names = [window.name for window in context().grid.windows]
    machines = {(s, f): Machine(OVERLAP[s]) for s in OVERLAP for f in FAMILY}
    wanted = list[tuple[str, str, object, EventType]]()
    for told in reports(outputs):
        for result in told.features:
            change = machines[names.index(told.window.name), result.feature].takes(result)
            if change is not None:
                wanted.append((told.window.name, result.feature, told.window.end, change))
    found, ids = list[tuple[str, str, object, EventType]](), dict[tuple[str, str], str | None]()
    for event in drifts(outputs):
        told_drift = data(event)
        assert isinstance(told_drift, DriftData)
        key = (event.window, event.feature or "")
        found.append((*key, told_drift.window.end, EventType(event.type)))
        # One id from opening to close; never two open at once, never a close without an opening.
        if event.type == EventType.OPENED:
            assert ids.get(key) is None
            ids[key] = event.episode
        assert event.episode == told_drift.episode.id == ids[key]
        if event.type == EventType.CLOSED:
            ids[key] = None
    assert found == wanted
    opened = [e.episode for e in drifts(outputs) if e.type == EventType.OPENED]
    assert len(set(opened)) == len(opened)


@settings(max_examples=60)
@given(plot=plots())
def test_each_change_is_followed_by_how_the_episode_stands(plot: Plot) -> None:
    outputs = straight(evidence(plot, context()))
    found = list[tuple[StoredEvent, StoredEpisode]]()
    for event, record in pairwise(outputs):
        if isinstance(record, StoredEpisode):
            assert isinstance(event, StoredEvent)
            found.append((event, record))
    assert [event for event, _ in found] == drifts(outputs)
    for event, record in found:
        told = data(event)
        assert isinstance(told, DriftData)
        assert record.id == event.episode
        assert (record.model, record.model_version) == (event.model, event.model_version)
        assert (record.window, record.feature, record.updated) == (event.window, event.feature, event.end)
        assert record.is_open == (event.type != EventType.CLOSED)
        assert record.reference == told.reference.version
        written = EpisodeData(
            id=record.id,
            since=instant(record.since, context().grid.axis),
            opened=instant(record.opened, context().grid.axis),
            severity=Severity(record.severity),
            peak_effect=record.peak,
            windows=record.windows,
        )
        assert written == told.episode


@settings(max_examples=60)
@given(moods=st.fixed_dictionaries({name: st.sampled_from(MOODS) for name in FAMILY}))
def test_the_family_is_all_columns_also_those_that_cannot_be_judged(moods: dict[str, str]) -> None:
    (told,) = reports(straight(evidence([(0, 0, moods)], context())))
    assert [result.feature for result in told.features] == list(FAMILY)
    found = [scored(name, moods[name], spec=0, start=0, end=2) for name in FAMILY]
    p_values = [f.p_value if f.n >= 50 else None for f in found]
    adjusted = benjamini_hochberg(np.array([1.0 if p is None else p for p in p_values]))
    for result, p, q in zip(told.features, p_values, adjusted.tolist(), strict=True):
        assert result.q_value == (None if p is None else q)
        assert (result.verdict is Verdict.INSUFFICIENT) == (p is None)
    drifting = sum(result.verdict is Verdict.DRIFT for result in told.features)
    assert told.drift_share == drifting / 3
    assert told.drifted == (drifting / 3 >= Rules().drift_share)


def test_a_column_without_rows_makes_the_others_harder_to_call() -> None:
    # p = .03 alone meets the level of .05; beside two silent columns q = 3 * .03 = .09 does not.
    of = context()
    reading = scored("x", "large", spec=0, start=0, end=2)
    weak = msgspec.structs.replace(
        reading,
        readings=tuple(
            dataclasses.replace(r, p_value=0.03) if r.method == "ks" else r for r in reading.readings
        ),
    )
    silent = [scored(name, "few", spec=0, start=0, end=2) for name in ("y", "c")]
    outputs = Report(of).add(Evidence(found=f, streak=0, since=0) for f in (weak, *silent))
    (told,) = reports(outputs)
    assert told.features[0].q_value == pytest.approx(0.09)
    assert told.features[0].verdict is Verdict.OK


def test_an_empty_span_is_one_report_that_changes_no_episode() -> None:
    large, calm = dict.fromkeys(FAMILY, "large"), dict.fromkeys(FAMILY, "calm")
    outputs = straight(evidence([(0, 0, large), (0, 1, None), (0, 2, calm)], context()))
    empty = reports(outputs)[1]
    assert (empty.status, empty.windows, empty.features) == ("empty", 1, ())
    assert (empty.window.rows, empty.window.late_rows, empty.drift_share) == (0, 0, 0.0)
    assert not empty.drifted
    episodes = [data(event) for event in drifts(outputs)]
    assert [e.type for e in drifts(outputs)] == [EventType.OPENED] * 3 + [EventType.CLOSED] * 3
    assert {e.episode.windows for e in episodes[3:] if isinstance(e, DriftData)} == {2}


def test_episodes_of_two_kinds_of_windows_are_apart() -> None:
    large, calm = dict.fromkeys(FAMILY, "large"), dict.fromkeys(FAMILY, "calm")
    outputs = straight(evidence([(0, 0, large), (1, 0, large), (0, 1, calm), (1, 1, calm)], context()))
    told = [(e.window, e.type) for e in drifts(outputs) if e.feature == "x"]
    assert told == [
        ("tumbling", EventType.OPENED),
        ("sliding", EventType.OPENED),
        # The sliding window after shares rows with the one that drifted.
        ("tumbling", EventType.CLOSED),
    ]


def test_what_happened_comes_before_the_report_and_that_before_its_points() -> None:
    outputs = straight(evidence([(0, 0, dict.fromkeys(FAMILY, "large"))], context()))
    kinds = [o.type if isinstance(o, StoredEvent) else type(o) for o in outputs]
    assert kinds[:7] == [EventType.OPENED, StoredEpisode] * 3 + [EventType.REPORT]
    assert set(kinds[7:]) == {Point}


def test_rows_late_rows_and_streaks_reach_the_report() -> None:
    large = dict.fromkeys(FAMILY, "large")
    told = reports(straight(evidence([(0, 1, large), (0, 2, large)], context())))
    assert [(r.window.rows, r.window.late_rows) for r in told] == [(400, 1), (400, 2)]
    assert {f.since for r in told for f in r.features} == {told[0].window.start}


def test_an_episode_goes_back_to_the_first_unlikely_window() -> None:
    # With so small a chance of error a slight shift is unlikely, but not shown to matter yet.
    of = context(rules=Rules(rule=Rule.WINDOW, effect_level=1e-4))
    plot = [
        (0, k, dict.fromkeys(FAMILY, mood)) for k, mood in enumerate(["calm", "slight", "slight", "large"])
    ]
    outputs = Report(of).add(item for items in evidence(plot, of).values() for item in items)
    told = reports(outputs)
    verdicts = [next(f.verdict for f in r.features if f.feature == "x") for r in told]
    assert verdicts == [Verdict.OK, Verdict.SUSPECT, Verdict.SUSPECT, Verdict.DRIFT]
    opened = data(next(e for e in drifts(outputs) if e.feature == "x"))
    assert isinstance(opened, DriftData)
    assert (opened.episode.since, opened.episode.opened) == (told[1].window.start, told[3].window.end)


def test_the_state_of_a_report_does_not_grow() -> None:
    report, sizes = Report(context()), list[int]()
    for k in range(600):
        moods = dict.fromkeys(FAMILY, "large" if k % 7 < 3 else "calm")
        said = evidence([(0, k, moods)], context())
        behind = [items[0] for items in list(said.values())[:2]]
        report.add(behind)
        sizes.append(len(report.snapshot()))
        report.add([said["c"][0]])
        sizes.append(len(report.snapshot()))
    # The numbers of panes take two bytes more in the end; nothing else may.
    assert max(sizes[120:]) <= max(sizes[:120]) + 2 * 20


def test_each_window_names_its_reference_and_an_episode_goes_on_across_the_change() -> None:
    old, new = reference(), build(seed=6)
    schedule = Schedule(later=((2, new.version),), longest=5)
    of = dataclasses.replace(context(), generations=Generations((old, new), schedule))
    large, calm = dict.fromkeys(FAMILY, "large"), dict.fromkeys(FAMILY, "calm")
    # Tumbling windows of two panes: the second is the first that starts with the new reference.
    said = evidence([(0, 0, large), (0, 1, large), (0, 2, None), (0, 3, calm)], of)
    outputs = Report(of).add(item for items in zip(*said.values(), strict=True) for item in items)
    assert [told.reference.version for told in reports(outputs)] == [old.version] + [new.version] * 3
    told = [(e.type, data(e).reference.version, e.episode) for e in drifts(outputs) if e.feature == "x"]
    (_, _, episode), *_ = told
    assert told == [
        (EventType.OPENED, old.version, episode),
        (EventType.CLOSED, new.version, episode),
    ]
    # The same windows against one reference have other ids where the new one counts, and only there.
    one = straight(evidence([(0, 0, large), (0, 1, large), (0, 2, None), (0, 3, calm)], context()))
    ids = [
        [e.id for e in found if isinstance(e, StoredEvent) and e.type == EventType.REPORT]
        for found in (outputs, one)
    ]
    assert [a == b for a, b in zip(*ids, strict=True)] == [True, False, False, False]
