"""Events, episodes, points and closed panes into a store, acknowledged and idempotent."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, assert_never

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from flows.patience import OnWait, Patience, unwatched
from state.stores.base import Point, Store, StoreBusyError, StoredEvent
from state.stores.episodes import StoredEpisode
from state.stores.panes import StoredPane

StoreItem = StoredEvent | StoredEpisode | Point | StoredPane
"""What a store sink writes."""

_Result = TypeVar("_Result")


class StoreSink(FixedPartitionedSink[StoreItem | Sequence[StoreItem], None]):
    """Bytewax's view of a store; items are ``(key, item or a sequence of them)``.

    A write returns after the store has committed. After a crash the last epoch is written again, and that
    changes nothing: an event has one id, all else one place. So there is nothing to remember in a snapshot,
    but there must be one: recovery waits only for steps that take snapshots.

    Parameters
    ----------
    open_store
        Called once, on the worker that writes and in its thread.
    part
        Name of the one partition; it must not change.
    sleep, clock
        Wait and tell seconds; injected by tests. A store that is busy or away is waited for, however long:
        nothing is buffered meanwhile, the flow stands still.
    on_wait
        Called with each try in vain.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        part: str = "store",
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        on_wait: OnWait = unwatched,
    ) -> None:
        self._open_store = open_store
        self._part = part
        self._sleep = sleep
        self._clock = clock
        self._on_wait = on_wait

    def list_parts(self) -> list[str]:
        """Return the name of the one partition."""
        return [self._part]

    def build_part(
        self,
        step_id: str,  # noqa: ARG002 - Bytewax's signature
        for_part: str,  # noqa: ARG002 - Bytewax's signature
        resume_state: None,  # noqa: ARG002 - Bytewax's signature
    ) -> StatefulSinkPartition[StoreItem | Sequence[StoreItem], None]:
        """Open the store."""
        patience = Patience("writing results", service="the store", clock=self._clock, on_wait=self._on_wait)
        return _StorePartition(self._open_store, self._sleep, patience)


class _StorePartition(StatefulSinkPartition[StoreItem | Sequence[StoreItem], None]):
    def __init__(
        self, open_store: Callable[[], Store], sleep: Callable[[float], None], patience: Patience
    ) -> None:
        self._sleep = sleep
        self._patience = patience
        self._store = self._patiently(open_store)

    def write_batch(self, values: list[StoreItem | Sequence[StoreItem]]) -> None:
        """Store what came; on return it is committed."""
        points: list[Point] = []
        events: list[StoredEvent] = []
        episodes: list[StoredEpisode] = []
        panes: list[StoredPane] = []
        for item in _flat(values):
            match item:
                case Point():
                    points.append(item)
                case StoredEvent():
                    events.append(item)
                case StoredEpisode():
                    episodes.append(item)
                case StoredPane():
                    panes.append(item)
                case _:
                    assert_never(item)
        # Events last: who sees one finds what is behind it.
        if panes:
            self._patiently(lambda: self._store.put_panes(panes))
        if points:
            self._patiently(lambda: self._store.add_points(points))
        if episodes:
            self._patiently(lambda: self._store.put_episodes(episodes))
        if events:
            self._patiently(lambda: self._store.add_events(events))

    def snapshot(self) -> None:
        """Remember nothing: writing again changes nothing."""

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _patiently(self, action: Callable[[], _Result]) -> _Result:
        """Try again while the store is busy or away, with growing pauses."""
        while True:
            try:
                result = action()
            except StoreBusyError as error:
                self._sleep(self._patience.failed(str(error)))
            else:
                self._patience.succeeded()
                return result


def _flat(values: list[StoreItem | Sequence[StoreItem]]) -> Iterator[StoreItem]:
    for value in values:
        if isinstance(value, StoredEvent | StoredEpisode | Point | StoredPane):
            yield value
        else:
            yield from value
