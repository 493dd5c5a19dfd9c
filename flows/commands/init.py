"""driftflow init: a configuration for a file of one's own."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow init predictions.csv[/cyan]"


def init(
    file: Annotated[
        Path, typer.Argument(help="File, folder or pattern of what is to be watched.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Configuration to write.")] = Path("driftflow.yaml"),
    *,
    force: Annotated[bool, typer.Option("--force", help="Write over one that is there.")] = False,
) -> None:
    """Propose a configuration for a file: columns, kinds, roles, time and windows."""
    from flows.commands.init_job import propose_and_write

    propose_and_write(file, out, force=force)
