"""Series: a value of every window of a column, over time."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from service.api.common import Asked, End, Served, Start, may, moment
from service.problems import RESPONSES, ProblemError
from service.sampling import thinned
from service.security import Right
from state.event_data import Instant, instant
from state.stores.base import SeriesKey

router = APIRouter(tags=["series"], responses=RESPONSES, dependencies=[Depends(may(Right.READ))])

_MOST_POINTS = 10_000


class SeriesName(BaseModel):
    """What a series is called: an empty feature is the window as a whole, an empty segment all rows."""

    window: str
    feature: str
    segment: str
    metric: str


class SeriesAnswer(SeriesName):
    """The points of a series, oldest first."""

    points: list[tuple[Instant, float]] = Field(description="The end of each window, and the value.")
    total: int = Field(
        description="Points there are in the span; more than are given where they were thinned."
    )


@router.get("/models/{model}/series")
def list_series(
    *,
    service: Served,
    asked: Asked,
    feature: Annotated[str | None, Query(description="Only of this column; empty: of whole windows.")] = None,
) -> list[SeriesName]:
    """List the series of a model."""
    with service.store(asked.model) as store:
        keys = store.series_keys(asked.model.name)
    return [
        SeriesName(window=key.window, feature=key.feature, segment=key.segment, metric=key.metric)
        for key in keys
        if key.model_version == asked.version and feature in (None, key.feature)
    ]


@router.get("/models/{model}/series/points")
def read_series(
    *,
    service: Served,
    asked: Asked,
    window: Annotated[str, Query(description="Kind of window.", examples=["hourly"])],
    metric: Annotated[str, Query(description="What is measured.", examples=["psi"])],
    feature: Annotated[str, Query(description="Column; empty: the window as a whole.")] = "",
    segment: Annotated[str, Query(description="Segment; empty: all rows.")] = "",
    start: Start = None,
    end: End = None,
    points: Annotated[
        int,
        Query(
            ge=2,
            le=_MOST_POINTS,
            description="Most points of the answer; of more, the smallest and largest of each run are kept.",
        ),
    ] = 1_000,
) -> SeriesAnswer:
    """Give the points of one series."""
    key = SeriesKey(
        model=asked.model.name,
        model_version=asked.version,
        window=window,
        feature=feature,
        segment=segment,
        metric=metric,
    )
    with service.store(asked.model) as store:
        found = store.series(
            key, start=moment(start, asked.model, "start"), end=moment(end, asked.model, "end")
        )
        if not found and key not in store.series_keys(asked.model.name):
            raise ProblemError(
                404, f"There is no such series; /v1/models/{asked.model.name}/series lists those there are."
            )
    return SeriesAnswer(
        window=window,
        feature=feature,
        segment=segment,
        metric=metric,
        points=[(instant(time, asked.model.axis), value) for time, value in thinned(found, points)],
        total=len(found),
    )
