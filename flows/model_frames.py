"""What an opened model holds as pandas DataFrames; the only place that needs pandas."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

import msgspec

from flows.model_values import LookError, Times, WindowResult
from flows.render.episodes import ShownEpisode
from state.durations import Axis

try:
    import pandas as pd
except ImportError as error:
    raise LookError("frames need pandas: pip install 'driftflow[notebook]'") from error

if TYPE_CHECKING:
    from flows.opened_model import OpenedModel

_EVENT = ("id", "type", "time", "subject")


def frame_of(model: "OpenedModel", what: str, feature: str, *, window: str | None) -> pd.DataFrame:
    """Make one; see `OpenedModel.frame`.

    Raises
    ------
    LookError
        `what` is none of those there are.
    """
    if what == "series":
        return _series(model, feature, window)
    if what == "windows":
        names = [field.name for field in fields(WindowResult)]
        found = model.windows(feature, window=window)
        return _timed(model, [{name: getattr(each, name) for name in names} for each in found], names)
    if what == "episodes":
        names = list(ShownEpisode.__struct_fields__)
        rows = [
            msgspec.structs.asdict(each) for each in model.episodes(feature=feature or None, window=window)
        ]
        return _timed(model, rows, names)
    if what == "events":
        events = model.events(feature=feature or None, window=window)
        rows = [{name: event.get(name) for name in _EVENT} | {"data": event["data"]} for event in events]
        return _timed(model, rows, [*_EVENT, "data"])
    raise LookError(f"frame is {what!r}, wanted one of series, windows, events, episodes")


def _series(model: "OpenedModel", feature: str, window: str | None) -> pd.DataFrame:
    columns = {}
    window = model.window_name(window)
    for metric in model.metrics(feature, window=window):
        times, values = model.series(feature, metric, window=window)
        columns[metric] = pd.Series(values, index=_index(model, times))
    return pd.DataFrame(columns).rename_axis(index="end")


def _index(model: "OpenedModel", times: Times) -> pd.Index:
    whole = pd.Index(times)
    return whole if model.axis is Axis.ROWS else cast(pd.DatetimeIndex, whole).tz_localize("UTC")


def _timed(model: "OpenedModel", rows: list[dict[str, Any]], names: list[str]) -> pd.DataFrame:
    """Give columns of times their type; without rows all columns are there too."""
    frame = pd.DataFrame(rows, columns=names)
    times = {"start", "end", "since", "opened", "updated"} if model.axis is not Axis.ROWS else set()
    # That of a CloudEvent is the window's end, and a row number nowhere.
    for name in ({"time"} | times).intersection(names):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame
