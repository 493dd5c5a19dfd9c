"""References that were read of late: of a wide model reading one takes a second, and it never changes."""

import threading
from collections import OrderedDict

from state.reference import FeatureReference, Reference, load
from state.stores.base import Store

MOST = 4
"""References that are kept in memory."""


class LoadedReferences:
    """Reads references, and keeps those that were asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Reference] = OrderedDict()

    def reference(self, store: Store, model: str, version: str) -> Reference:
        """Return a reference.

        Raises
        ------
        NotFoundError
            There is no such reference.
        BadReferenceError
            It cannot be read.
        """
        key = (model, version)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = load(store.reference(model, version))
        with self._lock:
            self._kept[key] = found
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found

    def feature(self, store: Store, model: str, version: str, feature: str) -> FeatureReference:
        """Return one column of a reference; raises `BadReferenceError` where there is none, and as above."""
        return self.reference(store, model, version).feature(feature)
