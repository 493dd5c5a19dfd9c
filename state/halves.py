"""Halves of a record that is still to be joined: hashed ids, panes and values, as arrays and as bytes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray

IdArray = NDArray[np.uint64]
"""Hashed ids."""

NO_ID = 0
"""Stands for a row that has no id; no id hashes to it."""

_HEAD = struct.Struct("<IH")
_HASH_BYTES = 8


class Side(StrEnum):
    """Which half of a record a row is."""

    PREDICTIONS = "predictions"
    LABELS = "labels"


Spans = tuple[tuple[int, int], ...]
"""Half-open ranges of panes."""

HalvesPartial = tuple[str, str, int, int, bytes, tuple[tuple[int, int], ...], Spans]
"""What one batch adds to one shard: side, partition, frontier, last pane, packed halves, late rows, and spans
of panes that a time-out closed.

Frontier, last pane and spans are those of the partition (`state.panes.Partial`). Late rows are counted by the
pane in which time stood when they came. Plain texts, whole numbers and bytes, because it crosses processes.
"""


def hash_ids(ids: Sequence[str | None]) -> IdArray:
    """Hash ids to 64 bits, the same in every process; `NO_ID` where there is none.

    BLAKE2b (RFC 7693) cut to 8 bytes: among n ids two are taken for one with a probability of about
    ``n**2 / 2**65``, which is 3e-8 for a million and 3e-4 for a hundred million.

    Returns
    -------
    IdArray
        Shape ``(rows,)``.

    Examples
    --------
    >>> hash_ids(["a", None, "a"]).tolist()
    [3405396810240292928, 0, 3405396810240292928]
    """
    digests = b"".join(
        bytes(_HASH_BYTES) if text is None else blake2b(text.encode(), digest_size=_HASH_BYTES).digest()
        for text in ids
    )
    hashes = np.frombuffer(digests, dtype="<u8").astype(np.uint64)
    if (hashes == NO_ID).any():
        present = np.fromiter((text is not None for text in ids), np.bool_, len(ids))
        hashes[(hashes == NO_ID) & present] = 1
    return hashes


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """Rows of one side.

    Attributes
    ----------
    ids
        Hashed ids, shape ``(rows,)``.
    panes
        Pane of each row's event time, shape ``(rows,)``.
    payload
        What the row brings into the joined one, shape ``(rows, width)``.
    """

    ids: IdArray
    panes: IntArray
    payload: FloatArray

    @property
    def width(self) -> int:
        """Numbers per row."""
        return int(self.payload.shape[1])

    def take(self, rows: IntArray | NDArray[np.bool_] | slice) -> "Halves":
        """Return some of the rows, by index or by mask."""
        return Halves(self.ids[rows], self.panes[rows], self.payload[rows])

    def to_bytes(self) -> bytes:
        """Pack for another process or a store; `halves_from_bytes` reads it."""
        return b"".join(
            (
                _HEAD.pack(len(self.ids), self.width),
                self.ids.astype("<u8", copy=False).tobytes(),
                self.panes.astype("<i8", copy=False).tobytes(),
                self.payload.astype("<f8", copy=False).tobytes(),
            )
        )


def halves_from_bytes(data: bytes) -> Halves:
    """Read what `Halves.to_bytes` wrote; the arrays are read-only."""
    rows, width = _HEAD.unpack_from(data)
    start = _HEAD.size
    ids = np.frombuffer(data, "<u8", rows, start).astype(np.uint64, copy=False)
    panes = np.frombuffer(data, "<i8", rows, start + 8 * rows).astype(np.int64, copy=False)
    payload = np.frombuffer(data, "<f8", rows * width, start + 16 * rows).astype(np.float64, copy=False)
    return Halves(ids, panes, payload.reshape(rows, width))


def no_halves(width: int) -> Halves:
    """Return no rows of a width."""
    return Halves(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros((0, width)))


def together(parts: Sequence[Halves]) -> Halves:
    """Put rows behind each other; of one width, one part or more."""
    if len(parts) == 1:
        return parts[0]
    return Halves(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.panes for part in parts]),
        np.concatenate([part.payload for part in parts]),
    )


def first_of_each(rows: Halves) -> tuple[Halves, int, int]:
    """Keep the first row of each id, ids increasing.

    Returns
    -------
    rows, without_id, repeated
        The rows, and the number of those without an id and of those whose id stands before.
    """
    rows = rows.take(np.argsort(rows.ids, kind="stable"))
    first = np.ones(len(rows.ids), dtype=np.bool_)
    first[1:] = rows.ids[1:] != rows.ids[:-1]
    without_id = int(np.searchsorted(rows.ids, NO_ID, side="right"))
    first[:without_id] = False
    kept = rows.take(first)
    return kept, without_id, len(rows.ids) - without_id - len(kept.ids)


def sharded(halves: Halves, shards: int) -> list[Halves]:
    """Divide rows by their id; rows of a shard keep their order.

    All rows of one id are in one shard, and the shard depends on the id and the number of shards alone.
    """
    if shards == 1:
        return [halves]
    places = (halves.ids % np.uint64(shards)).astype(np.int64)
    order = np.argsort(places, kind="stable")
    cuts = np.searchsorted(places[order], np.arange(1, shards))
    return [halves.take(rows) for rows in np.split(order, cuts)]
