import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.batch import Batch
from flows.config import parse_config
from flows.inline import in_turn, run_inline
from flows.partition import Partition
from flows.plan import Plan, make_plan
from state.events import EventType
from state.generations import Generations
from state.grid import WindowSpec
from state.judge import Judge
from state.panes import PaneMerger
from state.reference import BadReferenceError
from state.report import Output, Report
from state.stores.base import Point, StoredEvent
from state.windows import Windows
from tests.evidence import reference
from tests.state.window_oracle import Found, windows_of
from tests.strategies import HOUR, MINUTE, Case
from tests.streams import MemoryDecoder, MemoryReader, Row

CONFIG = """
model: {name: credit}
input: {path: events}
time: {column: ts, zone: Europe/Berlin, lateness: 10m}
windows: {block: {size: 3h}, sliding: {size: 90m, slide: 30m}}
columns:
  x: {kind: numeric}
  c: {kind: categorical}
detection: {min_rows: 12, min_effect: 0.02, evidence: {rows: 40}}
"""

SPECS = (
    WindowSpec(name="block", size=3 * HOUR, slide=3 * HOUR),
    WindowSpec(name="sliding", size=90 * MINUTE, slide=30 * MINUTE),
)
"""The windows of the configuration."""

START = 1_761_440_400_000 - 4 * HOUR
"""Four hours before Berlin sets its clocks back on 2025-10-26."""


@dataclass(frozen=True)
class Stream:
    """Rows of some partitions: a shift, a gap, disorder and late rows, all from one seed."""

    seed: int
    partitions: int
    rows: int = 300

    @property
    def streams(self) -> tuple[tuple[Row, ...], ...]:
        return tuple(self._one(i) for i in range(self.partitions))

    def _one(self, index: int) -> tuple[Row, ...]:
        rng = np.random.default_rng([self.seed, index])
        times = START + np.cumsum(rng.exponential(2 * MINUTE, self.rows)).astype(np.int64)
        third = self.rows // 3
        times[2 * third :] += int(rng.integers(0, 30)) * HOUR
        times -= (rng.random(self.rows) < 0.1) * rng.integers(0, HOUR, self.rows)
        values = rng.normal(size=self.rows)
        values[third : 2 * third] += float(rng.choice([0.0, 1.0, 3.0]))
        values[rng.random(self.rows) < 0.05] = np.nan
        names = rng.choice(["a", "b", "c", "new"], self.rows, p=[0.5, 0.3, 0.15, 0.05])
        refused = rng.random(self.rows) < 0.02
        return tuple(
            Row(time, x, c if c != "b" or x > -2 else None, refused=bad)
            for time, x, c, bad in zip(
                times.tolist(), values.tolist(), names.tolist(), refused.tolist(), strict=True
            )
        )


def plan_of(streams: Sequence[Sequence[Row]], cuts: Sequence[Sequence[int]]) -> Plan:
    config = parse_config(CONFIG, folder=Path())
    names = tuple(f"p{i}" for i in range(len(streams)))

    def open_partition(name: str, resume: bytes | None) -> Partition:
        i = int(name[1:])
        return Partition(
            name,
            grid=config.grid,
            bounds=config.bounds,
            open_reader=lambda at: (MemoryReader(streams[i], cuts[i], at), MemoryDecoder(streams[i])),
            fingerprint=config.state_fingerprint(reference().version),
            batch_rows=1_000,
            keep_late=False,
            resume=resume,
        )

    return make_plan(config, Generations((reference(),)), names, open_partition)


def outputs_of(plan: Plan, choose: Callable[[Sequence[str]], str] | None = None) -> list[Output]:
    found = list[Output]()
    run_inline(plan, found.extend, choose=choose)
    return found


streams = st.builds(Stream, st.integers(0, 10_000), st.integers(1, 4))
sizes = st.lists(st.integers(1, 80), min_size=1, max_size=4)


@settings(max_examples=15)
@given(stream=streams, data=st.data())
def test_cut_and_interleaving_make_no_difference(stream: Stream, data: st.DataObject) -> None:
    rows = stream.streams
    straight = outputs_of(plan_of(rows, [[1_000]] * len(rows)))
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    mixed = plan_of(rows, [data.draw(sizes) for _ in rows])
    assert outputs_of(mixed, lambda names: str(rng.choice(list(names)))) == straight


def reports(outputs: Sequence[Output]) -> list[dict[str, dict[str, str | int]]]:
    events = [o for o in outputs if isinstance(o, StoredEvent) and o.type == EventType.REPORT]
    return [json.loads(event.body)["data"] for event in events]


@settings(max_examples=15)
@given(stream=streams)
def test_reports_are_those_of_the_windows_that_brute_force_finds(stream: Stream) -> None:
    rows = stream.streams
    plan = plan_of(rows, [[50]] * len(rows))
    case = Case(
        specs=SPECS,
        axis=plan.config.grid.axis,
        zone="Europe/Berlin",
        lateness=10 * MINUTE,
        streams=rows,
    )
    wanted = [
        (
            case.specs[w.spec].name,
            len(w.rows) if isinstance(w, Found) else 0,
            w.late if isinstance(w, Found) else 0,
        )
        for w in windows_of(case)
    ]
    found = reports(outputs_of(plan))
    assert [(r["window"]["name"], r["window"]["rows"], r["window"]["late_rows"]) for r in found] == wanted


class Resumed:
    """The loop of `run_inline`, with all steps thrown away and resumed from their snapshots on the way."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names = plan.context.tracks
        self.live = {name: plan.open_partition(name, None) for name in plan.partitions}
        self.mergers: dict[str, PaneMerger] = {name: plan.panes() for name in self.names}
        self.windows: dict[str, Windows] = {name: plan.windows() for name in self.names}
        self.judges: dict[str, Judge] = {name: plan.judge() for name in self.names}
        self.report: Report = plan.report()
        self.outputs = list[Output]()

    def takes(self, batch: Batch) -> None:
        for column, partial in self.plan.summarize(batch):
            self.mergers[column].add(partial)
            closed = self.mergers[column].close()
            if closed is not None:
                found = [self.plan.compare(column, w) for w in self.windows[column].add(closed)]
                self.outputs += self.report.add(self.judges[column].add(found))

    def restarts(self) -> None:
        plan = self.plan
        self.live = {n: plan.open_partition(n, part.snapshot()) for n, part in self.live.items()}
        self.mergers = {n: plan.panes(logic.snapshot()) for n, logic in self.mergers.items()}
        self.windows = {n: plan.windows(logic.snapshot()) for n, logic in self.windows.items()}
        self.judges = {n: plan.judge(logic.snapshot()) for n, logic in self.judges.items()}
        self.report = plan.report(self.report.snapshot())

    def runs(self, after_batch: Callable[[], bool]) -> list[Output]:
        choose = in_turn()
        while self.live:
            name = choose(sorted(self.live))
            batch = self.live[name].poll()
            if batch is None:
                self.live.pop(name)
                continue
            self.takes(batch)
            if after_batch():
                self.restarts()
        return self.outputs

    def state_bytes(self) -> int:
        parts = (self.live, self.mergers, self.windows, self.judges)
        held = sum(len(logic.snapshot()) for steps in parts for logic in steps.values())
        return held + len(self.report.snapshot())


@settings(max_examples=10)
@given(stream=streams, data=st.data())
def test_a_run_resumed_anywhere_gives_the_same(stream: Stream, data: st.DataObject) -> None:
    rows = stream.streams
    cuts = [data.draw(sizes) for _ in rows]
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    found = Resumed(plan_of(rows, cuts)).runs(lambda: rng.random() < 0.2)
    assert found == outputs_of(plan_of(rows, cuts))


def test_the_state_of_a_longer_run_is_no_larger() -> None:
    largest = []
    for rows in (300, 3_000):
        # Steady time: two partitions that drift apart would hold more, and rightly.
        steady = [
            [Row(START + i * 2 * MINUTE, row.x, row.c) for i, row in enumerate(part)]
            for part in Stream(7, 2, rows).streams
        ]
        run = Resumed(plan_of(steady, [[20], [20]]))
        held = list[int]()

        def measure(run: Resumed = run, held: list[int] = held) -> bool:
            held.append(run.state_bytes())
            return False

        run.runs(measure)
        largest.append(max(held))
    # Ten times the rows take the same, but for the samples of new names, which fill up to their limit.
    assert largest[1] < 1.15 * largest[0]


def test_a_shift_is_told_with_its_column() -> None:
    rows = Stream(4, 2).streams
    shifted = [
        [Row(r.time, r.x + 2 if r.time > START + 3 * HOUR else r.x, r.c) for r in part] for part in rows
    ]
    outputs = outputs_of(plan_of(shifted, [[64], [64]]))
    opened = [o for o in outputs if isinstance(o, StoredEvent) and o.type == EventType.OPENED]
    assert {event.feature for event in opened} >= {"x"}
    told = next(json.loads(e.body)["data"] for e in opened if e.feature == "x")
    assert told["direction"] == "up"
    assert any(isinstance(o, Point) for o in outputs)


def test_every_batch_is_shown() -> None:
    rows = Stream(1, 2).streams
    seen = list[Batch]()
    run_inline(plan_of(rows, [[100], [100]]), lambda _: None, on_batch=seen.append)
    assert {batch.partition for batch in seen} == {"p0", "p1"}
    dead = sum(len(batch.dead_letters) for batch in seen)
    late = sum(sum(batch.late.values()) for batch in seen)
    assert sum(batch.rows for batch in seen) + dead + late == 600
    assert dead == sum(row.refused for part in rows for row in part)


def test_partitions_without_rows_give_nothing_and_hold_nobody_up() -> None:
    rows = Stream(1, 1).streams[0]
    alone = outputs_of(plan_of([rows], [[50]]))
    assert outputs_of(plan_of([rows, [], []], [[50]] * 3)) == alone
    assert outputs_of(plan_of([[], []], [[50]] * 2)) == []


def test_partitions_are_polled_in_turn() -> None:
    choose = in_turn()
    assert sorted(choose(["a", "b", "c"]) for _ in range(3)) == ["a", "b", "c"]


def test_a_plan_needs_all_columns_in_its_reference() -> None:
    config = parse_config(CONFIG.replace("  c:", "  z:"), folder=Path())
    with pytest.raises(BadReferenceError, match="has no column 'z'"):
        make_plan(config, Generations((reference(),)), ("p0",), lambda name, _: pytest.fail(name))
