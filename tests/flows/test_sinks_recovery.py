import time
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Generic, TypeVar

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.inputs import AbortExecution, FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSource, run_main
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.sinks.jsonl import JsonlSink
from flows.sinks.store import StoreItem, StoreSink
from state.stores.base import Point
from state.stores.sqlite import SqliteStore
from tests.contracts.store_values import a_key, an_event

Item = TypeVar("Item")
State = TypeVar("State")

LINES = [b'{"n":%d}' % number for number in range(12)]
TEXT = b"".join(line + b"\n" for line in LINES)
EVENTS = [an_event(str(number), end=number // 2) for number in range(5)]
POINTS = [Point(a_key(), number, number / 4) for number in range(5)]


class ListSource(FixedPartitionedSource[Item, int]):
    """One item per batch; aborts before the item numbered `crash`, and sleeps once before another."""

    def __init__(
        self, items: Sequence[Item], *, crash: int | None, rest: int | None = None, rest_s: float = 0.0
    ) -> None:
        self.items, self.crash, self.rest, self.rest_s = items, crash, rest, rest_s

    def list_parts(self) -> list[str]:
        return ["list"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> "ListPartition[Item]":  # noqa: ARG002 - Bytewax's signature
        return ListPartition(self, resume_state or 0)


class ListPartition(StatefulSourcePartition[Item, int]):
    def __init__(self, source: ListSource[Item], position: int) -> None:
        self.source, self.position = source, position

    def next_batch(self) -> list[Item]:
        if self.position == self.source.crash:
            raise AbortExecution
        if self.position == len(self.source.items):
            raise StopIteration
        if self.position == self.source.rest:
            time.sleep(self.source.rest_s)
        self.position += 1
        return [self.source.items[self.position - 1]]

    def snapshot(self) -> int:
        return self.position


class Runner(Generic[Item]):
    """Runs flows into a sink, each resuming where the recovery store says."""

    def __init__(
        self, folder: Path, sink: FixedPartitionedSink[Item, State], *, epoch_s: float = 0.0
    ) -> None:
        folder.mkdir()
        init_db_dir(folder, 1)  # type: ignore[no-untyped-call]  # Bytewax's
        self.recovery = RecoveryConfig(str(folder))  # type: ignore[no-untyped-call]  # Bytewax's
        self.sink = sink
        self.epoch = timedelta(seconds=epoch_s)

    def run(self, source: FixedPartitionedSource[Item, int]) -> None:
        flow = Dataflow("sinks")
        keyed = op.key_on("key", op.input("in", flow, source), lambda _: "all")
        op.output("out", keyed, self.sink)
        run_main(flow, epoch_interval=self.epoch, recovery_config=self.recovery)  # type: ignore[no-untyped-call]  # Bytewax's


@pytest.mark.parametrize("place", [1, 7, len(LINES)])
def test_aborted_flow_writes_the_same_file(tmp_path: Path, place: int) -> None:
    path = tmp_path / "events.jsonl"
    runner = Runner(tmp_path / "recovery", JsonlSink(path))
    source: TestingSource[bytes] = TestingSource([*LINES[:place], TestingSource.ABORT(), *LINES[place:]])
    runner.run(source)
    assert path.read_bytes() == b"".join(line + b"\n" for line in LINES[:place])
    runner.run(source)
    assert path.read_bytes() == TEXT


@settings(max_examples=15, deadline=None)
@given(crashes=st.lists(st.integers(0, len(LINES)), max_size=4), torn=st.binary(max_size=20))
def test_flow_that_crashes_again_and_again_writes_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, crashes: list[int], torn: bytes
) -> None:
    folder = tmp_path_factory.mktemp("flow")
    path = folder / "events.jsonl"
    runner = Runner(folder / "recovery", JsonlSink(path))
    for crash in crashes:
        runner.run(ListSource(LINES, crash=crash))
        with path.open("ab") as file:
            file.write(torn)
    runner.run(ListSource(LINES, crash=None))
    assert path.read_bytes() == TEXT


def test_lines_of_an_unfinished_epoch_are_written_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    resumed: list[int | None] = []

    class Watched(JsonlSink):
        def build_part(
            self, step_id: str, for_part: str, resume_state: int | None
        ) -> StatefulSinkPartition[bytes, int]:
            resumed.append(resume_state)
            return super().build_part(step_id, for_part, resume_state)

    runner = Runner(tmp_path / "recovery", Watched(path), epoch_s=0.7)
    # The rest outlasts the epoch, so some lines are snapshotted and the ones after them are not.
    runner.run(ListSource(LINES, crash=9, rest=3, rest_s=0.8))
    assert path.read_bytes() == b"".join(line + b"\n" for line in LINES[:9])
    runner.run(ListSource(LINES, crash=None))
    first, second = resumed
    assert first is None
    assert second is not None
    assert 0 < second < len(b"".join(line + b"\n" for line in LINES[:9]))
    assert path.read_bytes() == TEXT


def test_flow_without_results_does_not_touch_the_file(tmp_path: Path) -> None:
    # Bytewax builds an output with its first item: whoever starts a run anew has to empty the file.
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"of an earlier run\n")
    Runner(tmp_path / "recovery", JsonlSink(path)).run(ListSource([], crash=None))
    assert path.read_bytes() == b"of an earlier run\n"


def test_resumed_flow_without_results_drops_the_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    runner = Runner(tmp_path / "recovery", JsonlSink(path))
    runner.run(ListSource(LINES, crash=None))
    with path.open("ab") as file:
        file.write(b'{"torn":')
    runner.run(ListSource(LINES, crash=None))
    assert path.read_bytes() == TEXT


@settings(max_examples=15, deadline=None)
@given(crashes=st.lists(st.integers(0, 6), max_size=4))
def test_flow_that_crashes_again_and_again_leaves_the_same_store(
    tmp_path_factory: pytest.TempPathFactory, crashes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("flow")
    path = folder / "store.db"
    items: list[StoreItem | Sequence[StoreItem]] = [
        EVENTS[0],
        POINTS[:2],
        [EVENTS[1], *POINTS[2:4], EVENTS[2]],
        [],
        POINTS[4],
        tuple(EVENTS[3:]),
    ]
    runner = Runner(folder / "recovery", StoreSink(lambda: SqliteStore(path)))
    for crash in crashes:
        runner.run(ListSource(items, crash=crash))
    runner.run(ListSource(items, crash=None))
    with closing(SqliteStore(path)) as store:
        assert store.events("fraud") == EVENTS
        assert store.series(a_key()) == [(point.time, point.value) for point in POINTS]
