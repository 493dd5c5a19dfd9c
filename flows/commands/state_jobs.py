"""Shows and drops what recovery folders hold."""

import sys
import time
from contextlib import suppress
from pathlib import Path

import typer

from detectors.base import DriftflowError
from flows.commands.console import commands_lines, messages, results, say, show, shown
from flows.commands.document import print_json
from flows.commands.exits import ExitCode
from flows.commands.stored import NoReferenceError, active_generations, open_store
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.generations import TooEarlyError
from flows.input import config_input, file_labels
from flows.partition import Partition
from flows.plan import make_plan
from flows.recovery import discard, holds_run, locked
from flows.recovery_facts import FolderFacts, changes, check_references, read_folder
from flows.recovery_note import RecoveryError
from flows.render.stored_state import ShownState, age_text, state_lines
from flows.render.words import bytes_text
from state.reference import BadReferenceError
from state.stores.base import StoreError


def show_stored(path: Path, recovery: Path | None, *, json: bool) -> None:
    """Show what a recovery folder holds.

    Raises
    ------
    UsageError
        No folder is named.
    RecoveryError
        The folder cannot be read.
    """
    config = load_config(path)
    found = _shown(config, str(path), _folder(config, recovery))
    if json:
        print_json(found)
        return
    console = results()
    show(console, state_lines(found, console.width))


def reset_stored(path: Path, recovery: Path | None, *, yes: bool) -> ExitCode:
    """Drop the snapshots of a recovery folder, once somebody has agreed.

    Raises
    ------
    UsageError
        No folder is named, or nobody can be asked.
    RecoveryError
        A run holds the folder.
    """
    config = load_config(path)
    folder = _folder(config, recovery)
    if not holds_run(folder):
        say(f"{shown(folder)}: no run has begun here, so there is nothing to drop.")
        return ExitCode.DONE
    # Held until the answer has come, so that no run begins on what is about to go.
    with locked(folder):
        _tell_loss(folder)
        if not (yes or _agreed()):
            say("Nothing was dropped.")
            return ExitCode.FAILED
        discard(folder)
    say("Dropped.")
    command = f"driftflow run {path}" + ("" if recovery is None else f" --recovery {recovery}")
    following = [
        f"{command} --overwrite   (writes the events anew)",
        f"{command} --events FILE   (keeps them)",
    ]
    show(messages(), commands_lines("Next:", following))
    return ExitCode.DONE


def _folder(config: Config, recovery: Path | None) -> Path:
    if recovery is not None:
        return recovery
    given = config.file.recovery
    if given is None:
        raise UsageError("the configuration names no `recovery.folder`: name one with --recovery DIR")
    return config.folder / given.folder


def _shown(config: Config, config_name: str, folder: Path) -> ShownState:
    facts = read_folder(folder)
    if facts is None:
        return ShownState(folder=shown(folder), holds_run=False, axis=config.grid.axis)
    fits, changed = _fit(config, config_name, folder, facts)
    return ShownState(
        folder=shown(folder),
        holds_run=True,
        axis=config.grid.axis,
        model=facts.model,
        reference=facts.reference,
        positions=facts.positions,
        join=facts.join,
        size=facts.size,
        snapshot_age_s=_age_s(facts),
        held=facts.held,
        fits=fits,
        changed=changed,
        panes=_panes(config),
    )


def _panes(config: Config) -> dict[str, int]:
    """Count the panes that the store keeps; that it cannot be asked is told with what has changed."""
    # Looking must not leave an empty store behind.
    if isinstance(config.store, Path) and not config.store.exists():
        return {}
    try:
        with open_store(config) as store:
            return store.pane_counts(config.file.model.name, config.file.model.version)
    except StoreError:
        return {}


def _fit(
    config: Config, config_name: str, folder: Path, facts: FolderFacts
) -> tuple[bool | None, tuple[str, ...]]:
    """Tell whether a folder fits, and what has changed or why that cannot be told."""
    model = f"{config.file.model.name}/{config.file.model.version}"
    try:
        generations = active_generations(config, config_name)
        plan = make_plan(config, generations, _partitions(config, facts), _closed)
    except (NoReferenceError, BadReferenceError) as error:
        other = [] if model == facts.model else [f"model ({facts.model} then, {model} now)"]
        return False, (*other, str(error))
    except DriftflowError as error:
        return None, (str(error),)
    changed = changes(folder, plan)
    if not changed:
        try:
            check_references(folder, config, plan.generations.lineage)
        except TooEarlyError as error:
            changed = (str(error),)
    return not changed, changed


def _partitions(config: Config, facts: FolderFacts) -> tuple[str, ...]:
    # Topics are not looked up: that would wait for a broker that is away.
    labels = config.file.labels
    if config.file.input.topics is not None or (labels is not None and labels.topics is not None):
        return tuple(sorted(facts.positions))
    return config_input(config).with_labels(file_labels(config)).partitions


def _closed(name: str, _resume: bytes | None) -> Partition:
    raise AssertionError(f"{name} is opened, and a folder is only looked at")


def _tell_loss(folder: Path) -> None:
    what = "the snapshots"
    # A folder whose note is damaged is one that wants to be dropped.
    with suppress(RecoveryError):
        facts = read_folder(folder)
        assert facts is not None
        age = _age_s(facts)
        what += f" of {facts.model}, {bytes_text(facts.size)}"
        what += "" if age is None else f", the last of them {age_text(age)} old"
    say(f"To be dropped in {shown(folder)}: {what}.")
    say("The next run will read its input from the start. Events and store stay as they are.")


def _age_s(facts: FolderFacts) -> float | None:
    return None if facts.written_ms is None else max(0.0, time.time() - facts.written_ms / 1_000)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked, because this is no terminal: add --yes to drop the snapshots")
    return typer.confirm("Drop them?", default=False, err=True)
