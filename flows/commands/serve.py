"""driftflow serve: what was found, over HTTP."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow serve driftflow.yaml --port 8080[/cyan]"


def serve(
    configs: Annotated[
        list[Path], typer.Argument(help="Configuration file of each model.", show_default=False)
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen at; others than this machine's need API keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")] = 8080,
    fd: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Take over a socket that listens already, in place of --host and --port.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Serve pages and the REST API of one or more models, reading their stores while runs write them.

    API keys come from the environment variable DRIFTFLOW_API_KEYS, as name:role:key joined by commas.
    """
    from flows.commands.serve_job import serve_models

    serve_models(configs, host=host, port=port, fd=fd)
