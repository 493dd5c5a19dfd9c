"""Reports of performance in words, and how a run's findings stand after several of them."""

import msgspec

from flows.render.findings import gather
from flows.render.performance import performance_facts, performance_lines, performance_note
from flows.render.tailing import Widths, event_line
from state.events import EventType
from state.outcome_windows import OutcomeWindow
from state.performance_data import PerformanceData
from state.performance_report import PerformanceReport
from state.stores.base import StoredEvent
from tests.evidence import context
from tests.performed import performance_context, window


def events(*windows: OutcomeWindow) -> list[StoredEvent]:
    found = PerformanceReport(performance_context(context())).add(windows)
    return [item for item in found if isinstance(item, StoredEvent)]


def data_of(event: StoredEvent) -> PerformanceData:
    return msgspec.convert(msgspec.json.decode(event.body)["data"], PerformanceData)


def report(*windows: OutcomeWindow) -> PerformanceData:
    return data_of(next(event for event in events(*windows) if event.type == EventType.PERFORMANCE_REPORT))


def test_the_last_window_of_a_kind_is_shown_as_its_last_revision_left_it() -> None:
    told = events(
        window(0, 400, 50, predictions=500),
        window(1, 90, 10),
        window(0, 450, 50, revision=2, final=True, predictions=500),
        window(1, 880, 120, revision=2),
    )
    (found,) = gather([event.body for event in told], model="credit", model_version="7").performance
    assert (found.window, found.windows, found.predictions, found.labelled, found.final) == (
        "tumbling",
        2,
        1_000,
        1_000,
        False,
    )
    said = "\n".join(line.plain for line in performance_lines([found], 140))
    assert "tumbling: accuracy 0.88 (expected 0.9)" in said
    assert "last of 2 windows" in said
    assert "more labels may come: 1,000 of 1,000 predictions labelled" in said


def test_violations_are_among_the_findings() -> None:
    told = events(window(0, 700, 300))
    found = gather([event.body for event in told], model="credit", model_version="7")
    assert [each.check for each in found.violations] == ["accuracy", "f1"]
    assert not gather([event.body for event in told], model="other", model_version="7").performance


def test_a_report_says_what_became_of_its_predictions() -> None:
    facts = list(performance_facts(report(window(0, 90, 10))))
    assert facts[0] == ("labels", "labels known before 1970-01-05 02:00; more may come")
    assert facts[1] == ("predictions", "1,000: 100 labelled, 900 waiting, 0 unlabelled")
    assert ("metric", "accuracy 0.9 (0.8256 to 0.9448); expected 0.9") in facts
    assert dict(performance_facts(report(window(0, 90, 10, final=True))))["labels"] == "final"


def test_a_report_fits_on_a_line() -> None:
    (told,) = events(window(0, 90, 10))
    assert performance_note(data_of(told)) == "100 of 1,000 labelled, accuracy 0.9, f1 0.9"
    line = event_line(EventType(told.type), told.body, Widths(feature=8, window=8)).plain
    assert "report" in line
    assert line.rstrip().endswith("performance: 100 of 1,000 labelled, accuracy 0.9, f1 0.9")
