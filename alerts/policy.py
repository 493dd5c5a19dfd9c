"""Who is told what and when: pure, from a state, a signal and a time to a state and notices."""

from collections.abc import Collection
from dataclasses import replace

from msgspec.structs import replace as with_

from alerts.messages import make_notice
from alerts.notices import Cause, Notice, notice_id
from alerts.policy_state import Group, Held, Known, PolicyState
from alerts.rules import AlertRules, Route
from alerts.signals import Signal, worst
from detectors.verdicts import RANK
from state.episodes import Change

HOUR_MS = 3_600_000
MOST_KNOWN = 20_000
"""Closed episodes that are remembered; a replay that is longer would tell the oldest again."""

QUIET, CAP, COOLDOWN = "quiet", "cap", "cooldown"

Answer = tuple[PolicyState, list[Notice]]


def step(
    rules: AlertRules, state: PolicyState, signal: Signal, now_ms: int, *, together: bool = False
) -> Answer:
    """Take one signal in.

    What was seen before changes nothing, so a replay of the log decides nothing new.

    Parameters
    ----------
    now_ms
        Milliseconds since the epoch by the wall clock.
    together
        One group for each route, whatever it groups by: for what is open at the first start.
    """
    work = _Work(rules, state, now_ms)
    known = work.known.get(signal.episode)
    if known is not None and known.closed:
        return state, []
    if signal.change is Change.CLOSED:
        work.close(signal)
    elif known is None or RANK[signal.severity] > RANK[known.severity]:
        work.rise(signal, together=together)
    return work.answer()


def tick(
    rules: AlertRules,
    state: PolicyState,
    now_ms: int,
    acknowledged: Collection[str] = (),
    *,
    flush: bool = False,
) -> Answer:
    """Let time pass: groups that have waited, escalations, digests.

    Parameters
    ----------
    acknowledged
        Episodes that somebody has seen; one of an incident is enough.
    flush
        Wait for no more signals of a group: nothing is coming.
    """
    work = _Work(rules, state, now_ms)
    for key in list(work.groups):
        work.tell_waiting(key, flush=flush)
        work.escalate_unseen(key, acknowledged)
        work.forget(key)
    for channel in list(work.held):
        work.digest(channel)
    return work.answer()


class _Work:
    """One step under way: copies of the state's maps, and the notices so far."""

    def __init__(self, rules: AlertRules, state: PolicyState, now_ms: int) -> None:
        self._rules = rules
        self._routes = {route.name: route for route in rules.routes}
        self._now_ms = max(now_ms, state.now_ms)
        self.known = dict(state.known)
        # A route or a channel that the configuration has no longer tells nobody.
        self.groups = {key: group for key, group in state.groups.items() if group.route in self._routes}
        self.held = {name: dict(held) for name, held in state.held.items() if name in rules.caps}
        since_ms = self._now_ms - HOUR_MS
        self._sent = {name: tuple(at for at in times if at > since_ms) for name, times in state.sent.items()}
        self._notices: list[Notice] = []

    def answer(self) -> Answer:
        """Return the state and the notices."""
        closed = [episode for episode, known in self.known.items() if known.closed]
        for episode in closed[: max(0, len(closed) - MOST_KNOWN)]:
            del self.known[episode]
        state = PolicyState(
            now_ms=self._now_ms,
            known=self.known,
            groups=self.groups,
            held={name: held for name, held in self.held.items() if held},
            sent=self._sent,
        )
        return state, self._notices

    def rise(self, signal: Signal, *, together: bool) -> None:
        """Take in an episode that is new, or worse than it was."""
        self.known[signal.episode] = Known(severity=signal.severity)
        inside = set[str]()
        for key, group in list(self.groups.items()):
            if signal.episode in group.waiting:
                self.groups[key] = with_(group, waiting={**group.waiting, signal.episode: signal})
                inside.add(group.route)
            elif signal.episode in group.open:
                self._worsen(key, signal)
                inside.add(group.route)
        for route in self._rules.routed(signal):
            if route.name not in inside:
                self._wait(route, f"{route.name}/*" if together else route.key(signal), signal)

    def close(self, signal: Signal) -> None:
        """Take in the end of an episode; one that was not told yet is not told at all."""
        known = self.known.pop(signal.episode, None)
        severity = signal.severity if known is None else known.severity
        self.known[signal.episode] = Known(severity=severity, closed=True)
        for key, group in list(self.groups.items()):
            if signal.episode in group.waiting:
                self.groups[key] = with_(group, waiting=_without(group.waiting, signal.episode))
            elif signal.episode in group.open:
                ended = {**group.closed, signal.episode: replace(signal, bars=None)}
                self.groups[key] = with_(group, open=_without(group.open, signal.episode), closed=ended)
            self._all_clear(key)

    def tell_waiting(self, key: str, *, flush: bool) -> None:
        """Tell a group what has waited long enough; within its cooldown it goes to the digest."""
        group = self.groups[key]
        if not group.waiting or (self._now_ms < group.due_ms and not flush):
            return
        route, fresh = self._routes[group.route], list(group.waiting.values())
        highest = worst(fresh)
        incident = group.incident or notice_id(key, *sorted(group.waiting))
        cool_ms = group.told_ms + route.cooldown_ms
        calm = group.told_ms >= 0 and self._now_ms < cool_ms and RANK[highest] <= RANK[group.peak]
        for channel in route.channels:
            if calm:
                self._hold(channel, route.name, fresh, COOLDOWN, cool_ms)
            else:
                self._send(channel, route.name, incident, Cause.OPENED, fresh)
        group = with_(
            group,
            incident=incident,
            waiting={},
            open={**group.open, **{each.episode: replace(each, bars=None) for each in fresh}},
            peak=max(highest, group.peak, key=RANK.__getitem__),
            told_ms=group.told_ms if calm else self._now_ms,
        )
        if route.escalation is not None and group.escalate_ms < 0 and not group.escalated:
            group = with_(group, escalate_ms=self._now_ms + route.escalation.after_ms)
        self.groups[key] = group

    def escalate_unseen(self, key: str, acknowledged: Collection[str]) -> None:
        """Tell others where nobody has acknowledged in time."""
        group = self.groups[key]
        route = self._routes[group.route]
        if group.escalate_ms < 0 or not group.open:
            return
        if any(episode in acknowledged for episode in group.open):
            self.groups[key] = with_(group, escalate_ms=-1)
        elif route.escalation is not None and self._now_ms >= group.escalate_ms:
            for channel in route.escalation.channels:
                self._send(channel, route.name, group.incident, Cause.ESCALATED, list(group.open.values()))
            self.groups[key] = with_(group, escalate_ms=-1, escalated=True)

    def forget(self, key: str) -> None:
        """Drop a group that is over, once its cooldown is."""
        group = self.groups[key]
        idle = not (group.waiting or group.open or group.closed)
        if idle and self._now_ms >= group.told_ms + self._routes[group.route].cooldown_ms:
            del self.groups[key]

    def digest(self, channel: str) -> None:
        """Tell in one message what was held back, where something of it is due and there is room."""
        held = self.held[channel]
        signals = [each.signal for each in held.values()]
        if not any(each.due_ms <= self._now_ms for each in held.values()):
            return
        highest = worst(signals)
        if self._rules.quiet.holds_back(highest, self._now_ms) or self._full(channel):
            return
        self._put(channel, "", notice_id(channel, "digest", *sorted(held)), Cause.DIGEST, signals)
        self.held[channel] = {}

    def _wait(self, route: Route, key: str, signal: Signal) -> None:
        group = self.groups.get(key, Group(route=route.name))
        due_ms = group.due_ms if group.waiting else self._now_ms + route.group_wait_ms
        self.groups[key] = with_(group, waiting={**group.waiting, signal.episode: signal}, due_ms=due_ms)

    def _worsen(self, key: str, signal: Signal) -> None:
        group = self.groups[key]
        route = self._routes[group.route]
        others = () if route.escalation is None else route.escalation.channels
        for channel in dict.fromkeys((*route.channels, *others)):
            self._send(channel, route.name, group.incident, Cause.ESCALATED, [signal])
        self.groups[key] = with_(
            group,
            open={**group.open, signal.episode: replace(signal, bars=None)},
            peak=max(signal.severity, group.peak, key=RANK.__getitem__),
            # Who is told when nobody acknowledges knows by now.
            escalate_ms=-1 if others else group.escalate_ms,
            escalated=group.escalated or bool(others),
        )

    def _all_clear(self, key: str) -> None:
        group = self.groups[key]
        if group.open or group.waiting or not group.closed:
            return
        route = self._routes[group.route]
        others = route.escalation.channels if route.escalation is not None and group.escalated else ()
        for channel in dict.fromkeys((*route.channels, *others)):
            # What its channel was not told of yet ends in the digest, where it says so.
            held = self.held.get(channel, {})
            unheld = [each for each in group.closed.values() if each.episode not in held]
            for each in group.closed.values():
                if each.episode in held:
                    self.held[channel][each.episode] = with_(held[each.episode], signal=each)
            if route.resolve and unheld:
                self._send(channel, route.name, group.incident, Cause.CLOSED, unheld)
        self.groups[key] = Group(route=group.route, told_ms=group.told_ms, peak=group.peak)

    def _send(self, channel: str, route: str, incident: str, cause: Cause, signals: list[Signal]) -> None:
        highest = worst(signals)
        queued = any(each.why == CAP for each in self.held.get(channel, {}).values())
        if self._rules.quiet.holds_back(highest, self._now_ms):
            self._hold(channel, route, signals, QUIET, 0)
        elif queued or self._full(channel):
            self._hold(channel, route, signals, CAP, 0)
        else:
            told = {each.episode for each in signals}
            rest = {name: each for name, each in self.held.get(channel, {}).items() if name not in told}
            self.held[channel] = rest
            self._put(channel, route, incident, cause, signals)

    def _hold(self, channel: str, route: str, signals: list[Signal], why: str, due_ms: int) -> None:
        fresh = {each.episode: Held(signal=each, route=route, due_ms=due_ms, why=why) for each in signals}
        self.held[channel] = {**self.held.get(channel, {}), **fresh}

    def _full(self, channel: str) -> bool:
        return len(self._sent.get(channel, ())) >= self._rules.caps[channel]

    def _put(self, channel: str, route: str, incident: str, cause: Cause, signals: list[Signal]) -> None:
        self._sent[channel] = (*self._sent.get(channel, ()), self._now_ms)
        notice = make_notice(
            signals, channel=channel, route=route, incident=incident, cause=cause, now_ms=self._now_ms
        )
        self._notices.append(notice)


def _without(signals: dict[str, Signal], episode: str) -> dict[str, Signal]:
    return {name: each for name, each in signals.items() if name != episode}
