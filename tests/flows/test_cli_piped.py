"""Standard input in the place of a file, and a part of an input as a reference."""

import gzip
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import Call, caller

CONFIG = """
model: {name: m}
input: {path: events.jsonl}
time: {column: ts}
columns:
  x: {kind: numeric}
windows:
  hourly: {size: 1h}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    return path


def lines(rows: int, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    start = np.datetime64("2026-01-05T00:00:00")
    times = [f"{start + np.timedelta64(i, 'm')}Z" for i in range(rows)]
    records = [{"ts": t, "x": x} for t, x in zip(times, rng.normal(size=rows).tolist(), strict=True)]
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_pipe_is_a_file(
    call: Call, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    data = lines(300, 1)
    (tmp_path / "events.jsonl").write_bytes(data)
    from_file = call("reference", "build", config, "--json").json()
    pipe(monkeypatch, gzip.compress(data) if packed else data)
    from_pipe = call("reference", "build", config, "-", "--json").json()
    assert from_pipe["version"] == from_file["version"]


def test_csv_is_told_from_json_lines(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "now.csv").write_text("x\n" + "\n".join(map(str, np.random.default_rng(1).normal(size=400))))
    pipe(monkeypatch, b"x\n" + b"\n".join(b"%f" % x for x in np.random.default_rng(2).normal(size=400)))
    found = call("compare", "-", tmp_path / "now.csv", "--json").json()
    assert [column["verdict"] for column in found["columns"]] == ["ok"]
    assert found["baseline"]["files"] == ["stdin.csv"]
    assert found["baseline"]["rows"] == 400


def test_both_sides_cannot_be_the_pipe(call: Call) -> None:
    outcome = call("compare", "-", "-")
    assert outcome.code == 2
    assert "one of the two sides only" in outcome.err


def test_a_file_that_is_not_there(call: Call, tmp_path: Path) -> None:
    outcome = call("compare", tmp_path / "a.csv", tmp_path / "b.csv")
    assert outcome.code == 2
    assert "a.csv: no such file or folder" in outcome.err


def test_a_span_of_event_time(call: Call, config: Path, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(lines(300, 1))
    found = call("reference", "build", config, "--span", "2h", "--json").json()
    assert found["rows"] == 120
    (tmp_path / "first.jsonl").write_bytes(b"\n".join(lines(300, 1).splitlines()[:120]))
    first = call("reference", "build", config, tmp_path / "first.jsonl", "--json").json()
    assert found["version"] == first["version"]


def test_a_span_that_is_none(call: Call, config: Path, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(lines(30, 1))
    outcome = call("reference", "build", config, "--span", "long")
    assert outcome.code == 2
    assert "`--span`" in outcome.err


def test_a_span_of_a_topic_is_refused(call: Call, config: Path) -> None:
    config.write_text(CONFIG.replace("{path: events.jsonl}", "{topics: [t]}"))
    outcome = call("reference", "build", config, "--span", "1h")
    assert outcome.code == 2
    assert "use --rows, or name a file" in outcome.err
