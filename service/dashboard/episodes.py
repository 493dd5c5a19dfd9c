"""Episodes as a table, with who has seen each and a button for who may say so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from anyio.to_thread import run_sync
from nicegui import ui

from detectors.base import DriftflowError
from service.acknowledging import acknowledge
from service.context import Service
from service.dashboard.charts import number_text, time_text
from service.dashboard.frame import feature_path, note_deed
from service.dashboard.parts import Cell, Deed, Do, Live, quiet, table
from service.models import WatchedModel
from service.problems import ProblemError
from service.security import Caller, Right
from service.views.standing import rank
from state.durations import Axis
from state.stores.alerts import Acknowledgement
from state.stores.base import StoreError
from state.stores.episodes import StoredEpisode

_HEAD = ("what", "severity", "window", "since", "opened", "last change", "worst", "state", "seen by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Who has seen which episode, and what acknowledges one; None where who looks may not."""

    by: Mapping[str, Acknowledgement] = field(default_factory=dict)
    acknowledge: Do | None = None


NOBODY = Seen()
"""For tables that do not ask."""


def seen_of(
    service: Service,
    model: WatchedModel,
    caller: Caller,
    known: Sequence[Acknowledgement],
    live: Live[Any],
) -> Seen:
    """Return who has seen what, with a way to add to it for callers who may write."""

    async def pressed(episode: str) -> None:
        note = partial(acknowledge, service, model, episode, by=caller.name)
        try:
            # What a browser sends may be of no episode.
            first = (await run_sync(note)).first
        except (ProblemError, DriftflowError, StoreError) as error:
            note_deed(service, caller, f"acknowledge {episode}", done=False)
            ui.notify(str(error), type="negative", multi_line=True)
            return
        note_deed(service, caller, f"acknowledge {episode}", done=True)
        ui.notify("Acknowledged." if first else "Somebody was faster.", type="positive")
        await live.again()

    may = caller.right >= Right.WRITE
    return Seen(by={each.episode: each for each in known}, acknowledge=pressed if may else None)


def episode_table(caption: str, episodes: Sequence[StoredEpisode], model: WatchedModel, seen: Seen) -> None:
    """Show episodes: those that go on first, the most severe ahead; says so where there is none."""
    if not episodes:
        quiet("None.")
        return
    ordered = sorted(
        episodes, key=lambda each: (not each.is_open, -rank(each.severity), -each.opened, each.id)
    )
    columns = len(_HEAD) if seen is not NOBODY else -1
    rows = [_row(each, model, seen)[:columns] for each in ordered]
    table(caption, _HEAD[:columns], rows, do=seen.acknowledge)


def _row(episode: StoredEpisode, model: WatchedModel, seen: Seen) -> list[Cell]:
    name = episode.feature or "all records"
    text = f"{name}: {episode.check}" if episode.check else name
    known = episode.feature in {column.name for column in model.columns}
    return [
        (text, feature_path(model.name, episode.feature)) if known else text,
        episode.severity or "violated",
        episode.window,
        time_text(episode.since, model.axis),
        time_text(episode.opened, model.axis),
        time_text(episode.updated, model.axis),
        number_text(episode.peak),
        "open" if episode.is_open else "closed",
        _seen(episode, text, seen),
    ]


def _seen(episode: StoredEpisode, text: str, seen: Seen) -> Cell:
    found = seen.by.get(episode.id)
    if found is not None:
        said = f": {found.note}" if found.note else ""
        return f"{found.by}, {time_text(found.at_ms, Axis.MILLISECONDS)}{said}"
    if seen.acknowledge is None or not episode.is_open:
        return ""
    return Deed(text="Acknowledge", label=f"Acknowledge {text}, {episode.window}", subject=episode.id)
