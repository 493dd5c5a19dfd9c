"""Finds an event by its id and says it in words."""

import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from flows.commands.console import results, show
from flows.commands.stored import open_store
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.render.explained import check_lines, drift_lines, performance_lines, report_lines
from state.check_data import CheckData
from state.event_data import DriftData, ReportData
from state.events import EventType
from state.performance_data import PerformanceData
from state.stores.base import NotFoundError, StoredEvent

_LISTED = 5


class _Drift(msgspec.Struct):
    data: DriftData


class _Check(msgspec.Struct):
    data: CheckData


class _Performance(msgspec.Struct):
    data: PerformanceData


class _Report(msgspec.Struct):
    data: ReportData


def explain_stored(path: Path, beginning: str, *, json: bool) -> None:
    """Print the event of this id; of an episode, the event that opened it.

    Raises
    ------
    UsageError
        No event has an id that begins so, or several have.
    """
    config = load_config(path)
    found = _find(config, beginning)
    if json:
        sys.stdout.write(found.body.decode() + "\n")
        return
    console = results()
    kind = EventType(found.type)
    of_errors = [column for made in config.late_errors for column in made.columns]
    formulas = {column.name: column.formula for column in (*config.tracks, *of_errors)}
    if kind is EventType.REPORT:
        show(console, report_lines(msgspec.json.decode(found.body, type=_Report).data, console.width))
    elif kind is EventType.PERFORMANCE_REPORT:
        performed = msgspec.json.decode(found.body, type=_Performance).data
        show(console, performance_lines(performed, console.width))
    elif kind.of_check:
        checked = msgspec.json.decode(found.body, type=_Check).data
        show(console, check_lines(checked, console.width, formula=formulas.get(checked.feature)))
    else:
        data = msgspec.json.decode(found.body, type=_Drift).data
        show(console, drift_lines(kind, data, console.width, formula=formulas.get(data.result.feature)))


def _find(config: Config, beginning: str) -> StoredEvent:
    model = config.file.model.name
    if isinstance(config.store, Path) and not config.store.exists():
        raise UsageError(f"model {model!r} has no events yet: run 'driftflow run' first")
    with open_store(config) as store:
        # Only the beginning of an id needs a look at all of them.
        with suppress(NotFoundError):
            return store.event(model, beginning)
        events = store.events(model)
    found = [event for event in events if event.id.startswith(beginning)]
    if not found:
        # Events come in their order, so the first of an episode is the one that opened it.
        of_episode = {e.episode: e for e in reversed(events) if (e.episode or "").startswith(beginning)}
        found = list(of_episode.values())
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"no event or episode of model {model!r} begins with {beginning!r}; 'driftflow tail' prints "
            "events as they come, and with --json their ids"
        )
    listed = ", ".join(event.id for event in found[:_LISTED])
    raise UsageError(f"{len(found)} ids begin with {beginning!r}, wanted one: {listed}")
