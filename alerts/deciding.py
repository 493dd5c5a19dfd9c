"""What alerting decides between reading and storing, as pure steps: on signals, on retraining, on time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace as with_

from alerts import policy, retraining
from alerts.measured import Measured, measured
from alerts.notices import Notice
from alerts.policy_state import PolicyState
from alerts.reading import read_signal
from alerts.retrain_rules import RetrainRules
from alerts.retrain_state import RetrainState, with_told
from alerts.rules import AlertRules
from alerts.signals import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All that alerting goes by; without rules on retraining nobody is asked to train again."""

    alerts: AlertRules
    retraining: RetrainRules | None = None


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """All that alerting remembers between turns."""

    policy: PolicyState = PolicyState()
    retraining: RetrainState = RetrainState()

    def differs(self, other: "Memory") -> bool:
        """Whether more than the time is different."""
        return self.retraining != other.retraining or with_(self.policy, now_ms=0) != with_(
            other.policy, now_ms=0
        )


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
                memory = with_(memory, retraining=_told(rules, memory.retraining, report))
            continue
        if as_it_was and signal.end != end:
            after, told = policy.tick(rules.alerts, memory.policy, now_ms, flush=True)
            memory = with_(memory, policy=after)
            notices += told
        end = signal.end
        after, told = policy.step(rules.alerts, memory.policy, signal, now_ms, together=together)
        memory = with_(memory, policy=after, retraining=_told(rules, memory.retraining, signal))
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


def _told(rules: Rules, state: RetrainState, told: Signal | Measured) -> RetrainState:
    """Remember it; what is open is known even before there are rules, labels are only kept for them."""
    if rules.retraining is None and isinstance(told, Measured):
        told = with_(told, labelled=None)
    return with_told(state, told)
