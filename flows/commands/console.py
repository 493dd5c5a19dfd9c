"""The two consoles: results go to stdout, everything else to stderr."""

import sys
from collections.abc import Iterable
from pathlib import Path
from shutil import which

from rich.console import Console
from rich.text import Text


def results() -> Console:
    """Return stdout, for tables of people and JSON of programs."""
    return Console(highlight=False)


def messages() -> Console:
    """Return stderr, for progress, hints and errors."""
    return Console(stderr=True, highlight=False)


def show(console: Console, lines: Iterable[Text]) -> None:
    """Print lines that fit already, so that paths and commands can be copied whole."""
    for line in lines:
        console.print(line, soft_wrap=True)


def shown(path: Path) -> str:
    """Write a path as short as it can be typed: relative to the working folder where it is inside."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def say(text: str, style: str = "") -> None:
    """Print one line on stderr."""
    messages().print(Text(text, style), soft_wrap=True)


def warn(text: str) -> None:
    """Print one warning on stderr."""
    say(f"warning: {text}", "yellow")


def program() -> str:
    """Name this program as it was called, so that the commands it prints can be typed as they stand."""
    called = Path(sys.argv[0])
    if called.name != "driftflow" or which("driftflow") == str(called.absolute()):
        return "driftflow"
    return shown(called.absolute())


def commands_lines(title: str, commands: Iterable[str]) -> Iterable[Text]:
    """List commands to type next, each on a line of its own."""
    yield Text()
    yield Text(f" {title}", "bold")
    for command in commands:
        name, _, rest = command.partition(" ")
        typed = f"{program()} {rest}" if name == "driftflow" else command
        yield Text(f"   {typed}", "cyan")
