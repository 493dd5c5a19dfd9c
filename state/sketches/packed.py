"""A matrix of counts as few bytes: most counts of a small pane are 0, and the others are small."""

import msgspec
import numpy as np

from detectors.base import IntArray

_WIDTHS = ("<u1", "<u2", "<u4", "<i8")


class PackedCounts(msgspec.Struct, frozen=True, array_like=True):
    """Counts, all of them or those that are not 0.

    Attributes
    ----------
    rows, columns
        Shape of the matrix.
    held
        Counts that are not 0, where only these are kept behind their places; None: `counts` has all.
    places, counts
        Whole numbers of 1, 2, 4 or 8 bytes, little endian, as few as the largest of them needs; 8 where one
        is below 0.
    """

    rows: int
    columns: int
    held: int | None
    places: bytes
    counts: bytes


def pack_counts(counts: IntArray) -> PackedCounts:
    """Pack a matrix of counts or sums; equal matrices give equal bytes."""
    rows, columns = counts.shape
    flat = counts.ravel()
    held = np.flatnonzero(flat)
    whole = _narrow(flat)
    places, few = _narrow(held), _narrow(flat[held])
    if len(places) + len(few) < len(whole):
        return PackedCounts(rows, columns, len(held), places, few)
    return PackedCounts(rows, columns, None, b"", whole)


def unpack_counts(packed: PackedCounts) -> IntArray:
    """Read what `pack_counts` wrote, int64, shape ``(rows, columns)``."""
    shape = packed.rows, packed.columns
    if packed.held is None:
        return _wide(packed.counts, packed.rows * packed.columns).reshape(shape)
    counts = np.zeros(packed.rows * packed.columns, dtype=np.int64)
    counts[_wide(packed.places, packed.held)] = _wide(packed.counts, packed.held)
    return counts.reshape(shape)


def _narrow(values: IntArray) -> bytes:
    smallest, largest = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    fitting = (
        width for width in _WIDTHS if np.iinfo(width).min <= smallest and largest <= np.iinfo(width).max
    )
    width = next(fitting, _WIDTHS[-1])
    return values.astype(width).tobytes()


def _wide(data: bytes, count: int) -> IntArray:
    width = next(w for w in _WIDTHS if np.dtype(w).itemsize * count == len(data))
    return np.frombuffer(data, dtype=width).astype(np.int64)
