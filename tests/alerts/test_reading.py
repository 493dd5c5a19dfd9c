"""Events become signals: each type but reports, with figures in one line; anything else is None."""

import orjson
import pytest

from alerts.reading import MOST_GROUPS, read_signal
from alerts.signals import Kind, Signal
from state.durations import Axis
from state.episodes import Change
from state.events import EventType
from state.stores.base import StoredEvent
from tests.evidence import context
from tests.state.test_events import events_of


@pytest.fixture(scope="module")
def events() -> list[StoredEvent]:
    return events_of(context(axis=Axis.MILLISECONDS))


def signals(events: list[StoredEvent]) -> list[tuple[StoredEvent, Signal]]:
    read = [(each, read_signal(each.body, model=each.model)) for each in events]
    return [(event, signal) for event, signal in read if signal is not None]


def test_reports_tell_nothing_and_all_others_do(events: list[StoredEvent]) -> None:
    told = {event.type for event, _ in signals(events)}
    assert {event.type for event in events} - told == {EventType.REPORT, EventType.PERFORMANCE_REPORT}


def test_a_signal_names_what_its_event_is_about(events: list[StoredEvent]) -> None:
    for event, signal in signals(events):
        assert (signal.event, signal.episode, signal.window) == (event.id, event.episode, event.window)
        assert signal.feature == (event.feature or "")
        assert signal.told
        assert "\n" not in signal.told
        assert (signal.severity is None) is (signal.kind is not Kind.DRIFT)
        if event.type.endswith((".resolved", ".recovered", ".closed")):
            assert signal.change is Change.CLOSED


def test_pictures_have_few_groups_whose_shares_add_up(events: list[StoredEvent]) -> None:
    drifts = [signal for _, signal in signals(events) if signal.kind is Kind.DRIFT]
    assert drifts
    for signal in drifts:
        if signal.bars is None:
            continue
        groups = len(signal.bars.labels)
        assert 1 <= groups <= MOST_GROUPS
        assert len(signal.bars.reference) == len(signal.bars.current) == groups
        assert sum(signal.bars.reference) == pytest.approx(1.0)
        assert sum(signal.bars.current) == pytest.approx(1.0)


def test_groups_of_bins_leave_no_gap(events: list[StoredEvent]) -> None:
    event = next(each for each in events if each.type == EventType.OPENED)
    envelope = orjson.loads(event.body)
    # 26 bins: the last of the 12 groups joins three of them, from 22.0 on.
    histogram = {"edges": [float(edge) for edge in range(25)], "categories": None}
    envelope["data"]["histogram"] |= histogram | {"reference": [1] * 26, "current": [2] * 26}
    signal = read_signal(orjson.dumps(envelope), model=event.model)
    assert signal is not None
    assert signal.bars is not None
    assert signal.bars.labels[-2:] == ("to 22", "above 22")


def test_a_version_without_a_reference_is_a_signal_of_its_own() -> None:
    data = {"model": "fraud", "model_version": "2", "columns": ["a"]}
    envelope = {"id": "e", "type": EventType.MISSING, "partitionkey": "fraud", "data": data}
    signal = read_signal(orjson.dumps(envelope), model="fraud")
    assert signal is not None
    assert (signal.kind, signal.change, signal.episode) == (Kind.REFERENCE, Change.OPENED, "e")
    assert signal.told == "version 2 has no reference, so nothing is compared"
    assert read_signal(orjson.dumps(envelope), model="other") is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff", b'{"id":1}'])
def test_what_is_no_event_is_none(body: bytes) -> None:
    assert read_signal(body, model="fraud") is None
