"""Episodes as a table."""

from collections.abc import Sequence

from service.dashboard.charts import number_text, time_text
from service.dashboard.frame import feature_path
from service.dashboard.parts import Cell, quiet, table
from service.models import WatchedModel
from service.views.standing import rank
from state.stores.episodes import StoredEpisode

_HEAD = ("what", "severity", "window", "since", "opened", "last change", "worst", "state")


def episode_table(caption: str, episodes: Sequence[StoredEpisode], model: WatchedModel) -> None:
    """Show episodes: those that go on first, the most severe ahead; says so where there is none."""
    if not episodes:
        quiet("None.")
        return
    ordered = sorted(
        episodes, key=lambda each: (not each.is_open, -rank(each.severity), -each.opened, each.id)
    )
    table(caption, _HEAD, [_row(each, model) for each in ordered])


def _row(episode: StoredEpisode, model: WatchedModel) -> list[Cell]:
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
    ]
