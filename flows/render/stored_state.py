"""What a recovery folder holds, as one screen."""

from collections.abc import Iterator

import msgspec
from rich.text import Text

from flows.recovery_facts import JoinFacts, PositionFacts
from flows.render.grid import note_lines
from flows.render.words import NOTHING, bytes_text, count_text, moment_text
from state.durations import Axis
from state.event_data import instant

MOST_PARTITIONS = 40
"""Partitions that are listed; the document has all."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


class ShownState(msgspec.Struct, frozen=True, kw_only=True):
    """What ``state show --json`` prints.

    Attributes
    ----------
    holds_run
        Whether a run began here; where none did, all that follows is empty.
    model
        Name and version, joined by a slash.
    positions
        By partition, as the last snapshot has them; null: none yet.
    join
        Predictions and labels that wait for each other; null where nothing is joined, or no snapshot yet.
    size
        Bytes on disk.
    snapshot_age_s
        Seconds since a snapshot was last written; null: none yet.
    held
        Whether a run holds the folder at this moment.
    fits
        Whether the present configuration could go on with it; null where that cannot be told.
    changed
        What has changed since, or why it cannot be told.
    panes
        Closed panes that the store keeps, by column; empty where it cannot be asked.
    """

    folder: str
    holds_run: bool
    axis: Axis
    model: str | None = None
    reference: str | None = None
    positions: dict[str, PositionFacts | None] = {}
    join: JoinFacts | None = None
    size: int = 0
    snapshot_age_s: float | None = None
    held: bool = False
    fits: bool | None = None
    changed: tuple[str, ...] = ()
    panes: dict[str, int] = {}


def state_lines(found: ShownState, width: int) -> Iterator[Text]:
    """Write what a folder holds for a terminal of `width` cells."""
    if not found.holds_run:
        yield Text(f" {found.folder}: no run has begun here")
        return
    yield Text(f" {found.folder}: {found.model}, reference {found.reference}", "bold")
    age = found.snapshot_age_s
    written = "no snapshot yet" if age is None else f"last snapshot {age_text(age)} ago"
    yield Text(f" {bytes_text(found.size)} on disk, {written}")
    yield (
        Text(" a run holds it at this moment", "yellow")
        if found.held
        else Text(" no run holds it at this moment", "dim")
    )
    yield from _fit_lines(found, width)
    if found.join is not None:
        join = found.join
        yield Text(
            f" the join holds {count_text(join.waiting, 'prediction')} and {count_text(join.early, 'label')} "
            f"that wait, {bytes_text(join.size)} in {count_text(join.shards, 'shard')}",
            "dim",
        )
    if found.panes:
        kept, columns = sum(found.panes.values()), len(found.panes)
        yield Text(
            f" the store keeps {count_text(kept, 'closed pane')} of {count_text(columns, 'column')}", "dim"
        )
    yield Text()
    yield Text(f" {count_text(len(found.positions), 'partition')}", "bold")
    listed = list(found.positions.items())[:MOST_PARTITIONS]
    longest = max((len(name) for name, _ in listed), default=0)
    for name, position in listed:
        yield Text(f"   {name:<{longest}}  ").append(_position_text(position, found.axis), "dim")
    if len(found.positions) > len(listed):
        yield Text(f"   … and {len(found.positions) - len(listed):,} more", "dim")


def age_text(seconds: float) -> str:
    """Write how long ago something was, in one unit.

    Examples
    --------
    >>> age_text(3.4), age_text(150), age_text(90_000), age_text(864_000)
    ('3 s', '2 min', '25 h', '10 d')
    """
    for unit, length_s, next_s in (
        ("s", 1, 2 * _MINUTE_S),
        ("min", _MINUTE_S, 2 * _HOUR_S),
        ("h", _HOUR_S, 2 * _DAY_S),
    ):
        if seconds < next_s:
            return f"{int(seconds // length_s)} {unit}"
    return f"{int(seconds // _DAY_S)} d"


def _fit_lines(found: ShownState, width: int) -> Iterator[Text]:
    what = ", ".join(found.changed)
    match found.fits:
        case True:
            yield Text(" fits the present configuration", "green")
        case False:
            yield from note_lines(
                f"does not fit the present configuration; changed since: {what}", width, indent=1, style="red"
            )
        case None:
            yield from note_lines(
                f"cannot be compared with the present configuration: {what}", width, indent=1, style="yellow"
            )


def _position_text(position: PositionFacts | None, axis: Axis) -> str:
    if position is None:
        return NOTHING
    parts = [] if position.next_offset is None else [f"next offset {position.next_offset:,}"]
    if position.latest is not None:
        parts.append(f"up to {moment_text(instant(position.latest, axis))}")
    parts += ["read to its end"] if position.ended else []
    return ", ".join(parts) or "at its start"
