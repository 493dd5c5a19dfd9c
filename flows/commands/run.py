"""driftflow run: watch a stream."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.commands.log_options import LogFormat, LogLevel

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
    workers: Annotated[
        str | None,
        typer.Option(
            help="Run that many worker processes under a supervisor; auto: one per partition, up to the "
            "cores. Needs a recovery folder.",
            show_default=False,
        ),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65_535,
            envvar="DRIFTFLOW_METRICS_PORT",
            help="Serve /metrics and /healthz there; 0 takes a free port.",
            show_default=False,
        ),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(envvar="DRIFTFLOW_METRICS_HOST", help="Address to serve them on.")
    ] = "127.0.0.1",
    log_format: LogFormat = "text",
    log_level: LogLevel = "info",
    fail_on: Annotated[
        Literal["drift"] | None,
        typer.Option(help="Exit with 3 where any drift was found.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Compare every window of a stream with the active reference, and write drift events.

    Ctrl-C or SIGTERM stops it; with --recovery the same command goes on later.
    """
    from flows.commands.run_asked import RunAsked
    from flows.commands.run_job import run_and_tell
    from flows.logs import LogFormat, LogLevel, set_up_logging

    if (process_id is None) != (addresses is None):
        raise typer.BadParameter("--process-id and --addresses go together, found one of them")
    if workers is not None and process_id is not None:
        raise typer.BadParameter("--workers starts all members itself, and --process-id is one of them")
    check_worker_words(workers)
    set_up_logging(level=LogLevel(log_level), log_format=LogFormat(log_format), environ=os.environ)
    asked = RunAsked(
        config=config,
        input=input_,
        events=events,
        recovery=recovery,
        overwrite=overwrite,
        process_id=process_id,
        addresses=() if addresses is None else tuple(addresses.split(",")),
        metrics_port=metrics_port,
        metrics_host=metrics_host,
        log_options=("--log-format", log_format, "--log-level", log_level),
    )
    if workers is not None:
        from flows.commands.supervise_job import supervise_run

        wanted = None if workers == "auto" else int(workers)
        raise typer.Exit(supervise_run(asked, workers=wanted, fail_on_drift=fail_on is not None, json=json))
    raise typer.Exit(run_and_tell(asked, fail_on_drift=fail_on is not None, json=json))


def check_worker_words(workers: str | None) -> None:
    """Refuse a number of workers that is none.

    Raises
    ------
    typer.BadParameter
        See above.
    """
    if workers not in {None, "auto"} and not (workers or "").isdecimal():
        raise typer.BadParameter(f"--workers is {workers!r}, wanted a number or auto")
