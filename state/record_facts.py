"""What a reference knows of its records as a whole, and how that is stored."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from detectors.base import IntArray
from state.arrivals import Arrivals

MOST_FIELDS = 2_000
"""Different fields that a reference remembers; of records with more of them none is called unknown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordFacts:
    """The records that a reference was built from.

    Attributes
    ----------
    rows, keyed
        Good records, and those among them with a key.
    keys
        A sample of their keys (`state.sketches.keys`).
    refused, wrong
        Refused records by reason; those with a value of another type by the first such column.
    sampled
        Records whose fields were looked at.
    fields
        In how many of these each field was; None where there were too many different ones.
    arrivals
        When they came; None without event times.
    """

    rows: int
    keyed: int
    keys: IntArray
    refused: Mapping[str, int]
    wrong: Mapping[str, int]
    sampled: int
    fields: Mapping[str, int] | None
    arrivals: Arrivals | None

    @property
    def records(self) -> int:
        """All records, refused ones included."""
        return self.rows + sum(self.refused.values())

    @property
    def known(self) -> frozenset[str] | None:
        """The fields that were seen; None where they are not known."""
        return None if self.fields is None or not self.sampled else frozenset(self.fields)

    @property
    def seen_once(self) -> int:
        """Fields that were in one record alone.

        Over the records looked at this estimates how often a further record has a field that was never seen
        (Good, *The population frequencies of species*, Biometrika 40, 1953).
        """
        return sum(count == 1 for count in (self.fields or {}).values())


class PackedArrivals(msgspec.Struct, frozen=True):
    """`Arrivals`, as numbers of few bytes."""

    start_ms: int
    width_ms: int
    counts: tuple[int, ...]


class PackedRecords(msgspec.Struct, frozen=True, omit_defaults=True):
    """`RecordFacts` in order of names; equal content gives equal bytes."""

    rows: int
    keyed: int
    keys: bytes
    refused: tuple[tuple[str, int], ...]
    wrong: tuple[tuple[str, int], ...]
    sampled: int
    fields: tuple[tuple[str, int], ...] | None
    arrivals: PackedArrivals | None = None


def pack_records(facts: RecordFacts) -> PackedRecords:
    """Pack; `unpack_records` reads it."""
    arrivals = facts.arrivals
    return PackedRecords(
        rows=facts.rows,
        keyed=facts.keyed,
        keys=facts.keys.astype("<i8").tobytes(),
        refused=_sorted(facts.refused),
        wrong=_sorted(facts.wrong),
        sampled=facts.sampled,
        fields=None if facts.fields is None else _sorted(facts.fields),
        arrivals=None
        if arrivals is None
        else PackedArrivals(arrivals.start_ms, arrivals.width_ms, tuple(arrivals.counts.tolist())),
    )


def unpack_records(packed: PackedRecords) -> RecordFacts:
    """Read what `pack_records` wrote."""
    arrivals = packed.arrivals
    return RecordFacts(
        rows=packed.rows,
        keyed=packed.keyed,
        keys=np.frombuffer(packed.keys, dtype="<i8").astype(np.int64).reshape(-1, 2),
        refused=dict(packed.refused),
        wrong=dict(packed.wrong),
        sampled=packed.sampled,
        fields=None if packed.fields is None else dict(packed.fields),
        arrivals=None
        if arrivals is None
        else Arrivals(
            start_ms=arrivals.start_ms,
            width_ms=arrivals.width_ms,
            counts=np.array(arrivals.counts, dtype=np.int64),
        ),
    )


def _sorted(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((name, count) for name, count in counts.items() if count))
