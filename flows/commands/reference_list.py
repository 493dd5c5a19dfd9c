"""driftflow reference list: what references there are."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow reference list driftflow.yaml[/cyan]"


def list_references(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """List the references of a model, oldest first, and mark the active one."""
    from flows.commands.reference_jobs import list_stored

    list_stored(config, json=json)
