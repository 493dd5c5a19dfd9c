"""driftflow compare: two files, one answer."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.preset_names import Preset

EXAMPLE = "Example: [cyan]driftflow compare train.csv today.csv --fail-on drift[/cyan]"


def compare(
    baseline: Annotated[
        Path,
        typer.Argument(help="File, folder or pattern of good data; - is standard input.", show_default=False),
    ],
    current: Annotated[
        Path,
        typer.Argument(help="File, folder or pattern to judge; - is standard input.", show_default=False),
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            help="Take columns and limits from this configuration; inferred by default.", show_default=False
        ),
    ] = None,
    *,
    preset: Annotated[
        Preset | None,
        typer.Option(help="Judge as another tool does, see docs/presets.md.", show_default=False),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Compare these only: names joined by commas.", show_default=False)
    ] = None,
    min_effect: Annotated[
        float | None,
        typer.Option(min=0.0, help="Smallest debiased PSI that matters (0.02).", show_default=False),
    ] = None,
    fdr: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Bound of the false discovery rate (0.05).", show_default=False),
    ] = None,
    fail_on: Annotated[
        Literal["drift"] | None,
        typer.Option(help="Exit with 3 where any column is in drift.", show_default=False),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write one HTML file that needs no network.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Compare two files column by column: what drifted, and how badly."""
    from flows.commands.compare_job import compare_and_tell
    from flows.compare_paths import CompareAsked

    asked = CompareAsked(
        baseline=baseline,
        current=current,
        config=config,
        preset=preset,
        columns=None if columns is None else tuple(name.strip() for name in columns.split(",")),
        min_effect=min_effect,
        fdr=fdr,
    )
    raise typer.Exit(compare_and_tell(asked, html=html, fail_on_drift=fail_on is not None, json=json))
