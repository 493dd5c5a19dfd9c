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
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve pages of it at the end, until Ctrl-C.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the pages; 0 takes a free one.")
    ] = 8080,
) -> None:
    """Generate a stream with known drift, watch it, and show what was found next to the truth."""
    from flows.commands.demo_job import show_demo

    if not serve:
        show_demo(folder, rows=rows, seed=seed)
        return
    from flows.commands.serve_job import check_installed, serve_models

    check_installed()
    serve_models([show_demo(folder, rows=rows, seed=seed, served=True)], host="127.0.0.1", port=port)
