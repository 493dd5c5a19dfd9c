"""Closed panes on their way to a store and back: which are kept, and what their bytes mean."""

from dataclasses import dataclass

import msgspec

from state.codec import fingerprint_of, pack, unpack
from state.grid import Grid
from state.panes import PanesClosed
from state.sketches.base import Sketch, from_bytes
from state.sketches.records import RECORDS
from state.stores.panes import StoredPane

_KIND, _VERSION = "closed-pane", 1


class _Content(msgspec.Struct, frozen=True, array_like=True):
    incomplete: bool
    sketch: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PaneContent:
    """What was seen of one column in one pane.

    Attributes
    ----------
    incomplete
        Whether a time-out closed the pane for some partition: it may lack rows.
    """

    sketch: Sketch
    incomplete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaneRecorder:
    """Writes the closed panes of a model version as a store keeps them.

    Attributes
    ----------
    references
        Versions of the references in whose bins the rows were counted, generation by generation.
    most
        Panes that are kept of a column; more of them at once would be dropped by the store.
    """

    model: str
    model_version: str
    references: tuple[str, ...]
    grid: Grid
    most: int

    def record(self, feature: str, closed: PanesClosed) -> list[StoredPane]:
        """Write the panes that one message closes, those with rows only; skips what would not be kept.

        Panes of whole records are left out: what their counters mean depends on the configuration as well as
        on the reference, and a sample of keys is some 16 KB.
        """
        if feature == RECORDS:
            return []
        found = []
        for pane, generation, sketch in self._kept(closed):
            reference = self.references[generation]
            incomplete = any(start <= pane < end for start, end in closed.skipped)
            payload = msgspec.msgpack.encode(_Content(incomplete, sketch.to_bytes()))
            found.append(
                StoredPane(
                    model=self.model,
                    model_version=self.model_version,
                    feature=feature,
                    start=self.grid.start_of(pane),
                    reference=reference,
                    end=self.grid.start_of(pane + 1),
                    body=pack(_KIND, _VERSION, _fingerprint(reference, feature), payload),
                )
            )
        return found

    def _kept(self, closed: PanesClosed) -> list[tuple[int, int, Sketch]]:
        """Leave out what the store would drop at once: panes with enough others behind them."""
        if self.most == 0:
            return []
        first = closed.panes[-self.most :][:1]
        return [item for item in closed.panes if item[0] >= first[0][0]]


def read_pane(stored: StoredPane) -> PaneContent:
    """Read the bytes of a stored pane.

    Raises
    ------
    CodecError
        They are no pane of this column in the bins of this reference.
    """
    fingerprint = _fingerprint(stored.reference, stored.feature)
    unpacked = unpack(stored.body, kind=_KIND, versions=(_VERSION,), fingerprint=fingerprint)
    content = msgspec.msgpack.decode(unpacked.payload, type=_Content)
    return PaneContent(sketch=from_bytes(content.sketch), incomplete=content.incomplete)


def _fingerprint(reference: str, feature: str) -> bytes:
    """Hash what the places of the counters depend on."""
    return fingerprint_of([reference, feature])
