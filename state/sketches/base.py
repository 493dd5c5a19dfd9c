"""The mergeable summary of one track in one pane: counters, extremes, samples of new names and of keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import inf

import msgspec
import numpy as np

from detectors.base import IntArray
from state.sketches.keys import merge_keys
from state.sketches.packed import PackedCounts, pack_counts, unpack_counts

ROWS, LATE, MISSING, NON_FINITE = range(4)
"""Places of the counters that every sketch starts with."""

HEADER = 4
"""How many those are; what follows is the column kind's own."""

NAME_SAMPLE = 20
"""New names that a sketch keeps."""

NAME_LENGTH = 100
"""Characters of a new name that are kept."""

Names = tuple[tuple[int, str], ...]
"""New names with their hashes, smallest hash first."""


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """What is known of a column in a span of event time.

    All parts merge exactly, in any order: integers are added, extremes compared, and of two samples the names
    with the smallest hashes are kept.

    Attributes
    ----------
    counters
        int64, shape ``(width,)``: rows, late rows, missing, non-finite, then the kind's own.
    low, high
        Smallest and largest finite value; plus and minus infinity where there is none.
    names
        At most `NAME_SAMPLE` names that the reference does not know.
    segments
        int64, shape ``(segments, HEADER + bins)``: of each segment the header and the counts of the bins.
        None where rows are not counted by segment, and where none was.
    keys
        A sample of record keys (`state.sketches.keys`); None where keys are not looked at.
    """

    counters: IntArray
    low: float = inf
    high: float = -inf
    names: Names = ()
    segments: IntArray | None = None
    keys: IntArray | None = None

    @property
    def rows(self) -> int:
        """Rows, with or without a value."""
        return int(self.counters[ROWS])

    def whole(self) -> "Sketch":
        """Leave out the segments."""
        return self if self.segments is None else replace(self, segments=None)

    def merge(self, other: "Sketch") -> "Sketch":
        """Summarize both spans as one."""
        return Sketch(
            self.counters + other.counters,
            min(self.low, other.low),
            max(self.high, other.high),
            sample_names((*self.names, *other.names)) if self.names or other.names else (),
            _added([sketch.segments for sketch in (self, other) if sketch.segments is not None]),
            _joined([sketch.keys for sketch in (self, other) if sketch.keys is not None]),
        )

    def to_bytes(self) -> bytes:
        """Pack for another process or a store; `from_bytes` reads it."""
        extremes = np.array([self.low, self.high], dtype="<f8").tobytes()
        counters = self.counters.astype("<i8", copy=False).tobytes()
        return len(counters).to_bytes(4, "little") + counters + extremes + self._tail()

    def _tail(self) -> bytes:
        """Pack what most sketches do not have."""
        if self.segments is None and self.keys is None:
            return msgspec.msgpack.encode(self.names) if self.names else b""
        segments = None if self.segments is None else pack_counts(self.segments)
        keys = None if self.keys is None else self.keys.astype("<i8", copy=False).tobytes()
        return msgspec.msgpack.encode(_Tail(names=self.names, segments=segments, keys=keys))


class _Tail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What comes behind the extremes; where there are new names alone, these stand as they are."""

    names: Names = ()
    segments: PackedCounts | None = None
    keys: bytes | None = None


def _added(segments: Sequence[IntArray]) -> IntArray | None:
    """Add the segments of sketches that have any."""
    return np.sum(segments, axis=0) if len(segments) > 1 else next(iter(segments), None)


def _joined(keys: Sequence[IntArray]) -> IntArray | None:
    """Merge the keys of sketches that have any."""
    return merge_keys(keys) if keys else None


def merge_all(sketches: Sequence[Sketch]) -> Sketch:
    """Merge one or more sketches at once; the same as merging them one after the other."""
    if len(sketches) == 1:
        return sketches[0]
    return Sketch(
        np.sum([sketch.counters for sketch in sketches], axis=0),
        min(sketch.low for sketch in sketches),
        max(sketch.high for sketch in sketches),
        sample_names(name for sketch in sketches for name in sketch.names),
        _added([sketch.segments for sketch in sketches if sketch.segments is not None]),
        _joined([sketch.keys for sketch in sketches if sketch.keys is not None]),
    )


def from_bytes(data: bytes) -> Sketch:
    """Read what `Sketch.to_bytes` wrote."""
    size = int.from_bytes(data[:4], "little")
    counters = np.frombuffer(data, dtype="<i8", count=size // 8, offset=4).astype(np.int64, copy=False)
    low, high = np.frombuffer(data, dtype="<f8", count=2, offset=4 + size).tolist()
    behind = data[4 + size + 16 :]
    if not behind:
        return Sketch(counters, low, high)
    tail = msgspec.msgpack.decode(behind, type=_Tail | Names)
    if not isinstance(tail, _Tail):
        return Sketch(counters, low, high, tail)
    segments = None if tail.segments is None else unpack_counts(tail.segments)
    keys = None if tail.keys is None else np.frombuffer(tail.keys, dtype="<i8").astype(np.int64, copy=False)
    return Sketch(counters, low, high, tail.names, segments, None if keys is None else keys.reshape(-1, 2))


def empty(width: int) -> Sketch:
    """Return the sketch of no rows: the identity of `merge`."""
    return Sketch(np.zeros(width, dtype=np.int64))


def pane_lengths(starts: IntArray, rows: int) -> IntArray:
    """Return how many rows each pane has, from the first row of each; shape ``(panes,)``."""
    # A tenth of the time of numpy.diff with its `append`, and that counts: this runs per column and batch.
    lengths = np.empty_like(starts)
    lengths[:-1] = starts[1:]
    lengths[-1:] = rows
    lengths -= starts
    return lengths


def name_hash(name: str) -> int:
    """Hash a name to 63 bits, the same in every process."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little") >> 1


def sample_names(names: Iterable[tuple[int, str]]) -> Names:
    """Keep the names with the smallest hashes: which those are does not depend on order or grouping."""
    return tuple(sorted(set(names))[:NAME_SAMPLE])
