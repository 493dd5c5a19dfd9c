"""The command line as a whole: help, version, errors and exit codes."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from flows.cli import app
from flows.commands import generate_job
from tests.command_line import Call, caller

COMMANDS = (
    ("demo",),
    ("generate",),
    ("run",),
    ("compare",),
    ("episodes",),
    ("reference", "build"),
    ("reference", "list"),
    ("reference", "show"),
    ("reference", "activate"),
)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def test_help_groups_the_commands(call: Call) -> None:
    told = call("--help")

    assert told.code == 0
    for group in ("Start here", "Watch a model", "Look once"):
        assert group in told.out
    for command in ("demo", "generate", "run", "reference", "compare"):
        assert re.search(rf"│ {command} ", told.out)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(call: Call, command: tuple[str, ...]) -> None:
    told = call(*command, "--help")

    assert told.code == 0
    assert f"Example: driftflow {' '.join(command)}" in " ".join(told.out.split())


def helps(command: object, name: str) -> dict[str, str]:
    """Return the help of a command and of all below it, by their names."""
    assert isinstance(command, TyperCommand | TyperGroup)
    found = {name: command.help or ""}
    for below, part in command.commands.items() if isinstance(command, TyperGroup) else ():
        found |= helps(part, f"{name} {below}".strip())
    return found


def test_help_is_broken_by_the_terminal_alone() -> None:
    # Behind the first paragraph breaks of the source are shown, and fall anywhere on a narrow terminal.
    found = helps(get_command(app), "")
    assert {"run", "alert run", "reference activate"} < found.keys()
    broken = [name for name, text in found.items() if any("\n" in part for part in text.split("\n\n")[1:])]
    assert broken == []


def test_version(call: Call) -> None:
    told = call("--version")

    assert (told.code, told.out) == (0, f"driftflow {version('driftflow')}\n")


# Of `run` what is left are parts that every run needs; a store or a channel is loaded where it is chosen.
@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("flows.cli", "numpy scipy bytewax msgspec yaml sqlite3 kafka redis"),
        (
            "flows.commands.run_job",
            "scipy.stats scipy.optimize kafka redis jinja2 httpx pandas pyarrow fastapi",
        ),
    ],
)
def test_commands_wait_for_nothing_that_they_may_not_need(module: str, heavy: str) -> None:
    code = f"import sys, {module}; print([m for m in {heavy.split()!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "nowhere.yaml"),
        ("run",),
        ("fly",),
        ("compare", "nowhere.csv", "nowhere.csv"),
        ("generate", "demo"),
        ("generate", "nothing", "--out", "x"),
        ("generate", "demo", "--out", "x", "--step", "soon"),
        ("generate", "demo", "--out", "x", "--features", "3"),
    ],
    ids=" ".join,
)
def test_bad_usage_exits_with_2_and_leaves_stdout_empty(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)

    told = call(*arguments)

    assert (told.code, told.out) == (2, "")
    assert told.err
    assert "Traceback" not in told.err
    assert not list(tmp_path.iterdir())


def test_an_error_is_one_line_without_a_traceback(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "driftflow.yaml"
    config.write_text("model: {name: m}\nmodle: 3\n")

    told = call("run", config)

    assert told.code == 2
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    assert "modle" in told.err


def test_a_fault_keeps_its_traceback_and_asks_to_report_it(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(generate_job, "list_scenarios", fail)

    told = call("generate", "--list")

    assert told.code == 1
    assert "Traceback" in told.err
    assert "a fault of ours" in told.err
    assert "please report it" in told.err


def test_a_file_that_cannot_be_written_is_named(call: Call, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    told = call("generate", "demo", "--out", blocked / "inside", "--rows", 10, "--reference-rows", 10)

    assert told.code == 1
    assert str(blocked) in told.err
    assert "Traceback" not in told.err


def test_no_color_without_a_terminal(call: Call) -> None:
    told = call("generate", "--list")

    assert "\x1b" not in told.out
