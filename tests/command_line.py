"""Calls the command line in this process, as a shell would see it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main

COMMAND = (sys.executable, "-m", "flows.cli")
"""The command line as a process of its own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit code and both streams of one call."""

    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401  # whatever the document holds
        """Parse stdout strictly: one document, without NaN and Infinity."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is not JSON")

        return json.loads(self.out, parse_constant=refuse)


Call = Callable[..., Outcome]


def caller(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int = 80) -> Call:
    """Return what calls ``driftflow`` with arguments on a terminal of `width` cells."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(sys, "argv", ["driftflow", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, captured.out, captured.err)

    return call


def prepared_demo(folder: Path, *options: object) -> Path:
    """Generate a demo stream with its active reference in a folder; return its configuration."""
    path = folder / "driftflow.yaml"
    _passed("generate", "demo", "--out", folder, *options)
    _passed("reference", "build", path, folder / "reference.jsonl")
    return path


def finished_demo(folder: Path, rows: int = 20_000) -> Path:
    """Run a short demo stream to its end in a folder, as a shell would; return its configuration."""
    path = prepared_demo(folder, "--rows", rows, "--reference-rows", 5_000)
    _passed("run", path)
    return path


def _passed(*arguments: object) -> None:
    subprocess.run([*COMMAND, *map(str, arguments)], check=True, capture_output=True)
