"""Requests to stop, partitions that come and go, new references: what reaches a supervisor from outside."""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from types import FrameType
from typing import Generic, TypeVar

logger = logging.getLogger("driftflow.supervisor")


@dataclass(slots=True)
class Stops:
    """How often a stop was asked for."""

    asked: int = 0


@contextmanager
def stops() -> Iterator[Stops]:
    """Count SIGINT and SIGTERM while the context lasts; only the main thread may ask for that."""
    counted = Stops()

    def count(_number: int, _frame: FrameType | None) -> None:
        counted.asked += 1

    before = {number: signal.signal(number, count) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield counted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_Answer = TypeVar("_Answer")


class Watch(Generic[_Answer]):
    """Asks a service in a thread, because an answer may take as long as the service is away.

    Parameters
    ----------
    what
        What is asked for, in the plural.
    ask
        What it raises is logged and otherwise ignored: the next answer counts.
    every_s
        Seconds between answers and the next question.
    """

    def __init__(self, what: str, ask: Callable[[], _Answer], *, every_s: float) -> None:
        self._what = what
        self._ask = ask
        self._every_s = every_s
        self._ended = Event()
        self._latest: _Answer | None = None

    def take(self) -> _Answer | None:
        """Return the latest answer, once; None where there is none since."""
        latest, self._latest = self._latest, None
        return latest

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask while the context lasts; does not wait for an answer that is still to come."""
        Thread(target=self._run, name=self._what, daemon=True).start()
        try:
            yield
        finally:
            self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                self._latest = self._ask()
            except Exception as error:  # noqa: BLE001  # a question that fails must not end the watch
                logger.info("%s cannot be looked up now: %s", self._what, error)
