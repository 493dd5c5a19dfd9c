"""Revisions of windows as a report tells them: degraded once, recovered once, every revision told."""

import json
from collections.abc import Sequence

from detectors.checks import Family
from detectors.thresholds import History
from state.events import EventType
from state.outcome_windows import OutcomeWindow
from state.performance import Drop, PerformanceRules
from state.performance_report import PerformanceReport
from state.stores.base import Point, StoredEvent
from state.stores.episodes import StoredEpisode
from tests.evidence import context
from tests.performed import performance_context, window

DEGRADED, RECOVERED = EventType.PERFORMANCE_DEGRADED, EventType.PERFORMANCE_RECOVERED

GOOD, BAD = (900, 100), (700, 300)


def report(resume: bytes | None = None) -> PerformanceReport:
    return PerformanceReport(performance_context(context()), resume)


def told(windows: Sequence[OutcomeWindow], *, restart: bool = False) -> list[tuple[int, str, str]]:
    """Which window, which metric and what, for all events but reports."""
    logic, found = report(), []
    for one in windows:
        for item in logic.add([one]):
            if isinstance(item, StoredEvent) and item.type != EventType.PERFORMANCE_REPORT:
                data = json.loads(item.body)["data"]
                found.append((one.start // 2, data["check"]["name"], item.type.rsplit(".", 1)[-1]))
        if restart:
            logic = report(logic.snapshot())
    return found


def test_degraded_and_recovered_are_told_once() -> None:
    windows = [window(k, *moods) for k, moods in enumerate([GOOD, BAD, BAD, GOOD, GOOD])]
    wanted = [
        (k, name, change) for k, change in ((1, "degraded"), (3, "recovered")) for name in ("accuracy", "f1")
    ]
    assert told(windows) == wanted
    assert told(windows, restart=True) == wanted


def test_few_labels_say_nothing() -> None:
    assert told([window(0, 10, 80)]) == []


def test_a_later_revision_may_begin_a_violation() -> None:
    windows = [window(0, 90, 20), window(1, *GOOD), window(0, 700, 300, revision=2)]
    assert told(windows) == [(0, "accuracy", "degraded"), (0, "f1", "degraded")]


def test_a_later_revision_of_a_window_ends_none() -> None:
    # The first window counts once: were each of its revisions a calm window, the second would end it.
    windows = [window(0, *BAD), window(0, *GOOD, revision=2), window(0, *GOOD, revision=4)]
    assert [change for *_, change in told(windows)] == ["degraded", "degraded"]


def test_windows_from_before_its_end_do_not_begin_it_again() -> None:
    windows = [window(0, *BAD), window(1, *BAD), window(2, *GOOD), window(1, *BAD, revision=4)]
    assert [change for *_, change in told(windows)] == ["degraded"] * 2 + ["recovered"] * 2
    assert [change for *_, change in told([*windows, window(3, *BAD)])][4:] == ["degraded"] * 2


def test_every_revision_is_told_under_an_id_of_its_own() -> None:
    windows = [window(0, 90, 10, predictions=500), window(0, *GOOD, revision=2, final=True)]
    found = [item for item in report().add(windows) if isinstance(item, StoredEvent)]
    assert [item.type for item in found] == [EventType.PERFORMANCE_REPORT] * 2
    assert len({item.id for item in found}) == 2
    first, second = (json.loads(item.body)["data"] for item in found)
    assert (first["final"], second["final"]) == (False, True)
    assert first["revision"] < second["revision"]
    assert (first["counts"]["labelled"], first["counts"]["waiting"]) == (100, 400)
    assert first["confusion"] == {"classes": ["no", "yes"], "counts": [[45, 5], [5, 45]]}
    accuracy = next(each for each in second["metrics"] if each["name"] == "accuracy")
    assert (accuracy["value"], accuracy["expected"], accuracy["n"]) == (0.9, 0.9, 1_000)


def test_the_last_revision_is_what_series_show() -> None:
    windows = [window(0, 90, 10), window(0, 800, 200, revision=2)]
    points = [item for item in report().add(windows) if isinstance(item, Point)]
    accuracy = {p.time: p.value for p in points if p.key.metric == "performance.accuracy"}
    assert accuracy == {points[0].time: 0.8}


def test_violations_are_stored_and_counted() -> None:
    logic = report()
    stored = [item for item in logic.add([window(0, *BAD)]) if isinstance(item, StoredEpisode)]
    assert [(each.check, each.family, each.is_open) for each in stored] == [
        ("accuracy", "performance", True),
        ("f1", "performance", True),
    ]
    assert logic.open_violations == {
        ("tumbling", Family.PERFORMANCE): 2,
        ("sliding", Family.PERFORMANCE): 0,
    }


def test_a_limit_is_learnt_from_windows_that_are_final() -> None:
    # Four windows at .85 to .87 are what is usual: the fifth is no worse, the sixth is.
    drops = {"accuracy": Drop(0.0, relative=False)}
    learning = History(windows=8, least=4)
    rules = PerformanceRules(metrics=("accuracy",), drops=drops, threshold=learning)
    logic, found = PerformanceReport(performance_context(context(), rules=rules)), []
    for k, right in enumerate([860, 850, 870, 860, 855, 700]):
        for final in (False, True):
            told = window(k, right, 1_000 - right, revision=2 * final, final=final)
            report = [item for item in logic.add([told]) if isinstance(item, StoredEvent)][-1]
            (check,) = json.loads(report.body)["data"]["checks"]
            found.append((k, check["status"]))
        logic = PerformanceReport(performance_context(context(), rules=rules), logic.snapshot())
    early = [(k, "insufficient") for k in range(4) for _ in range(2)]
    assert found == [*early, (4, "ok"), (4, "ok"), (5, "violated"), (5, "violated")]
