"""driftflow serve as a process: says where it is, answers, and ends when told to."""

import os
import re
import signal
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.command_line import COMMAND, Call, caller

CONFIG = """
model: {name: m}
input: {path: events.jsonl}
time: {column: ts}
columns: {x: {kind: numeric}}
windows: {hourly: {size: 1h}}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_told_to_end(config: Path, told: signal.Signals) -> None:
    key = "a-key-of-24-characters!!"
    environment = {**os.environ, "DRIFTFLOW_API_KEYS": f"me:read:{key}"}
    command = [*COMMAND, "serve", str(config), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert address is not None, said
            (model,) = httpx2.get(f"{address[0]}/v1/models", headers={"X-API-Key": key}, timeout=30).json()
            process.send_signal(told)
            assert process.wait(timeout=30) == 0
            assert key not in said + process.stderr.read()
        finally:
            process.kill()
    assert model["name"] == "m"
    # Looking leaves no store behind.
    assert not (config.parent / "out").exists()


def test_the_demo_ends_with_its_pages(tmp_path: Path) -> None:
    environment = {**os.environ, "DRIFTFLOW_API_KEYS": ""}
    command = [
        *COMMAND,
        "demo",
        "--rows",
        "2000",
        "--folder",
        str(tmp_path / "demo"),
        "--serve",
        "--port",
        "0",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            lines = iter(process.stderr.readline, "")
            address = next(
                found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
            )
            (model,) = httpx2.get(f"{address}/v1/models", timeout=30).json()
            with httpx2.stream("GET", f"{address}/v1/models/demo/events/stream", timeout=30) as stream:
                process.send_signal(signal.SIGINT)
                # To its end: what is cut off raises an error.
                stream.read()
            assert process.wait(timeout=30) == 0
            told, said = process.stdout.read(), process.stderr.read()
        finally:
            process.kill()
    assert model["name"] == "demo"
    # Twelve columns of a payment model, as the demo itself says.
    assert model["columns"] == 12
    assert model["last_window"] is not None
    assert "driftflow compare" in told
    assert "driftflow serve" not in told
    assert "ERROR" not in said


def test_other_machines_need_a_key(call: Call, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIFTFLOW_API_KEYS", raising=False)
    outcome = call("serve", config, "--host", "10.0.0.7")
    assert outcome.code == 2
    assert "DRIFTFLOW_API_KEYS" in outcome.err


def test_one_configuration_for_each_model(call: Call, config: Path) -> None:
    outcome = call("serve", config, config)
    assert outcome.code == 2
    assert "`model.name`: found 'm' in two configurations" in outcome.err
