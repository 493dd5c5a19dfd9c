"""driftflow episodes: which drifts there are and were."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow episodes driftflow.yaml --open[/cyan]"


def episodes(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    only_open: Annotated[bool, typer.Option("--open", help="Only those that go on.")] = False,
    feature: Annotated[str | None, typer.Option(help="Only those of one column.", show_default=False)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """List the drifts of a model version from their opening to their end, the last one first.

    They are read from the store, as their last change left them.
    """
    from flows.commands.episodes_job import list_episodes

    list_episodes(config, only_open=only_open, feature=feature, json=json)
