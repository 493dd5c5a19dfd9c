"""Checks command lines in files that deploy the program, without running what they say."""

from collections.abc import Sequence

from typer.core import TyperGroup
from typer.main import get_command

from flows.cli import app


def parsed(arguments: Sequence[str]) -> dict[str, object]:
    """Parse a command line of ``driftflow`` as the program would; return its options by name.

    Exits with a usage error where there is no such command or option, or a value is not accepted.
    """
    command, rest = get_command(app), list(arguments)
    context = command.make_context("driftflow", rest, resilient_parsing=True)
    while isinstance(command, TyperGroup):
        name = rest.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"no such command: {name}"
        command = found
    return dict(command.make_context("driftflow", rest, parent=context).params)
