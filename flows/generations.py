"""The references that a store has activated, laid on the grid of a configuration."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from detectors.base import DriftflowError
from flows.config import Config
from state.durations import Axis
from state.generations import Generations
from state.reference import Reference
from state.schedule import Schedule


class TooEarlyError(DriftflowError):
    """References were changed for windows whose rows a run has read already."""


class OffGridError(DriftflowError):
    """A reference is to take over within a pane."""


def lay_on_grid(
    config: Config, activated: Sequence[tuple[str, int | None]], load: Callable[[str], Reference]
) -> Generations:
    """Turn what was activated into generations.

    Parameters
    ----------
    activated
        Versions, oldest first, and the event time from which each counts; the first from the beginning.
    load
        Gives a version; called once for each.

    Raises
    ------
    OffGridError
        A reference takes over within a pane: the windows of the configuration have changed since.
    """
    grid = config.grid
    first, *rest = activated
    loaded = {version: load(version) for version in dict.fromkeys(version for version, _ in activated)}
    later = list[tuple[int, str]]()
    before = first[0]
    for version, moment in rest:
        # The same reference once more changes nothing.
        if version != before and moment is not None:
            later.append((first_pane(config, version, moment), version))
            before = version
    versions = (first[0], *(version for _, version in later))
    return Generations(
        references=tuple(loaded[version] for version in versions),
        schedule=Schedule(later=tuple(later), longest=max(window.size for window in grid.windows)),
    )


def first_pane(config: Config, version: str, moment: int) -> int:
    """Return the pane that starts at a moment.

    Raises
    ------
    OffGridError
        None does; the message names the nearest that do.
    """
    grid = config.grid
    pane = grid.frontier(moment)
    if grid.start_of(pane) != moment:
        before, after = (moment_text(config, grid.start_of(near)) for near in (pane, pane + 1))
        raise OffGridError(
            f"reference {version} cannot take over at {moment_text(config, moment)}, within a pane of the "
            f"configured windows: the nearest moments between panes are {before} and {after}"
        )
    return pane


def too_early(config: Config, version: str, seen: int) -> TooEarlyError:
    """Say that references differ up to the last pane that had rows, and from when on they may."""
    earliest = moment_text(config, config.grid.start_of(seen + 1))
    return TooEarlyError(
        f"reference {version} was activated, or taken back, for windows whose rows this run has read already "
        f"with other references: the earliest moment that can change is {earliest}. Restore the activations, "
        f"activate it with '--from {earliest}', or start anew with 'driftflow run --overwrite'"
    )


def moment_text(config: Config, moment: int) -> str:
    """Write an event time in the configured zone, as `reference activate --from` reads it."""
    if config.grid.axis is Axis.ROWS:
        return str(moment)
    written = datetime.fromtimestamp(moment / 1_000, ZoneInfo(config.file.time.zone))
    return written.isoformat(timespec="milliseconds" if moment % 1_000 else "seconds")
