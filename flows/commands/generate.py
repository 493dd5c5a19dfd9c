"""driftflow generate: a stream with known drift, as files; or a file of one's own with faults."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

from pathlib import Path
from typing import Annotated, Literal

import typer

EXAMPLE = "Example: [cyan]driftflow generate demo --out stream --rows 200000 --disorder 90s[/cyan]"


_OF_INJECTION = ("context", "scenario", "out", "inject", "seed", "list_")


def generate(
    context: typer.Context,
    *,
    scenario: Annotated[
        str | None,
        typer.Argument(
            help="Name of a scenario, or with --inject a file; --list shows all.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder to write to.", show_default=False)
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows of the stream.")] = 100_000,
    reference_rows: Annotated[int, typer.Option(min=1, help="Rows of the reference.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same rows.")] = 1,
    step: Annotated[
        str | None,
        typer.Option(
            help="Event time from one row to the next; by default the scenario's own.", show_default=False
        ),
    ] = None,
    disorder: Annotated[str, typer.Option(help="Delay rows by up to this long.")] = "0s",
    format: Annotated[Literal["jsonl", "csv"], typer.Option(help="How records are written.")] = "jsonl",  # noqa: A002  # the option's name
    files: Annotated[int, typer.Option(min=1, max=64, help="Files to deal the events to.")] = 1,
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress reference and events.")] = False,
    features: Annotated[
        int | None,
        typer.Option(
            min=1, help="Features, where the scenario leaves their number open.", show_default=False
        ),
    ] = None,
    inject: Annotated[
        list[str] | None,
        typer.Option(
            help="Copy a CSV or JSON-lines file with this fault, such as 'missing income share=20%'; "
            "may be given several times.",
            show_default=False,
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show scenarios and faults, and exit.")] = False,
) -> None:
    """Write a stream with known drift: reference, events, the truth about them, and a configuration."""
    from flows.commands.generate_job import Asked, list_scenarios, write_files
    from flows.commands.inject_job import inject_faults, list_faults

    if list_:
        list_scenarios()
        list_faults()
        return
    if scenario is None or out is None:
        raise typer.BadParameter("wanted a scenario and --out DIR; --list shows the scenarios")
    if inject:
        _refuse_others(context)
        inject_faults(Path(scenario), out, inject, seed=seed)
        return
    asked = Asked(
        scenario=scenario,
        folder=out,
        rows=rows,
        reference_rows=reference_rows,
        seed=seed,
        step=step,
        disorder=disorder,
        format=format,
        files=files,
        gzip=gzip,
        features=features,
    )
    write_files(asked)


def _refuse_others(context: typer.Context) -> None:
    """Refuse options that say how rows are made: a file has its rows."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in _OF_INJECTION and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                f"--{name.replace('_', '-')} is for scenarios; with --inject wanted a file, --out and --seed"
            )
