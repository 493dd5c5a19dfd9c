"""Why a signal was told or is not: routes, groups, what is held back, and the notices of its episode."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alerts.deciding import Memory, Rules
from alerts.notices import Cause, decode_notice
from alerts.policy_state import Group, Known
from alerts.retrain_explaining import Retraining, retraining_of
from alerts.rules import AlertRules, Lull
from alerts.signals import Signal
from detectors.verdicts import Severity
from state.stores.alerts import Acknowledgement, Delivery, StoredNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAnswer:
    """What one route says of a signal.

    Attributes
    ----------
    asked
        False where a route above took it and did not say `go_on`.
    refusal
        The first reason against it; None where it matches, or was not asked.
    """

    name: str
    channels: tuple[str, ...]
    asked: bool
    refusal: str | None

    @property
    def matches(self) -> bool:
        """Whether it takes the signal."""
        return self.asked and self.refusal is None


@dataclass(frozen=True, slots=True, kw_only=True)
class InGroup:
    """The episode in a group of signals that share messages.

    Attributes
    ----------
    place
        `waiting`: not told yet; `open`: told, and goes on; `closed`: told, and over, others of it go on.
    due_ms
        When what waits is told; None where it waits for nothing.
    escalate_ms
        When others are told if nobody acknowledges; None: no more.
    """

    key: str
    route: str
    incident: str
    place: str
    due_ms: int | None
    escalate_ms: int | None
    escalated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """The episode in what waits for the digest of a channel; `due_ms` 0: as soon as there is room."""

    channel: str
    route: str
    why: str
    due_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldBy:
    """A notice that holds the episode, and what has become of it."""

    id: str
    channel: str
    route: str
    cause: Cause
    delivery: Delivery
    attempts: int
    decided_ms: int
    next_ms: int
    settled_ms: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietNow:
    """What a message of the signal's severity has to wait for now; `until_ms` None: no end is near."""

    why: Lull
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that alerting has to say of one signal.

    Attributes
    ----------
    started
        Whether alerting of the model has stored anything yet.
    known
        What it remembers of the episode; None: it has not come to it, or has forgotten it.
    retraining
        None where the configuration has no rules on it.
    """

    started: bool
    known: Known | None
    routes: tuple[RouteAnswer, ...]
    groups: tuple[InGroup, ...]
    held: tuple[HeldBack, ...]
    notices: tuple[ToldBy, ...]
    quiet: QuietNow | None
    acknowledged: Acknowledgement | None
    retraining: Retraining | None = None

    @property
    def told(self) -> bool:
        """Whether a message of the episode reached somebody."""
        return any(each.delivery is Delivery.SENT for each in self.notices)


def explained(
    signal: Signal,
    rules: Rules,
    memory: Memory | None,
    notices: Sequence[StoredNotice],
    acknowledgements: Sequence[Acknowledgement],
    now_ms: int,
) -> Explanation:
    """Put together what is known of a signal.

    Parameters
    ----------
    memory
        What was stored last; None before alerting has stored anything.
    notices
        All of the model, by time.
    acknowledgements
        Those of the episode.
    """
    remembered = Memory() if memory is None else memory
    policy, alerts = remembered.policy, rules.alerts
    groups = tuple(_groups(signal.episode, policy.groups))
    known = policy.known.get(signal.episode)
    again = (
        None
        if rules.retraining is None
        else retraining_of(signal.episode, rules.retraining, remembered.retraining, now_ms)
    )
    severity = signal.severity if known is None else known.severity
    return Explanation(
        started=memory is not None,
        known=known,
        routes=tuple(_routes(signal, alerts)),
        groups=groups,
        held=tuple(
            HeldBack(channel=channel, route=held.route, why=held.why, due_ms=held.due_ms)
            for channel, by_episode in policy.held.items()
            for episode, held in by_episode.items()
            if episode == signal.episode
        ),
        notices=tuple(_told(signal.episode, groups, again, notices)),
        quiet=_quiet(severity, alerts, now_ms),
        acknowledged=next(iter(acknowledgements), None),
        retraining=again,
    )


def _routes(signal: Signal, rules: AlertRules) -> Iterable[RouteAnswer]:
    taken = False
    for route in rules.routes:
        refusal = None if taken else route.match.refusal(signal)
        yield RouteAnswer(name=route.name, channels=route.channels, asked=not taken, refusal=refusal)
        taken = taken or (refusal is None and not route.goes_on)


def _groups(episode: str, groups: dict[str, Group]) -> Iterable[InGroup]:
    for key, group in groups.items():
        places = {"waiting": group.waiting, "open": group.open, "closed": group.closed}
        for place, signals in places.items():
            if episode in signals:
                yield InGroup(
                    key=key,
                    route=group.route,
                    incident=group.incident,
                    place=place,
                    due_ms=group.due_ms if place == "waiting" else None,
                    escalate_ms=None if group.escalate_ms < 0 else group.escalate_ms,
                    escalated=group.escalated,
                )


def _told(
    episode: str, groups: Sequence[InGroup], again: Retraining | None, stored: Sequence[StoredNotice]
) -> Iterable[ToldBy]:
    incidents = {each.incident for each in groups} - {""}
    requests = set() if again is None else {each.id for each in again.requests}
    for each in stored:
        notice = decode_notice(each.body)
        # A long message names its first signals only; what it counts beside them is known by the incident.
        counted = notice.omitted > 0 and notice.incident in incidents
        named = any(signal.episode == episode for signal in notice.signals)
        if counted or named or notice.incident in requests:
            yield ToldBy(
                id=each.id,
                channel=each.channel,
                route=notice.route,
                cause=notice.cause,
                delivery=each.delivery,
                attempts=each.attempts,
                decided_ms=each.decided_ms,
                next_ms=each.next_ms,
                settled_ms=each.settled_ms,
                reason=each.reason,
            )


def _quiet(severity: Severity | None, rules: AlertRules, now_ms: int) -> QuietNow | None:
    lull = rules.quiet.lull(severity, now_ms)
    return None if lull is None else QuietNow(why=lull, until_ms=rules.quiet.ends_ms(severity, now_ms))
