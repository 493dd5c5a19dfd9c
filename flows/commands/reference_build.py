"""driftflow reference build: freeze what windows are compared with."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow reference build driftflow.yaml train.csv[/cyan]"


def build(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="File, folder or pattern of good data, such as the training set; - is standard input. "
            "The configured input by default.",
            show_default=False,
        ),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Use the first N good rows only.", show_default=False)
    ] = None,
    span: Annotated[
        str | None,
        typer.Option(
            help="Use rows of the first part of event time only, such as 30d, or '5000 rows'.",
            show_default=False,
        ),
    ] = None,
    activate: Annotated[
        bool | None,
        typer.Option(
            "--activate/--no-activate",
            help="Compare windows with it from now on. By default only the first reference is activated.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Build a reference from good data, and keep it in the store.

    The same data give the same version. A file without the time column, such as a training set, will do.
    """
    from flows.commands.reference_build_job import build_and_store

    build_and_store(config, file, rows=rows, span=span, activate=activate, json=json)
