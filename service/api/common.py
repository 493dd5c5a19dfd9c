"""What routes have in common: the model they are about, who asks, and times as they are written."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import APIKeyHeader

from service.callers import sent_key
from service.context import Service, service_of
from service.models import WatchedModel
from service.problems import ProblemError
from service.security import HEADER, Caller, Right
from state.durations import Axis
from state.stores.base import MAX_TIME


async def _served(request: Request) -> Service:
    # Asynchronous, as all that waits for nothing: a plain function would go to a thread with every request.
    return service_of(request)


Served = Annotated[Service, Depends(_served)]

_HEADER = APIKeyHeader(
    name=HEADER,
    auto_error=False,
    description="A key of the environment variable DRIFTFLOW_API_KEYS; not needed where none is set.",
)

MOST = 1_000
"""Items that one answer lists at most."""


def may(right: Right) -> Callable[..., Awaitable[Caller]]:
    """Return what lets those pass who have a right, for routes to depend on."""

    async def check(
        service: Served, request: Request, _told: Annotated[str | None, Depends(_HEADER)] = None
    ) -> Caller:
        key = sent_key(request.headers)
        found = service.keys.find(key)
        if found is None:
            raise ProblemError(
                401,
                "Send a key in the header X-API-Key." if key is None else "Nobody has this key.",
                headers={"WWW-Authenticate": "X-API-Key"},
            )
        if found.right < right:
            raise ProblemError(
                403,
                f"The key {found.name!r} may {found.right.name.lower()}; this needs {right.name.lower()}.",
            )
        return found

    return check


class About(NamedTuple):
    """The model that a request is about, and which of its versions."""

    model: WatchedModel
    version: str


async def about(
    service: Served,
    model: Annotated[str, Path(description="Name of the model.", examples=["fraud"])],
    version: Annotated[
        str | None, Query(description="Version of the model; the configured one by default.", examples=["1"])
    ] = None,
) -> About:
    """Find the model of a request."""
    found = service.model(model)
    return About(found, found.version if version is None else version)


Asked = Annotated[About, Depends(about)]

TIME = "ISO-8601 time (without an offset in the model's zone), or a row number where the model has no clock."
"""How points in time are written."""

Start = Annotated[str | None, Query(description=f"First that is wanted: {TIME}", examples=["2026-01-05"])]
End = Annotated[str | None, Query(description=f"First that is not wanted: {TIME}", examples=["2026-01-06"])]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Most items of the answer.")]
Cursor = Annotated[
    str | None, Query(max_length=100, description="`next` of the last answer, for what comes behind it.")
]
UserAgent = Annotated[str | None, Header()]


def moment(text: str | None, model: WatchedModel, parameter: str) -> int | None:
    """Read a point in event time, in the unit of the model's axis.

    Raises
    ------
    ProblemError
        The text is none.
    """
    if text is None:
        return None
    wanted = "a row number" if model.axis is Axis.ROWS else "a time such as 2026-01-05T00:00:00Z"
    try:
        found = int(text) if model.axis is Axis.ROWS else _milliseconds(text, model.zone)
    except (ValueError, OverflowError) as error:
        raise ProblemError(422, f"{parameter}: found {text!r}, wanted {wanted}.") from error
    if abs(found) > MAX_TIME:
        raise ProblemError(422, f"{parameter}: found {text!r}, wanted {wanted}.")
    return found


def _milliseconds(text: str, zone: str) -> int:
    found = datetime.fromisoformat(text)
    return round((found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).timestamp() * 1000)
