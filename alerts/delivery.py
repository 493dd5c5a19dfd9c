"""Sends what was decided: in order, again where it failed, and to one channel whatever becomes of another."""

import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from alerts.channels.base import Channel, RefusedError, TryAgainError
from alerts.notices import Cause, Notice, decode_notice
from detectors.base import DriftflowError
from state.stores.alerts import AlertStore, Delivery, StoredNotice

FIRST_PAUSE_MS = 5_000
LONGEST_PAUSE_MS = 900_000
"""Pauses double from the first to the longest; a random half of each is left out, so that many do not come
back at once (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, "equal jitter")."""

HOUR_MS = 3_600_000

_logger = logging.getLogger("driftflow.alerts")


class Heard(Protocol):
    """Told what has become of attempts."""

    def sent(self, channel: str) -> None:
        """One was taken."""
        ...

    def failed(self, channel: str) -> None:
        """One was not taken now."""
        ...

    def died(self, channel: str) -> None:
        """One is given up."""
        ...

    def turned(self, waiting: int) -> None:
        """A turn has ended, and so many wait."""
        ...


class LeaseLostError(DriftflowError):
    """Another process sends by now; what this one knows may be old."""


class Lease(Protocol):
    """The right to send, which one process has at a time; it runs out where it is not renewed."""

    def renew(self) -> None:
        """Have it for a while from now on.

        Raises
        ------
        LeaseLostError
            It ran out, and another process has taken it.
        """
        ...

    def kept(self) -> AbstractContextManager[None]:
        """Renew it again and again while a block lasts, however long."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A channel, how often a notice is tried, and how many it gets in any hour."""

    channel: Channel
    max_attempts: int
    cap_per_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What one look at all that waits came to; `waiting` is what is left of it."""

    sent: int = 0
    failed: int = 0
    died: int = 0
    waiting: int = 0


def pause_ms(attempts: int, random: float) -> int:
    """Return how long to wait after so many attempts; `random` is from 0 to 1.

    Examples
    --------
    >>> pause_ms(1, 1.0), pause_ms(3, 0.0), pause_ms(100, 1.0)
    (5000, 10000, 900000)
    """
    whole = min(FIRST_PAUSE_MS * 2 ** min(attempts - 1, 30), LONGEST_PAUSE_MS)
    return int(whole / 2 + whole / 2 * random)


def retry_ms(error: TryAgainError, attempts: int, random: float) -> int:
    """Return the pause before the next attempt: what the other side asks for where that is longer."""
    return max(int(1_000 * (error.wait_s or 0.0)), pause_ms(attempts, random))


class Deliveries:
    """Sends the waiting notices of a model; what has become of each is stored before the next is tried.

    A process that dies between sending and storing sends that one notice again, under the same id.

    Parameters
    ----------
    outlets
        By name of the channel.
    lease
        Renewed before each is tried, and kept meanwhile: a program may run for long.
    now_ms
        The wall clock, milliseconds since the epoch.
    random
        Numbers from 0 to 1.
    """

    def __init__(
        self,
        store: AlertStore,
        model: str,
        outlets: Mapping[str, Outlet],
        *,
        lease: Lease,
        now_ms: Callable[[], int],
        random: Callable[[], float],
        heard: Heard,
    ) -> None:
        self._store = store
        self._model = model
        self._outlets = outlets
        self._lease = lease
        self._now_ms = now_ms
        self._random = random
        self._heard = heard
        # Read once: whoever may send is the only one who does.
        self._sent_ms: dict[str, deque[int]] = {}
        self._told_of: dict[str, set[str]] = {}
        sent = store.notices(model, delivery=Delivery.SENT)
        for each in sorted(sent, key=lambda stored: stored.settled_ms or 0):
            self._note(each)

    def send_all(self) -> Passed:
        """Try what waits and may be tried; a channel that fails is left alone until its pause is over.

        Raises
        ------
        LeaseLostError
            Another process sends by now; the rest is left to it.
        """
        passed, blocked = Passed(), set[str]()
        for stored in self._store.notices(self._model, delivery=Delivery.WAITING):
            if stored.channel in blocked or not self._may_try(stored):
                # What comes behind it waits too: order is kept.
                blocked.add(stored.channel)
                passed = replace(passed, waiting=passed.waiting + 1)
                continue
            self._lease.renew()
            with self._lease.kept():
                after = self._tried(stored)
            self._store.settle_notice(after)
            passed = self._count(passed, after)
            if after.delivery is Delivery.WAITING:
                blocked.add(stored.channel)
        return passed

    def room(self, channel: str) -> int:
        """Return how many more a channel may get now."""
        outlet = self._outlets.get(channel)
        if outlet is None:
            return 1
        since_ms = self._now_ms() - HOUR_MS
        sent_ms = self._sent_ms.get(channel, deque())
        while sent_ms and sent_ms[0] <= since_ms:
            sent_ms.popleft()
        return max(0, outlet.cap_per_hour - len(sent_ms))

    def told_of(self, channel: str) -> Collection[str]:
        """Return the incidents on which a channel has taken a message of their own."""
        if channel not in self._told_of:
            # Few processes ever fold anything: what was sent is decoded for those that do.
            sent = self._store.notices(self._model, delivery=Delivery.SENT)
            self._told_of[channel] = {
                name for each in sent if each.channel == channel for name in _incident(each)
            }
        return self._told_of[channel]

    def _note(self, sent: StoredNotice) -> None:
        if sent.settled_ms is not None:
            self._sent_ms.setdefault(sent.channel, deque()).append(sent.settled_ms)
        if sent.channel in self._told_of:
            self._told_of[sent.channel].update(_incident(sent))

    def _may_try(self, stored: StoredNotice) -> bool:
        return stored.next_ms <= self._now_ms() and self.room(stored.channel) > 0

    def _tried(self, stored: StoredNotice) -> StoredNotice:
        """Try one; return what is to be stored of it."""
        outlet, attempts = self._outlets.get(stored.channel), stored.attempts + 1
        if outlet is None:
            return self._given_up(stored, stored.attempts, "the configuration has no such channel any more")
        try:
            outlet.channel.send(_read(stored))
        except RefusedError as error:
            return self._given_up(stored, attempts, str(error))
        except TryAgainError as error:
            return self._put_off(stored, attempts, error, outlet)
        return replace(
            stored, delivery=Delivery.SENT, attempts=attempts, settled_ms=self._now_ms(), reason=""
        )

    def _put_off(
        self, stored: StoredNotice, attempts: int, error: TryAgainError, outlet: Outlet
    ) -> StoredNotice:
        if attempts >= outlet.max_attempts:
            return self._given_up(stored, attempts, f"{error}; attempt {attempts} was the last")
        wait_ms = retry_ms(error, attempts, self._random())
        _logger.warning(
            "channel %s did not take notice %s (attempt %d), next attempt in %.0f s: %s",
            stored.channel,
            stored.id,
            attempts,
            wait_ms / 1_000,
            error,
        )
        return replace(stored, attempts=attempts, next_ms=self._now_ms() + wait_ms, reason=str(error))

    def _given_up(self, stored: StoredNotice, attempts: int, reason: str) -> StoredNotice:
        _logger.error("notice %s to channel %s is given up: %s", stored.id, stored.channel, reason)
        return replace(
            stored, delivery=Delivery.DEAD, attempts=attempts, settled_ms=self._now_ms(), reason=reason
        )

    def _count(self, passed: Passed, after: StoredNotice) -> Passed:
        if after.delivery is Delivery.SENT:
            self._note(after)
            self._heard.sent(after.channel)
            return replace(passed, sent=passed.sent + 1)
        if after.delivery is Delivery.DEAD:
            self._heard.died(after.channel)
            return replace(passed, died=passed.died + 1)
        self._heard.failed(after.channel)
        return replace(passed, failed=passed.failed + 1, waiting=passed.waiting + 1)


def _incident(sent: StoredNotice) -> tuple[str, ...]:
    """Return the incident that a notice begins or makes worse; nothing of others."""
    notice = decode_notice(sent.body)
    return (notice.incident,) if notice.cause in {Cause.OPENED, Cause.ESCALATED} else ()


def _read(stored: StoredNotice) -> Notice:
    try:
        return decode_notice(stored.body)
    except msgspec.DecodeError as error:
        raise RefusedError(f"it cannot be read: {error}") from None
