"""driftflow config explain: what the limits of a configuration turn into."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: [cyan]driftflow config explain driftflow.yaml --rows 1000[/cyan]"


def _keys(incomplete: str) -> list[str]:
    from flows.config_keys import all_keys

    return [key.path for key in all_keys() if key.path.startswith(incomplete)]


def explain_config(
    config: Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)],
    key: Annotated[
        str | None,
        typer.Argument(
            help="A key, such as detection.budget.every, or a section: say what it means and holds.",
            autocompletion=_keys,
            show_default=False,
        ),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Rows of a window that limits are shown for; by default what the reference lets expect.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Show which false alarms are promised, the thresholds that make it so, and each column's limits.

    With a KEY: what it means, what it may be, what holds in this file, and where that comes from.
    """
    if key is not None:
        from flows.commands.config_key_job import explain_key

        explain_key(config, key, json=json)
        return
    from flows.commands.config_explain_job import explain_limits

    explain_limits(config, rows, json=json)
