"""driftflow reference activate: choose what windows are compared with."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow reference activate driftflow.yaml 3bd4 --from 2026-03-01T00:00:00[/cyan]"


def activate(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    version: Annotated[
        str,
        typer.Argument(help="Version; its beginning is enough where only one has it.", show_default=False),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Event time at which it takes over, where a pane of the windows starts: 2026-03-01T00:00:00 "
            "in the configured zone, or a row number. From the beginning by default.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Make a reference the active one: the next run compares windows with it.

    With --from it takes over at a moment: windows that start before it keep the old one to their end.

    A run under a supervisor takes that in by itself.
    """
    from flows.commands.reference_jobs import activate_stored

    activate_stored(config, version, moment=from_, json=json)
