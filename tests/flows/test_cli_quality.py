"""A stream with faults on the command line: the summary, tail, explain and episodes name the check."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from tests.command_line import Call, caller

CONFIG = """
model: {name: fraud}
input: {path: events.jsonl}
time: {column: t, format: ms}
columns:
  amount: {kind: numeric}
  country: {kind: categorical}
windows:
  hourly: {size: 1h}
"""
HOUR, ROWS = 3_600_000, 200
MONDAY = 1_767_571_200_000
"""2026-01-05T00:00Z."""


def write(path: Path, hours: int, seed: int, faults: range) -> None:
    """Write so many rows an hour; in the hours of a fault 40 % of the amounts are missing."""
    rng = np.random.default_rng(seed)
    lines = []
    for row in range(hours * ROWS):
        hour = row // ROWS
        amount = None if hour in faults and rng.random() < 0.4 else round(float(rng.normal(50, 9)), 3)
        country = "DE" if rng.random() < 0.7 else "FR"
        time = MONDAY + hour * HOUR + row % ROWS * HOUR // ROWS
        lines.append(orjson.dumps({"t": time, "amount": amount, "country": country}))
    path.write_bytes(b"\n".join(lines) + b"\n")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch, 110)


@pytest.fixture
def config(call: Call, tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    write(tmp_path / "reference.jsonl", 20, 91, range(0))
    write(tmp_path / "events.jsonl", 24, 92, range(10, 13))
    assert call("reference", "build", path, tmp_path / "reference.jsonl").code == 0
    return path


def checks_in(config: Path) -> list[dict[str, Any]]:
    lines = (config.parent / "out" / "events.jsonl").read_bytes().splitlines()
    return [event for line in lines if "quality" in (event := orjson.loads(line))["type"]]


def test_a_fault_is_told_everywhere(call: Call, config: Path) -> None:
    told = call("run", config)
    assert told.code == 0
    opened, closed = checks_in(config)
    assert (opened["type"], closed["type"]) == (
        "io.driftflow.quality.violated",
        "io.driftflow.quality.resolved",
    )
    data = opened["data"]
    assert (data["feature"], data["check"]["name"], data["change"]) == ("amount", "missing_share", "opened")
    # Hour 10 is the first bad one, hour 13 the first good one.
    assert data["window"]["start"] == "2026-01-05T10:00:00.000Z"
    assert closed["data"]["window"]["start"] == "2026-01-05T13:00:00.000Z"

    said = next(line for line in told.out.splitlines() if "missing_share" in line).split()
    worst = f"{closed['data']['episode']['worst']:.0%}"
    assert said[:4] == ["quality", "amount", "missing_share", "hourly"]
    assert said[4:8] == ["01-05", "11:00", "01-05", "14:00"]
    assert said[8] == worst

    line = next(line for line in call("tail", config, "--no-follow", "--types", "violated").out.splitlines())
    assert "violated   amount" in line
    assert f"quality: missing_share {data['check']['value']:.0%}, at most " in line

    explained = " ".join(call("explain", config, opened["id"]).out.split())
    assert "fraud 1: amount: missing_share is beyond its limit" in explained
    assert "From: reference: 0 of 4000 rows" in explained
    assert "where nothing has changed" in explained
    by_episode = call("explain", config, data["episode"]["id"])
    assert " ".join(by_episode.out.split()) == explained

    episode = call("episodes", config, "--json").json()[0]
    assert (episode["family"], episode["check"], episode["state"]) == ("quality", "missing_share", "closed")
    assert episode["worst"] == closed["data"]["episode"]["worst"]


def test_without_checks_the_same_stream_has_none(call: Call, config: Path) -> None:
    config.write_text(CONFIG + "quality: {enabled: false}\n")
    assert "missing_share" not in call("run", config).out
    assert checks_in(config) == []


def test_a_limit_of_ones_own_is_held_as_it_is(call: Call, config: Path) -> None:
    config.write_text(CONFIG + "quality: {columns: {amount: {missing_share: {max: 0.9}}}}\n")
    call("run", config)
    assert checks_in(config) == []
    config.write_text(CONFIG + "quality: {columns: {amount: {maximum: {max: 60}}}}\n")
    call("run", config, "--overwrite")
    found = {event["data"]["check"]["name"] for event in checks_in(config)}
    assert found == {"missing_share", "maximum"}
