"""Connections to the stores, lent to one request at a time and kept for the next."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.problems import ProblemError
from state.stores.base import NotFoundError, Store, StoreError
from state.stores.memory import MemoryStore

_ORDINARY = (NotFoundError, ProblemError)
"""Answers rather than faults: what was asked of the store has come to its end."""


class StorePool:
    """Lends connections; as many are opened as requests overlap.

    Parameters
    ----------
    open_store
        Opens the store of a model by the model's name; None where there is none yet.
    clock
        Monotonic seconds.
    """

    def __init__(
        self, open_store: Callable[[str], Store | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._open_store = open_store
        self._clock = clock
        self._answered = dict[str, float]()
        self.on_error: Callable[[str], None] = lambda _model: None
        """Told of each model whose store did not answer."""
        self._lock = threading.Lock()
        self._idle: dict[str, list[Store]] = {}

    @contextmanager
    def lend(self, model: str) -> Iterator[Store]:
        """Lend a connection to the store of a model; an empty store where there is none yet.

        One that was lent when a fault came is closed: what it holds of a transaction is not known.

        Raises
        ------
        StoreError
            The store cannot be opened.
        """
        try:
            with self._lent(model) as store:
                yield store
        except _ORDINARY:
            self._answered[model] = self._clock()
            raise
        except StoreError:
            self.on_error(model)
            raise
        self._answered[model] = self._clock()

    def answered_at(self, model: str, *, default: float) -> float:
        """Return when the store of a model last answered, by the clock."""
        return self._answered.get(model, default)

    @contextmanager
    def _lent(self, model: str) -> Iterator[Store]:
        with self._lock:
            idle = self._idle.setdefault(model, [])
            store = idle.pop() if idle else None
        if store is None:
            store = self._open_store(model)
        if store is None:
            yield MemoryStore()
            return
        kept = False
        try:
            yield store
            kept = True
        except _ORDINARY:
            kept = True
            raise
        finally:
            if kept:
                with self._lock:
                    idle.append(store)
            else:
                store.close()

    def close(self) -> None:
        """Close what is idle; called once, when no request is on its way any more."""
        with self._lock:
            for idle in self._idle.values():
                while idle:
                    idle.pop().close()
