"""driftflow config explain: what the limits of a configuration turn into."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow config explain driftflow.yaml --rows 1000[/cyan]"


def explain_config(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    rows: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Rows of a window that limits are shown for; by default what the reference lets expect.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Show which false alarms are promised, the thresholds that make it so, and each column's limits."""
    from flows.commands.config_explain_job import explain_limits

    explain_limits(config, rows, json=json)
