"""driftflow tail on the file of events: lines, documents, filters, following and its end."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from flows.render.tailing import Widths, event_line, type_names
from state.events import EventType
from tests.command_line import COMMAND, Call, caller


@pytest.fixture
def config(drifted_demo: Path) -> Path:
    return drifted_demo


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch, 200)


def written(config: Path) -> list[bytes]:
    return (config.parent / "out" / "events.jsonl").read_bytes().splitlines()


def kind(line: bytes) -> EventType:
    return EventType(orjson.loads(line)["type"])


def test_json_is_the_file_as_it_is(call: Call, config: Path) -> None:
    told = call("tail", config, "--no-follow", "--json")
    assert (told.code, told.err) == (0, "")
    assert told.out.encode().splitlines() == written(config)


def test_types_and_the_last(call: Call, config: Path) -> None:
    closed = [line for line in written(config) if kind(line) in {EventType.OPENED, EventType.CLOSED}]
    assert len(closed) > 3
    told = call(
        "tail", config, "--no-follow", "--json", "--types", "opened,closed", "--since", 3, "--no-follow"
    )
    assert told.out.encode().splitlines() == closed[-3:]
    assert call("tail", config, "--no-follow", "--since", "latest").out == ""


def test_a_line_says_when_what_and_how_much(call: Call, config: Path) -> None:
    told = call("tail", config, "--no-follow").out.splitlines()
    events = [orjson.loads(line) for line in written(config)]
    assert len(told) == len(events)
    for line, event in zip(told, events, strict=True):
        data, name = event["data"], event["type"].rpartition(".")[2]
        words = line.split()
        end = data["window"]["end"]
        assert words[:3] == [end[:10], end[11:16], name]
        if name == "report":
            drifting = {each["feature"] for each in data["features"] if each["verdict"] == "drift"}
            assert words[3:5] == ["–", data["window"]["name"]]  # noqa: RUF001  # as the table has it
            assert f"{len(drifting)} of {len(data['features'])} columns" in line or not drifting
            continue
        if "check" in data:
            assert words[4] == data["window"]["name"]
            assert data["check"]["name"] in line
            continue
        assert words[3:6] == [data["result"]["feature"], data["window"]["name"], data["episode"]["severity"]]
        assert float(words[6]) == pytest.approx(data["result"]["effect"], abs=0.0005)
        assert words[7] == data["direction"]
        if name != "closed" and data["contributors"]:
            assert data["contributors"][0]["label"] in line


def drift_body(config: Path, **changes: Any) -> bytes:  # noqa: ANN401  # any field of the event
    event = next(orjson.loads(line) for line in written(config) if kind(line) is EventType.OPENED)
    event["data"] |= changes
    return orjson.dumps(event)


def test_names_of_categories_cannot_break_the_line_or_command_the_terminal(config: Path) -> None:
    body = drift_body(config, new_categories=["a\nb", "\x1b[2Jc"], contributors=[])
    line = event_line(EventType.OPENED, body, Widths(feature=8, window=8)).plain
    assert "\n" not in line
    assert "\x1b" not in line
    assert "new: a�b, �[2Jc  " in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "yesterday"), "--since is 'yesterday', wanted earliest, latest or a number"),
        (("--since", "²"), "wanted earliest, latest or a number"),
        (("--types", "opened,shut"), "found 'shut', wanted some of opened, updated, closed, report"),
    ],
)
def test_bad_options_are_named(call: Call, config: Path, options: tuple[str, ...], said: str) -> None:
    told = call("tail", config, "--no-follow", *options)
    assert told.code == 2
    assert said in told.err


def test_short_names_are_those_of_all_types() -> None:
    found = type_names()
    assert {kind for kinds in found.values() for kind in kinds} == set(EventType)
    assert all(kind.rpartition(".")[2] == name for name, kinds in found.items() for kind in kinds)


def test_a_file_that_is_missing_is_told(call: Call, tmp_path: Path) -> None:
    call("generate", "demo", "--out", tmp_path, "--rows", 100, "--reference-rows", 100)
    told = call("tail", tmp_path / "driftflow.yaml", "--no-follow")
    assert told.code == 1
    assert "events.jsonl does not exist" in told.err


def test_it_follows_a_file_through_a_cut_and_ctrl_c_ends_it_well(config: Path, tmp_path: Path) -> None:
    copy = tmp_path / "driftflow.yaml"
    copy.write_bytes(config.read_bytes())
    events = tmp_path / "out" / "events.jsonl"
    lines = [line + b"\n" for line in written(config)[:30]]
    # It begins before there is a file.
    process = subprocess.Popen(
        [*COMMAND, "tail", copy, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        events.parent.mkdir()
        events.write_bytes(b"".join(lines[:20]))
        assert [process.stdout.readline() for _ in range(20)] == lines[:20]
        events.write_bytes(b"".join(lines[:10]))
        with events.open("ab") as file:
            file.write(b"".join(lines[10:]))
        assert [process.stdout.readline() for _ in range(10)] == lines[20:]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (0, b"", b"")
