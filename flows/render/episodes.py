"""Episodes as a table."""

from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

from detectors.verdicts import Severity
from flows.render.checks import value_text
from flows.render.grid import Cell, Field, Row, grid, note_lines
from flows.render.styles import severity_cell
from flows.render.words import NOTHING, clock, count_text, effect_text
from state.durations import Axis
from state.event_data import Instant, instant
from state.stores.episodes import StoredEpisode

_FIELDS = (
    Field(title="feature", least=8),
    Field(title="what", least=6),
    Field(title="window", leaves=2, least=6),
    Field(title="state"),
    Field(title="severity"),
    Field(title="peak", right=True, leaves=3),
    Field(title="since", leaves=4),
    Field(title="opened"),
    Field(title="last change", leaves=5),
    Field(title="windows", right=True, leaves=6),
    Field(title="reference", leaves=7),
)


class ShownEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """One episode as ``episodes --json`` prints it; `updated` is its last change, or its end.

    `family` is "drift", or that of the `check` whose violation it is: then `worst` is its value that was
    furthest off, and there is neither severity nor effect.
    """

    id: str
    model: str
    model_version: str
    window: str
    feature: str
    reference: str
    state: str
    family: str
    check: str
    severity: Severity | None
    peak_effect: float | None
    worst: float | None
    since: Instant
    opened: Instant
    updated: Instant
    windows: int


def shown_episode(episode: StoredEpisode, axis: Axis) -> ShownEpisode:
    """Write the times of an episode as events write them."""
    return ShownEpisode(
        id=episode.id,
        model=episode.model,
        model_version=episode.model_version,
        window=episode.window,
        feature=episode.feature,
        reference=episode.reference,
        state="open" if episode.is_open else "closed",
        family=episode.family,
        check=episode.check,
        severity=None if episode.check else Severity(episode.severity),
        peak_effect=None if episode.check else episode.peak,
        worst=episode.peak if episode.check else None,
        since=instant(episode.since, axis),
        opened=instant(episode.opened, axis),
        updated=instant(episode.updated, axis),
        windows=episode.windows,
    )


def _peak_text(episode: ShownEpisode) -> str:
    return value_text(episode.check, episode.worst) if episode.check else effect_text(episode.peak_effect)


def episode_lines(episodes: Sequence[ShownEpisode], width: int) -> Iterator[Text]:
    """List episodes for a terminal of `width` cells."""
    write, note = clock(at for episode in episodes for at in (episode.since, episode.opened, episode.updated))
    rows = [
        Row(
            (
                episode.feature or NOTHING,
                episode.check or episode.family,
                episode.window,
                Cell(episode.state, "bold red" if episode.state == "open" else "green"),
                severity_cell(episode.severity),
                _peak_text(episode),
                write(episode.since),
                write(episode.opened),
                write(episode.updated),
                f"{episode.windows:,}",
                episode.reference,
            )
        )
        for episode in episodes
    ]
    yield grid(_FIELDS, rows, width)
    going_on = sum(episode.state == "open" for episode in episodes)
    said = f"{count_text(len(episodes), 'episode')}, {going_on:,} open"
    yield from note_lines(said + (f"; event times in {note}" if note else ""), width, indent=1)
