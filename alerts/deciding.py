"""What alerting decides between reading and storing, as pure steps: on signals, on time, on itself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace as with_

from alerts import policy, retraining
from alerts.measured import Measured, measured
from alerts.monitor import MonitorState, watch
from alerts.notices import Notice
from alerts.policy_state import PolicyState
from alerts.reading import read_signal
from alerts.retrain_rules import RetrainRules
from alerts.retrain_state import RetrainState, with_told
from alerts.rules import AlertRules
from alerts.signals import Signal
from alerts.vitals import Look, Worker
from alerts.watches import MonitorRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All that alerting goes by; what is None is not decided on."""

    alerts: AlertRules
    retraining: RetrainRules | None = None
    monitor: MonitorRules | None = None


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """All that alerting remembers between turns.

    Attributes
    ----------
    heard_ms
        When an event or a report of the model was read last, by the wall clock; None: none so far.
    """

    policy: PolicyState = PolicyState()
    retraining: RetrainState = RetrainState()
    monitor: MonitorState = MonitorState()
    heard_ms: int | None = None

    def differs(self, other: "Memory") -> bool:
        """Whether more than the time is different."""
        return _timeless(self) != _timeless(other)


Decided = tuple[Memory, list[Notice]]


def take_in(
    rules: Rules,
    memory: Memory,
    bodies: Sequence[bytes],
    now_ms: int,
    *,
    together: bool = False,
    as_it_was: bool = False,
) -> Decided:
    """Take in what a log says.

    Parameters
    ----------
    bodies
        Events as JSON, of any model.
    now_ms
        The wall clock, milliseconds since the epoch.
    together
        What opens is told in one message for each route.
    as_it_was
        Tell a log of the past as it came: what opened together was told together.
    """
    notices, end = list[Notice](), None
    for body in bodies:
        signal = read_signal(body, model=rules.alerts.model)
        if signal is None:
            report = measured(body, model=rules.alerts.model)
            if report is not None:
                remembered = _told(rules, memory.retraining, report)
                memory = with_(memory, retraining=remembered, heard_ms=now_ms)
            continue
        if as_it_was and signal.end != end:
            after, told = policy.tick(rules.alerts, memory.policy, now_ms, flush=True)
            memory = with_(memory, policy=after)
            notices += told
        end = signal.end
        after, told = policy.step(rules.alerts, memory.policy, signal, now_ms, together=together)
        remembered = _told(rules, memory.retraining, signal)
        memory = with_(memory, policy=after, retraining=remembered, heard_ms=now_ms)
        notices += told
    return memory, notices


def let_pass(
    rules: Rules,
    memory: Memory,
    now_ms: int,
    acknowledged: Collection[str] = (),
    *,
    flush: bool = False,
    ask: bool = False,
) -> Decided:
    """Let time pass.

    Parameters
    ----------
    acknowledged
        Episodes that somebody has seen.
    flush
        Wait for no more signals of a group.
    ask
        Whether all that there is has been read: a drift of the past, closed further on in the log, is no
        reason to train again.
    """
    after, notices = policy.tick(rules.alerts, memory.policy, now_ms, acknowledged, flush=flush)
    memory = with_(memory, policy=after)
    if rules.retraining is None or not ask:
        return memory, notices
    remembered, request = retraining.tick(memory.retraining, now_ms, rules.retraining)
    if request is not None:
        notices += retraining.notices(request, rules.retraining.channels)
    return with_(memory, retraining=remembered), notices


def look_at(rules: Rules, memory: Memory, workers: tuple[Worker, ...], now_ms: int) -> Decided:
    """Take in a look at driftflow's own processes; what is not well goes the way of all signals."""
    if rules.monitor is None:
        return memory, []
    look = Look(at_ms=now_ms, workers=workers, heard_ms=memory.heard_ms)
    monitor, signals = watch(memory.monitor, look, rules.monitor)
    after, notices = memory.policy, list[Notice]()
    for signal in signals:
        after, told = policy.step(rules.alerts, after, signal, now_ms)
        notices += told
    return with_(memory, policy=after, monitor=monitor), notices


def _timeless(memory: Memory) -> Memory:
    return with_(memory, policy=with_(memory.policy, now_ms=0))


def _told(rules: Rules, state: RetrainState, told: Signal | Measured) -> RetrainState:
    """Remember it; what is open is known even before there are rules, labels are only kept for them."""
    if rules.retraining is None and isinstance(told, Measured):
        told = with_(told, labelled=None)
    return with_told(state, told)
