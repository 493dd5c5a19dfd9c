"""driftflow doctor: a configuration held against what it names."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow doctor driftflow.yaml[/cyan]"


def doctor(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Look for what would stop a run: services, topics, records, reference, folders. Changes nothing.

    Exit code 1 where something would.
    """
    from flows.commands.doctor_job import examine

    raise typer.Exit(examine(config, json=json))
