"""The table of kinds asks for troubles that its streams have, and counts windows and false events right."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bench.kinds import line
from bench.kinds_events import DRIFT, Opening, Watched, openings, windows_after
from bench.kinds_table import KINDS, STREAMS, Kind
from flows.injection.faults import parse_fault
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.registry import scenario

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def opened(day: int, *, type_: str = DRIFT, feature: str = "x", check: str = "") -> Opening:
    """An event of the window that is this day."""
    window = {"start": (START + day * DAY).isoformat(), "end": (START + (day + 1) * DAY).isoformat()}
    said = {"feature": feature, "check": {"name": check}} if check else {"result": {"feature": feature}}
    event = {"type": f"io.driftflow.{type_}", "data": {"window": window, **said}}
    (found,) = openings([msgspec.json.encode(event)])
    return found


def watched(*openings_: Opening) -> Watched:
    """What was told of a stream whose x drifts from the middle of day 10 on."""
    return Watched(troubles={("x", ""): ((START + 10.5 * DAY, START + 20 * DAY),)}, openings=openings_)


ASKED = Kind(name="drift", stream="demo", truth=("x", ""), type=DRIFT, feature="x")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_is_in_its_stream(kind: Kind) -> None:
    stream = STREAMS[kind.stream]
    source = scenario(stream.scenario, ScenarioOptions(features=stream.features))
    known = {(told.feature, "") for told in source.truth(stream.rows) if told.spans}
    known |= {(fault.check, fault.feature) for fault in source.faults(stream.rows) if fault.spans}
    known |= {(text, "") for text in stream.faults}
    assert {kind.truth, kind.also} - {None} <= known
    assert all(parse_fault(text).text == text for text in stream.faults)


def test_windows_are_counted_from_the_one_in_which_it_began() -> None:
    began = START + 10.5 * DAY
    assert [windows_after(opened(day), began) for day in (10, 11, 14)] == [1, 2, 5]
    # At the very end of a window nothing of it is in the window.
    assert windows_after(opened(10), START + 10 * DAY) == 1
    assert windows_after(opened(11), START + 11 * DAY) == 1


def test_a_line_tells_the_first_event_that_is_meant() -> None:
    told = watched(opened(2, feature="y"), opened(9), opened(11, feature="y"), opened(12), opened(13))
    # Day 2 was calm, and so was day 9: the drift began on day 10.
    assert line(ASKED, told) == ("drift", "demo", "6 h", DRIFT, "3", "2")
    assert line(ASKED, watched(opened(9)))[-2:] == ("not", "1")


def test_what_overlaps_a_trouble_or_follows_it_at_once_is_not_false() -> None:
    told = watched()
    assert [told.is_false(opened(day)) for day in (9, 10, 19, 20, 21, 22)] == [
        True,
        False,
        False,
        False,
        True,
        True,
    ]


def test_events_that_open_nothing_are_left_out() -> None:
    event = {"type": "io.driftflow.drift.closed", "data": {}}
    assert openings([msgspec.json.encode(event)]) == ()


def test_what_is_asked_for_is_false_before_it_begins_whatever_else_is_wrong() -> None:
    wrong = {("y", ""): ((START, START + 9 * DAY),), **watched().troubles}
    told = Watched(troubles=wrong, openings=(opened(2, feature="y"), opened(3), opened(11)))
    assert line(ASKED, told)[-2:] == ("2", "1")


def test_what_such_events_tell_of_too_is_not_false() -> None:
    wrong = {("y", ""): ((START, START + 9 * DAY),), **watched().troubles}
    told = Watched(troubles=wrong, openings=(opened(3), opened(11)))
    asked = Kind(name="d", stream="demo", truth=("x", ""), type=DRIFT, feature="x", also=("y", ""))
    assert [line(kind, told)[-1] for kind in (ASKED, asked)] == ["1", "0"]


def test_a_segment_is_asked_for_by_its_name() -> None:
    window = {"start": START.isoformat(), "end": (START + DAY).isoformat()}
    data = {"window": window, "result": {"feature": "x"}, "segments": [{"named": ["DE"]}]}
    (found,) = openings([msgspec.json.encode({"type": f"io.driftflow.{DRIFT}", "data": data})])
    asked = (
        Kind(name="s", stream="demo", truth=("x", ""), type=DRIFT, segment=name) for name in ("DE", "FR")
    )
    assert [kind.told_by(found) for kind in asked] == [True, False]


def test_reports_count_where_the_window_drifted_as_a_whole() -> None:
    window = {"start": START.isoformat(), "end": (START + DAY).isoformat()}
    reports = [
        msgspec.json.encode(
            {"type": "io.driftflow.window.report", "data": {"window": window, "drifted": said}}
        )
        for said in (False, True)
    ]
    assert len(openings(reports)) == 1


def test_a_check_is_told_by_its_name() -> None:
    asked = Kind(name="c", stream="demo", truth=("x", ""), type="quality.violated", checks=("zero_share",))
    other = opened(11, type_="quality.violated", check="missing_share")
    right = opened(12, type_="quality.violated", check="zero_share")
    assert line(asked, watched(other, right))[3:] == ("quality.violated zero_share", "3", "0")
