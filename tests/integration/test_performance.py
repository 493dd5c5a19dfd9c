"""Performance is the same on any engine, in any order and through any crash, and that of a batch join."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import orjson
import pytest
from sklearn.metrics import accuracy_score, f1_score

from flows.engine import run
from flows.plan import Plan
from state.halves import Side
from tests.integration.label_stream import LabelledLayout, keep_labelled_reference, write_labelled
from tests.integration.processes import run_through, running
from tests.integration.results import Results, assert_same, inline_results, outputs_in, read_results
from tests.integration.stream import load_plan
from tests.processor import OLDER

ROWS = 9_000
RULES = "{positive: decline, metrics: [accuracy, f1], min_rows: 50}"


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> LabelledLayout:
    found = write_labelled(tmp_path_factory.mktemp("performed") / "data", rows=ROWS, files=2)
    keep_labelled_reference(found, performance=RULES)
    return found


def config(stream: LabelledLayout, mode: str, name: str, *, batch_rows: int = 8_192) -> Path:
    if mode == "joined":
        return stream.config(f"{mode}-{name}", batch_rows=batch_rows, performance=RULES)
    return stream.whole(f"{mode}-{name}", batch_rows=batch_rows, performance=RULES)


@pytest.fixture(scope="module", params=["joined", "whole"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def wanted(stream: LabelledLayout, mode: str, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return inline_results(load_plan(config(stream, mode, "wanted")), tmp_path_factory.mktemp("wanted"))


def test_the_stream_has_everything_in_it(wanted: Results, mode: str) -> None:
    # Otherwise the comparisons below compare little.
    events = [orjson.loads(line) for line in wanted.performance.splitlines()]
    types = {event["type"].rsplit(".", 1)[-1] for event in events}
    assert types >= {"report", "degraded"}
    told = defaultdict[tuple[str, str], list[bool]](list)
    for event in events:
        if event["type"].endswith("report"):
            window = event["data"]["window"]
            told[window["name"], window["start"]].append(event["data"]["final"])
    # Every window is told to its end, and nothing after it.
    assert all(finals == [False] * (len(finals) - 1) + [True] for finals in told.values())
    assert max(map(len, told.values())) == (1 if mode == "whole" else 9)
    assert {metric for metric in wanted.series if metric.metric == "performance.accuracy"}
    # One label in seven is not what was predicted, and one in twenty of the reference's.
    log = wanted.log if mode == "whole" else wanted.errors
    drifts = [event for event in map(orjson.loads, log.splitlines()) if event["subject"].endswith("/wrong")]
    assert {event["type"] for event in drifts} >= {"io.driftflow.drift.opened"}
    assert mode == "joined" or not wanted.errors
    assert {key.metric for key in wanted.series if key.feature == "wrong"} >= {"psi", "evidence", "rows"}
    assert "wrong" in {episode.feature for episode in wanted.episodes}
    split = [data for data in (event["data"] for event in events) if data.get("segments")]
    assert {data["final"] for data in split if "final" in data} >= {True}
    assert any("check" in data for data in split)
    assert {key.segment for key in wanted.series if key.metric == "performance.f1"} > {"", "country=(rest)"}


@pytest.mark.parametrize("batch_rows", [97, 8_192])
def test_bytewax_tells_the_same(
    stream: LabelledLayout, mode: str, wanted: Results, tmp_path: Path, batch_rows: int
) -> None:
    plan = load_plan(config(stream, mode, f"run-{batch_rows}", batch_rows=batch_rows))
    assert run(plan, outputs_in(tmp_path))
    assert_same(read_results(tmp_path), wanted)


def test_two_processes_tell_the_same(
    stream: LabelledLayout, mode: str, wanted: Results, tmp_path: Path
) -> None:
    path = config(stream, mode, "two", batch_rows=500)
    assert run_through(path, tmp_path, members=2) == ["ended"] * 2
    assert_same(read_results(tmp_path), wanted)


def test_an_older_processor_tells_the_same(
    stream: LabelledLayout, mode: str, wanted: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in OLDER.items():
        monkeypatch.setenv(variable, value)
    assert run_through(config(stream, mode, "older"), tmp_path) == ["ended"]
    assert_same(read_results(tmp_path), wanted)


@pytest.mark.parametrize("seed", range(1))
def test_partitions_in_any_order(
    stream: LabelledLayout, mode: str, wanted: Results, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)

    def choose(names: Sequence[str]) -> str:
        # Lopsided, so that one partition is far ahead of another.
        weights = rng.permutation(5.0 ** np.arange(len(names)))
        return str(rng.choice(names, p=weights / weights.sum()))

    plan = load_plan(config(stream, mode, f"order-{seed}", batch_rows=97))
    assert_same(inline_results(plan, tmp_path, choose), wanted)


@pytest.mark.crash
def test_killed_in_the_middle(stream: LabelledLayout, mode: str, wanted: Results, tmp_path: Path) -> None:
    path = config(stream, mode, "killed", batch_rows=80)
    out, recovery = tmp_path / "out", tmp_path / "recovery"
    middle = 0
    for members in (1, 2):
        with running(path, out, members=members, recovery=recovery, pause_s=0.01) as runners:
            for runner in runners:
                assert runner.reading.wait(60)
            time.sleep(0.8)
            middle += runners[0].running
            for runner in runners:
                runner.kill()
    assert middle
    assert run_through(path, out, recovery=recovery) == ["ended"]
    assert_same(read_results(out), wanted)


def test_final_figures_are_those_of_all_rows_at_once(stream: LabelledLayout, tmp_path: Path) -> None:
    """Of events that bring their labels: accuracy and F1 of every window, from the rows themselves."""
    plan = load_plan(config(stream, "whole", "oracle"))
    found = inline_results(plan, tmp_path)
    by_pane = rows_by_pane(plan)
    checked = 0
    for line in found.performance.splitlines():
        event = orjson.loads(line)
        if not event["type"].endswith("report"):
            continue
        data, grid = event["data"], plan.config.grid
        window = next(each for each in grid.windows if each.name == data["window"]["name"])
        end = int(grid.pane_of(np.array([event_end(event)]))[0])
        rows = [row for pane in range(end - window.size, end) for row in by_pane[pane]]
        truth, predicted = zip(*rows, strict=True)
        metrics = {metric["name"]: metric for metric in data["metrics"]}
        assert metrics["accuracy"]["n"] == len(rows)
        assert metrics["accuracy"]["value"] == pytest.approx(accuracy_score(truth, predicted), rel=1e-12)
        assert metrics["f1"]["value"] == pytest.approx(
            f1_score(truth, predicted, pos_label="decline"), rel=1e-12
        )
        checked += 1
    assert checked > 20


def event_end(event: dict[str, str]) -> int:
    """Return the end of an event's window, in milliseconds."""
    return int(np.datetime64(event["time"].removesuffix("Z"), "ms").astype(np.int64))


def rows_by_pane(plan: Plan) -> dict[int, list[tuple[str, str]]]:
    """Truth and prediction of every row on time that has both."""
    found = defaultdict[int, list[tuple[str, str]]](list)
    for name in plan.partitions:
        for panes, truth, predicted in _batches(plan, name):
            for pane, true, guess in zip(panes, truth, predicted, strict=True):
                if true is not None and guess is not None:
                    found[pane].append((true, guess))
    return found


def _batches(plan: Plan, name: str) -> Iterator[tuple[list[int], list[str | None], list[str | None]]]:
    partition = plan.open_partition(name, None)
    while (batch := partition.poll()) is not None:
        assert batch.side is Side.PREDICTIONS
        if batch.rows:
            lengths = np.diff(np.append(batch.starts, batch.rows))
            panes = np.repeat(batch.panes, lengths).tolist()
            yield panes, batch.categorical["truth"], batch.categorical["prediction"]
    partition.close()
