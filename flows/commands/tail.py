"""driftflow tail: drift events as they come."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow tail driftflow.yaml --types opened,closed[/cyan]"


def tail(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    since: Annotated[
        str,
        typer.Option(help="Begin with what is there (earliest), what comes (latest), or the last N events."),
    ] = "earliest",
    json: Annotated[bool, typer.Option("--json", help="Print each CloudEvent as it is, one a line.")] = False,
    types: Annotated[
        str | None,
        typer.Option(
            help="Only these, joined by commas: opened, updated, closed, report, violated, resolved.",
            show_default=False,
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for more, until Ctrl-C.")] = True,
) -> None:
    """Print drift events as they come, each one once.

    They are read from the Kafka topic for events where the configuration names one, otherwise from its file.
    """
    try:
        from flows.commands.tail_job import TailAsked, tail_and_tell

        asked = TailAsked(config=config, since=since, json=json, types=types, follow=follow)
        raise typer.Exit(tail_and_tell(asked))
    except KeyboardInterrupt:
        # The way to end it, so nothing went wrong.
        raise typer.Exit from None
