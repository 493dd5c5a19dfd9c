"""driftflow demo: all of it in a minute, next to the truth."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow demo[/cyan]"


def demo(
    folder: Annotated[
        Path, typer.Option(file_okay=False, help="Folder of the demonstration; made anew each time.")
    ] = Path("driftflow-demo"),
    rows: Annotated[int, typer.Option(min=1_000, help="Rows of the stream.")] = 200_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same rows.")] = 1,
) -> None:
    """Generate a stream with known drift, watch it, and show what was found next to the truth."""
    from flows.commands.demo_job import show_demo

    show_demo(folder, rows=rows, seed=seed)
