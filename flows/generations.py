"""The references that a store has activated, laid on the grid of a configuration."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flows.config import Config
from flows.config_values import ConfigError
from state.durations import Axis
from state.generations import Generations, Lineage
from state.reference import Reference
from state.schedule import Schedule
from state.stores.base import Activation


class TooEarlyError(ConfigError):
    """References were changed for windows whose rows a run has read already."""


class OffGridError(ConfigError):
    """A reference is to take over within a pane."""


def lineage_of(config: Config, activations: Sequence[Activation]) -> Lineage:
    """Lay activations on the grid; there is at least one, and the first counts from the beginning.

    Raises
    ------
    OffGridError
        A reference takes over within a pane: the windows of the configuration have changed since.
    """
    first, *rest = activations
    later, before = list[tuple[int, str]](), first.version
    for activation in rest:
        # The same reference once more changes nothing.
        if activation.version != before and activation.effective_from is not None:
            pane = first_pane(config, activation.version, activation.effective_from)
            later.append((pane, activation.version))
            before = activation.version
    return Lineage(first.version, tuple(later))


def load_generations(config: Config, lineage: Lineage, load: Callable[[str], Reference]) -> Generations:
    """Load the references of a lineage, each once."""
    versions = (lineage.first, *(version for _, version in lineage.later))
    loaded = {version: load(version) for version in dict.fromkeys(versions)}
    longest = max(window.size for window in config.grid.windows)
    return Generations(
        references=tuple(loaded[version] for version in versions),
        schedule=Schedule(later=lineage.later, longest=longest),
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
        f"reference {version} was activated, or taken back, from a moment whose rows were read already with "
        f"other references; the earliest one possible is {earliest}: activate the old one again and then the "
        f"new one '--from {earliest}' or later, or start anew with 'driftflow run --overwrite'"
    )


def moment_text(config: Config, moment: int) -> str:
    """Write an event time in the configured zone, as `reference activate --from` reads it."""
    if config.grid.axis is Axis.ROWS:
        return str(moment)
    written = datetime.fromtimestamp(moment / 1_000, ZoneInfo(config.file.time.zone))
    return written.isoformat(timespec="milliseconds" if moment % 1_000 else "seconds")


def takes_over(config: Config, activation: Activation) -> str | None:
    """Write from when on an activation counts; None from the beginning."""
    start = activation.effective_from
    return None if start is None else moment_text(config, start)


def read_moment(config: Config, text: str) -> int:
    """Read an event time as people write it: in the configured zone unless it names its own, or a row number.

    Raises
    ------
    ConfigError
        The text is no such time.
    """
    if config.grid.axis is Axis.ROWS:
        if not text.isdecimal():
            raise ConfigError(f"--from: found {text!r}, wanted the number of a row, as windows count rows")
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--from: found {text!r}, wanted a time such as '2026-03-01T00:00:00'") from error
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(config.file.time.zone))
    return round(zoned.timestamp() * 1_000)
