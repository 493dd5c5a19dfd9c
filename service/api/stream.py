"""Drift events as they come, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from service.api.common import Asked, Served, may
from service.context import Service
from service.models import WatchedModel
from service.problems import RESPONSES
from service.security import Right
from state.stores.base import NotFoundError, StoredEvent, StoreError

router = APIRouter(tags=["events"], responses=RESPONSES, dependencies=[Depends(may(Right.READ))])

PAUSE_S = 1.0
"""How long to wait before looking again."""

_GRACE_S = 3.0
"""How long a stream may take to end when the service stops: longer than a pause and a look."""

_BATCH = 500


@router.get("/models/{model}/events/stream", response_class=EventSourceResponse)
async def stream_events(
    *,
    service: Served,
    asked: Asked,
    request: Request,
    last_event_id: Annotated[
        str | None, Header(description="Go on behind this event; browsers send it when they connect again.")
    ] = None,
) -> EventSourceResponse:
    """Send each new event of a model, with its id and its type, until the client or the service leaves."""
    stopping = anyio.Event()
    events = _events(service, asked.model, asked.version, last_event_id, request, stopping)
    return EventSourceResponse(events, ping=15, shutdown_event=stopping, shutdown_grace_period=_GRACE_S)


async def _events(
    service: Service,
    model: WatchedModel,
    version: str,
    last: str | None,
    request: Request,
    stopping: anyio.Event,
) -> AsyncIterator[ServerSentEvent]:
    if last is None:
        newest = await run_sync(_look, service, model, version, None)
        last = newest[-1].id if newest else None
    # A stream that is cut off in place of ended is an error to the client, and to the server's log.
    while not (stopping.is_set() or await request.is_disconnected()):
        for event in await run_sync(_look, service, model, version, last):
            last = event.id
            yield ServerSentEvent(event.body.decode(), id=event.id, event=event.type)
        await _pause(stopping)


async def _pause(stopping: anyio.Event) -> None:
    with anyio.move_on_after(PAUSE_S):
        await stopping.wait()


def _look(service: Service, model: WatchedModel, version: str, last: str | None) -> list[StoredEvent]:
    """Return what stands behind an event; of nothing the newest one. A store that is away has nothing."""
    try:
        with service.store(model) as store:
            if last is None:
                return store.events(model.name, model_version=version, newest_first=True, limit=1)
            return store.events(model.name, model_version=version, beyond=last, limit=_BATCH)
    except NotFoundError:
        # It is too old to be kept: what is there is all newer.
        return _look(service, model, version, None)
    except StoreError:
        return []
