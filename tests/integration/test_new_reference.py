import shutil
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import orjson
import pytest

from flows.engine import Recovery, run
from flows.generations import TooEarlyError
from flows.recovery import await_recovery, open_recovery
from flows.recovery_facts import read_folder
from flows.recovery_note import RecoveryError
from tests.integration.processes import run_through, running
from tests.integration.results import Results, assert_same, inline_results, outputs_in, read_results
from tests.integration.stream import Layout, activate, keep_reference, load_plan, write_stream
from tests.integration.supervision import supervised

ROWS = 4_200
"""Rows of 30 s each: 35 hours from 2026-01-05T00:00Z, but for those that come late."""

HOUR = 3_600_000
SWITCH = 1_767_571_200_000 + 15 * HOUR
"""15 hours after 2026-01-05T00:00Z (`date -u -d @1767571200`): between panes of 3 h, not windows of 6 h."""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return write_stream(tmp_path_factory.mktemp("before") / "data", rows=ROWS, files=4)


@pytest.fixture(scope="module")
def data(before: Layout, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    folder = tmp_path_factory.mktemp("switched") / "data"
    shutil.copytree(before.folder, folder)
    layout = Layout(folder=folder)
    keep_reference(layout, rows=1_500, effective_from=SWITCH)
    return layout


@pytest.fixture(scope="module")
def wanted(data: Layout, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return inline_results(load_plan(data.config()), tmp_path_factory.mktemp("wanted"))


def until_snapshot(folder: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        facts = read_folder(folder)
        if facts is not None and all(at is not None and at.latest for at in facts.positions.values()):
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def start_ms(report: dict[str, dict[str, str]]) -> float:
    return datetime.fromisoformat(report["window"]["start"]).timestamp() * 1_000


def test_windows_name_the_reference_in_which_they_start(data: Layout, wanted: Results) -> None:
    old, new = (r.version for r in load_plan(data.config()).generations.references)
    reports = [orjson.loads(e.body)["data"] for e in wanted.events if e.type.endswith("report")]
    for report in reports:
        assert report["reference"]["version"] == (old if start_ms(report) < SWITCH else new)
        assert report["reference"]["rows"] == (4_000 if start_ms(report) < SWITCH else 1_500)
    across = [r for r in reports if start_ms(r) < SWITCH < start_ms(r) + 6 * HOUR]
    assert {report["window"]["kind"] for report in across} == {"tumbling", "sliding"}


def test_windows_before_the_change_are_those_of_a_run_without_it(
    before: Layout, wanted: Results, tmp_path: Path
) -> None:
    without = inline_results(load_plan(before.config()), tmp_path)
    reports = [
        {e.id: orjson.loads(e.body)["data"] for e in found.events if e.type.endswith("report")}
        for found in (wanted, without)
    ]
    shared = reports[0].keys() & reports[1].keys()
    assert {start_ms(reports[0][one]) < SWITCH for one in shared} == {True}
    # Also of windows that end after it: what was gathered against the old reference goes on with them.
    assert all(reports[0][one] == reports[1][one] for one in shared)
    assert len(shared) > 5
    assert len(reports[0]) == len(reports[1]) > len(shared) + 5


@pytest.mark.parametrize(("engine", "batch_rows"), [("inline", 97), ("bytewax", 97)])
def test_any_batch_size_on_any_engine(
    data: Layout, wanted: Results, tmp_path: Path, engine: str, batch_rows: int
) -> None:
    plan = load_plan(data.config(f"{engine}-{batch_rows}", batch_rows=batch_rows))
    if engine == "inline":
        found = inline_results(plan, tmp_path)
    else:
        assert run(plan, outputs_in(tmp_path))
        found = read_results(tmp_path)
    assert_same(found, wanted)


@pytest.mark.parametrize("members", [3])
def test_several_processes(data: Layout, wanted: Results, tmp_path: Path, members: int) -> None:
    config = data.config(f"members-{members}", batch_rows=97)
    assert run_through(config, tmp_path, members=members) == ["ended"] * members
    assert_same(read_results(tmp_path), wanted)


@pytest.mark.crash
def test_killed_around_the_change(data: Layout, wanted: Results, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    config, recovery = data.config("killed", batch_rows=40), tmp_path / "recovery"
    for _ in range(2):
        with running(config, tmp_path / "out", recovery=recovery, pause_s=0.015) as (runner,):
            assert runner.reading.wait(60)
            time.sleep(rng.uniform(0.1, 0.6))
            runner.kill()
            runner.wait()
    assert run_through(config, tmp_path / "out", recovery=recovery) == ["ended"]
    assert_same(read_results(tmp_path / "out"), wanted)


@pytest.mark.crash
def test_activated_while_a_run_has_read_some_of_its_input(
    before: Layout, wanted: Results, tmp_path: Path
) -> None:
    layout = Layout(folder=tmp_path / "data")
    shutil.copytree(before.folder, layout.folder)
    config = layout.config("slow", batch_rows=40)
    recovery = Recovery(folder=tmp_path / "recovery", interval_s=0.05)
    with running(config, tmp_path / "out", recovery=recovery.folder, pause_s=0.05) as (runner,):
        # A batch holds 20 minutes of one of four files, so this is long before the change.
        until_snapshot(recovery.folder)
        runner.kill()
        runner.wait()
    # Not from the first row of all on: that one was read.
    keep_reference(layout, rows=1_500, effective_from=SWITCH - 15 * HOUR)
    with pytest.raises(TooEarlyError, match=r"the earliest one possible is 2026-01-0.T..:00:00\+00:00"):
        run(load_plan(config), outputs_in(tmp_path / "out"), recovery=recovery)
    shutil.copy(before.reference, layout.reference)
    keep_reference(layout, rows=1_500, effective_from=SWITCH)
    assert run(load_plan(config), outputs_in(tmp_path / "out"), recovery=recovery)
    assert_same(read_results(tmp_path / "out"), wanted)


@pytest.mark.crash
def test_a_running_set_takes_it_in(before: Layout, wanted: Results, tmp_path: Path) -> None:
    layout = Layout(folder=tmp_path / "data")
    shutil.copytree(before.folder, layout.folder)
    config = layout.config("slow", batch_rows=40)
    old = load_plan(config).generations.first.version
    new = keep_reference(layout, rows=1_500)
    activate(layout, old)
    # Each member reads two files in 27 batches each: the change is three seconds away.
    with supervised(config, tmp_path, "--live", "--pause-s", 0.15, "--interval-s", 0.1) as run_:
        run_.until(lambda: run_.readings() == 2)
        first = run_.members()
        activate(layout, new, effective_from=SWITCH)
        run_.until(lambda: run_.readings() == 4)
        # What counted from the beginning would need other state: the set goes on with what it has.
        activate(layout, new)
        run_.until(lambda: run_.lines(rf".*reference {new} was activated from the beginning.*"))
        assert set(first.values()).isdisjoint(run_.members().values())
        assert run_.wait() == 0
    assert run_.lines(rf".*references have changed \(.*, then {new} from 2026-01-05T15:00:00\+00:00\).*")
    assert run_.readings() == 4
    assert_same(read_results(tmp_path / "out"), wanted)


def test_a_member_that_found_other_references_than_the_first_one_does_not_go_on(
    before: Layout, data: Layout, tmp_path: Path
) -> None:
    open_recovery(tmp_path, load_plan(before.config()))
    assert await_recovery(tmp_path, load_plan(before.config())).exists()
    with pytest.raises(RecoveryError, match="runs with other references than this member found"):
        await_recovery(tmp_path, load_plan(data.config()), patience_s=0.2)
