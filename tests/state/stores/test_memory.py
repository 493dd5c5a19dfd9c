from pathlib import Path

from state.stores.base import KEEP_ALL, Keeping, Store
from state.stores.memory import MemoryStore
from tests.contracts.store import StoreContract
from tests.contracts.store_values import an_event


class TestMemoryStore(StoreContract):
    def open_store(self, folder: Path, keeping: Keeping = KEEP_ALL) -> Store:  # noqa: ARG002 - not on a disk
        return MemoryStore(keeping)


def test_stays_readable_after_close() -> None:
    store = MemoryStore()
    store.add_events([an_event("a")])
    store.close()
    assert store.events("fraud") == [an_event("a")]
