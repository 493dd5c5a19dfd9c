"""A live stream on a clock moved by hand: partitions on time, an hour behind, idle, and not there yet."""

import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import orjson

from flows.config import load_config
from flows.decode.base import Decoder
from flows.decode.factory import make_decoder
from flows.engine import Recovery, run
from flows.hooks import Hooks
from flows.input import InputSet, file_input, partition_opener
from flows.plan import make_plan
from flows.reference_build import build_reference
from flows.sources.base import RawBatch, Reader
from flows.sources.formats import FileFormat
from state.events import EventType
from state.generations import Generations
from state.report import Output
from state.stores.base import StoredEvent
from tests.integration.results import outputs_in

MINUTE_MS = 60_000
START_MS = 1_772_442_000_000
"""2026-03-02T09:00:00Z."""
WINDOW_MS = 10 * MINUTE_MS
LATENESS_MS = 5 * MINUTE_MS
DISORDER_MS = 45_000
"""Less than the allowed lateness, even with minutes that pass at once: no row of any partition is late."""
BEHIND_MINUTES = 60
IDLE_FROM, LATE_FROM, BUSY_FROM = 0.1, 0.5, 0.8
"""Shares of the time after which a partition falls idle, another one appears, and the idle one goes on."""

Arriving = tuple[tuple[int, ...], ...]
"""Event times of the rows that one partition gets in each minute."""


def arrivals(minutes: int, rows_per_minute: int, seed: int = 3) -> dict[str, Arriving]:
    """Make four partitions; the rows of each are at most `DISORDER_MS` out of order."""
    rng = np.random.default_rng(seed)

    def rows(minute: int, behind: int) -> tuple[int, ...]:
        arrived = (
            START_MS + (minute - behind) * MINUTE_MS + np.sort(rng.integers(0, MINUTE_MS, rows_per_minute))
        )
        return tuple((arrived - rng.integers(0, DISORDER_MS, rows_per_minute)).tolist())

    idle_from, late_from, busy_from = (int(share * minutes) for share in (IDLE_FROM, LATE_FROM, BUSY_FROM))
    return {
        "appears-late": tuple(rows(m, 0) if m >= late_from else () for m in range(minutes)),
        "hour-behind": tuple(rows(m, BEHIND_MINUTES) for m in range(minutes)),
        "idle": tuple(() if idle_from <= m < busy_from else rows(m, 0) for m in range(minutes)),
        "on-time": tuple(rows(m, 0) for m in range(minutes)),
    }


def brute_force(partitions: Mapping[str, Arriving]) -> Counter[int]:
    """Count all rows by the start of their window."""
    return Counter(
        time // WINDOW_MS * WINDOW_MS
        for minutes in partitions.values()
        for times in minutes
        for time in times
    )


@dataclass(slots=True)
class Clock:
    """Minutes that pass when all partitions have given what arrived in the one before."""

    minute: int = 0
    given: dict[str, int] = field(default_factory=dict)

    def give(self, partition: str, minute: int) -> None:
        """Note how many minutes of a partition have been read."""
        self.given[partition] = minute
        self.minute = min(self.given.values())

    @property
    def now_ms(self) -> int:
        """Wall-clock time at the end of the minute, when its rows have arrived."""
        return START_MS + (self.minute + 1) * MINUTE_MS


@dataclass(slots=True)
class ArrivalReader:
    """One partition as a live input; its position is the next minute."""

    name: str
    minutes: Arriving
    clock: Clock
    next: int
    stop_at: int

    def read(self, max_records: int) -> RawBatch | None:  # noqa: ARG002  # a minute is less
        if self.next == len(self.minutes):
            return None
        if self.clock.minute == self.stop_at:
            # As a supervisor does it when the partitions have changed.
            signal.raise_signal(signal.SIGTERM)
        if self.next > self.clock.minute or self.clock.minute == self.stop_at:
            return RawBatch(records=(), numbers=(), caught_up=True)
        times = self.minutes[self.next]
        self.next += 1
        self.clock.give(self.name, self.next)
        return RawBatch(
            records=[orjson.dumps({"t": time, "x": time % 1_000}) for time in times],
            numbers=range(self.next * 1_000, self.next * 1_000 + len(times)),
            caught_up=not times,
        )

    def position(self) -> bytes:
        return str(self.next).encode()

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What driftflow made of the arrivals.

    Attributes
    ----------
    counts
        Rows of a window, by its start, each time it was reported.
    late
        Rows that were called late.
    early
        Windows that were reported while partitions still went on.
    """

    counts: dict[int, list[int]]
    late: int
    early: int


def watch(folder: Path, partitions: Mapping[str, Arriving]) -> Found:
    """Run driftflow over arrivals: without the last partition until it appears, and then with it."""
    _write_config(folder)
    minutes = len(partitions["on-time"])
    late_from = int(LATE_FROM * minutes)
    outputs: list[tuple[int, StoredEvent]] = []
    late = list[int]()
    for present, first, last in (
        ([name for name in partitions if name != "appears-late"], 0, late_from),
        (list(partitions), late_from, minutes),
    ):
        clock = Clock(first, dict.fromkeys(present, first))

        def see(given: Sequence[Output], clock: Clock = clock) -> None:
            outputs.extend((clock.minute, each) for each in given if isinstance(each, StoredEvent))

        _run(
            folder,
            {name: partitions[name] for name in present},
            clock,
            stop_at=last,
            hooks=Hooks(on_outputs=see, on_batch=lambda batch: late.append(sum(batch.late.values()))),
        )
    reports = [(minute, event) for minute, event in outputs if event.type == EventType.REPORT]
    counts = defaultdict[int, list[int]](list)
    for _, event in reports:
        counts[event.end - WINDOW_MS].append(orjson.loads(event.body)["data"]["window"]["rows"])
    return Found(counts=dict(counts), late=sum(late), early=sum(minute < minutes for minute, _ in reports))


def _run(
    folder: Path, partitions: Mapping[str, Arriving], clock: Clock, *, stop_at: int, hooks: Hooks
) -> None:
    config = load_config(folder / "driftflow.yaml")
    source = file_input(folder / "reference.jsonl", columns=config.columns, time=config.time)
    reference = build_reference(source, config.columns, model="arrivals", now_ms=0).reference

    def opener(name: str, position: bytes | None) -> tuple[Reader, Decoder]:
        begin = clock.minute if position is None else int(position)
        reader = ArrivalReader(name, partitions[name], clock, begin, stop_at)
        return reader, make_decoder(FileFormat.JSONL, config.columns, config.time, ())

    readers: dict[str, Callable[[bytes | None], tuple[Reader, Decoder]]] = {
        name: partial(opener, name) for name in partitions
    }
    found = InputSet(readers=readers, total=0, unit="rows", names=tuple(partitions), live=True)
    fingerprint = config.state_fingerprint(reference.version)
    run(
        make_plan(
            config,
            Generations((reference,)),
            tuple(partitions),
            partition_opener(config, found, fingerprint, wall_clock=lambda: clock.now_ms),
            live=True,
        ),
        outputs_in(folder / "out"),
        recovery=Recovery(folder=folder / "recovery", interval_s=0.1),
        hooks=hooks,
    )


def _write_config(folder: Path) -> None:
    (folder / "driftflow.yaml").write_text(
        "model: {name: arrivals}\n"
        "input: {topics: [arrivals]}\n"
        f"time: {{column: t, format: ms, lateness: {LATENESS_MS // 1000}s, idle_timeout: 5m}}\n"
        f"windows: {{only: {{size: {WINDOW_MS // 1000}s}}}}\n"
        "columns: {x: {kind: numeric}}\n"
    )
    lines = [orjson.dumps({"t": START_MS, "x": value}) for value in range(1_000)]
    (folder / "reference.jsonl").write_bytes(b"\n".join(lines) + b"\n")
