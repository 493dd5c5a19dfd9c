"""Two files compared on demand, and rows against what a model was built on."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Path, Request, Response, UploadFile
from pydantic import BaseModel, Field

from service.api.common import TIME, Asked, Served, may
from service.comparing import FIELDS, compare_uploads
from service.jobs import Job, JobState
from service.ports import Compared
from service.problems import RESPONSES, ProblemError, answers
from service.security import Right
from service.spans import compare_past
from service.tables import csv_text

router = APIRouter(tags=["comparisons"], responses=RESPONSES)

_READ = [Depends(may(Right.READ))]
_WRITE = [Depends(may(Right.WRITE))]

MOST_ROWS = 100_000
"""Rows of one request body."""

JobId = Annotated[
    str,
    Path(max_length=100, description="What starting it has answered.", examples=["Yy0k3VwZk2m1yXoZrX8T1g"]),
]


class ComparisonAnswer(BaseModel):
    """How far a comparison is, and where its outcome is once it is done."""

    id: str
    state: JobState
    progress: float = Field(ge=0, le=1, description="Share that is done.")
    error: str | None = Field(description="Why it failed; null where it did not.")
    columns: int | None = Field(description="Columns that were compared; null while it is not done.")
    drifted: list[str] | None = Field(description="Those in drift, the worst first.")
    links: dict[str, str] = Field(description="The outcome as JSON, CSV and HTML, once it is done.")


@router.post("/comparisons", status_code=202, dependencies=_WRITE)
def start_comparison(
    *,
    service: Served,
    request: Request,
    baseline: Annotated[UploadFile, File(description="Good data: CSV, JSON lines, Parquet or Arrow.")],
    current: Annotated[UploadFile, File(description="Data to judge.")],
) -> ComparisonAnswer:
    """Compare two files, column by column. The answer comes at once; ask for its progress."""
    return _answer(compare_uploads(service, request.scope, baseline, current), request)


@router.get("/comparisons/{job_id}", dependencies=_READ)
def one_comparison(*, service: Served, request: Request, job_id: JobId) -> ComparisonAnswer:
    """Say how far a comparison is."""
    return _answer(_job(service, job_id), request)


@router.get(
    "/comparisons/{job_id}/document",
    dependencies=_READ,
    response_class=Response,
    responses=answers("application/json"),
)
def comparison_document(*, service: Served, job_id: JobId) -> Response:
    """Give the outcome as ``driftflow compare --json`` prints it."""
    return Response(_result(service, job_id).document, media_type="application/json")


@router.get(
    "/comparisons/{job_id}/table",
    dependencies=_READ,
    response_class=Response,
    responses=answers("text/csv"),
)
def comparison_table(*, service: Served, job_id: JobId) -> Response:
    """Give the outcome as CSV, a line for each column."""
    columns = _result(service, job_id).rows()
    text = csv_text(FIELDS, [[column[field] for field in FIELDS] for column in columns])
    return Response(
        text,
        media_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="comparison.csv"'},
    )


@router.get(
    "/comparisons/{job_id}/page",
    dependencies=_READ,
    response_class=Response,
    responses=answers("text/html"),
)
def comparison_page(*, service: Served, job_id: JobId) -> Response:
    """Give the outcome as one HTML file."""
    return Response(
        _result(service, job_id).page(),
        media_type="text/html",
        headers={"Content-Disposition": 'attachment; filename="comparison.html"'},
    )


class Rows(BaseModel):
    """Rows as the model writes them into its log."""

    rows: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MOST_ROWS,
        examples=[[{"ts": "2026-01-05T10:00:00Z", "features": {"amount": 12.5, "country": "DE"}}]],
    )


@router.post(
    "/models/{model}/compare",
    dependencies=_WRITE,
    response_class=Response,
    responses=answers("application/json"),
)
def compare_rows(*, service: Served, asked: Asked, rows: Rows) -> Response:
    """Compare rows with the active reference of a model, as one window."""
    found = service.needed_ports.compare_rows(asked.model.name, rows.rows)
    return Response(found.document, media_type="application/json")


class SpanAsked(BaseModel):
    """A span of event time."""

    start: str = Field(alias="from", max_length=100, description=f"First that is wanted: {TIME}")
    end: str = Field(alias="to", max_length=100, description=f"First that is not wanted: {TIME}")


class Spans(BaseModel):
    """Two spans that share nothing."""

    reference: SpanAsked = Field(
        description="Good data.", examples=[{"from": "2026-01-05T00:00:00Z", "to": "2026-01-12T00:00:00Z"}]
    )
    current: SpanAsked = Field(
        description="Data to judge.",
        examples=[{"from": "2026-01-19T00:00:00Z", "to": "2026-01-20T00:00:00Z"}],
    )


@router.post("/models/{model}/compare/spans", status_code=202, dependencies=_WRITE)
def start_comparison_of_spans(
    *, service: Served, request: Request, asked: Asked, spans: Spans
) -> ComparisonAnswer:
    """Compare two spans of what runs have counted, from the panes that the store keeps.

    The answer comes at once; ask for its progress.
    """
    model, version = asked
    job = compare_past(
        service,
        request.scope,
        model,
        version,
        reference=(spans.reference.start, spans.reference.end),
        current=(spans.current.start, spans.current.end),
    )
    return _answer(job, request)


def _job(service: Served, job_id: str) -> Job[Compared]:
    found = service.comparisons.find(job_id)
    if found is None:
        raise ProblemError(404, "There is no such comparison; those that ended long ago are forgotten.")
    return found


def _result(service: Served, job_id: str) -> Compared:
    job = _job(service, job_id)
    if job.result is None:
        raise ProblemError(409, job.error or f"The comparison is {job.state}; ask again when it is done.")
    return job.result


def _answer(job: Job[Compared], request: Request) -> ComparisonAnswer:
    links = {}
    if job.result is not None:
        links = {
            part: request.url_for(f"comparison_{part}", job_id=job.id).path
            for part in ("document", "table", "page")
        }
    return ComparisonAnswer(
        id=job.id,
        state=job.state,
        progress=job.progress,
        error=job.error,
        columns=None if job.result is None else job.result.columns,
        drifted=None if job.result is None else list(job.result.drifted),
        links=links,
    )
