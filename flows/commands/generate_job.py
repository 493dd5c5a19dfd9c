"""Writes a data set, and the configuration that fits it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.commands.console import commands_lines, messages, results, say, show, warn
from flows.commands.dataset_config import config_text
from flows.commands.usage import UsageError
from flows.render.grid import Field, Row, grid
from flows.render.progress import meter
from flows.render.words import count_text
from flows.scenarios.base import Scenario, ScenarioError, ScenarioOptions
from flows.scenarios.dataset import DatasetFiles, write_dataset, written_rows
from flows.scenarios.registry import scenario, scenario_names
from state.durations import Axis, DurationError, parse_span

CONFIG_NAME = "driftflow.yaml"
"""The configuration beside a generated data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    scenario: str
    folder: Path
    rows: int
    reference_rows: int
    seed: int
    step: str | None
    disorder: str
    format: Literal["jsonl", "csv"]
    files: int
    gzip: bool
    features: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A data set with its configuration."""

    files: DatasetFiles
    config: Path
    config_kept: bool


def list_scenarios() -> None:
    """Show every scenario with what happens in it."""
    console = results()
    rows = [
        Row((found.name, count_text(len(found.columns), "column")), note=found.description)
        for found in map(scenario, scenario_names())
    ]
    show(console, [grid((Field(title="scenario"), Field(title="columns")), rows, console.width)])


def write_files(asked: Asked) -> None:
    """Write what is asked for, and say what to do with it.

    Raises
    ------
    UsageError
        There is no such scenario, or it cannot be generated so.
    """
    chosen, options = _checked(asked)
    written = write_with_progress(
        chosen, options, asked.folder, format=asked.format, files=asked.files, gzip=asked.gzip
    )
    files = written.files
    drifting = sum(bool(truth.spans) for truth in chosen.truth(options.rows))
    faults = chosen.faults(options.rows)
    known = f"{count_text(len(chosen.columns), 'column')}, {drifting} of which "
    known += "drifts" if drifting == 1 else "drift"
    if faults:
        known += f", and {count_text(len(faults), 'fault')}"
    say(
        f"Wrote {count_text(options.rows, 'row')} and {count_text(options.reference_rows, 'reference row')} "
        f"to {asked.folder}: {known} ({files.truth.name} says how)."
    )
    if files.labels is not None:
        say(f"Their labels come later: {files.labels}.")
    if written.config_kept:
        warn(
            f"{written.config} differs from what fits this data and is left as it is: "
            "take it away and generate again for a new one"
        )
    following = [
        f"driftflow reference build {written.config} {files.reference}",
        f"driftflow run {written.config}",
    ]
    show(messages(), commands_lines("Next:", following))


def write_with_progress(
    chosen: Scenario,
    options: ScenarioOptions,
    folder: Path,
    *,
    format: Literal["jsonl", "csv"] = "jsonl",  # noqa: A002  # what the option is called
    files: int = 1,
    gzip: bool = False,
) -> Written:
    """Write a data set with its configuration; one that is there and differs is left as it is."""
    total = written_rows(chosen, options)
    with meter(messages(), "Generating", total=total, unit="rows", clock=time.monotonic) as progress:
        found = write_dataset(
            chosen, options, folder, format=format, files=files, compress=gzip, on_progress=progress.advance
        )
    path, text = folder / CONFIG_NAME, config_text(chosen, options, found, folder)
    kept = path.exists() and path.read_text(encoding="utf-8") != text
    if not kept:
        path.write_text(text, encoding="utf-8")
    return Written(files=found, config=path, config_kept=kept)


def _checked(asked: Asked) -> tuple[Scenario, ScenarioOptions]:
    try:
        chosen = scenario(asked.scenario, ScenarioOptions(features=asked.features))
        step_ms = chosen.step_ms if asked.step is None else parse_span(asked.step, Axis.MILLISECONDS)
        options = ScenarioOptions(
            rows=asked.rows,
            seed=asked.seed,
            step_ms=step_ms,
            disorder_ms=parse_span(asked.disorder, Axis.MILLISECONDS),
            features=asked.features,
            reference_rows=asked.reference_rows,
        )
    except (ScenarioError, DurationError) as error:
        raise UsageError(str(error)) from error
    return chosen, options
