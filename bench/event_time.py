"""What Bytewax's own event clock would lose where a partition lags, falls idle or appears late.

All rows are within the allowed lateness of their own partition, so a right answer counts each of them, once,
in one report of its window. driftflow (its whole graph, with a restart when the partition appears) and
Bytewax's `EventClock` with `TumblingWindower` (one key, as one column is one key in driftflow) get the same
rows in the same order, the same allowed lateness, and the same wall clock, which is moved by hand from minute
to minute. Held against the brute force.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators.windowing import EventClock, TumblingWindower, count_window
from bytewax.testing import TestingSink, run_main

from bench.measure import say, show
from tests.integration.arrivals import (
    LATENESS_MS,
    WINDOW_MS,
    Arriving,
    Clock,
    arrivals,
    brute_force,
    watch,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOOK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of some partitions.

    Attributes
    ----------
    wanted
        Rows of each window, by its start.
    late
        Rows that were called late.
    counts
        What was counted for a window, each time it was reported.
    """

    wanted: Mapping[int, int]
    late: int
    counts: Mapping[int, Sequence[int]]

    @property
    def wrong(self) -> int:
        """Number of windows that were not reported once, with all their rows."""
        return sum(self.counts.get(start) != [rows] for start, rows in self.wanted.items())

    @property
    def twice(self) -> int:
        """Number of windows that were reported more than once."""
        return sum(len(counts) > 1 for counts in self.counts.values())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three hours of event time instead of twelve")
    given = parser.parse_args(arguments)
    partitions = arrivals(minutes=180 if given.quick else 720, rows_per_minute=20)
    with TemporaryDirectory() as folder:
        found = watch(Path(folder), partitions)
    ours = Outcome(wanted=brute_force(partitions), late=found.late, counts=found.counts)
    level = {name: minutes for name, minutes in partitions.items() if name != "hour-behind"}
    outcomes = {
        "driftflow": ours,
        "Bytewax's clock": bytewax_outcome(partitions),
        "Bytewax's clock, without the partition that is behind": bytewax_outcome(level),
    }
    show(
        f"Windows of {WINDOW_MS // 60_000} min over 4 partitions, allowed lateness {LATENESS_MS // 1000} s",
        ("", "rows", "wrongly late", "windows", "with a wrong count", "reported twice"),
        [
            (
                name,
                f"{sum(outcome.wanted.values()):,}",
                f"{outcome.late:,}",
                f"{len(outcome.wanted):,}",
                f"{outcome.wrong:,}",
                f"{outcome.twice:,}",
            )
            for name, outcome in outcomes.items()
        ],
    )
    say(f"driftflow had reported {found.early} windows when the partitions ended.")
    if ours.late or ours.wrong:
        raise SystemExit(1)


def bytewax_outcome(partitions: Mapping[str, Arriving]) -> Outcome:
    """Count windows with Bytewax's own operators."""
    clock = Clock(0, dict.fromkeys(partitions, 0))
    times: EventClock[int] = EventClock(
        _moment,
        wait_for_system_duration=timedelta(milliseconds=LATENESS_MS),
        now_getter=lambda: _moment(clock.now_ms),
    )
    windower = TumblingWindower(length=timedelta(milliseconds=WINDOW_MS), align_to=EPOCH)
    closed: list[tuple[str, tuple[int, int]]] = []
    late: list[tuple[str, tuple[int, int]]] = []
    flow = Dataflow("event_clock")
    rows = op.input("in", flow, _Source(partitions, clock))
    counted = count_window("count", rows, times, windower, key=lambda _: "x")
    op.output("closed", counted.down, TestingSink(closed))
    op.output("late", counted.late, TestingSink(late))
    run_main(flow)  # type: ignore[no-untyped-call]  # Bytewax's stub has no types here
    counts = defaultdict[int, list[int]](list)
    for _, (window, count) in closed:
        counts[window * WINDOW_MS].append(count)
    return Outcome(wanted=brute_force(partitions), late=len(late), counts=counts)


def _moment(time_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=time_ms)


class _Source(FixedPartitionedSource[int, int]):
    def __init__(self, partitions: Mapping[str, Arriving], clock: Clock) -> None:
        self._partitions = partitions
        self._clock = clock

    def list_parts(self) -> list[str]:
        return list(self._partitions)

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> "_Part":  # noqa: ARG002  # Bytewax's
        return _Part(for_part, self._partitions[for_part], self._clock)


class _Part(StatefulSourcePartition[int, int]):
    def __init__(self, name: str, minutes: Arriving, clock: Clock) -> None:
        self._name = name
        self._minutes = minutes
        self._clock = clock
        self._next = 0

    def next_batch(self) -> Sequence[int]:
        if self._next == len(self._minutes):
            raise StopIteration
        if self._next > self._clock.minute:
            return ()
        times = self._minutes[self._next]
        self._next += 1
        self._clock.give(self._name, self._next)
        return times

    def next_awake(self) -> datetime | None:
        waits = self._next > self._clock.minute and self._next < len(self._minutes)
        return datetime.now(UTC) + LOOK if waits else None

    def snapshot(self) -> int:
        return self._next


if __name__ == "__main__":
    main()
