"""driftflow state show: what a recovery folder holds."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow state show driftflow.yaml[/cyan]"


def show_state(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    recovery: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Folder of snapshots instead of the configured one.", show_default=False
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Show what a recovery folder holds, and whether the configuration still fits it."""
    from flows.commands.state_jobs import show_stored

    show_stored(config, recovery, json=json)
