"""What a store leaves of what it is given, and how old things may be."""

from collections.abc import Iterable

from state.stores.base import Keeping, StoredEvent
from state.stores.panes import StoredPane


def newest_ends(events: Iterable[StoredEvent]) -> dict[tuple[str, str], int]:
    """Return the largest end of each model version's events."""
    newest: dict[tuple[str, str], int] = {}
    for event in events:
        version = (event.model, event.model_version)
        newest[version] = max(newest.get(version, event.end), event.end)
    return newest


def last_panes(panes: Iterable[StoredPane], keeping: Keeping) -> list[StoredPane]:
    """Return what `put_panes` leaves of panes that come at once, in order."""
    latest: dict[tuple[str, str, str, int, str], StoredPane] = {}
    for pane in panes:
        latest[pane.model, pane.model_version, pane.feature, pane.start, pane.reference] = pane
    columns: dict[tuple[str, str, str], list[StoredPane]] = {}
    for key in sorted(latest):
        columns.setdefault(key[:3], []).append(latest[key])
    return [
        pane
        for column in columns.values()
        for pane in column[max(len(column) - keeping.panes, 0) :]
        if pane.start >= keeping.cutoff(column[-1].start)
    ]
