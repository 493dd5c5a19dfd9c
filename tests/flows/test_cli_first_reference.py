"""driftflow run where the model version has no reference: refuse, wait, learn."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows import connections
from state.events import EventType
from state.stores.base import StoreBusyError
from state.stores.sqlite import SqliteStore
from tests.command_line import Call, caller
from tests.flows.test_cli_new_reference import CONFIG, write

PATIENCE_S = 60.0


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def configured(tmp_path: Path, missing: str) -> Path:
    path = tmp_path / "driftflow.yaml"
    path.write_text(f"{CONFIG}reference: {{{missing}}}\n")
    write(tmp_path / "events.jsonl", 600, seed=9)
    write(tmp_path / "good.jsonl", 300, seed=1)
    return path


@contextmanager
def running(*words: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(holds: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def types_in(path: Path) -> list[str]:
    return [json.loads(line)["type"] for line in path.read_text().splitlines()] if path.exists() else []


def stored(folder: Path) -> list[str]:
    with closing(SqliteStore(folder / "out" / "driftflow.sqlite")) as store:
        return [event.type for event in store.events("m", types=[EventType.MISSING])]


@pytest.mark.parametrize("options", [(), ("--workers", 2)], ids=["one", "set"])
def test_it_waits_tells_it_once_and_goes_on(call: Call, tmp_path: Path, options: tuple[object, ...]) -> None:
    config, log = configured(tmp_path, "missing: wait"), tmp_path / "out" / "events.jsonl"
    with running(config, *options) as process:
        until(lambda: types_in(log) == [EventType.MISSING], process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
    assert "version 1 of model m has no reference: nothing is compared until one is activated" in said

    with running(config, *options) as process:
        time.sleep(1.0)
        assert call("reference", "build", config, tmp_path / "good.jsonl").code == 0
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
    types = types_in(log)
    assert types[0] == EventType.MISSING
    assert types.count(EventType.MISSING) == 1
    assert types.count(EventType.REPORT) > 10
    assert stored(tmp_path) == [EventType.MISSING]

    # A run that knew its reference from the start says the same of the windows.
    waited = log.read_text().splitlines()[1:]
    assert call("run", config, "--overwrite", "--events", tmp_path / "again.jsonl").code == 0
    assert (tmp_path / "again.jsonl").read_text().splitlines() == waited
    told = call("tail", config, "--no-follow", "--types", "missing").out
    assert "version 1 has no reference: its run waits for one" in told


def test_a_store_that_is_away_at_the_start_is_waited_for(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path, "missing: refuse")
    assert call("reference", "build", config, tmp_path / "good.jsonl").code == 0
    tries: list[Path] = []

    def away_at_first(path: Path, **settings: Any) -> SqliteStore:  # noqa: ANN401  # the store's own
        tries.append(path)
        if len(tries) < 3:
            raise StoreBusyError("away")
        return SqliteStore(path, **settings)

    monkeypatch.setattr(connections, "SqliteStore", away_at_first)
    assert call("run", config).code == 0
    assert len(tries) > 3


def test_without_the_key_it_is_refused(call: Call, tmp_path: Path) -> None:
    config = configured(tmp_path, "missing: refuse")
    refused = call("run", config)
    assert refused.code == 1
    assert "has no reference yet: build one" in " ".join(refused.err.split())
    assert not (tmp_path / "out" / "driftflow.sqlite").exists()


def test_events_of_an_earlier_run_are_refused_before_it_waits(call: Call, tmp_path: Path) -> None:
    config, log = configured(tmp_path, "missing: wait"), tmp_path / "out" / "events.jsonl"
    log.parent.mkdir()
    log.write_text('{"type": "io.driftflow.window.report"}\n')
    refused = call("run", config)
    assert refused.code == 1
    assert "holds the events of an earlier run" in " ".join(refused.err.split())
    assert types_in(log) == [EventType.REPORT]


def test_it_learns_one_from_its_own_first_rows_and_not_twice(call: Call, tmp_path: Path) -> None:
    config = configured(tmp_path, "missing: learn, rows: 250")
    first = call("run", config, "--json")
    assert first.code == 0
    assert first.json()["rows"] == 600
    (listed,) = call("reference", "list", config, "--json").json()
    assert (listed["active"], listed["reference"]["rows"]) == (True, 250)
    assert first.json()["reference"] == listed["reference"]["version"]
    assert call("run", config, "--overwrite").code == 0
    assert call("reference", "list", config, "--json").json() == [listed]

    # It is what `reference build` makes of the same rows.
    built = call("reference", "build", config, "--rows", 250, "--json").json()
    assert (built["version"], built["new"]) == (listed["reference"]["version"], False)


def test_a_set_learns_one_reference(call: Call, tmp_path: Path) -> None:
    config = configured(tmp_path, "missing: learn, rows: 250")
    with running(config, "--workers", 2) as process:
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
    (listed,) = call("reference", "list", config, "--json").json()
    assert (listed["active"], listed["reference"]["rows"]) == (True, 250)


def test_too_few_rows_to_learn_from_are_refused(call: Call, tmp_path: Path) -> None:
    config = configured(tmp_path, "missing: learn, rows: 700")
    refused = call("run", config)
    assert refused.code == 1
    assert "`reference.rows`: the input has 600 good rows, wanted 700" in " ".join(refused.err.split())
    assert call("reference", "list", config, "--json").json() == []
