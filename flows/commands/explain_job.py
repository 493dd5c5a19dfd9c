"""Finds an event by its id and says it in words."""

import sys
from pathlib import Path

import msgspec

from flows.commands.console import results, show
from flows.commands.found_events import stored_events, the_one
from flows.commands.stored import open_store
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.render.explained import check_lines, drift_lines, performance_lines, report_lines
from state.check_data import CheckData
from state.event_data import DriftData, ReportData
from state.events import EventType
from state.performance_data import PerformanceData


class _Envelope(msgspec.Struct):
    type: EventType


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
    body = _find(config, beginning)
    if json:
        sys.stdout.write(body.decode() + "\n")
        return
    console = results()
    kind = msgspec.json.decode(body, type=_Envelope).type
    of_errors = [column for made in config.late_errors for column in made.columns]
    formulas = {column.name: column.formula for column in (*config.tracks, *of_errors)}
    if kind is EventType.REPORT:
        show(console, report_lines(msgspec.json.decode(body, type=_Report).data, console.width))
    elif kind is EventType.PERFORMANCE_REPORT:
        performed = msgspec.json.decode(body, type=_Performance).data
        show(console, performance_lines(performed, console.width))
    elif kind.of_check:
        checked = msgspec.json.decode(body, type=_Check).data
        show(console, check_lines(checked, console.width, formula=formulas.get(checked.feature)))
    else:
        data = msgspec.json.decode(body, type=_Drift).data
        show(console, drift_lines(kind, data, console.width, formula=formulas.get(data.result.feature)))


def _find(config: Config, beginning: str) -> bytes:
    model = config.file.model.name
    if isinstance(config.store, Path) and not config.store.exists():
        raise UsageError(f"model {model!r} has no events yet: run 'driftflow run' first")
    with open_store(config) as store:
        return the_one(stored_events(store, model, beginning), model, beginning)
