"""Waiting for a service that is away: longer from try to try, and not in silence."""

import logging
import time
from collections.abc import Callable

logger = logging.getLogger("driftflow.kafka")
_waits = logging.getLogger("driftflow.services")
"""Not all that is waited for is Kafka."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
FIRST_WORD_S = 2.0
"""Time without an answer after which the log says so; then after twice that, and so on up to a minute."""
RAREST_WORD_S = 60.0

OnWait = Callable[[], None]
"""Told again and again while a service is waited for."""


def unwatched() -> None:
    """Tell nobody."""


class Patience:
    """How long to wait before the next try, and when to tell about it.

    Parameters
    ----------
    waiting, service
        What waits, and for whom; for the log.
    clock
        Monotonic seconds.
    on_wait
        Called with each failure: whoever watches sees that something waits and does not hang.
    """

    def __init__(
        self,
        waiting: str,
        *,
        service: str = "Kafka",
        clock: Callable[[], float] = time.monotonic,
        on_wait: OnWait = unwatched,
    ) -> None:
        self._waiting = waiting
        self._service = service
        self._clock = clock
        self._on_wait = on_wait
        self._since_s: float | None = None
        self._pause_s = 0.0
        self._next_try_s = float("-inf")
        self._next_word_s = 0.0
        self._word_every_s = FIRST_WORD_S

    @property
    def may_try(self) -> bool:
        """Whether the pause after the last failure is over."""
        return self._clock() >= self._next_try_s

    def failed(self, reason: str) -> float:
        """Note a failure; return the seconds to wait before the next try."""
        self._on_wait()
        now_s = self._clock()
        if self._since_s is None:
            self._since_s = now_s
            self._next_word_s = now_s + FIRST_WORD_S
        self._pause_s = min(max(FIRST_PAUSE_S, 2 * self._pause_s), LONGEST_PAUSE_S)
        self._next_try_s = now_s + self._pause_s
        if now_s >= self._next_word_s:
            _waits.warning(
                "%s waits for %s since %.0f s: %s",
                self._waiting,
                self._service,
                now_s - self._since_s,
                reason,
            )
            self._word_every_s = min(2 * self._word_every_s, RAREST_WORD_S)
            self._next_word_s = now_s + self._word_every_s
        return self._pause_s

    def succeeded(self) -> None:
        """Note that the service answers; says so if it had said the opposite."""
        if self._since_s is not None and self._word_every_s > FIRST_WORD_S:
            _waits.warning("%s goes on after %.0f s", self._waiting, self._clock() - self._since_s)
        self._since_s = None
        self._pause_s = 0.0
        self._next_try_s = float("-inf")
        self._word_every_s = FIRST_WORD_S
