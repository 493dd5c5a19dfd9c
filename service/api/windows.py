"""Windows: the report on each, without the readings of every column unless they are asked for."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from service.api.common import Asked, Cursor, End, Limit, Served, Start, may, moment
from service.problems import RESPONSES, ProblemError
from service.security import Right
from state.event_data import Instant
from state.events import EventType
from state.stores.base import NotFoundError

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
    try:
        with service.store(asked.model) as store:
            found = store.events(
                asked.model.name,
                model_version=asked.version,
                window=window,
                types=[EventType.REPORT],
                start=moment(start, asked.model, "start"),
                end=moment(end, asked.model, "end"),
                newest_first=True,
                beyond=cursor,
                limit=limit + 1,
            )
    except NotFoundError as error:
        raise ProblemError(422, "cursor: its event is not kept any more; begin again without it.") from error
    page = found[:limit]
    return WindowPage(
        windows=[_report(event.id, orjson.loads(event.body)["data"]) for event in page],
        next=page[-1].id if len(found) > limit else None,
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
