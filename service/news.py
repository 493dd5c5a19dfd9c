"""Tells whether a store has news: read once a moment for everybody who looks, however many pages are open."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

FRESH_S = 1.0
"""How long an answer counts; pages look every two seconds."""


@dataclass(slots=True)
class _Known:
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_s: float = float("-inf")
    stamp: object = None


class News:
    """Remembers for a moment what a store said.

    Parameters
    ----------
    clock
        Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def of(self, model: str, read: Callable[[], object]) -> object:
        """Return what changes with every news of a model, at most `FRESH_S` seconds old.

        Who asks while another one reads waits for that answer. An error of `read` is not remembered.
        """
        with self._lock:
            known = self._known.setdefault(model, _Known())
        with known.lock:
            if self._clock() - known.at_s >= FRESH_S:
                known.stamp = read()
                known.at_s = self._clock()
            return known.stamp
