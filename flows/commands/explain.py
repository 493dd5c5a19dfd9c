"""driftflow explain: one event in words."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow explain driftflow.yaml 3f2a9c[/cyan]"


def explain(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    event: Annotated[
        str,
        typer.Argument(help="Id of an event or of an episode, or its beginning.", show_default=False),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the CloudEvent as it was written.")] = False,
) -> None:
    """Explain a drift event: which rule fired, its limit and where that comes from, and what moved."""
    from flows.commands.explain_job import explain_stored

    explain_stored(config, event, json=json)
