"""driftflow up with real processes: what dies comes back, what ends leaves the rest, one signal ends all."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from tests.command_line import COMMAND, Call, caller

PATIENCE_S = 30.0
CONFIG = """
model: {name: m}
input: {path: events.csv}
time: {column: ts}
columns: {x: {kind: numeric}}
windows: {hourly: {size: 1h}}
alerts: {channels: {here: {type: stdout}}}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    rows = [f"2026-01-05T{i // 20:02d}:{i % 20 * 3:02d}:00Z,{i * 37 % 101}" for i in range(480)]
    for name in ("events.csv", "good.csv"):
        (tmp_path / name).write_text("\n".join(["ts,x", *rows]))
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    return path


@dataclass(slots=True)
class Together:
    """The process, and what it says."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def listen(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(line.rstrip("\n") for line in iter(self.process.stderr.readline, ""))

    def found(self, pattern: str) -> re.Match[str]:
        until_s = time.monotonic() + PATIENCE_S
        while True:
            for line in tuple(self.said):
                if match := re.search(pattern, line):
                    return match
            assert time.monotonic() < until_s, f"nobody said {pattern}: {self.said}"
            time.sleep(0.05)


@contextmanager
def together(config: Path) -> Iterator[Together]:
    # What the library of the pages would take for a test of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment.pop("DRIFTFLOW_API_KEYS", None)
    command = [*COMMAND, "up", str(config), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        told = Together(process)
        thread = Thread(target=told.listen, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            process.kill()
            thread.join(PATIENCE_S)


def gone(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


def test_all_of_it_from_the_first_failure_to_the_end(call: Call, config: Path) -> None:
    with together(config) as up:
        # There is no reference yet: the run fails, and the others do not care.
        up.found(r"^run     \| .*has no reference yet")
        up.found(r"^up      \| run ended with exit code 1 .* is started again in")
        assert call("reference", "build", config, config.parent / "good.csv").code == 0
        up.found(r"^up      \| run is done; the others go on")
        up.found(rf"^run     \| +driftflow episodes {re.escape(str(config))}$")
        address = up.found(r"^up      \| pages and API at (http://127\.0\.0\.1:\d+)")[1]
        up.found(r"^alert   \| Alerts of m go to here")
        (model,) = httpx2.get(f"{address}/v1/models", timeout=PATIENCE_S).json()
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(PATIENCE_S) == 0
        pids = [int(match[1]) for line in up.said if (match := re.search(r"is process (\d+)$", line))]
    assert (model["name"], model["columns"], model["open_episodes"]) == ("m", 1, 0)
    # The stream ends with the windows of the day.
    assert model["last_window"].startswith("2026-01-06T00:00")
    assert up.said[-2:] == ["up      | alert has ended", "up      | service has ended"]
    # Who is told to drop snapshots would take them from under this very program.
    assert not [line for line in up.said if "--overwrite" in line]
    # Two lives of the run, alerts, the service.
    assert len(pids) >= 4
    assert all(map(gone, pids))


def test_events_without_snapshots_are_not_begun_over(
    call: Call, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRIFTFLOW_API_KEYS", raising=False)
    assert call("reference", "build", config, config.parent / "good.csv").code == 0
    assert call("run", config).code == 0
    outcome = call("up", config, "--port", "0")
    assert outcome.code == 2
    assert "holds the events of an earlier run" in outcome.err
    assert f"driftflow serve {config}" in outcome.err


def test_other_machines_need_a_key(call: Call, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIFTFLOW_API_KEYS", raising=False)
    outcome = call("up", config, "--host", "10.0.0.7")
    assert outcome.code == 2
    assert "DRIFTFLOW_API_KEYS" in outcome.err


def test_a_socket_that_does_not_listen_is_refused(call: Call, config: Path) -> None:
    with (config.parent / "events.csv").open() as file:
        # Taken over by the service, should it be taken for a socket.
        outcome = call("serve", config, "--fd", os.dup(file.fileno()))
    assert outcome.code == 1
    assert "is no socket" in outcome.err
