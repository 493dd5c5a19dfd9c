import json
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.measured import Measured
from alerts.notices import Cause
from alerts.retrain_rules import Begin, Guard, Hours, RetrainRule, RetrainRules
from alerts.retrain_state import RetrainState
from alerts.retraining import Request, notices, step, tick
from alerts.signals import Kind, Signal
from detectors.verdicts import Severity
from state.episodes import Change
from tests.alerts.retrained import DAY, START, a_report, a_signal, day, labels, the_rules
from tests.state.test_events import validator

NOW = START + 100 * DAY


def heard(
    rules: RetrainRules, *told: Signal | Measured, now_ms: int = NOW
) -> tuple[RetrainState, list[Request]]:
    state, made = RetrainState(), []
    for each in told:
        state, request = step(state, each, now_ms, rules)
        made += [request] if request else []
    return state, made


def guards(state: RetrainState) -> list[str]:
    return [guard for refusal in state.refusals for guard in refusal.guards]


def test_a_drift_that_a_rule_looks_at_is_asked_about_once() -> None:
    state, (request,) = heard(the_rules(), a_report(1), a_signal("income", ends=2), a_signal("age", ends=3))
    found = json.loads(request.body)
    validator("#/$defs/Event").validate(found)
    assert request.data.reason == "income drifts (25% of the features by importance)"
    assert (request.data.reference, request.data.attempt) == ("3bd4", 1)
    assert (request.data.span.start, request.data.span.end) == (day(1), day(2))
    assert guards(state) == [Guard.TOO_SOON]
    assert "at most one is in 1d" in state.refusals[-1].reason
    (notice,) = notices(request, ("trainer",))
    assert (notice.cause, notice.channel, notice.payload) == (Cause.RETRAIN, "trainer", request.body.decode())


@pytest.mark.parametrize(
    ("rule", "told", "asked"),
    [
        (RetrainRule(name="r", kinds=frozenset({Kind.PERFORMANCE})), [a_signal()], False),
        (RetrainRule(name="r", windows=frozenset({"weekly"})), [a_signal()], False),
        (RetrainRule(name="r", severity=Severity.HIGH), [a_signal()], False),
        (
            RetrainRule(name="r", severity=Severity.HIGH),
            [a_signal(), a_signal(change=Change.UPDATED, severity=Severity.HIGH)],
            True,
        ),
        (RetrainRule(name="r", lasting=2 * DAY), [a_signal(ends=1), a_report(1.9)], False),
        (RetrainRule(name="r", lasting=2 * DAY), [a_signal(ends=1), a_report(2)], True),
        (RetrainRule(name="r", share=0.5), [a_signal("income")], False),
        (RetrainRule(name="r", share=0.5), [a_signal("income"), a_signal("age")], True),
        (RetrainRule(name="r", share=0.5), [a_signal("city")], True),
        (RetrainRule(name="r", loss={"roc_auc": 0.04}), [labels(1, 500, auc=0.72), a_signal()], False),
        (RetrainRule(name="r", loss={"roc_auc": 0.04}), [labels(1, 500, auc=0.70), a_signal()], True),
        (RetrainRule(name="r", loss={"roc_auc": 0.04}), [labels(1, 99, auc=0.60), a_signal()], False),
        (
            RetrainRule(name="r", loss={"roc_auc": 0.04}),
            [labels(1, 500, auc=0.70), labels(2, 500, auc=0.75), a_signal()],
            False,
        ),
    ],
)
def test_all_conditions_of_a_rule_must_hold(
    rule: RetrainRule, told: list[Signal | Measured], *, asked: bool
) -> None:
    assert bool(heard(the_rules(rule), *told)[1]) is asked


def test_a_drift_that_closed_in_time_is_not_asked_about() -> None:
    rules = the_rules(RetrainRule(name="r", lasting=2 * DAY))
    told: list[Signal | Measured] = [
        a_signal(),
        a_signal(ends=2, change=Change.CLOSED),
        a_report(5),
        a_signal(),
    ]
    state, made = heard(rules, *told)
    assert (made, state.open) == ([], ())


def test_faulty_data_holds_back_what_it_may_have_caused() -> None:
    fault = a_signal("income", kind=Kind.QUALITY, episode="q", check="missing_share", severity=None)
    state, made = heard(the_rules(), fault, a_signal("income"))
    assert (made, guards(state)) == ([], [Guard.DATA_QUALITY])
    assert "missing_share of income" in state.refusals[-1].reason
    state, (request,) = heard(the_rules(), fault, a_signal("income"), a_signal("age"))
    assert [each.feature for each in request.data.episodes] == ["age"]
    whole = a_signal("", kind=Kind.OPERATIONS, episode="o", check="error_share", severity=None)
    assert heard(the_rules(), whole, a_signal("age"))[1] == []
    degraded = a_signal("", kind=Kind.PERFORMANCE, episode="p", check="roc_auc", severity=None)
    assert heard(the_rules(), fault, degraded)[1] == []
    assert len(heard(the_rules(despite_faults=True), fault, degraded)[1]) == 1
    state, made = heard(
        the_rules(), fault, a_signal("income"), closed_one(fault)
    )  # mended, and the drift lasts
    assert len(made) == 1


def closed_one(signal: Signal) -> Signal:
    return a_signal(signal.feature, ends=4, kind=signal.kind, episode=signal.episode, change=Change.CLOSED)


def test_only_fresh_labels_count_and_windows_that_overlap_count_once() -> None:
    rules = the_rules(fresh_labels=1_000)
    state, made = heard(rules, labels(1, 5_000), a_signal(ends=2), labels(2, 400), labels(3, 500))
    assert (made, guards(state)) == ([], [Guard.LABELS])
    assert "900 rows have a label since it began, wanted 1,000" in state.refusals[-1].reason
    # A later revision of the same window replaces the first; an earlier one does not.
    state, request = step(state, labels(3, 450, revision=0), NOW, rules)
    assert request is None
    state, request = step(state, labels(3, 600, revision=9), NOW, rules)
    assert request is not None
    assert request.data.labelled == 1_000
    sliding = [labels(each / 2, 400, window="sliding") for each in range(4, 8)]
    state, made = heard(rules, a_signal(ends=2), *sliding)
    assert made == []  # [1, 2) and [2, 3): 800 of 1,600


def test_it_is_asked_again_for_a_drift_that_lasts_and_not_for_ever() -> None:
    rules = the_rules(attempts=2)
    state, made = heard(rules, a_signal())
    ids = [made[0].id]
    for days in range(1, 5):
        state, request = tick(state, NOW + days * DAY, rules)
        ids += [request.id] if request else []
    assert len(set(ids)) == 2
    assert guards(state)[-1] == Guard.ATTEMPTS
    state, request = tick(state, NOW + DAY // 2, rules)
    assert request is None


def test_the_hours_of_the_day_are_those_of_the_zone() -> None:
    hours = Hours(start=22 * 60, end=5 * 60, zone=ZoneInfo("Europe/Berlin"))
    rules = the_rules(between=hours)
    noon, night = datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 20, tzinfo=UTC)  # 22:00 there
    state, made = heard(rules, a_signal(), now_ms=round(noon.timestamp() * 1000))
    assert (made, guards(state)) == ([], [Guard.HOURS])
    assert "22:00-05:00 (Europe/Berlin)" in state.refusals[0].reason
    assert tick(state, round(night.timestamp() * 1000), rules)[1] is not None


@pytest.mark.parametrize(
    ("train_on", "start"),
    [(Begin.SINCE, day(0)), (Begin.ESTABLISHED, day(1)), (DAY, day(2))],
)
def test_the_span_to_train_on_begins_where_it_is_told_to(train_on: Begin | int, start: str) -> None:
    rules = the_rules(RetrainRule(name="r", lasting=3 * DAY), train_on=train_on)
    _, (request,) = heard(rules, a_signal(ends=1), a_report(3))
    assert (request.data.span.start, request.data.span.end) == (start, day(3))


def test_a_span_without_rows_is_waited_for() -> None:
    rules = the_rules(train_on=Begin.ESTABLISHED)
    state, made = heard(rules, a_signal(ends=1))
    assert (made, guards(state)) == ([], [Guard.SPAN])
    assert step(state, a_report(2), NOW, rules)[1] is not None


TOLD: list[Signal | Measured] = [
    *(a_signal(name, ends=ends) for name in ("income", "age", "city") for ends in (1.0, 2.0)),
    *(a_signal(name, ends=3.0, change=Change.CLOSED) for name in ("income", "age")),
    a_signal("age", kind=Kind.QUALITY, episode="q", check="missing_share", severity=None),
    *(labels(ends, 300, auc=0.7) for ends in (1, 2, 3)),
    a_report(4),
]


@given(st.lists(st.tuples(st.sampled_from(TOLD), st.integers(0, DAY)), max_size=25))
def test_what_is_told_again_or_after_a_restart_changes_nothing(
    told: list[tuple[Signal | Measured, int]],
) -> None:
    rules = the_rules(RetrainRule(name="r", share=0.25, loss={"roc_auc": 0.01}), fresh_labels=300)
    state, now_ms, times = RetrainState(), NOW, []
    for each, later in told:
        now_ms += later
        state, request = step(state, each, now_ms, rules)
        times += [now_ms] if request else []
        state = msgspec.json.decode(msgspec.json.encode(state), type=RetrainState)
        assert step(state, each, now_ms, rules) == (state, None)
    assert all(b - a >= rules.at_most_every_ms for a, b in pairwise(times))
    assert [each.at_ms for each in state.requests] == times
