"""Why a signal was told or is not: what the policy remembers of it, beside the rules and its notices."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerts import retraining
from alerts.alerting import stored_notice
from alerts.deciding import Memory, Rules
from alerts.explaining import Explanation, explained
from alerts.notices import Cause
from alerts.policy import step, tick
from alerts.policy_state import PolicyState
from alerts.retrain_rules import RetrainRule
from alerts.retrain_state import RetrainState, with_told
from alerts.rules import AlertRules, Escalation, Lull, Match, Quiet, QuietHours, Route
from alerts.signals import Kind, Signal
from detectors.verdicts import Severity
from flows.render.alert_explained import explanation_lines
from state.episodes import Change
from state.stores.alerts import Acknowledgement, Delivery, StoredNotice
from tests.alerts.retrained import DAY, a_report, a_signal, the_rules

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_800_000_000_000
"""2027-01-15 08:00 UTC, a Friday."""

SIGNAL = Signal(
    event="e1",
    model="fraud",
    model_version="1",
    kind=Kind.DRIFT,
    change=Change.OPENED,
    episode="amount",
    window="daily",
    feature="amount",
    severity=Severity.MEDIUM,
    told="mean up",
)
ROUTE = Route(name="all", channels=("pager",), group_wait_ms=MINUTE, cooldown_ms=HOUR)


def rules(*routes: Route, cap: int = 20, quiet: Quiet | None = None) -> AlertRules:
    return AlertRules(
        model="fraud", routes=routes or (ROUTE,), caps={"pager": cap}, quiet=quiet or Quiet(passes=None)
    )


def ask(
    by: AlertRules, state: PolicyState | None, notices: list[StoredNotice] | None = None, *, now: int = T0
) -> Explanation:
    memory = None if state is None else Memory(policy=state)
    return explained(SIGNAL, Rules(alerts=by), memory, notices or [], [], now)


def said(found: Explanation, signal: Signal = SIGNAL) -> str:
    return " ".join(" ".join(line.plain for line in explanation_lines(signal, found, 80)).split())


def test_each_route_says_whether_it_takes_it_and_the_first_reason_why_not() -> None:
    high = Route(name="high", channels=("pager",), match=Match(severity=Severity.HIGH))
    found = ask(rules(high, ROUTE, Route(name="rest", channels=("pager",))), None)
    assert [(each.name, each.asked, each.matches, each.refusal) for each in found.routes] == [
        ("high", True, False, "severity is medium, wanted high at least"),
        ("all", True, True, None),
        ("rest", False, False, None),
    ]
    assert "rest: not asked: a route above took it" in said(found)
    assert "has not run" in said(found)


def test_a_signal_that_waits_for_others_says_until_when() -> None:
    state, notices = step(rules(), PolicyState(), SIGNAL, T0)
    assert notices == []
    found = ask(rules(), state)
    (group,) = found.groups
    assert (group.place, group.due_ms) == ("waiting", T0 + MINUTE)
    assert "waits for others until 2027-01-15 08:01:00 UTC" in said(found)


def test_what_was_told_names_its_messages_and_what_became_of_them() -> None:
    by = rules(replace(ROUTE, escalation=Escalation(after_ms=HOUR, channels=("pager",))))
    state, _ = step(by, PolicyState(), SIGNAL, T0)
    state, (notice,) = tick(by, state, T0 + MINUTE)
    failed = replace(
        stored_notice(notice), delivery=Delivery.DEAD, attempts=3, reason="the pager: answered 400"
    )
    found = ask(by, state, [failed])
    (group,), (told,) = found.groups, found.notices
    assert (group.place, group.due_ms, group.escalate_ms) == ("open", None, T0 + MINUTE + HOUR)
    assert (told.id, told.delivery, told.attempts) == (notice.id, Delivery.DEAD, 3)
    assert not found.told
    assert "dead 3" in said(found)
    assert "the pager: answered 400" in said(found)


def test_another_episode_is_no_business_of_this_one() -> None:
    state, _ = step(rules(), PolicyState(), replace(SIGNAL, episode="age", event="e2"), T0)
    state, (notice,) = tick(rules(), state, T0 + MINUTE)
    found = ask(rules(), state, [stored_notice(notice)])
    assert (found.known, found.groups, found.notices) == (None, (), ())
    assert "has not come to it yet" in said(found)


@pytest.mark.parametrize(
    ("by", "why", "words"),
    [
        (
            rules(replace(ROUTE, cooldown_ms=0), quiet=Quiet(maintenance=((T0, T0 + HOUR),))),
            "quiet",
            "maintenance held it back",
        ),
        (rules(replace(ROUTE, cooldown_ms=HOUR)), "cooldown", "within the route's cooldown"),
        (rules(replace(ROUTE, cooldown_ms=0), cap=1), "cap", "its `cap_per_hour`"),
    ],
)
def test_what_is_held_back_says_why(by: AlertRules, why: str, words: str) -> None:
    state = PolicyState()
    for other in (replace(SIGNAL, episode="age", event="e2"), SIGNAL):
        state, _ = step(by, state, other, T0)
        state, _ = tick(by, state, T0, flush=True)
    found = ask(by, state)
    (held,) = found.held
    assert (held.channel, held.why, held.due_ms) == ("pager", why, T0 + HOUR if why == "cooldown" else 0)
    assert words in said(found)


def test_quiet_hours_say_when_they_end() -> None:
    night = QuietHours(days=tuple(range(7)), start=22 * 60, end=8 * 60 + 30)
    found = ask(rules(quiet=Quiet(hours=(night,))), None)
    assert found.quiet is not None
    end = datetime(2027, 1, 15, 8, 30, tzinfo=UTC)
    assert (found.quiet.why, found.quiet.until_ms) == (Lull.HOURS, int(end.timestamp() * 1_000))
    always = (QuietHours(days=tuple(range(7)), start=0, end=0),)
    # Maintenance within the hours: what waits for both waits for the later one.
    both = Quiet(hours=(night,), maintenance=((T0, T0 + HOUR),))
    assert ask(rules(quiet=both), None).quiet == replace(
        found.quiet, why=Lull.MAINTENANCE, until_ms=T0 + HOUR
    )
    assert "no end of it is near" in said(ask(rules(quiet=Quiet(hours=always)), None))


def test_an_acknowledgement_is_named() -> None:
    seen = Acknowledgement(model="fraud", episode="amount", by="Ada", at_ms=T0, note="on it")
    found = explained(SIGNAL, Rules(alerts=rules()), None, [], [seen], T0)
    assert "by Ada, 2027-01-15 08:00:00 UTC: on it" in said(found)


def test_what_closed_before_its_message_says_that_nothing_was_sent() -> None:
    state, _ = step(rules(), PolicyState(), SIGNAL, T0)
    state, _ = step(rules(), state, replace(SIGNAL, change=Change.CLOSED, event="e2"), T0)
    assert "it closed before its message was due" in said(ask(rules(), state))


def test_an_update_that_is_no_worse_says_why_it_was_not_told() -> None:
    state, _ = step(rules(), PolicyState(), SIGNAL, T0)
    state, _ = tick(rules(), state, T0 + MINUTE)
    found = ask(rules(), state)
    update = replace(SIGNAL, change=Change.UPDATED)
    assert "medium at most so far; of updates only the first of a severity is told" in said(found, update)


@pytest.mark.parametrize(
    ("rule", "said_of_it"),
    [
        (RetrainRule(name="any"), "rule any asks"),
        (
            RetrainRule(name="bad", severity=Severity.HIGH),
            "rule bad does not ask: severity is medium",
        ),
        (RetrainRule(name="long", lasting=3 * DAY), "rule long does not ask: it does not last for 3d yet"),
        (RetrainRule(name="weekly", windows=frozenset({"weekly"})), "window is daily, wanted weekly"),
        (
            RetrainRule(name="faults", kinds=frozenset({Kind.PERFORMANCE})),
            "kind is drift, wanted perf",
        ),
        # Income is 1 of the 4 that all features weigh.
        (RetrainRule(name="most", share=0.5), "25% of the features drift, by importance, wanted 50%"),
        (RetrainRule(name="worse", loss={"roc_auc": 0.05}), "roc_auc has not lost as much as it wants"),
    ],
)
def test_each_rule_on_retraining_says_whether_it_asks_and_why_not(rule: RetrainRule, said_of_it: str) -> None:
    state = with_told(with_told(RetrainState(), a_signal(ends=1.0)), a_report(2.0))
    memory = Memory(retraining=state)
    found = explained(
        a_signal(ends=1.0), Rules(alerts=rules(), retraining=the_rules(rule)), memory, [], [], T0
    )
    assert said_of_it in said(found)


def test_a_guard_that_holds_a_request_back_is_named_and_so_is_the_request_before() -> None:
    by = Rules(alerts=rules(), retraining=the_rules())
    state = with_told(with_told(RetrainState(), a_signal(ends=1.0)), a_report(2.0))
    state, request = retraining.tick(state, T0, the_rules())
    assert request is not None
    (notice,) = retraining.notices(request, ("trainer",))
    found = explained(
        a_signal(ends=1.0), by, Memory(retraining=state), [stored_notice(notice)], [], T0 + HOUR
    )
    assert "rule any asks, held back: the last request was made at 2027-01-15T08:00:00Z" in said(found)
    assert f"requested 2027-01-15 08:00:00 UTC by rule any, request {request.id}" in said(found)
    assert [(each.id, each.cause) for each in found.notices] == [(notice.id, Cause.RETRAIN)]
    # One that is over asks for nothing.
    ended = with_told(state, a_signal(ends=3.0, change=Change.CLOSED))
    after = explained(a_signal(ends=1.0), by, Memory(retraining=ended), [], [], T0)
    assert after.retraining is not None
    assert (after.retraining.is_open, after.retraining.rules) == (False, ())
