"""Drift events as they were written, page by page."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from service.api.common import Asked, Cursor, End, Limit, Served, Start, may
from service.api.paging import page_of_events
from service.problems import RESPONSES, ProblemError, answers
from service.security import Right
from state.events import EventType

router = APIRouter(tags=["events"], responses=RESPONSES, dependencies=[Depends(may(Right.READ))])

_PREFIX = "io.driftflow."


class EventPage(BaseModel):
    """Some events, and where the others are."""

    events: list[dict[str, Any]] = Field(description="CloudEvents 1.0; docs/events.md describes their data.")
    next: str | None = Field(description="Cursor of what comes behind; null where nothing does.")


@router.get(
    "/models/{model}/events",
    response_class=Response,
    responses={200: {"description": "A page of events.", "model": EventPage}},
)
def list_events(
    *,
    service: Served,
    asked: Asked,
    types: Annotated[
        list[str] | None,
        Query(alias="type", description="Only these types; the prefix io.driftflow. may be left out."),
    ] = None,
    window: Annotated[str | None, Query(description="Only of this kind of window.")] = None,
    feature: Annotated[str | None, Query(description="Only of this column.")] = None,
    start: Start = None,
    end: End = None,
    order: Annotated[Literal["newest", "oldest"], Query(description="Which come first.")] = "newest",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List the events of a model by the end of their window."""
    wanted = None if types is None else [_type(text) for text in types]
    page, following = page_of_events(
        service,
        asked,
        start=start,
        end=end,
        limit=limit,
        cursor=cursor,
        newest_first=order == "newest",
        window=window,
        feature=feature,
        types=wanted,
    )
    # The bodies are JSON already, and need not be read to be sent on.
    body = b'{"events":[' + b",".join(event.body for event in page) + b'],"next":' + orjson.dumps(following)
    return Response(body + b"}", media_type="application/json")


@router.get(
    "/models/{model}/events/{event_id}",
    response_class=Response,
    responses=answers("application/cloudevents+json"),
)
def one_event(
    service: Served,
    asked: Asked,
    event_id: Annotated[
        str, Path(max_length=100, description="Its id.", examples=["574c5053f84eea0181fd76cab6304e9c"])
    ],
) -> Response:
    """Give one event as it was written."""
    with service.store(asked.model) as store:
        found = store.event(asked.model.name, event_id)
    return Response(found.body, media_type="application/cloudevents+json")


def _type(text: str) -> str:
    name = text if text.startswith(_PREFIX) else _PREFIX + text
    if name not in list(EventType):
        known = ", ".join(each.removeprefix(_PREFIX) for each in EventType)
        raise ProblemError(422, f"type: found {text!r}, wanted one of {known}.")
    return name
