"""driftflow run: watch a stream."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated, Literal

import typer

EXAMPLE = "Example: [cyan]driftflow run driftflow.yaml --recovery snapshots --fail-on drift[/cyan]"


def run(
    *,
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    input_: Annotated[
        Path | None,
        typer.Option(
            "--input",
            exists=True,
            help="File or folder to read instead of the configured one.",
            show_default=False,
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="File for the events instead of the configured one.", show_default=False
        ),
    ] = None,
    recovery: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder of snapshots: a run that was stopped or killed goes on from there.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Drop the events and snapshots of an earlier run.")
    ] = False,
    process_id: Annotated[
        int | None,
        typer.Option(min=0, help="Number of this process in a set that runs together.", show_default=False),
    ] = None,
    addresses: Annotated[
        str | None,
        typer.Option(
            help="host:port of all processes of the set, joined by commas. Traffic between them is not "
            "authenticated: loopback or a private network only.",
            show_default=False,
        ),
    ] = None,
    fail_on: Annotated[
        Literal["drift"] | None,
        typer.Option(help="Exit with 3 where any drift was found.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Compare every window of a stream with the active reference, and write drift events.

    Ctrl-C or SIGTERM stops it; with --recovery the same command goes on later.
    """
    from flows.commands.run_job import RunAsked, run_and_tell

    if (process_id is None) != (addresses is None):
        raise typer.BadParameter("--process-id and --addresses go together, found one of them")
    asked = RunAsked(
        config=config,
        input=input_,
        events=events,
        recovery=recovery,
        overwrite=overwrite,
        process_id=process_id,
        addresses=() if addresses is None else tuple(addresses.split(",")),
    )
    raise typer.Exit(run_and_tell(asked, fail_on_drift=fail_on is not None, json=json))
