"""Labels that come late are joined alike on any engine, in any order, and through any crash."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from flows.engine import run
from flows.hooks import Hooks
from flows.inline import Choose, run_inline
from flows.plan import Plan
from flows.recovery_facts import read_folder
from state.joined import Count
from tests.integration.label_stream import (
    LabelledLayout,
    Told,
    add_told,
    hear,
    joined_at_once,
    totals,
    write_labelled,
)
from tests.integration.processes import run_through, running
from tests.integration.results import outputs_in
from tests.integration.stream import load_plan

ROWS = 9_000


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> LabelledLayout:
    return write_labelled(tmp_path_factory.mktemp("labelled") / "data", rows=ROWS, files=2)


@pytest.fixture(scope="module")
def wanted(stream: LabelledLayout) -> dict[tuple[int, int], list[int]]:
    return joined_at_once(load_plan(stream.config("wanted")))


def inline(plan: Plan, choose: Choose | None = None) -> Told:
    told: Told = {}
    run_inline(plan, lambda _: None, choose=choose, on_joined=hear(told))
    return told


def told_in(folder: Path) -> Told:
    """Read what the processes of a run wrote of their joins, crashes in between."""
    told: Told = {}
    for path in sorted(folder.glob("joined-*.jsonl")):
        for line in path.read_bytes().splitlines():
            shard, counts = json.loads(line)
            add_told(told, shard, [(known, pane, tuple(numbers)) for known, pane, numbers in counts])
    return told


def told_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("joined-*.jsonl"))


def waiting_in(recovery: Path) -> int:
    """Return how many predictions wait in the last snapshots of all shards."""
    facts = read_folder(recovery)
    return 0 if facts is None or facts.join is None or facts.join.shards < 8 else facts.join.waiting


def test_the_stream_has_everything_in_it(wanted: dict[tuple[int, int], list[int]]) -> None:
    # Otherwise the comparisons below compare little.
    sums = np.sum(list(wanted.values()), axis=0)
    few = {
        count.name: int(sums[count]) for count in Count if sums[count] < 20 and count is not Count.FORGOTTEN
    }
    assert not few
    assert sums[Count.LABELLED] > ROWS / 3


@pytest.mark.parametrize("batch_rows", [97, 8_192])
def test_the_plain_loop_joins_what_a_batch_join_joins(
    stream: LabelledLayout, wanted: dict[tuple[int, int], list[int]], batch_rows: int
) -> None:
    assert totals(inline(load_plan(stream.config(f"inline-{batch_rows}", batch_rows=batch_rows)))) == wanted


@pytest.mark.parametrize("seed", range(3))
def test_partitions_of_both_sides_in_any_order(
    stream: LabelledLayout, wanted: dict[tuple[int, int], list[int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)

    def choose(names: Sequence[str]) -> str:
        # Lopsided, so that one partition is far ahead of another.
        weights = rng.permutation(5.0 ** np.arange(len(names)))
        return str(rng.choice(names, p=weights / weights.sum()))

    assert totals(inline(load_plan(stream.config(f"order-{seed}", batch_rows=97)), choose)) == wanted


def test_bytewax_joins_the_same(
    stream: LabelledLayout, wanted: dict[tuple[int, int], list[int]], tmp_path: Path
) -> None:
    told: Told = {}
    plan = load_plan(stream.config("bytewax", batch_rows=500))
    assert run(plan, outputs_in(tmp_path), hooks=Hooks(on_joined=hear(told)))
    assert totals(told) == wanted


def test_two_processes_join_the_same(
    stream: LabelledLayout, wanted: dict[tuple[int, int], list[int]], tmp_path: Path
) -> None:
    assert run_through(stream.config("two", batch_rows=500), tmp_path, members=2) == ["ended"] * 2
    assert totals(told_in(tmp_path)) == wanted


def test_labels_without_a_time_are_known_from_the_start(stream: LabelledLayout) -> None:
    plan = load_plan(stream.config("timeless", labels="{path: labels, label: outcome}", batch_rows=97))
    told = totals(inline(plan))
    assert told == joined_at_once(plan)
    assert not np.sum(list(told.values()), axis=0)[Count.LATE_LABELS]
    assert all(known == pane for (known, pane), numbers in told.items() if numbers[Count.LABELLED])


@pytest.mark.crash
def test_killed_again_and_again(
    stream: LabelledLayout, wanted: dict[tuple[int, int], list[int]], tmp_path: Path
) -> None:
    rng = np.random.default_rng(6)
    config = stream.config("killed", batch_rows=80)
    out, recovery = tmp_path / "out", tmp_path / "recovery"
    middle = 0
    for members in (1, 2):
        with running(config, out, members=members, recovery=recovery, pause_s=0.01) as runners:
            for runner in runners:
                assert runner.reading.wait(60)
            # However slow the machine is: once it has told something more, and there is a snapshot.
            before = told_bytes(out)
            while runners[0].running and (told_bytes(out) == before or not waiting_in(recovery)):
                time.sleep(0.05)
            time.sleep(float(rng.uniform(0.0, 0.3)))
            middle += runners[0].running
            for runner in runners:
                runner.kill()
    assert middle >= 2
    assert waiting_in(recovery)
    assert run_through(config, out, recovery=recovery) == ["ended"]
    assert totals(told_in(out)) == wanted
