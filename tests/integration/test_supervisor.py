"""Supervised sets of real processes: killed, stopped, frozen, signalled, made larger and smaller."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.integration.processes import run_through
from tests.integration.results import Results, assert_same, inline_results, read_results
from tests.integration.stream import Layout, load_plan, write_stream
from tests.integration.supervision import alive, supervised

pytestmark = pytest.mark.crash

ROWS = 9_000
BATCH_ROWS = 80
PAUSE_S = 0.02


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return write_stream(tmp_path_factory.mktemp("supervised") / "data", rows=ROWS, files=3)


@pytest.fixture(scope="module")
def config(data: Layout) -> Path:
    return data.config("slow", batch_rows=BATCH_ROWS)


@pytest.fixture(scope="module")
def plain(data: Layout) -> Path:
    """For runs that nobody disturbs; where batches are cut may change from run to run."""
    return data.config()


@pytest.fixture(scope="module")
def wanted(data: Layout, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return inline_results(load_plan(data.config()), tmp_path_factory.mktemp("wanted"))


def go_on(config: Path, tmp_path: Path) -> None:
    """Run the rest as one process: what a set left is not for sets alone."""
    assert run_through(config, tmp_path / "out", recovery=tmp_path / "recovery") == ["ended"]


def run_to_end(config: Path, tmp_path: Path, *options: object, workers: int = 2) -> None:
    with supervised(config, tmp_path, *options, workers=workers) as run:
        assert run.wait() == 0, run.said
        assert run.told == "ended\n"
        assert not run.lines(r".*restart \d.*"), run.said


def test_random_members_are_killed_again_and_again(config: Path, wanted: Results, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    with supervised(config, tmp_path, "--pause-s", PAUSE_S) as run:
        for kill in range(2):
            run.until(lambda due=2 * (kill + 1): run.readings() >= due)  # type: ignore[misc]  # default of a lambda
            time.sleep(rng.uniform(0.0, 0.4))
            before = run.members()
            os.kill(before[int(rng.integers(2))], signal.SIGKILL)
            run.until(lambda due=kill + 1: len(run.lines(r".*SIGKILL.*\(restart \d\)")) >= due)  # type: ignore[misc]  # as above
            # None of the old set lives when the next one is spoken of.
            assert not any(alive(member) for member in before.values())
        assert run.wait() == 0, run.said
        # Once: what first members said that were killed is not told.
        assert run.told == "ended\n"
    assert_same(read_results(tmp_path / "out"), wanted)


def test_members_die_with_a_killed_supervisor(
    config: Path, plain: Path, wanted: Results, tmp_path: Path
) -> None:
    sizes = list[int]()
    for _ in range(2):
        with supervised(config, tmp_path, "--pause-s", PAUSE_S) as run:
            run.until(lambda run=run: run.readings() == 2 and run.written > sum(sizes[-1:]))  # type: ignore[misc]  # as above
            members = run.members()
            # One that is stopped can do nothing for itself.
            os.kill(members[1], signal.SIGSTOP)
            run.process.kill()
            run.wait()
            sizes.append(run.written)
    go_on(plain, tmp_path)
    assert_same(read_results(tmp_path / "out"), wanted)
    assert 0 < sizes[0] < len(wanted.log)


def test_frozen_member_is_noticed(config: Path, wanted: Results, tmp_path: Path) -> None:
    with supervised(config, tmp_path, "--pause-s", PAUSE_S, "--stall-s", 1.5) as run:
        run.until(lambda: run.readings() == 2)
        os.kill(run.members()[1], signal.SIGSTOP)
        run.until(lambda: run.lines(r"no epoch has ended for .*"))
        assert run.wait() == 0, run.said
    assert_same(read_results(tmp_path / "out"), wanted)


def test_store_that_is_away_is_no_reason_to_start_again(plain: Path, wanted: Results, tmp_path: Path) -> None:
    # It is away for longer than a set may stand still.
    run_to_end(plain, tmp_path, "--away-s", 6.0, "--stall-s", 5.0)
    assert_same(read_results(tmp_path / "out"), wanted)


def test_rescaled_between_stops(config: Path, plain: Path, wanted: Results, tmp_path: Path) -> None:
    sizes = [0]
    for workers, number in ((1, signal.SIGTERM), (3, signal.SIGINT)):
        # A long epoch: what is kept here is kept by the stop, not by an epoch that ended in time.
        options = ("--pause-s", PAUSE_S, "--interval-s", 30)
        with supervised(config, tmp_path, *options, workers=workers) as run:
            run.until(lambda run=run, workers=workers: run.readings() == workers and run.written > sizes[-1])  # type: ignore[misc]  # as above
            run.process.send_signal(number)
            assert run.wait() == 0, run.said
            assert run.told == "stopped\n"
            sizes.append(run.written)
    go_on(plain, tmp_path)
    assert 0 < sizes[1] < sizes[2] < len(wanted.log)
    assert_same(read_results(tmp_path / "out"), wanted)


def test_second_signal_kills(config: Path, plain: Path, wanted: Results, tmp_path: Path) -> None:
    with supervised(config, tmp_path, "--pause-s", PAUSE_S) as run:
        run.until(lambda: run.readings() == 2 and run.written)
        os.kill(run.members()[0], signal.SIGSTOP)
        run.process.terminate()
        time.sleep(0.2)
        assert run.process.poll() is None
        run.process.terminate()
        assert run.wait() == 1
        assert run.told == ""
    go_on(plain, tmp_path)
    assert_same(read_results(tmp_path / "out"), wanted)


def test_stop_before_members_can_listen(config: Path, plain: Path, wanted: Results, tmp_path: Path) -> None:
    with supervised(config, tmp_path) as run:
        run.until(run.members)
        run.process.terminate()
        assert run.wait() == 0, run.said
    go_on(plain, tmp_path)
    assert_same(read_results(tmp_path / "out"), wanted)


def test_signals_of_a_terminal_and_of_a_service_manager(
    config: Path, plain: Path, wanted: Results, tmp_path: Path
) -> None:
    with supervised(config, tmp_path, "--pause-s", PAUSE_S) as run:
        run.until(lambda: run.readings() == 2)
        # Each is its own group and session, so a terminal does not reach it.
        for member in run.members().values():
            assert (os.getpgid(member), os.getsid(member)) == (member, member)
        # A service manager reaches all, so that members are asked twice.
        for process_id in (*run.members().values(), run.process.pid):
            os.kill(process_id, signal.SIGTERM)
        assert run.wait() == 0, run.said
        assert run.told == "stopped\n"
    go_on(plain, tmp_path)
    assert_same(read_results(tmp_path / "out"), wanted)


def test_refused_configuration_ends_the_whole(config: Path, tmp_path: Path) -> None:
    with supervised(config, tmp_path, "--refuse") as run:
        assert run.wait() == 2
    assert len(run.lines(r"\[\d\] member .*")) <= 2


def test_recovery_folder_has_one_supervisor(
    config: Path, plain: Path, wanted: Results, tmp_path: Path
) -> None:
    with supervised(config, tmp_path, "--pause-s", PAUSE_S) as first:
        first.until(lambda: first.readings() == 2 and first.written)
        with supervised(config, tmp_path, "--lock-s", 0, "--overwrite") as second:
            assert second.wait() == 1
            assert second.lines("RecoveryError: another run holds the recovery folder .*")
        assert first.wait() == 0
    assert_same(read_results(tmp_path / "out"), wanted)
    # The store keeps what it has, and takes the same again.
    run_to_end(plain, tmp_path, "--overwrite", workers=1)
    assert_same(read_results(tmp_path / "out"), wanted)


def test_partition_that_appears_while_it_runs(tmp_path: Path) -> None:
    # Cut in time, so that what comes later does not belong into windows that are closed already.
    layout = write_stream(tmp_path / "data", rows=6_000, files=3, dealt=False)
    expected = inline_results(load_plan(layout.config()), tmp_path / "wanted")
    late = layout.events / "part-2.jsonl"
    late.rename(tmp_path / "kept.jsonl")
    config = layout.config("slow", batch_rows=BATCH_ROWS)
    with supervised(config, tmp_path, "--pause-s", 0.03, "--live") as run:
        run.until(lambda: run.readings() == 2)
        (tmp_path / "kept.jsonl").rename(late)
        assert run.wait() == 0, run.said
        assert run.lines(r"partitions have changed \(new: part-2\.jsonl\).*")
        assert len(run.lines(r"\[\d\] member .*")) == 4
        assert run.told == "ended\n"
    assert_same(read_results(tmp_path / "out"), expected)
