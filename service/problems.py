"""Errors as RFC 9457 says them: what went wrong, and what to do about it."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from detectors.base import DriftflowError
from service.jobs import JobsFullError
from state.stores.base import NotFoundError, StoreBusyError, StoreError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What an answer that is an error says."""

    type: str = Field(description="Always about:blank: the title says what the status means.")
    title: str
    status: int
    detail: str = Field(description="What was found, and what to do.")
    errors: list[dict[str, Any]] = Field(
        default_factory=list, description="Where the request is wrong, parameter by parameter."
    )


_TITLES = {
    400: "Bad request",
    401: "Key missing or unknown",
    403: "Key not allowed to do this",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Format not supported",
    422: "Request not understood",
    429: "Too many requests",
    500: "Fault in driftflow",
    501: "Not done here",
    503: "Store away",
}


class ProblemError(Exception):
    """Ends a request with an answer that says why."""

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def problem(
    status: int,
    detail: str,
    *,
    title: str | None = None,
    errors: Sequence[dict[str, Any]] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Write an error as an answer."""
    told = title or _TITLES.get(status, "Error")
    body = Problem(type="about:blank", title=told, status=status, detail=detail, errors=list(errors))
    return JSONResponse(
        body.model_dump(exclude_defaults=True) | {"type": body.type},
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def add_handlers(app: FastAPI) -> None:
    """Turn every error that a request can end with into a problem."""

    @app.exception_handler(ProblemError)
    def _ours(_request: Request, error: ProblemError) -> JSONResponse:
        return problem(error.status, error.detail, headers=error.headers)

    @app.exception_handler(NotFoundError)
    def _not_found(_request: Request, error: NotFoundError) -> JSONResponse:
        return problem(404, str(error))

    @app.exception_handler(StoreBusyError)
    def _busy(_request: Request, error: StoreBusyError) -> JSONResponse:
        return problem(503, str(error), headers={"Retry-After": "2"})

    @app.exception_handler(JobsFullError)
    def _full(_request: Request, error: JobsFullError) -> JSONResponse:
        return problem(429, str(error), headers={"Retry-After": "10"})

    @app.exception_handler(DriftflowError)
    def _refused(_request: Request, error: DriftflowError) -> JSONResponse:
        return problem(422, str(error))

    @app.exception_handler(StoreError)
    def _store(_request: Request, error: StoreError) -> JSONResponse:
        return problem(503, str(error))

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> JSONResponse:
        detail = "There is nothing at this address; /docs lists what there is."
        if error.status_code != 404:  # noqa: PLR2004  # the status for it
            detail = str(error.detail)
        return problem(error.status_code, detail, headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = [
            {"where": ".".join(map(str, each["loc"])), "wanted": str(each["msg"])} for each in error.errors()
        ]
        told = "; ".join(f"{each['where']}: {each['wanted']}" for each in found[:3])
        return problem(422, told, errors=found)


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": _TITLES[status],
        "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }
    for status in (400, 401, 403, 404, 409, 413, 415, 422, 429, 501, 503)
}
"""Errors that every route may answer with, for the OpenAPI document."""


def answers(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Tell the OpenAPI document of what type an answer is that the route writes itself."""
    return {200: {"description": "What was asked for.", "content": {media_type: {}}}}
