"""driftflow state reset: forget where a run stood."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow state reset driftflow.yaml --yes[/cyan]"


def reset_state(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    recovery: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Folder of snapshots instead of the configured one.", show_default=False
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Drop the snapshots of a recovery folder; events and store stay."""
    from flows.commands.state_jobs import reset_stored

    raise typer.Exit(reset_stored(config, recovery, yes=yes))
