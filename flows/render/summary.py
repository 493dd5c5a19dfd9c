"""What a run found, as one screen."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
from rich.text import Text

from flows.render.checks import FoundViolation, violation_lines
from flows.render.findings import FoundEpisode, WindowCount
from flows.render.grid import Field, Row, grid, note_lines
from flows.render.labelled import LabelSummary, label_line
from flows.render.performance import FoundPerformance, performance_lines
from flows.render.styles import severity_cell, severity_rank
from flows.render.words import clock, count_text, effect_text, moved_text, p_text

MOST_ROWS = 40
"""Episodes that are listed; the events have all."""

_FIELDS = (
    Field(title="feature", least=10),
    Field(title="window", leaves=1),
    Field(title="since", leaves=4),
    Field(title="detected"),
    Field(title="ended", leaves=3),
    Field(title="severity"),
    Field(title="effect", right=True, leaves=2),
)

_DIRECTIONS = {
    "up": "moved up",
    "down": "moved down",
    "shape": "changed in shape",
    "mix": "changed in its mix",
}


class RunFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Where results lie; None: not kept."""

    events: str
    dead_letters: str
    late_rows: str | None
    performance: str | None
    errors: str | None
    store: str
    recovery: str | None


class LaterReference(msgspec.Struct, frozen=True, kw_only=True):
    """A reference that takes over from the one before at a moment of event time."""

    reference: str
    reference_rows: int
    takes_over: str


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found.

    Attributes
    ----------
    finished
        Whether the input was read to its end.
    resumed
        Whether an earlier run was gone on with: episodes and windows are then those of both, `rows`,
        `late_rows` and `refused` those of this one.
    rows
        Rows on time.
    labels
        What became of labels that come from elsewhere; null: there are none, or each process of a set knows
        but a part.
    features
        Names of the watched columns.
    """

    model: str
    model_version: str
    reference: str
    reference_rows: int
    later_references: tuple[LaterReference, ...]
    finished: bool
    resumed: bool
    rows: int
    late_rows: int
    labels: LabelSummary | None
    refused: dict[str, int]
    features: tuple[str, ...]
    windows: tuple[WindowCount, ...]
    episodes: tuple[FoundEpisode, ...]
    violations: tuple[FoundViolation, ...]
    performance: tuple[FoundPerformance, ...]
    files: RunFiles


def summary_lines(found: RunSummary, width: int) -> Iterator[Text]:
    """Write a summary for a terminal of `width` cells."""
    yield from _counts(found, width)
    yield Text()
    if found.episodes:
        yield from episode_lines(found.episodes, width)
        yield Text()
    if found.violations:
        yield from violation_lines(found.violations, width)
        yield Text()
    if found.performance:
        yield from performance_lines(found.performance, width)
        yield Text()
    drifted = {episode.feature for episode in found.episodes}
    still = [name for name in found.features if name not in drifted]
    if still:
        yield from note_lines(f"No drift: {', '.join(still)}.", width, indent=1, style="green")
        yield Text()


def file_lines(files: RunFiles, refused: int) -> Iterator[Text]:
    """Say where the results of a run lie."""
    yield place_line("events", files.events)
    if files.performance is not None:
        yield place_line("measured", files.performance)
    if files.errors is not None:
        yield place_line("errors", files.errors)
    yield place_line("series", files.store)
    if refused:
        yield place_line("refused", files.dead_letters)
    if files.late_rows is not None:
        yield place_line("late rows", files.late_rows)
    if files.recovery is not None:
        yield place_line("snapshots", files.recovery)


def episode_lines(episodes: Sequence[FoundEpisode], width: int) -> Iterator[Text]:
    """List episodes, the features with the worst ones first."""
    write, note = clock(at for e in episodes for at in (e.since, e.opened, e.closed))
    worst: dict[str, FoundEpisode] = {}
    for episode in episodes:
        held = worst.get(episode.feature)
        if held is None or _weight(episode) < _weight(held):
            worst[episode.feature] = episode
    order = sorted(worst, key=lambda feature: (_weight(worst[feature]), feature))
    ranked = sorted(episodes, key=lambda e: (order.index(e.feature), e.window))
    rows = []
    for _, group in groupby(ranked, key=lambda e: e.feature):
        for place, e in enumerate(group):
            rows.append(
                Row(
                    (
                        "" if place else e.feature,
                        e.window,
                        write(e.since),
                        write(e.opened),
                        "still open" if e.closed is None else write(e.closed),
                        severity_cell(e.severity),
                        effect_text(e.peak_effect),
                    ),
                    note="" if place else what_moved(worst[e.feature]),
                )
            )
    yield Text(f" Drift ({note})" if note else " Drift", "bold")
    yield grid(_FIELDS, rows[:MOST_ROWS], width)
    if len(rows) > MOST_ROWS:
        yield from note_lines(
            f"… and {count_text(len(rows) - MOST_ROWS, 'episode')} more in the events", width
        )


def what_moved(episode: FoundEpisode) -> str:
    """Say in one line how a feature changed where its episode was worst."""
    said = _DIRECTIONS.get(episode.direction, episode.direction)
    said += f" ({episode.test}, p {p_text(episode.p_value)})"
    if episode.contributors:
        said += f": {', '.join(moved_text(each) for each in episode.contributors[:2])}"
    if episode.new_categories:
        said += f"; new: {', '.join(episode.new_categories[:3])}"
    return said


def _counts(found: RunSummary, width: int) -> Iterator[Text]:
    ended = "Read the whole input" if found.finished else "Stopped before the end"
    since = " since it resumed" if found.resumed else ""
    refused = sum(found.refused.values())
    yield Text(f" {ended}: {found.model} version {found.model_version}", "bold")
    rows = f"{count_text(found.rows, 'row')}{since}, {refused:,} refused, {found.late_rows:,} late"
    if refused:
        reasons = sorted(found.refused.items(), key=lambda item: (-item[1], item[0]))
        rows += f" (refused: {', '.join(f'{count:,} {reason}' for reason, count in reasons)})"
    yield from note_lines(rows, width, indent=1, style="")
    if found.labels is not None:
        yield from note_lines(label_line(found.labels), width, indent=1, style="")
    windows = ", ".join(_window_text(count) for count in found.windows) or "no window yet"
    yield from note_lines(f"Windows reported: {windows}", width, indent=1, style="")
    reference = f"Reference {found.reference} of {count_text(found.reference_rows, 'row')}"
    for later in found.later_references:
        rows = count_text(later.reference_rows, "row")
        reference += f"; from {later.takes_over} on {later.reference} of {rows}"
    yield from note_lines(reference, width, indent=1, style="")


def _window_text(count: WindowCount) -> str:
    more = [f"{count.drifted:,} drifted as a whole"] if count.drifted else []
    more += [f"{count.empty:,} more without rows"] if count.empty else []
    return f"{count.reported:,} {count.window}" + (f" ({'; '.join(more)})" if more else "")


def _weight(episode: FoundEpisode) -> tuple[int, float]:
    return severity_rank(episode.severity), -episode.peak_effect


def place_line(what: str, path: str) -> Text:
    """Say where one thing lies."""
    return Text(f" {what:<10} ", "dim").append(path, "")
