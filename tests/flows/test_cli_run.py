"""driftflow run: results, summaries, exit codes, stopping and going on."""

import shutil
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from state.events import EventType
from state.stores.sqlite import SqliteStore
from tests.command_line import COMMAND, Call, caller, prepared_demo

DRIFTING = {"income", "country", "session_s", "amount", "distance_km"}


@dataclass(frozen=True)
class Ran:
    """What a run left and said; `found` is its document."""

    config: Path
    said: str
    found: dict[str, Any]

    @property
    def events(self) -> list[dict[str, Any]]:
        return events(self.config.parent / "out" / "events.jsonl")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a stream and its reference; tests run on copies of it."""
    folder = tmp_path_factory.mktemp("prepared")
    prepared_demo(folder, "--rows", 40_000, "--reference-rows", 10_000, "--disorder", "90s", "--seed", 3)
    return folder


@pytest.fixture
def config(prepared: Path, tmp_path: Path) -> Path:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path / "driftflow.yaml"


@pytest.fixture(scope="module")
def ran(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return a run of the stream that nobody disturbed."""
    folder = tmp_path_factory.mktemp("ran")
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    config = folder / "driftflow.yaml"
    done = subprocess.run([*COMMAND, "run", config, "--json"], capture_output=True, check=True, text=True)
    return Ran(config=config, said=done.stderr, found=orjson.loads(done.stdout))


def events(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_without_a_reference_it_names_the_command_that_builds_one(call: Call, tmp_path: Path) -> None:
    call("generate", "demo", "--out", tmp_path, "--rows", 100, "--reference-rows", 100)

    told = call("run", tmp_path / "driftflow.yaml")

    assert told.code == 1
    assert f"driftflow reference build {tmp_path}/driftflow.yaml FILE" in told.err
    assert not (tmp_path / "out").exists()


def test_a_reference_that_is_not_active_is_not_used(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "driftflow.yaml"
    call("generate", "demo", "--out", tmp_path, "--rows", 100, "--reference-rows", 100)
    call("reference", "build", path, "--no-activate")

    told = call("run", path)

    assert told.code == 1
    assert f"driftflow reference activate {path}" in told.err


def test_the_document_says_what_the_events_say(call: Call, ran: Ran) -> None:
    found = ran.found
    types = Counter(event["type"] for event in ran.events)
    assert (found["rows"], found["late_rows"], found["refused"]) == (40_000, 0, {})
    assert found["finished"] is True
    assert sum(window["reported"] for window in found["windows"]) == types[EventType.REPORT]
    assert len(found["episodes"]) == types[EventType.OPENED]
    assert sum(e["closed"] is not None for e in found["episodes"]) == types[EventType.CLOSED]
    assert {e["feature"] for e in found["episodes"]} == DRIFTING
    kept = call("episodes", ran.config, "--json").json()
    assert {(e["id"], e["state"]) for e in kept} == {
        (e["id"], "open" if e["closed"] is None else "closed")
        for e in (*found["episodes"], *found["violations"])
    }
    assert set(found["features"]) > DRIFTING


def test_peaks_are_those_of_the_windows(ran: Ran) -> None:
    # An oracle that walks all reports for each episode.
    reports = [e["data"] for e in ran.events if e["type"] == EventType.REPORT]
    for episode in ran.found["episodes"]:
        effects = [
            result["effect"]
            for report in reports
            if report["window"]["name"] == episode["window"]
            and report["window"]["end"] >= episode["opened"]
            and (episode["closed"] is None or report["window"]["end"] <= episode["closed"])
            for result in report["features"]
            if result["feature"] == episode["feature"]
        ]
        assert episode["peak_effect"] == max(effects)


def test_the_table_names_what_drifted_and_where_things_lie(call: Call, config: Path) -> None:
    told = call("run", config)

    listed = {line.split()[0] for line in told.out.splitlines() if line.strip()}
    assert listed >= DRIFTING
    assert "No drift: items, discount, tenure_months, device, plan, score, prediction." in told.out
    assert "40,000 rows, 0 refused, 0 late" in told.out
    assert "out/events.jsonl" in told.out
    assert "out/driftflow.sqlite" in told.out
    assert f"driftflow reference show {config}" in told.err


def test_the_table_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    monkeypatch.chdir(config.parent)

    wide = caller(capsys, monkeypatch, 80)("run", config)
    narrow = caller(capsys, monkeypatch, 50)("run", config, "--overwrite")

    assert 50 < max(map(len, wide.out.splitlines())) <= 80
    assert max(map(len, narrow.out.splitlines())) <= 50


def test_events_of_an_earlier_run_are_kept_unless_told_otherwise(
    call: Call, ran: Ran, tmp_path: Path
) -> None:
    shutil.copytree(ran.config.parent, tmp_path, dirs_exist_ok=True)
    config = tmp_path / "driftflow.yaml"
    path = config.parent / "out" / "events.jsonl"
    before = path.read_bytes()

    refused = call("run", config)
    assert refused.code == 1
    assert "--overwrite" in refused.err
    assert path.read_bytes() == before
    assert call("run", config, "--overwrite").code == 0
    assert path.read_bytes() == before
    elsewhere = config.parent / "new" / "elsewhere.jsonl"
    assert call("run", config, "--events", elsewhere).code == 0
    assert elsewhere.read_bytes() == before


def test_the_store_has_the_same_events(ran: Ran) -> None:
    store = SqliteStore(ran.config.parent / "out" / "driftflow.sqlite")
    kept = {event.id for event in store.events("demo")}
    store.close()

    assert kept == {event["id"] for event in ran.events}


def test_fail_on_drift(call: Call, config: Path) -> None:
    still = config.parent / "still.jsonl"
    lines = (config.parent / "events.jsonl").read_bytes().splitlines()
    # The first fifth of the stream is before any drift begins.
    still.write_bytes(b"\n".join(lines[:8_000]) + b"\n")

    assert call("run", config, "--fail-on", "drift", "--json").code == 3
    told = call("run", config, "--input", still, "--overwrite", "--fail-on", "drift", "--json")
    assert (told.code, told.json()["episodes"]) == (0, [])


def test_refused_records_are_counted_by_reason_and_kept(call: Call, config: Path) -> None:
    data = config.parent / "events.jsonl"
    data.write_bytes(b'not json\n{"ts": null}\n{}\n' + data.read_bytes())

    told = call("run", config)

    assert "3 refused" in told.out
    assert "2 no_time, 1 malformed" in " ".join(told.out.split())
    assert "out/dead_letters.jsonl" in told.out
    letters = events(config.parent / "out" / "dead_letters.jsonl")
    assert Counter(letter["reason"] for letter in letters) == {"malformed": 1, "no_time": 2}


@pytest.mark.parametrize(
    "options", [("--process-id", 0), ("--addresses", "a:1"), ("--process-id", 2, "--addresses", "a:1,b:2")]
)
def test_a_set_needs_a_number_and_all_addresses(
    call: Call, config: Path, options: tuple[object, ...]
) -> None:
    assert call("run", config, *options).code == 2


def test_a_run_of_one_member_is_a_run(call: Call, config: Path) -> None:
    told = call("run", config, "--process-id", 0, "--addresses", "127.0.0.1:24717", "--json")

    assert told.code == 0
    assert {e["feature"] for e in told.json()["episodes"]} == DRIFTING


def test_a_column_that_the_file_lacks_is_told_before_anything_is_written(
    config: Path, tmp_path: Path
) -> None:
    data = tmp_path / "other.csv"
    data.write_text("ts,features.income\n2026-01-05T00:00:00Z,1\n")

    told = subprocess.run(
        [*COMMAND, "run", config, "--input", data], capture_output=True, check=False, text=True
    )

    assert (told.returncode, told.stdout) == (2, "")
    assert "the header has no field 'features.session_s'" in told.stderr
    assert not (tmp_path / "out" / "events.jsonl").exists()


def test_a_stopped_run_says_how_to_go_on_and_does(call: Call, tmp_path: Path) -> None:
    recovery = tmp_path / "snapshots"
    config = prepared_demo(tmp_path, "--rows", 80_000, "--reference-rows", 5_000)
    process = subprocess.Popen(
        [*COMMAND, "run", str(config), "--recovery", str(recovery)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    path = tmp_path / "out" / "events.jsonl"
    while process.poll() is None and not (path.exists() and path.stat().st_size):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert "Stopped before the end" in out, err
    command = f"driftflow run {config} --recovery {recovery}   (goes on from here)"
    assert command in err

    resumed = call("run", config, "--recovery", recovery, "--json")

    assert resumed.code == 0, resumed.err
    assert "Going on" in resumed.err
    found = resumed.json()
    assert (found["resumed"], found["finished"]) == (True, True)
    assert 0 < found["rows"] < 80_000
    whole = call("run", config, "--events", tmp_path / "whole.jsonl", "--json").json()
    assert path.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert found["episodes"] == whole["episodes"]
    assert found["windows"] == whole["windows"]
    again = call("run", config, "--recovery", recovery, "--overwrite", "--json").json()
    assert (again["resumed"], again["rows"]) == (False, 80_000)


def test_results_and_messages_do_not_mix(ran: Ran) -> None:
    # What stdout held was one document.
    assert ran.found.keys() >= {"episodes", "windows", "files"}
    assert "Next:" in ran.said
