"""Requests to train again, turn by turn: made once, sent at least once, under one id whatever dies."""

import logging
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from alerts.channels.base import TryAgainError
from alerts.measured import measured
from alerts.notices import Cause, Notice
from alerts.progress import progress_of
from alerts.retrain_rules import Guard, RetrainRule, RetrainRules
from alerts.retrain_state import RetrainState
from alerts.signals import Kind
from state.durations import Axis
from state.events import EventType
from state.performance_report import PerformanceReport
from state.stores.alerts import Delivery
from state.stores.base import StoredEvent
from tests.alerts.events import closed, opened
from tests.alerts.retrained import the_rules
from tests.alerts.world import HOUR, DiedError, World, dies_at, settle
from tests.evidence import context
from tests.performed import performance_context, window

ROWS = the_rules(model="fraud", axis=Axis.ROWS, weights={"amount": 1.0, "age": 1.0})
GOOD, BAD = (900, 100), (700, 300)
"""Right and wrong predictions of a window; the reference has 90 % right (`tests.performed`)."""


class KilledBeforeError(Exception):
    """The process is killed before anything is sent."""


def asked(world: World) -> list[dict[str, object]]:
    """Return the requests that the trainer got."""
    assert {each.cause for each in world.trainer.got} <= {Cause.RETRAIN}
    return [orjson.loads(each.payload) for each in world.trainer.got]


def performance(*windows: tuple[int, int]) -> list[bytes]:
    """Write what the report of performance says of windows, reports before what they have begun."""
    report = PerformanceReport(performance_context(context()))
    found = [item for k, moods in enumerate(windows) for item in report.add([window(k, *moods)])]
    return [item.body for item in found if isinstance(item, StoredEvent)]


def measuring(*rules: RetrainRule) -> tuple[str, RetrainRules]:
    """Return the model of `performance`, and rules on it."""
    model = orjson.loads(performance(GOOD)[0])["partitionkey"]
    return model, the_rules(*rules, model=model)


def test_a_drift_that_is_open_is_asked_about_once() -> None:
    world = World(retraining=ROWS)
    world.log.lines += [opened("amount", end=9)]
    settle(world.process())
    world.log.lines += [opened("amount", end=9)]
    settle(world.process())
    (request,) = asked(world)
    assert request["type"] == EventType.RETRAIN
    assert request["data"]["episodes"][0]["feature"] == "amount"  # type: ignore[index]
    # People are told of the drift as before.
    assert [each.cause for each in world.pager.got] == [Cause.OPENED]


@pytest.mark.parametrize("from_start", [True, False])
def test_what_has_closed_further_on_in_the_log_asks_for_nothing(*, from_start: bool) -> None:
    world = World(retraining=ROWS)
    world.log.most = 1  # no read holds both
    world.log.lines += [opened("amount", end=1), closed("amount", end=2)]
    settle(world.process(from_start=from_start))
    assert asked(world) == []


def test_another_request_follows_when_its_time_has_come_and_is_another_one() -> None:
    world = World(retraining=replace(ROWS, at_most_every_ms=HOUR))
    world.log.lines += [opened("amount", end=9)]
    alerting = world.process()
    settle(alerting)
    world.now += HOUR
    settle(alerting)
    first, second = asked(world)
    assert first["id"] != second["id"]
    assert [each["data"]["attempt"] for each in (first, second)] == [1, 2]  # type: ignore[index]


@pytest.mark.parametrize("crash", range(5))
def test_a_death_anywhere_neither_loses_a_request_nor_makes_a_second(crash: int) -> None:
    world = World(retraining=ROWS)
    world.log.lines += [opened("amount", end=9)]
    dies_at(world.store, crash)
    for _ in range(2):
        try:
            settle(world.process())
        except DiedError:
            world.now += 1_000
    requests = asked(world)
    assert 1 <= len(requests) <= 2
    assert len({orjson.dumps(each) for each in requests}) == 1
    assert [each.cause for each in world.stored(Delivery.SENT)].count(Cause.RETRAIN) == 1
    assert world.stored(Delivery.WAITING) == []


def test_a_death_between_storing_and_sending_sends_what_was_stored() -> None:
    world = World(retraining=ROWS)
    world.log.lines += [opened("amount", end=9)]
    answers: list[Exception | None] = [KilledBeforeError(), None]
    world.trainer.answer = lambda: answers.pop(0)
    with pytest.raises(KilledBeforeError):
        settle(world.process())
    assert asked(world) == []
    # By now it would be written with another time: what was stored counts.
    (stored,) = [each for each in world.stored(Delivery.WAITING) if each.cause is Cause.RETRAIN]
    world.now += HOUR
    settle(world.process())
    assert [each.id for each in world.trainer.got] == [stored.id]
    assert asked(world)[0]["id"] == stored.incident


def test_a_trainer_that_is_away_gets_the_same_request_later() -> None:
    world = World(retraining=ROWS)
    world.log.lines += [opened("amount", end=9)]
    tried = list[Notice]()
    world.trainer.answer = lambda: TryAgainError("exit code 1")
    alerting = world.process()
    settle(alerting)
    tried += world.stored(Delivery.WAITING)
    world.trainer.answer = lambda: None
    world.now += HOUR
    settle(world.process())
    assert world.trainer.got == tried


def test_lost_performance_asks_with_what_real_reports_say() -> None:
    model, rules = measuring(
        RetrainRule(name="worse", kinds=frozenset({Kind.PERFORMANCE}), loss={"accuracy": 0.15})
    )
    world = World(model=model, retraining=rules)
    world.log.lines += performance(GOOD, BAD)
    settle(world.process())
    (request,) = asked(world)
    (loss,) = request["data"]["losses"]  # type: ignore[index]
    # 900 of 1,000 are right in the reference, 700 in the second window.
    assert (loss["metric"], loss["expected"], loss["value"]) == ("accuracy", 0.9, 0.7)


def test_labels_are_remembered_by_the_process_that_comes_after() -> None:
    model, rules = measuring(RetrainRule(name="worse", kinds=frozenset({Kind.PERFORMANCE})))
    world = World(model=model, retraining=replace(rules, fresh_labels=2_000))
    lines = performance(GOOD, BAD, BAD)
    first = len(performance(GOOD, BAD))
    world.log.lines += lines[:first]
    settle(world.process())
    assert asked(world) == []
    world.log.lines += lines[first:]
    settle(world.process())
    # The two windows since it began have 1,000 rows with a label each.
    assert [each["data"]["labelled"] for each in asked(world)] == [2_000]  # type: ignore[index]


def test_reports_of_other_models_say_nothing() -> None:
    (report, *_) = performance(GOOD)
    model = orjson.loads(report)["partitionkey"]
    assert measured(report, model=model) is not None
    assert measured(report, model="another") is None


def test_why_nobody_is_asked_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "driftflow.alerts")
    world = World(retraining=ROWS)
    world.log.lines += [opened("amount", end=9)]
    settle(world.process(), turns=4)
    said = [each for each in caplog.messages if each.startswith("rule any asks for no retraining yet")]
    assert len(said) == 1
    assert "at most one is in 1d" in said[0]


def test_without_rules_what_is_open_is_remembered_all_the_same() -> None:
    world = World()
    world.log.lines += [opened("amount", end=9)]
    settle(world.process())
    world.retraining = ROWS
    settle(world.process())
    assert len(asked(world)) == 1


def test_labels_are_kept_for_rules_only() -> None:
    kept = []
    for rules in (None, measuring()[1]):
        world = World(model=measuring()[0], retraining=rules)
        world.log.lines += performance(GOOD)
        settle(world.process())
        progress = world.store.alert_progress(world.model)
        assert progress is not None
        kept.append([each.rows for each in progress_of(progress.body).retraining.labelled])
    # 1,000 rows with a label in the one window.
    assert kept == [[], [1_000]]


def test_the_stored_progress_of_version_1_is_read() -> None:
    # Written before rules on retraining were remembered.
    golden = Path(__file__).parents[1] / "golden" / "alert-progress.v1.bin"
    saved = progress_of(golden.read_bytes())
    assert (saved.position, saved.folds) == (b"120", {"digest": ("first", "second")})
    assert saved.retraining == RetrainState()
    # Three episodes of `tests/golden/alert-policy.v1.bin`.
    assert set(saved.memory.policy.known) == {"a", "b", "c"}


def test_guards_hold_a_request_back_until_they_do_not() -> None:
    world = World(retraining=replace(ROWS, fresh_labels=1))
    world.log.lines += [opened("amount", end=9)]
    alerting = world.process()
    settle(alerting)
    progress = world.store.alert_progress("fraud")
    assert progress is not None
    (refusal,) = progress_of(progress.body).retraining.refusals
    assert refusal.guards == (Guard.LABELS,)
    assert asked(world) == []
