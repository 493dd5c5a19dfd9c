"""Events of a log: an episode of a column opens, or closes; its id is the column's name."""

from functools import cache
from typing import Any

import orjson

from state.durations import Axis
from state.events import EventType
from tests.evidence import context
from tests.state.test_events import events_of


def opened(feature: str, *, end: int = 1, window: str = "hourly") -> bytes:
    return _body(EventType.OPENED, feature, end, window)


def closed(feature: str, *, end: int = 2, window: str = "hourly") -> bytes:
    return _body(EventType.CLOSED, feature, end, window)


def worse(feature: str, *, end: int = 2, window: str = "hourly") -> bytes:
    """Tell that an episode is more severe by now."""
    envelope = orjson.loads(_body(EventType.UPDATED, feature, end, window))
    envelope["data"]["episode"]["severity"] = "high"
    return orjson.dumps(envelope)


def _body(kind: EventType, feature: str, end: int, window: str) -> bytes:
    envelope = orjson.loads(_template())
    envelope |= {"id": f"{kind}/{feature}", "type": kind, "partitionkey": "fraud"}
    data: dict[str, Any] = envelope["data"]
    data["model"] = "fraud"
    data["result"]["feature"] = feature
    data["episode"]["id"] = feature
    data["window"] |= {"name": window, "end": end}
    return orjson.dumps(envelope)


@cache
def _template() -> bytes:
    """Take a real one, as the report writes it."""
    events = events_of(context(axis=Axis.ROWS))
    return next(event.body for event in events if event.type == EventType.OPENED)
