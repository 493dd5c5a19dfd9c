"""The policy: one message per problem, by laws over any sequence of signals, and case by case."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.notices import Cause, Notice
from alerts.policy import step, tick
from alerts.policy_state import PolicyState, state_bytes, state_of
from alerts.rules import AlertRules, Escalation, Match, Quiet, Route
from alerts.signals import Kind, Signal
from detectors.verdicts import RANK, Severity
from state.codec import CodecError
from state.episodes import Change

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_800_000_000_000


def a_signal(feature: str, change: Change = Change.OPENED, severity: Severity = Severity.MEDIUM) -> Signal:
    return Signal(
        event=f"{feature}-{change}-{severity}",
        model="fraud",
        model_version="1",
        kind=Kind.DRIFT,
        change=change,
        episode=feature,
        window="hourly",
        feature=feature,
        severity=severity,
    )


def the_rules(
    *, cap: int = 100, quiet: Quiet | None = None, routes: tuple[Route, ...] | None = None
) -> AlertRules:
    found = routes or (Route(name="all", channels=("pager",)),)
    return AlertRules(model="fraud", routes=found, caps={"pager": cap, "boss": cap}, quiet=quiet or Quiet())


@dataclass
class Told:
    """A policy under way; `restart` sends its state through bytes before each move."""

    rules: AlertRules
    restart: bool = False
    state: PolicyState = field(default_factory=PolicyState)
    now: int = T0
    notices: list[Notice] = field(default_factory=list)

    def take(self, signal: Signal) -> list[Notice]:
        return self._keep(step(self.rules, self._kept(), signal, self.now))

    def wait(self, span: int, *, seen: tuple[str, ...] = (), flush: bool = False) -> list[Notice]:
        self.now += span
        return self._keep(tick(self.rules, self._kept(), self.now, seen, flush=flush))

    def _kept(self) -> PolicyState:
        return state_of(state_bytes(self.state)) if self.restart else self.state

    def _keep(self, answer: tuple[PolicyState, list[Notice]]) -> list[Notice]:
        self.state, found = answer
        self.notices += found
        return found


def brief(notices: list[Notice]) -> list[tuple[str, Cause, list[str]]]:
    return [(each.channel, each.cause, sorted(s.episode for s in each.signals)) for each in notices]


def test_features_that_drift_together_are_one_message_and_one_all_clear() -> None:
    told = Told(the_rules())
    assert told.take(a_signal("a")) == []
    told.now += 10_000
    assert told.take(a_signal("b")) == []
    assert told.wait(19_999) == []
    (opened,) = told.wait(1)
    assert (opened.cause, [s.episode for s in opened.signals]) == (Cause.OPENED, ["a", "b"])
    assert opened.title == "fraud: drift (medium) in hourly: a, b"
    assert told.take(a_signal("a", Change.CLOSED)) == []
    (closed,) = told.take(a_signal("b", Change.CLOSED))
    assert (closed.cause, closed.incident) == (Cause.CLOSED, opened.incident)


def test_what_closes_before_it_is_told_is_not_told() -> None:
    told = Told(the_rules())
    told.take(a_signal("a"))
    told.take(a_signal("a", Change.CLOSED))
    assert told.wait(HOUR) == []


def test_within_the_cooldown_new_ones_wait_for_a_digest_unless_they_are_worse() -> None:
    told = Told(the_rules())
    told.take(a_signal("a"))
    told.wait(MINUTE)
    told.take(a_signal("b"))
    assert told.wait(58 * MINUTE) == []
    assert brief(told.wait(2 * MINUTE)) == [("pager", Cause.DIGEST, ["b"])]
    told.take(a_signal("c", severity=Severity.HIGH))
    assert brief(told.wait(MINUTE)) == [("pager", Cause.OPENED, ["c"])]


def test_a_severity_that_rises_is_told_at_once_and_to_others_as_well() -> None:
    route = Route(name="all", channels=("pager",), escalation=Escalation(after_ms=HOUR, channels=("boss",)))
    told = Told(the_rules(routes=(route,)))
    told.take(a_signal("a"))
    told.wait(MINUTE)
    risen = told.take(a_signal("a", Change.UPDATED, Severity.HIGH))
    assert [(each.channel, each.cause) for each in risen] == [
        ("pager", Cause.ESCALATED),
        ("boss", Cause.ESCALATED),
    ]
    ended = told.take(a_signal("a", Change.CLOSED, Severity.HIGH))
    assert [(each.channel, each.cause) for each in ended] == [("pager", Cause.CLOSED), ("boss", Cause.CLOSED)]


@pytest.mark.parametrize(("seen", "channels"), [((), ["boss"]), (("a",), [])])
def test_others_are_told_where_nobody_acknowledges(seen: tuple[str, ...], channels: list[str]) -> None:
    route = Route(name="all", channels=("pager",), escalation=Escalation(after_ms=HOUR, channels=("boss",)))
    told = Told(the_rules(routes=(route,)))
    told.take(a_signal("a"))
    told.wait(MINUTE)
    assert told.wait(HOUR - 1) == []
    assert [each.channel for each in told.wait(1, seen=seen)] == channels
    assert told.wait(5 * HOUR) == []


def test_quiet_hours_hold_back_what_is_not_high_and_a_digest_follows_them() -> None:
    told = Told(the_rules(quiet=Quiet(maintenance=((T0, T0 + HOUR),))))
    told.take(a_signal("a"))
    assert told.wait(MINUTE) == []
    told.take(a_signal("b", severity=Severity.HIGH))
    assert brief(told.wait(MINUTE)) == [("pager", Cause.OPENED, ["b"])]
    assert told.take(a_signal("a", Change.CLOSED)) == []
    assert told.wait(57 * MINUTE) == []
    (digest,) = told.wait(MINUTE)
    assert brief([digest]) == [("pager", Cause.DIGEST, ["a"])]


def test_the_first_route_that_matches_decides_unless_it_goes_on() -> None:
    grave = Route(name="grave", channels=("boss",), match=Match(severity=Severity.HIGH))
    rest = Route(name="rest", channels=("pager",))
    for goes_on, wanted in ((False, ["boss"]), (True, ["boss", "pager"])):
        told = Told(the_rules(routes=(replace(grave, goes_on=goes_on), rest)))
        told.take(a_signal("a", severity=Severity.HIGH))
        assert [each.channel for each in told.wait(MINUTE)] == wanted


def test_a_clock_that_is_set_back_tells_nothing_twice() -> None:
    told = Told(the_rules())
    told.take(a_signal("a"))
    assert len(told.wait(MINUTE)) == 1
    assert told.wait(-HOUR) == []
    assert told.state.now_ms == T0 + MINUTE


def test_bytes_that_were_changed_are_refused() -> None:
    data = bytearray(state_bytes(PolicyState()))
    data[-5] ^= 1
    with pytest.raises(CodecError):
        state_of(bytes(data))


_MOVES = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from(list(Change)),
        st.sampled_from(list(Severity)),
        st.sampled_from([0, 1_000, MINUTE, 20 * MINUTE, HOUR]),
    ),
    max_size=30,
)


def played(
    moves: list[tuple[str, Change, Severity, int]], rules: AlertRules, *, restart: bool = False
) -> Told:
    told = Told(rules, restart=restart)
    for feature, change, severity, span in moves:
        told.take(a_signal(feature, change, severity))
        told.wait(span)
    return told


def rules_of(cap: int) -> AlertRules:
    escalation = Escalation(after_ms=HOUR, channels=("boss",))
    return the_rules(cap=cap, routes=(Route(name="all", channels=("pager",), escalation=escalation),))


@given(moves=_MOVES, cap=st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_laws_of_telling(moves: list[tuple[str, Change, Severity, int]], cap: int) -> None:
    told = played(moves, rules_of(cap))
    for _ in range(20):
        told.wait(HOUR)
    for channel in ("pager", "boss"):
        sent = [each for each in told.notices if each.channel == channel]
        times = [each.decided_ms for each in sent]
        assert all(sum(at - HOUR < other <= at for other in times) <= cap for at in times)
        opened = {each.incident for each in sent if each.cause is not Cause.CLOSED}
        cleared = {s.episode for each in sent if each.cause is Cause.CLOSED for s in each.signals}
        shown = {s.episode for each in sent if each.cause is not Cause.CLOSED for s in each.signals}
        assert cleared <= shown
        assert opened or not cleared
    first = [
        s.episode for n in told.notices if (n.channel, n.cause) == ("pager", Cause.OPENED) for s in n.signals
    ]
    assert len(first) == len(set(first))
    ever = {s.episode for n in told.notices if n.channel == "pager" for s in n.signals}
    still_open = {name for name, known in told.state.known.items() if not known.closed}
    assert still_open <= ever
    assert len({each.id for each in told.notices}) == len(told.notices)


@given(moves=_MOVES, cap=st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_a_restart_at_any_point_changes_nothing(
    moves: list[tuple[str, Change, Severity, int]], cap: int
) -> None:
    assert played(moves, rules_of(cap), restart=True).notices == played(moves, rules_of(cap)).notices


@given(moves=_MOVES)
@settings(deadline=None, max_examples=40)
def test_a_replay_of_the_log_decides_nothing_new(moves: list[tuple[str, Change, Severity, int]]) -> None:
    told = played(moves, rules_of(100))
    for _ in range(5):
        told.wait(HOUR)
    # A log never says less of an episode than it has said: what is over stays over, severity only rises.
    worst: dict[str, int] = {}
    closed = set[str]()
    log = list[Signal]()
    for feature, change, severity, _ in moves:
        if feature not in closed and (change is Change.CLOSED or RANK[severity] > worst.get(feature, -1)):
            log.append(a_signal(feature, change, severity))
            worst[feature] = max(RANK[severity], worst.get(feature, -1))
        if change is Change.CLOSED:
            closed.add(feature)
    before = len(told.notices)
    for signal in log:
        if signal.change is not Change.CLOSED or signal.episode in told.state.known:
            told.take(signal)
    told.wait(5 * HOUR)
    assert told.notices[before:] == []


def test_the_stored_state_of_version_1_is_read() -> None:
    # The file holds what these moves led to when version 1 was fixed.
    moves = [
        ("a", Change.OPENED, Severity.MEDIUM, MINUTE),
        ("b", Change.OPENED, Severity.LOW, MINUTE),
        ("c", Change.OPENED, Severity.HIGH, 0),
    ]
    golden = Path(__file__).parents[1] / "golden" / "alert-policy.v1.bin"
    assert state_of(golden.read_bytes()) == played(moves, rules_of(1)).state
