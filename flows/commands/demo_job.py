"""Generates, builds, runs, and holds the findings against the truth."""

import shutil
from pathlib import Path

from flows.commands.console import commands_lines, results, say, show, shown
from flows.commands.dataset_config import window_name, window_size
from flows.commands.generate_job import CONFIG_NAME, Written, write_with_progress
from flows.commands.reference_build_job import build_with_progress, keep
from flows.commands.run_asked import RunAsked
from flows.commands.run_job import Counts, prepare, run_with_progress, summarize
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.input import config_input
from flows.render.grid import note_lines
from flows.render.summary import RunSummary, file_lines, place_line
from flows.render.truth_table import hold_against, truth_lines
from flows.render.words import count_text
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.registry import scenario
from flows.scenarios.truth_file import read_truth

MARKER = ".driftflow-demo"
"""Lies in folders that the demonstration made, and may make anew."""

REFERENCE_ROWS = 50_000
STEP_MS = 30_000
DISORDER_MS = 90_000
"""Three steps: rows change places, and none is late."""


def show_demo(folder: Path, *, rows: int, seed: int, served: bool = False) -> Path:
    """Run the demonstration in a folder of its own, and return its configuration.

    Parameters
    ----------
    served
        Whether its pages are served next, so that nobody need be told how.

    Raises
    ------
    UsageError
        The folder holds something that the demonstration did not make.
    """
    _claim(folder)
    chosen = scenario("demo")
    options = ScenarioOptions(
        rows=rows, seed=seed, step_ms=STEP_MS, disorder_ms=DISORDER_MS, reference_rows=REFERENCE_ROWS
    )
    written = write_with_progress(chosen, options, folder)
    say(f"1. Generated {count_text(rows, 'row')}. {chosen.description}")
    config = load_config(written.config)
    version = _build(config, written.files.reference)
    say(f"2. Built reference {version} from {count_text(REFERENCE_ROWS, 'row')} of the weeks before.")
    prepared = prepare(RunAsked(config=written.config))
    counts = Counts()
    finished = run_with_progress(prepared, counts, overwrite=True)
    found = summarize(prepared, counts, finished=finished)
    windows = " and ".join(f"{count.reported:,} {count.window}" for count in found.windows)
    say(f"3. Watched the stream: {windows} windows of {count_text(len(found.features), 'column')}.")
    say("")
    _tell(found, written, window_size(options), served=served)
    return written.config


def _claim(folder: Path) -> None:
    """Make the folder, or take away what an earlier demonstration left in it."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise UsageError(
            f"{folder} holds files that the demonstration did not make: name a new folder with --folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(
        "Made by 'driftflow demo', which makes this folder anew.\n", encoding="utf-8"
    )
    (folder / CONFIG_NAME).unlink(missing_ok=True)
    if (folder / "out").exists():
        shutil.rmtree(folder / "out")


def _build(config: Config, path: Path) -> str:
    built = build_with_progress(config, config_input(config, path))
    keep(config, built, activate=True)
    return built.reference.version


def _tell(found: RunSummary, written: Written, size_ms: int, *, served: bool) -> None:
    console = results()
    name = window_name(size_ms)
    held = hold_against(
        read_truth(written.files.truth),
        found.episodes,
        violations=found.violations,
        window=name,
        size_ms=size_ms,
    )
    show(console, truth_lines(held, name, console.width))
    console.print()
    seen = sum(match.detected is not None for match in held.matches)
    told = f"{seen} of {len(held.matches)} drifts seen, {count_text(len(held.false_alarms), 'false alarm')}."
    show(console, note_lines(told, console.width, indent=1, style="bold"))
    console.print()
    show(console, file_lines(found.files, sum(found.refused.values())))
    config = written.config
    show(console, [place_line("truth", shown(written.files.truth)), place_line("settings", shown(config))])
    commands = [
        *([] if served else [f"driftflow serve {config}"]),
        f"driftflow compare {written.files.reference} {written.files.events[0]}",
        *([f"driftflow explain {config} {found.episodes[0].id[:12]}"] if found.episodes else []),
        f"driftflow reference show {config}",
        f"driftflow run {config} --overwrite",
    ]
    show(console, commands_lines("Try next:", commands))
