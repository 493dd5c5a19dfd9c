"""Windows: the report on each, without the readings of every column unless they are asked for."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from service.api.common import Asked, Cursor, End, Limit, Served, Start, may
from service.api.paging import page_of_events
from service.problems import RESPONSES
from service.security import Right
from state.event_data import Instant
from state.events import EventType

router = APIRouter(tags=["windows"], responses=RESPONSES, dependencies=[Depends(may(Right.READ))])


class WindowReport(BaseModel):
    """What one window was found to be."""

    event: str = Field(description="Id of the report; /events/{id} has all of it.")
    window: str
    start: Instant
    end: Instant
    status: str
    rows: int
    late_rows: int
    drift_share: float = Field(description="Share of the watched columns in drift.")
    drifted: bool
    verdicts: dict[str, str] = Field(description="Verdict of each column.")
    reference: str


class WindowPage(BaseModel):
    """Some windows, and where the others are."""

    windows: list[WindowReport]
    next: str | None = Field(description="Cursor of what comes behind; null where nothing does.")


@router.get("/models/{model}/windows")
def list_windows(
    *,
    service: Served,
    asked: Asked,
    window: Annotated[str | None, Query(description="Only this kind of window.")] = None,
    start: Start = None,
    end: End = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> WindowPage:
    """List the windows of a model, the last one first."""
    page, following = page_of_events(
        service,
        asked,
        start=start,
        end=end,
        limit=limit,
        cursor=cursor,
        window=window,
        types=[EventType.REPORT],
    )
    return WindowPage(
        windows=[_report(event.id, orjson.loads(event.body)["data"]) for event in page],
        next=following,
    )


def _report(event_id: str, data: dict[str, Any]) -> WindowReport:
    window = data["window"]
    return WindowReport(
        event=event_id,
        window=window["name"],
        start=window["start"],
        end=window["end"],
        status=data["status"],
        rows=window["rows"],
        late_rows=window["late_rows"],
        drift_share=data["drift_share"],
        drifted=data["drifted"],
        verdicts={each["feature"]: each["verdict"] for each in data["features"]},
        reference=data["reference"]["version"],
    )
