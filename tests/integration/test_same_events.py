from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
import pytest

from flows.engine import run
from tests.integration.processes import run_through
from tests.integration.results import Results, assert_same, inline_results, outputs_in, read_results
from tests.integration.stream import Layout, load_plan, write_stream
from tests.processor import OLDER


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return write_stream(tmp_path_factory.mktemp("one") / "data", rows=12_000)


@pytest.fixture(scope="module")
def four_files(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return write_stream(tmp_path_factory.mktemp("four") / "data", rows=12_000, files=4)


@pytest.fixture(scope="module")
def wanted_of_one(one_file: Layout, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return inline_results(load_plan(one_file.config()), tmp_path_factory.mktemp("wanted"))


@pytest.fixture(scope="module")
def wanted_of_four(four_files: Layout, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return inline_results(load_plan(four_files.config()), tmp_path_factory.mktemp("wanted"))


def test_the_stream_has_everything_in_it(wanted_of_one: Results) -> None:
    # Otherwise the comparisons below compare little.
    types = {event.type.rsplit(".", 1)[-1] for event in wanted_of_one.events}
    assert types == {"opened", "updated", "closed", "report", "violated", "resolved"}
    told = [orjson.loads(e.body)["data"] for e in wanted_of_one.events if e.type.endswith("violated")]
    assert {"duplicate_share", "refused_not_utf8"} <= {each["check"]["name"] for each in told}
    reports = [orjson.loads(e.body)["data"] for e in wanted_of_one.events if e.type.endswith("report")]
    assert {report["window"]["kind"] for report in reports} == {"tumbling", "sliding"}
    assert sum(report["window"]["late_rows"] for report in reports) > 100
    checks = [
        orjson.loads(e.body)["data"]["check"] for e in wanted_of_one.events if e.type.endswith("violated")
    ]
    assert {"quality", "prediction"} <= {check["family"] for check in checks}
    assert any(feature["missing"] for report in reports for feature in report["features"])
    assert any(each["segments"] for report in reports for f in report["features"] for each in f["segments"])
    assert {key.segment for key in wanted_of_one.series} >= {"", "country=(rest)"}
    reasons = {orjson.loads(line)["reason"] for lines in wanted_of_one.dead.values() for line in lines}
    assert len(reasons) >= 3
    assert sum(map(len, wanted_of_one.late.values())) > 100


@pytest.mark.parametrize("batch_rows", [97, 8_192])
@pytest.mark.parametrize("engine", ["inline", "bytewax"])
def test_any_batch_size_on_any_engine(
    one_file: Layout, wanted_of_one: Results, tmp_path: Path, engine: str, batch_rows: int
) -> None:
    plan = load_plan(one_file.config(f"{engine}-{batch_rows}", batch_rows=batch_rows))
    if engine == "inline":
        found = inline_results(plan, tmp_path)
    else:
        assert run(plan, outputs_in(tmp_path))
        found = read_results(tmp_path)
    assert_same(found, wanted_of_one)


def test_row_by_row(tmp_path: Path) -> None:
    data = write_stream(tmp_path / "data", rows=1_500)
    wanted = inline_results(load_plan(data.config()), tmp_path / "wanted")
    plan = load_plan(data.config("rows", batch_rows=1))
    assert_same(inline_results(plan, tmp_path / "inline"), wanted)
    assert run(plan, outputs_in(tmp_path / "bytewax"))
    assert_same(read_results(tmp_path / "bytewax"), wanted)


@pytest.mark.parametrize("batch_rows", [97, 8_192])
def test_partitions_side_by_side(
    four_files: Layout, wanted_of_four: Results, tmp_path: Path, batch_rows: int
) -> None:
    plan = load_plan(four_files.config(f"side-{batch_rows}", batch_rows=batch_rows))
    assert run(plan, outputs_in(tmp_path))
    assert_same(read_results(tmp_path), wanted_of_four)


@pytest.mark.parametrize("members", [3])
def test_several_processes(four_files: Layout, wanted_of_four: Results, tmp_path: Path, members: int) -> None:
    config = four_files.config(f"members-{members}", batch_rows=97)
    assert run_through(config, tmp_path, members=members) == ["ended"] * members
    assert_same(read_results(tmp_path), wanted_of_four)


def test_two_processes_and_one_file(one_file: Layout, wanted_of_one: Results, tmp_path: Path) -> None:
    run_through(one_file.config("members", batch_rows=500), tmp_path, members=2)
    assert_same(read_results(tmp_path), wanted_of_one)


def test_an_older_processor_tells_the_same(
    one_file: Layout, wanted_of_one: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in OLDER.items():
        monkeypatch.setenv(variable, value)
    assert run_through(one_file.config(), tmp_path) == ["ended"]
    assert_same(read_results(tmp_path), wanted_of_one)


@pytest.mark.parametrize("seed", range(4))
def test_partitions_in_any_order(
    four_files: Layout, wanted_of_four: Results, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)

    def choose(names: Sequence[str]) -> str:
        # Lopsided, so that one partition is far ahead of another.
        weights = 5.0 ** np.arange(len(names))
        return str(rng.choice(names, p=weights / weights.sum()))

    plan = load_plan(four_files.config(f"order-{seed}", batch_rows=97))
    assert_same(inline_results(plan, tmp_path, choose), wanted_of_four)


def test_files_under_other_names(four_files: Layout, wanted_of_four: Results, tmp_path: Path) -> None:
    names = {"part-0": "d", "part-1": "b", "part-2": "a", "part-3": "c"}
    renamed = four_files.folder / "renamed"
    renamed.mkdir()
    for old, new in names.items():
        (renamed / f"{new}.jsonl").write_bytes((four_files.events / f"{old}.jsonl").read_bytes())
    plan = load_plan(four_files.config("renamed", events="renamed", batch_rows=97))
    assert run(plan, outputs_in(tmp_path))
    found = read_results(tmp_path)
    assert found.log == wanted_of_four.log
    assert found.events == wanted_of_four.events
    assert found.series == wanted_of_four.series


def test_files_that_follow_each_other_are_one_stream(tmp_path: Path) -> None:
    # No row is late here: a file's first rows may lie behind the last of the file before, and lateness is
    # each partition's own affair.
    whole = write_stream(tmp_path / "whole", rows=6_000, messy=False)
    cut = write_stream(tmp_path / "cut", rows=6_000, files=4, messy=False, dealt=False)
    wanted = inline_results(load_plan(whole.config()), tmp_path / "wanted")
    assert run(load_plan(cut.config(batch_rows=97)), outputs_in(tmp_path / "found"))
    found = read_results(tmp_path / "found")
    assert_same(found, wanted)
