import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.integration.processes import Runner, run_through, running
from tests.integration.results import Results, assert_same, inline_results, read_results
from tests.integration.stream import Layout, load_plan, write_stream

pytestmark = pytest.mark.crash

ROWS = 16_000
BATCH_ROWS = 80
PAUSE_S = 0.015
"""With these a run takes three seconds and more, and a kill lands somewhere in it."""


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return write_stream(tmp_path_factory.mktemp("one") / "data", rows=ROWS)


@pytest.fixture(scope="module")
def four_files(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return write_stream(tmp_path_factory.mktemp("four") / "data", rows=ROWS, files=4)


@pytest.fixture(scope="module")
def wanted_of_one(one_file: Layout, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return inline_results(load_plan(one_file.config()), tmp_path_factory.mktemp("wanted"))


@pytest.fixture(scope="module")
def wanted_of_four(four_files: Layout, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return inline_results(load_plan(four_files.config()), tmp_path_factory.mktemp("wanted"))


@contextmanager
def slowly(
    config: Path, tmp_path: Path, *, members: int = 1, interval_s: float = 0.05
) -> Iterator[list[Runner]]:
    """Start a run that can be killed in the middle; the block begins when it reads."""
    with running(
        config,
        tmp_path / "out",
        members=members,
        recovery=tmp_path / "recovery",
        interval_s=interval_s,
        pause_s=PAUSE_S,
    ) as runners:
        for runner in runners:
            assert runner.reading.wait(60)
        yield runners


def written(tmp_path: Path) -> int:
    events = tmp_path / "out" / "events.jsonl"
    return events.stat().st_size if events.exists() else 0


def pause_before_kill(runner: Runner, rng: np.random.Generator, longest_s: float) -> bool:
    """Wait a random time; return whether the run was still going on."""
    time.sleep(rng.uniform(0.0, longest_s))
    return runner.running


def until_longer(tmp_path: Path, size: int, runner: Runner) -> bool:
    """Wait until more events are written than these bytes; return whether the run was still going on."""
    while runner.running and written(tmp_path) <= size:
        time.sleep(0.01)
    return runner.running


@pytest.mark.parametrize(
    ("seed", "kills", "interval_s"),
    [
        (1, 4, 0.05),
        pytest.param(1, 10, 0.05, marks=pytest.mark.slow),
        pytest.param(2, 5, 0.1, marks=pytest.mark.slow),
    ],
)
def test_killed_again_and_again(
    one_file: Layout, wanted_of_one: Results, tmp_path: Path, seed: int, kills: int, interval_s: float
) -> None:
    rng = np.random.default_rng(seed)
    config = one_file.config(f"killed-{seed}", batch_rows=BATCH_ROWS)
    sizes = []
    for _ in range(kills):
        with slowly(config, tmp_path, interval_s=interval_s) as (runner,):
            if pause_before_kill(runner, rng, 0.8):
                runner.kill()
                assert runner.wait() == -9
                sizes.append(written(tmp_path))
    assert run_through(config, tmp_path / "out", recovery=tmp_path / "recovery") == ["ended"]
    assert_same(read_results(tmp_path / "out"), wanted_of_one)
    # The kills were in the middle, and the run went on from where it was.
    assert sum(0 < size < len(wanted_of_one.log) for size in sizes) >= 2
    assert len(set(sizes)) >= 2


def test_killed_while_it_starts(one_file: Layout, wanted_of_one: Results, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    config = one_file.config("starting")
    # Starting takes half a second or more, so these fall before, between and after the first files it makes.
    for moment_s in rng.uniform(0.3, 0.9, 3):
        with running(config, tmp_path / "out", recovery=tmp_path / "recovery", pause_s=1.0) as (runner,):
            time.sleep(moment_s)
            runner.kill()
            assert runner.wait() == -9
    assert run_through(config, tmp_path / "out", recovery=tmp_path / "recovery") == ["ended"]
    assert_same(read_results(tmp_path / "out"), wanted_of_one)


def test_one_of_two_killed(four_files: Layout, wanted_of_four: Results, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    config = four_files.config("one-of-two", batch_rows=BATCH_ROWS)
    sizes = [0]
    for kill in range(2):
        with slowly(config, tmp_path, members=2) as runners:
            victim, other = runners[kill % 2], runners[1 - kill % 2]
            assert until_longer(tmp_path, sizes[-1], victim)
            pause_before_kill(victim, rng, 0.1)
            victim.kill()
            assert victim.wait() == -9
            # A member does not go on alone: it would wait for ever.
            assert other.wait() != 0
            sizes.append(written(tmp_path))
    assert run_through(config, tmp_path / "out", members=2, recovery=tmp_path / "recovery") == ["ended"] * 2
    assert_same(read_results(tmp_path / "out"), wanted_of_four)
    assert sizes[-1] < len(wanted_of_four.log)


def test_number_of_processes_changes_between_kills(
    four_files: Layout, wanted_of_four: Results, tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    config = four_files.config("rescaled", batch_rows=BATCH_ROWS)
    sizes = [0]
    for members in (1, 3, 2):
        with slowly(config, tmp_path, members=members) as runners:
            assert until_longer(tmp_path, sizes[-1], runners[0])
            pause_before_kill(runners[0], rng, 0.1)
            for runner in runners:
                runner.kill()
            sizes.append(written(tmp_path))
    assert run_through(config, tmp_path / "out", recovery=tmp_path / "recovery") == ["ended"]
    assert_same(read_results(tmp_path / "out"), wanted_of_four)
    assert sizes[-1] < len(wanted_of_four.log)
