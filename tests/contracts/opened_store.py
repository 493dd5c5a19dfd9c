"""What the suites of stores share: how a store is opened, and one that is open."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.stores.base import KEEP_ALL, Keeping, Store


class OpenedStore(ABC):
    """A subclass says how to open a store; it may add tests, not replace them."""

    @abstractmethod
    def open_store(self, folder: Path, keeping: Keeping = KEEP_ALL) -> Store:
        """Open an empty store; `folder` is the test's own."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = self.open_store(tmp_path)
        yield store
        store.close()
