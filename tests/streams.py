"""Streams of rows in memory: a reader and decoder, and a run that can be cut and resumed anywhere."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np

from detectors.base import Kind
from flows.batch import Batch
from flows.decode.base import Decoded, Decoder, Reason, Refusal
from flows.partition import Partition
from flows.record_watch import RecordWatch
from flows.sources.base import RawBatch, RefusedRecord
from flows.summarize import summarize
from flows.time_bounds import TimeBounds
from state.blocks import Block
from state.columns import Column
from state.grid import Grid
from state.layout import categories, numeric_bins
from state.panes import PaneMerger
from state.reference import FeatureReference
from state.schedule import UNCHANGED, Schedule
from state.sketches.base import empty
from state.windows import Closed, Told, Windows

PRINT = bytes(range(16))

NUMERIC = Column(name="x", path="x", kind=Kind.NUMERIC)
CATEGORICAL = Column(name="c", path="c", kind=Kind.CATEGORICAL)


@dataclass(frozen=True, slots=True)
class Row:
    """One record; `time` stands for its number where the stream has no clock."""

    time: int
    x: float = nan
    c: str | None = None
    refused: bool = False
    too_long: bool = False


class MemoryReader:
    """Reads rows in memory; `cuts` are the sizes of its reads, over and over."""

    def __init__(self, rows: Sequence[Row], cuts: Sequence[int], position: bytes | None = None) -> None:
        self._rows = rows
        self._cuts = cuts
        self._at, self._reads = (0, 0) if position is None else map(int, position.split(b" "))
        self.closed = 0

    def read(self, max_records: int) -> RawBatch | None:
        if self._at == len(self._rows):
            return None
        size = min(max_records, self._cuts[self._reads % len(self._cuts)])
        numbers = range(self._at, min(self._at + size, len(self._rows)))
        self._at, self._reads = numbers.stop, self._reads + 1
        good = [number for number in numbers if not self._rows[number].too_long]
        return RawBatch(
            records=[b"%d" % number for number in good],
            numbers=good,
            refused=tuple(
                RefusedRecord(number=number, reason=Reason.TOO_LONG, detail="long", raw=b"%d" % number)
                for number in numbers
                if self._rows[number].too_long
            ),
            size=len(numbers),
        )

    def position(self) -> bytes:
        return b"%d %d" % (self._at, self._reads)

    def close(self) -> None:
        self.closed += 1


@dataclass(frozen=True, slots=True)
class MemoryDecoder:
    """Decodes what `MemoryReader` reads: a record is the number of its row."""

    rows: Sequence[Row]
    clock: bool = True

    def decode(self, records: Sequence[bytes]) -> Decoded:
        rows = [self.rows[int(record)] for record in records]
        kept = [i for i, row in enumerate(rows) if not row.refused]
        return Decoded(
            kept=np.array(kept, dtype=np.int64),
            numeric={"x": np.array([rows[i].x for i in kept], dtype=np.float64)},
            categorical={"c": [rows[i].c for i in kept]},
            time_ms=np.array([rows[i].time for i in kept], dtype=np.int64) if self.clock else None,
            refused=tuple(
                Refusal(i, Reason.MALFORMED, "refused") for i, row in enumerate(rows) if row.refused
            ),
        )

    def fields(self, record: bytes) -> tuple[str, ...]:
        return ("x", "c") if self.rows[int(record)].c is not None else ("x",)


def small_features() -> tuple[FeatureReference, FeatureReference]:
    """One numeric and one categorical column, each with few bins."""
    bins = numeric_bins(np.array([0.0, 1.0, 1.0, 2.5, 4.0]))
    names = categories({"a": 5, "b": 3, "rare": 1}, top=2)
    return (
        FeatureReference(NUMERIC, bins, empty(bins.width)),
        FeatureReference(CATEGORICAL, names, empty(names.width)),
    )


def other_features() -> tuple[FeatureReference, FeatureReference]:
    """The same columns with other bins, of another number."""
    bins = numeric_bins(np.array([-1.0, 0.5, 0.5, 2.5, 3.0, 8.0]))
    names = categories({"a": 5, "new": 3, "newer": 2, "b": 1}, top=3)
    return (
        FeatureReference(NUMERIC, bins, empty(bins.width)),
        FeatureReference(CATEGORICAL, names, empty(names.width)),
    )


@dataclass(kw_only=True)
class Run:
    """The steps up to closed windows, in one loop.

    Attributes
    ----------
    cuts
        Sizes of the reads of each partition.
    restart
        Asked after every batch whether to throw all logic away and resume it from its snapshots.
    later
        The columns of further generations of the reference, as the schedule has them.
    """

    grid: Grid
    streams: Sequence[Sequence[Row]]
    lateness: int
    cuts: Sequence[Sequence[int]]
    earliest: int | None = None
    latest: int | None = None
    clock: bool = True
    features: tuple[FeatureReference, ...] = field(default_factory=small_features)
    later: tuple[tuple[FeatureReference, ...], ...] = ()
    schedule: Schedule = UNCHANGED
    restart: Callable[[], bool] = lambda: False
    watch: Callable[[Decoder], RecordWatch] | None = None
    batches: list[Batch] = field(default_factory=list)
    windows: dict[str, list[Closed]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [f"p{i}" for i in range(len(self.streams))]

    def partition(self, name: str, resume: bytes | None = None) -> Partition:
        index = int(name[1:])
        rows = self.streams[index]
        return Partition(
            name,
            grid=self.grid,
            bounds=TimeBounds(lateness=self.lateness, earliest=self.earliest, latest=self.latest),
            open_reader=lambda position: (
                MemoryReader(rows, self.cuts[index], position),
                MemoryDecoder(rows, self.clock),
            ),
            fingerprint=PRINT,
            batch_rows=1_000,
            keep_late=True,
            resume=resume,
            watch=self.watch,
        )

    def to_the_end(self, choose: Callable[[list[str]], str]) -> dict[str, list[Closed]]:
        """Poll partitions in the order of `choose` until all have ended; give each column's windows."""
        live = {name: self.partition(name) for name in self.names}
        mergers = {f.column.name: self._merger() for f in self.features}
        rings = {f.column.name: self._rings() for f in self.features}
        self.windows = {f.column.name: [] for f in self.features}
        while live:
            name = choose(sorted(live))
            batch = live[name].poll()
            if batch is None:
                live.pop(name).close()
                continue
            self.batches.append(batch)
            for column, partial in summarize(batch, [self.features, *self.later], self.schedule):
                mergers[column].add(partial)
                closed = mergers[column].close()
                if closed is not None:
                    self.windows[column] += windows_only(rings[column].add(closed))
            if self.restart():
                live = {name: self.partition(name, part.snapshot()) for name, part in live.items()}
                mergers = {c: self._merger(m.snapshot()) for c, m in mergers.items()}
                rings = {c: self._rings(r.snapshot()) for c, r in rings.items()}
        return self.windows

    def _merger(self, resume: bytes | None = None) -> PaneMerger:
        return PaneMerger.start(self.names, resume, schedule=self.schedule)

    def _rings(self, resume: bytes | None = None) -> Windows:
        return Windows.start(self.grid.windows, resume, schedule=self.schedule)


def windows_only(told: Sequence[Told]) -> list[Closed]:
    """Leave evidence blocks out."""
    return [found for found in told if not isinstance(found, Block)]


def in_turn() -> Callable[[list[str]], str]:
    """Choose the partitions one after the other."""
    turns: Iterator[int] = iter(range(10**9))
    return lambda names: names[next(turns) % len(names)]
