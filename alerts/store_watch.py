"""Tells that the store is away, which nobody could store, and that it is back."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from alerts.channels.base import RefusedError, TryAgainError
from alerts.delivery import Heard, Outlet, retry_ms
from alerts.monitor import MonitorState, direct_notice, watch
from alerts.notices import Cause, Notice
from alerts.rules import AlertRules
from alerts.signals import Signal
from alerts.vitals import Look
from alerts.watches import MonitorRules
from state.episodes import Change

_logger = logging.getLogger("driftflow.alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    notice: Notice
    attempts: int = 0
    next_ms: int = 0


class StoreWatch:
    """Looks at the store again and again; what it has to tell goes past the store, straight to channels.

    All of it is in memory: a process that ends while the store is away tells no end.

    Parameters
    ----------
    now_ms
        The wall clock, milliseconds since the epoch.
    random
        Numbers from 0 to 1.
    """

    def __init__(
        self,
        rules: AlertRules,
        monitor: MonitorRules,
        outlets: Mapping[str, Outlet],
        *,
        now_ms: Callable[[], int],
        random: Callable[[], float],
        heard: Heard,
    ) -> None:
        self._rules = rules
        self._heard = heard
        # Of the watches only the one of the store can say anything here.
        self._monitor = replace(monitor, silence_ms=None)
        self._outlets = outlets
        self._now_ms = now_ms
        self._random = random
        self._state = MonitorState()
        self._waiting: dict[str, _Waiting] = {}

    def away(self, reason: str) -> None:
        """Note that the store gives no answer."""
        self._look(reason, self._monitor)

    def answers(self) -> None:
        """Note that it does."""
        self._look("", self._monitor)

    def ends(self) -> None:
        """Nobody will look any more: where the store has answered last, that is told at once."""
        if all(each.well_ms is not None for each in self._state.troubles):
            self._look("", replace(self._monitor, close_ms=0))

    def _look(self, reason: str, monitor: MonitorRules) -> None:
        if reason or self._state.troubles:
            look = Look(at_ms=self._now_ms(), store_error=reason)
            self._state, signals = watch(self._state, look, monitor)
            for signal in signals:
                self._put(signal)
        for channel, waiting in list(self._waiting.items()):
            self._try(channel, waiting)

    def _put(self, signal: Signal) -> None:
        closed = signal.change is Change.CLOSED
        for route in self._rules.routed(signal):
            for channel in route.channels:
                before = self._waiting.pop(channel, None)
                # Who was not told that it is away need not be told that it is back.
                unheard = before is not None and before.notice.cause is Cause.OPENED
                if not closed or (route.resolve and not unheard):
                    self._waiting[channel] = _Waiting(notice=direct_notice(signal, channel, self._now_ms()))

    def _try(self, channel: str, waiting: _Waiting) -> None:
        notice, now_ms = waiting.notice, self._now_ms()
        if waiting.next_ms > now_ms or self._rules.quiet.holds_back(notice.signals[0].severity, now_ms):
            return
        del self._waiting[channel]
        outlet, attempts = self._outlets[channel], waiting.attempts + 1
        try:
            outlet.channel.send(notice)
            self._heard.sent(channel)
        except (TryAgainError, RefusedError) as error:
            if isinstance(error, TryAgainError) and attempts < outlet.max_attempts:
                self._heard.failed(channel)
                next_ms = now_ms + retry_ms(error, attempts, self._random())
                self._waiting[channel] = _Waiting(notice=notice, attempts=attempts, next_ms=next_ms)
            else:
                self._heard.died(channel)
            _logger.warning("channel %s did not take notice %s: %s", channel, notice.id, error)
