"""Events as a list: what happened when, to which column, in a few words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from service.models import WatchedModel
from state.events import EventType
from state.stores.base import Store, StoredEvent

PAGE = 50
"""Events of one page."""

PREFIX = "io.driftflow."

CHANGES = tuple(each for each in EventType if each not in {EventType.REPORT, EventType.PERFORMANCE_REPORT})
"""What tells of a change, and not of every window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event, short.

    Attributes
    ----------
    type
        Without its prefix.
    told
        What happened, in a few words.
    severity
        Of a drift; empty of others.
    """

    id: str
    end: int
    type: str
    window: str
    feature: str
    told: str
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happenings:
    """Some events, the last one first; `following` is where the next page begins, None at the end."""

    events: tuple[Happening, ...]
    following: str | None


def happenings(
    store: Store,
    model: WatchedModel,
    *,
    types: Sequence[str] = CHANGES,
    window: str | None = None,
    feature: str | None = None,
    beyond: str | None = None,
) -> Happenings:
    """Read a page of events.

    Raises
    ------
    NotFoundError
        The event `beyond` is not kept any more.
    """
    found = store.events(
        model.name,
        model_version=model.version,
        window=window,
        feature=feature,
        types=types,
        newest_first=True,
        beyond=beyond,
        limit=PAGE + 1,
    )
    page = found[:PAGE]
    return Happenings(
        events=tuple(_short(event) for event in page), following=page[-1].id if len(found) > PAGE else None
    )


def _short(event: StoredEvent) -> Happening:
    data = orjson.loads(event.body)["data"]
    return Happening(
        id=event.id,
        end=event.end,
        type=event.type.removeprefix(PREFIX),
        window=event.window,
        feature=event.feature or "",
        told=_told(data),
        severity=data["episode"].get("severity", "") if "episode" in data else "",
    )


def _told(data: dict[str, Any]) -> str:
    if "result" in data:
        effect = data["result"]["effect"]
        size = "" if effect is None else f", effect (PSI) {effect:.3f}"
        return f"{data['direction']}{size}"
    if "check" in data:
        check = data["check"]
        value = "" if check["value"] is None else f" {check['value']:.4g}"
        return f"{check['name']}{value} ({check['source']})"
    if "drift_share" in data:
        return f"{data['window']['rows']:,} rows, {data['drift_share']:.0%} of the columns in drift"
    return ""
