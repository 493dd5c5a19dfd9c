"""The example that trains again: asked once, trained on the span, and the drift closes."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.command_line import caller

EXAMPLE = Path(__file__).parents[2] / "examples" / "retraining"
PARTNER_FROM, ASKED_AT = "2026-03-06T00:00:00.000Z", "2026-03-11T00:00:00.000Z"
"""Days 5 and 10 after 2026-03-01: where the drift begins, and where the first files end (`lender.py`)."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example, and `python` as a person's shell finds it in the environment."""
    for each in [*EXAMPLE.glob("*.py"), *EXAMPLE.glob("*.yaml")]:
        shutil.copy(each, tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def driftflow(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command in this process; return what it says beside its results."""
    call = caller(capsys, monkeypatch)

    def run(*arguments: str) -> str:
        found = call(*arguments)
        assert found.code == 0, found.err
        return found.err

    return run


def script(name: str) -> None:
    subprocess.run([sys.executable, name], check=True)


def changes(folder: Path, name: str) -> list[tuple[str, str, str]]:
    """Return type, end of the window and reference of what has opened and closed."""
    lines = (folder / "out" / name).read_bytes().splitlines()
    found: list[Any] = [orjson.loads(line) for line in lines]
    return [
        (each["type"].removeprefix("io.driftflow."), data["window"]["end"], data["reference"]["version"])
        for each in found
        if "report" not in each["type"]
        for data in [each["data"]]
    ]


def test_the_loop_is_closed(folder: Path, driftflow: Callable[..., str]) -> None:
    script("make_data.py")
    driftflow("reference", "build", "driftflow.yaml", "data/reference.jsonl")
    driftflow("run", "driftflow.yaml", "--overwrite")
    told = driftflow("alert", "driftflow.yaml", "--once")
    assert "2 sent, 0 given up, 0 waiting" in told
    (request,) = (folder / "data").glob("retrained-*.jsonl")
    times = [orjson.loads(line)["ts"] for line in request.read_bytes().splitlines()]
    # From where the drift began; of the last six hours no label is known yet (`LABEL_AFTER`).
    assert (times[0][:13], times[-1][:13]) == ("2026-03-06T00", "2026-03-10T17")

    script("go_on.py")
    driftflow("run", "driftflow.yaml", "--overwrite")
    assert "1 sent" in driftflow("alert", "driftflow.yaml", "--once")
    # Nobody is asked again.
    assert list((folder / "data").glob("retrained-*.jsonl")) == [request]
    for name, opened, closed in (
        ("events.jsonl", "drift.opened", "drift.closed"),
        ("performance.jsonl", "performance.degraded", "performance.recovered"),
    ):
        found = changes(folder, name)
        begun = [each for each in found if each[0] == opened]
        over = [each for each in found if each[0] == closed]
        assert len(begun) == len(over) > 1
        assert all(PARTNER_FROM < end <= ASKED_AT for _, end, _ in begun)
        assert all(end > ASKED_AT for _, end, _ in over)
        assert {each[2] for each in begun}.isdisjoint(each[2] for each in over)
