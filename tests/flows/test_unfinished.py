import pickle
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.errors import BytewaxRuntimeError
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, run_main

from flows.recovery import SNAPSHOTS, open_recovery
from flows.recovery_note import RecoveryError
from flows.unfinished import drop_unfinished, resume_epoch
from tests.integration.stream import load_plan, write_stream

CRASH = "crash"


@dataclass
class Items(StatefulSourcePartition[tuple[str, int], int]):
    keys: list[str]
    position: int

    def next_batch(self) -> list[tuple[str, int]]:
        if self.position == len(self.keys):
            raise StopIteration
        self.position += 1
        key = self.keys[self.position - 1]
        if key == CRASH:
            raise RuntimeError
        return [(key, 1)]

    def snapshot(self) -> int:
        return self.position


@dataclass
class Source(FixedPartitionedSource[tuple[str, int], int]):
    keys: list[str]

    def list_parts(self) -> list[str]:
        return ["all"]

    def build_part(self, _step: str, _part: str, resume: int | None) -> Items:
        return Items(self.keys, resume or 0)


@dataclass
class Count(StatefulBatchLogic[int, int, int]):
    """Counts the items of its key."""

    number: int

    def on_batch(self, values: list[int]) -> tuple[list[int], bool]:
        self.number += len(values)
        return [self.number], False

    def snapshot(self) -> int:
        return self.number


def count(folder: Path, keys: list[str]) -> list[tuple[str, int]]:
    """Count on Bytewax, an epoch per item; what comes out before the end or the crash."""
    out: list[tuple[str, int]] = []
    flow = Dataflow("flow")
    counted = op.stateful_batch("count", op.input("in", flow, Source(keys)), lambda at: Count(at or 0))
    op.output("out", counted, TestingSink(out))
    recovery = RecoveryConfig(str(folder))  # type: ignore[no-untyped-call]  # Bytewax's
    with suppress(BytewaxRuntimeError):
        run_main(flow, epoch_interval=timedelta(0), recovery_config=recovery)  # type: ignore[no-untyped-call]  # Bytewax's
    return out


def plant(folder: Path, step: str, key: str, ahead: int) -> None:
    """Leave a snapshot as a run does that is killed before its epoch is finished."""
    with closing(sqlite3.connect(folder / "part-0.sqlite3")) as file, file:
        (front,) = file.execute("SELECT max(worker_frontier) FROM fronts").fetchone()
        file.execute(
            "INSERT INTO snaps (step_id, state_key, snap_epoch, ser_change) VALUES (?, ?, ?, ?)",
            (step, key, front + ahead, pickle.dumps(777)),
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / SNAPSHOTS
    folder.mkdir()
    init_db_dir(folder, 1)  # type: ignore[no-untyped-call]  # Bytewax's
    assert count(folder, ["a", "b", "a"]) == [("a", 1), ("b", 1), ("a", 2)]
    return folder


@pytest.mark.parametrize("ahead", [0, 1])
@pytest.mark.parametrize("key", ["b", "c"])
def test_snapshot_of_an_unfinished_epoch_is_not_gone_on_with(folder: Path, key: str, ahead: int) -> None:
    plant(folder, "flow.count", key, ahead)
    drop_unfinished(folder)
    # An execution that does not wake the key, and is killed too.
    begun = ["a", "b", "a", "a", "a", "a", CRASH]
    assert count(folder, begun) == [("a", 3), ("a", 4), ("a", 5)]
    drop_unfinished(folder)
    assert count(folder, [*begun[:-1], "a", "b", "c"]) == [("a", 6), ("b", 2), ("c", 1)]


def test_bytewax_would_go_on_with_it(folder: Path) -> None:
    plant(folder, "flow.count", "b", 0)
    begun = ["a", "b", "a", "a", "a", "a", CRASH]
    count(folder, begun)
    # Once this fails, what is tested above is no longer needed.
    assert count(folder, [*begun[:-1], "a", "b"]) == [("a", 6), ("b", 778)]


def test_run_drops_them_before_it_goes_on(tmp_path: Path) -> None:
    plan = load_plan(write_stream(tmp_path / "data", rows=200, reference_rows=500).config())
    snapshots = open_recovery(tmp_path, plan)
    with closing(sqlite3.connect(snapshots / "part-3.sqlite3")) as file, file:
        file.execute("INSERT INTO exs (ex_num, worker_count, resume_epoch) VALUES (0, 1, 1)")
        file.execute("INSERT INTO fronts (ex_num, worker_index, worker_frontier) VALUES (0, 0, 5)")
    with closing(sqlite3.connect(snapshots / "part-1.sqlite3")) as file, file:
        file.executemany(
            "INSERT INTO snaps (step_id, state_key, snap_epoch, ser_change) VALUES ('s', 'k', ?, x'00')",
            [(4,), (5,), (6,)],
        )
    open_recovery(tmp_path, plan)
    with closing(sqlite3.connect(snapshots / "part-1.sqlite3")) as file:
        assert file.execute("SELECT snap_epoch FROM snaps").fetchall() == [(4,)]


def test_damaged_folder_is_refused(folder: Path) -> None:
    (folder / "part-0.sqlite3").write_bytes(b"no database" * 1_000)
    with pytest.raises(RecoveryError, match=r"snapshots: file is not a database.*begin anew"):
        drop_unfinished(folder)


def test_run_goes_on_at_the_lowest_frontier_of_the_latest_execution() -> None:
    assert resume_epoch([], []) == 0
    assert resume_epoch([(0, 1)], []) == 1
    assert resume_epoch([(0, 1), (1, 7)], [(0, 9)]) == 7
    assert resume_epoch([(1, 7), (0, 1)], [(1, 12), (0, 9), (1, 10)]) == 10
