"""driftflow reference show: the columns of a reference."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow reference show driftflow.yaml[/cyan]"


def show_reference(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    version: Annotated[
        str | None,
        typer.Argument(help="Version, or its beginning; the active one by default.", show_default=False),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write one HTML file that needs no network.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Show a reference column by column: bins, missing values, range and shape."""
    from flows.commands.reference_jobs import show_stored

    show_stored(config, version, html=html, json=json)
