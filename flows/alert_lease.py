"""The right to send the alerts of a model: one process has it, and keeps it as long as it is at work."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

from alerts.delivery import LeaseLostError
from state.stores.base import Store, StoreError

CLAIM_MS = 30_000
"""How long it is held after it was renewed last: so long a second process waits after a crash."""

_logger = logging.getLogger("driftflow.alerts")


class StoreLease:
    """The right to send as a store keeps it.

    Parameters
    ----------
    store, open_store
        The store, and what opens it anew: connections belong to the thread that made them.
    owner
        Names the process.
    now_ms
        The wall clock, milliseconds since the epoch.
    hold_ms
        How long it is held after each renewal.
    """

    def __init__(
        self,
        store: Store,
        open_store: Callable[[], Store],
        *,
        model: str,
        owner: str,
        now_ms: Callable[[], int],
        hold_ms: int = CLAIM_MS,
    ) -> None:
        self._store = store
        self._open_store = open_store
        self._model = model
        self._owner = owner
        self._now_ms = now_ms
        self._hold_ms = hold_ms

    def take(self) -> bool:
        """Take or renew it; return whether this process has it."""
        return self._claimed(self._store)

    def give_back(self) -> None:
        """Let another process have it at once."""
        self._store.release_alerts(self._model, owner=self._owner)

    def renew(self) -> None:
        """See `Lease.renew`."""
        if not self.take():
            raise LeaseLostError(f"another process sends the alerts of {self._model} by now")

    @contextmanager
    def kept(self) -> Iterator[None]:
        """See `Lease.kept`: a thread renews it while the block lasts."""
        done = Event()
        # Nothing waits for it at the end of a process: what is held then runs out by itself.
        thread = Thread(target=self._keep, args=(done,), name="alert-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _keep(self, done: Event) -> None:
        every_s = self._hold_ms / 3_000
        while not done.wait(every_s):
            try:
                with ExitStack() as stack:
                    store = self._open_store()
                    stack.callback(store.close)
                    while self._claimed(store):
                        if done.wait(every_s):
                            return
                    # Another has it: whoever asks next is told.
                    return
            except StoreError as error:
                _logger.warning("the right to send was not renewed, and is tried again: %s", error)

    def _claimed(self, store: Store) -> bool:
        now_ms = self._now_ms()
        return store.claim_alerts(
            self._model, owner=self._owner, now_ms=now_ms, until_ms=now_ms + self._hold_ms
        )
