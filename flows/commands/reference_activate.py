"""driftflow reference activate: choose what windows are compared with."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow reference activate driftflow.yaml 3bd4[/cyan]"


def activate(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    version: Annotated[
        str,
        typer.Argument(help="Version; its beginning is enough where only one has it.", show_default=False),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Make a reference the active one: the next run compares windows with it."""
    from flows.commands.reference_jobs import activate_stored

    activate_stored(config, version, json=json)
