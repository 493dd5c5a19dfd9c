import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.integration.processes import run_through, running
from tests.integration.results import Results, assert_same, inline_results, read_results
from tests.integration.stream import Layout, load_plan, write_stream

pytestmark = pytest.mark.crash

ROWS = 9_000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return write_stream(tmp_path_factory.mktemp("stops") / "data", rows=ROWS, files=2)


@pytest.fixture(scope="module")
def config(data: Layout) -> Path:
    return data.config("slow", batch_rows=80)


@pytest.fixture(scope="module")
def wanted(data: Layout, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return inline_results(load_plan(data.config()), tmp_path_factory.mktemp("wanted"))


def wait_until_longer(path: Path, size: int) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or path.stat().st_size <= size:
        assert time.monotonic() < deadline, f"{path} does not grow"
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "members"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_signal_stops_and_a_later_run_goes_on(
    config: Path, wanted: Results, tmp_path: Path, number: signal.Signals, members: int
) -> None:
    rng = np.random.default_rng(int(number) + members)
    out, recovery = tmp_path / "out", tmp_path / "recovery"
    sizes = [0]
    for _ in range(2):
        # A long epoch: what is kept here is kept by the stop, not by an epoch that ended in time.
        with running(
            config, out, members=members, recovery=recovery, interval_s=30.0, pause_s=0.015 * members
        ) as runners:
            wait_until_longer(out / "events.jsonl", sizes[-1])
            time.sleep(rng.uniform(0.0, 0.3))
            for runner in runners:
                runner.ask(number)
            assert [runner.wait() for runner in runners] == [0] * members
            assert [runner.said[-1] for runner in runners] == ["stopped"] * members
        sizes.append((out / "events.jsonl").stat().st_size)
    # Nothing is written twice, and the second run went on where the first one stopped.
    assert 0 < sizes[1] < sizes[2] < len(wanted.log)
    assert run_through(config, out, members=members, recovery=recovery) == ["ended"] * members
    assert_same(read_results(out), wanted)


def test_run_after_the_end_adds_nothing(config: Path, wanted: Results, tmp_path: Path) -> None:
    out, recovery = tmp_path / "out", tmp_path / "recovery"
    for members in (1, 2):
        assert run_through(config, out, members=members, recovery=recovery) == ["ended"] * members
        assert_same(read_results(out), wanted)


def test_stop_without_a_recovery_folder(config: Path, wanted: Results, tmp_path: Path) -> None:
    with running(config, tmp_path / "out", pause_s=0.015) as (runner,):
        wait_until_longer(tmp_path / "out" / "events.jsonl", 0)
        runner.ask(signal.SIGTERM)
        assert runner.wait() == 0
    # What stands there is the beginning of the log: no window is closed early because the run stops.
    log = (tmp_path / "out" / "events.jsonl").read_bytes()
    assert 0 < len(log) < len(wanted.log)
    assert wanted.log.startswith(log)
