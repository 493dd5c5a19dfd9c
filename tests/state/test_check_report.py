"""Checks in the report: whose they are, in which order they are told, and that a restart changes nothing."""

import json
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.checks import Family
from state.check_data import CheckData
from state.events import EventType
from state.report import Output, Report
from state.scoring import Evidence, Found, Gap, Scored
from state.stores.base import Point, StoredEvent
from state.stores.episodes import StoredEpisode
from tests.checked_windows import PLOT, RECORDS, VIOLATED, check, of_records, run, window
from tests.evidence import FAMILY, context, gap, reference


def told(outputs: Sequence[Output]) -> list[tuple[str, str, str, str]]:
    """Type, feature, check and change of every event of a check."""
    return [
        (e.type.rpartition(".")[2], data.feature, data.check.name, data.change)
        for e in outputs
        if isinstance(e, StoredEvent) and EventType(e.type).of_check
        for data in [msgspec.convert(json.loads(e.body)["data"], CheckData)]
    ]


def test_violations_are_told_by_track_and_check_from_opening_to_end() -> None:
    outputs = run(Report(of_records()))
    assert told(outputs) == [
        ("violated", "x", "missing_share", "opened"),
        ("violated", "x", "zero_share", "opened"),
        ("violated", "", "rows", "opened"),
        ("resolved", "x", "missing_share", "closed"),
        ("violated", "x", "zero_share", "updated"),
        ("resolved", "x", "zero_share", "closed"),
        ("resolved", "", "rows", "closed"),
    ]
    kept = [item for item in outputs if isinstance(item, StoredEpisode)]
    assert [(e.feature, e.check, e.family, e.is_open, e.windows, e.peak) for e in kept] == [
        ("x", "missing_share", "quality", True, 1, 0.3),
        ("x", "zero_share", "quality", True, 1, 0.3),
        ("", "rows", "quality", True, 1, 0.3),
        ("x", "missing_share", "quality", False, 3, 0.3),
        ("x", "zero_share", "quality", True, 2, 0.9),
        ("x", "zero_share", "quality", False, 3, 0.9),
        ("", "rows", "quality", False, 2, 0.3),
    ]
    events = [e for e in outputs if isinstance(e, StoredEvent) and e.episode is not None]
    assert [e.episode for e in events] == [e.id for e in kept]
    assert len({e.id for e in events}) == len(events)
    assert [e.feature for e in events][2] is None


def test_the_report_lists_what_is_not_calm_and_series_have_every_value() -> None:
    outputs = run(Report(of_records()))
    events = [item for item in outputs if isinstance(item, StoredEvent)]
    reports = [json.loads(event.body)["data"] for event in events if event.episode is None]
    assert [[(c["feature"], c["check"]["name"]) for c in r["checks"]] for r in reports] == [
        [("x", "missing_share"), ("c", "new_share")],
        [("x", "missing_share"), ("x", "zero_share"), ("", "rows")],
        [("x", "zero_share")],
        [],
    ]
    points = [(p.key.feature, p.key.metric, p.value) for p in outputs if isinstance(p, Point)]
    assert [value for f, m, value in points if (f, m) == ("x", "quality.zero_share")] == [0.3, 0.3, 0.9, 0.1]
    assert [value for f, m, value in points if (f, m) == ("", "quality.rows")] == [0.3, 0.3]


@settings(max_examples=40)
@given(st.data())
def test_neither_order_nor_a_restart_makes_a_difference(drawn: st.DataObject) -> None:
    said = [window(k, of) for k, of in enumerate(PLOT)]
    queues = {e.found.feature: [w[i] for w in said] for i, e in enumerate(said[0])}
    report, found = Report(of_records()), list[Output]()
    while any(queues.values()):
        name = drawn.draw(st.sampled_from([name for name, items in queues.items() if items]))
        found += report.add([queues[name].pop(0)])
        if drawn.draw(st.booleans()):
            report = Report(of_records(), report.snapshot())
    assert found == run(Report(of_records()))


def test_open_violations_are_counted_by_window_and_family() -> None:
    report = Report(of_records())
    report.add(window(0, PLOT[0]))
    assert report.open_violations["tumbling", Family.QUALITY] == 1
    assert sum(report.open_violations.values()) == 1
    assert set(report.open_violations) == {(w, f) for w in ("tumbling", "sliding") for f in Family}
    report.add(window(1, PLOT[1]))
    assert report.open_violations["tumbling", Family.QUALITY] == 3


def test_windows_without_rows_may_violate_a_check_of_the_records() -> None:
    said: list[Found] = [gap(name, spec=0, start=0, end=6, windows=3) for name in FAMILY]
    empty = Gap(
        feature=RECORDS,
        spec=0,
        start=0,
        end=6,
        reference=reference().version,
        windows=3,
        checks=(check("rows", VIOLATED, 0.0),),
    )
    outputs = Report(of_records()).add(Evidence(found=each, streak=0, since=0) for each in [*said, empty])
    assert told(outputs) == [("violated", "", "rows", "opened")]
    assert [type(item) for item in outputs] == [StoredEvent, StoredEpisode, StoredEvent]


def test_columns_without_checks_leave_the_report_as_it_was() -> None:
    plain = [Evidence(found=each.found, streak=0, since=0) for each in window(0, {})[: len(FAMILY)]]
    assert all(isinstance(item.found, Scored) for item in plain)
    assert told(Report(context()).add(plain)) == []
