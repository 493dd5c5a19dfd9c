"""driftflow up: workers, alerts and the service together."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow up driftflow.yaml --workers auto[/cyan]"


def up(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    workers: Annotated[
        str | None,
        typer.Option(
            help="Worker processes of the run; auto: one per partition, up to the cores.", show_default=False
        ),
    ] = None,
    recovery: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder of snapshots; without one in the configuration, recovery in the output folder.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address of the service; others than this machine's need API keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of it; 0 takes a free one.")] = 8080,
    alerts: Annotated[
        bool | None,
        typer.Option(
            "--alerts/--no-alerts",
            help="Whether to tell channels; by default where the configuration names one.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the dataflow, alerts and the service of one model together, until Ctrl-C or SIGTERM ends all.

    One that dies is started again. Each line of theirs begins with the name of who said it.
    """
    from flows.commands.run import check_worker_words
    from flows.commands.up_job import UpAsked, run_together

    check_worker_words(workers)
    asked = UpAsked(config=config, workers=workers, recovery=recovery, host=host, port=port, alerts=alerts)
    raise typer.Exit(run_together(asked))
