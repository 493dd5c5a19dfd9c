import json
import logging
import sys
import time
from pathlib import Path

import pytest

from alerts.channels.base import RefusedError, TryAgainError
from alerts.channels.command import CommandChannel, environment_of
from alerts.notices import Cause, Notice

NOTICE = Notice(
    id="n1",
    channel="retraining",
    route="",
    incident="i",
    cause=Cause.RETRAIN,
    model="credit",
    model_version="7",
    title="Train credit again",
    signals=(),
    decided_ms=0,
    payload='{"id":"r1"}',
)
TAKES = """
import json, os, sys
json.dump([json.load(sys.stdin), dict(os.environ)], open("taken", "w"))
print("ok")
"""
SLEEPS = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"])
open("child", "w").write(str(child.pid))
time.sleep(99)
"""


def channel(folder: Path, code: str, timeout_s: float = 20, **environment: str) -> CommandChannel:
    return CommandChannel(
        "retraining",
        [sys.executable, "-c", code, "--token", "sesame"],
        folder=folder,
        timeout_s=timeout_s,
        environment=environment,
    )


def test_the_program_gets_the_request_and_what_it_says_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "driftflow.alerts")
    channel(tmp_path, TAKES, NAMED="1").send(NOTICE)
    request, environment = json.loads((tmp_path / "taken").read_text())
    assert request == {"id": "r1"}
    assert environment["NAMED"] == "1"
    assert caplog.messages == ["retraining: ok"]


def test_only_variables_that_are_named_or_plain_are_passed() -> None:
    environ = {"PATH": "/bin", "KAFKA_SASL_PASSWORD": "sesame", "NAMED": "1"}
    assert environment_of(["NAMED", "ABSENT"], environ) == {"PATH": "/bin", "NAMED": "1"}


def test_another_exit_code_is_tried_again_and_the_arguments_stay_private(tmp_path: Path) -> None:
    with pytest.raises(TryAgainError, match="exit code 3") as caught:
        channel(tmp_path, "raise SystemExit(3)").send(NOTICE)
    assert "sesame" not in str(caught.value)


def test_what_a_program_says_that_fails_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TryAgainError):
        channel(tmp_path, "print('no rows'); raise SystemExit(1)").send(NOTICE)
    assert [(each.levelname, each.message) for each in caplog.records] == [("WARNING", "retraining: no rows")]


def test_a_program_that_does_not_read_is_no_error(tmp_path: Path) -> None:
    channel(tmp_path, "pass").send(NOTICE)


def test_a_program_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(TryAgainError, match="took longer than 3 s"):
        channel(tmp_path, SLEEPS, timeout_s=3).send(NOTICE)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        status = Path(f"/proc/{child}/status")
        if not status.exists() or "zombie" in status.read_text():
            return
        time.sleep(0.05)
    pytest.fail("the child lives on")


def test_a_program_that_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = CommandChannel("r", ["./no-such"], folder=tmp_path, timeout_s=1, environment={})
    with pytest.raises(RefusedError, match=r"'\./no-such' cannot be started"):
        missing.send(NOTICE)
