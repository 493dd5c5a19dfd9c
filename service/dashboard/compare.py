"""Compares two files: a form to send them, progress, and what came of it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, File, Request, Response, UploadFile
from nicegui import ui

from detectors.base import DriftflowError
from service.comparing import FIELDS, compare_uploads
from service.context import Service
from service.dashboard.charts import number_text
from service.dashboard.frame import caller_of, framed, missing, to_login
from service.dashboard.parts import Live, banner, heading, quiet, table
from service.dashboard.posted import answer_form
from service.dashboard.span_parts import PAGE, READ_ONLY, TOLD, spans_form
from service.jobs import Job, JobState
from service.ports import Compared
from service.problems import ProblemError
from service.security import Right
from service.tables import csv_text
from service.views.standing import counted

router = APIRouter(include_in_schema=False)


_LOOK_AGAIN_S = 0.5
_NAMED = 8

_FORM = """<form method="post" action="/compare/files" enctype="multipart/form-data" class="files">
<label>Baseline: good data<input type="file" name="baseline" required></label>
<label>Production: data to judge<input type="file" name="current" required></label>
<button>Compare</button></form>"""


@router.post("/compare/files")
def start(
    request: Request, baseline: Annotated[UploadFile, File()], current: Annotated[UploadFile, File()]
) -> Response:
    """Take two files, and go to the page of their comparison."""

    def compared(service: Service) -> str:
        return f"{PAGE}/{compare_uploads(service, request.scope, baseline, current).id}"

    return answer_form(request, compared, page=PAGE, right=Right.WRITE, refusal=READ_ONLY, told=TOLD)


def add_compare(service: Service) -> None:
    """Add both pages."""

    @ui.page("/compare")
    def compare_page(request: Request) -> Response | None:
        caller = caller_of(service, request)
        if caller is None:
            return to_login(request)
        told = request.session.pop(TOLD, None)
        with framed("Compare", here="/compare"):
            if told is not None:
                banner(told, "high")
            if service.ports is None:
                quiet("This service compares nothing on demand.")
            elif caller.right < Right.WRITE:
                quiet(READ_ONLY.format(caller.name))
            else:
                heading(2, "Compare two files")
                size = service.upload_limits.file_bytes >> 20
                quiet(f"CSV, JSON lines (also with .gz), Parquet or Arrow, up to {size:,} MiB each.")
                ui.html(_FORM, sanitize=False).classes("box")
                spans_form(service)
        return None

    @ui.page("/compare/{job_id}")
    def compared_page(job_id: str, request: Request) -> Response | None:
        if caller_of(service, request) is None:
            return to_login(request)
        if service.comparisons.find(job_id) is None:
            return missing(request, ProblemError(404, "There is no such comparison; old ones are forgotten."))

        def find() -> Job[Compared] | None:
            return service.comparisons.find(job_id)

        with framed("Comparison"):
            Live(find, find, _draw, every_s=_LOOK_AGAIN_S)
            ui.link("Compare others", "/compare")
        return None


def _draw(job: Job[Compared] | None) -> None:
    if job is None:
        quiet("This comparison is forgotten.")
    elif job.state is JobState.FAILED:
        banner(job.error or "The comparison has failed.", "high")
    elif job.result is None:
        banner("Waiting for others …" if job.state is JobState.WAITING else "Comparing …", "nothing")
        bar = ui.linear_progress(job.progress, show_value=False)
        bar.props["aria-label"] = "Progress"
    else:
        _draw_result(job.result)


def _draw_result(found: Compared) -> None:
    rows = found.rows()
    if found.drifted:
        named = ", ".join(found.drifted[:_NAMED]) + (" …" if len(found.drifted) > _NAMED else "")
        worst = next((row["severity"] for row in rows if row["column"] == found.drifted[0]), None)
        banner(
            f"Drift in {len(found.drifted)} of {counted(found.columns, 'column')}: {named}.", worst or "high"
        )
    else:
        banner(f"No drift in {counted(found.columns, 'column')}.", "ok")
    with ui.row():
        for name, write, ending, kind in (
            ("CSV", lambda: _csv(found), "csv", "text/csv"),
            ("JSON", found.document.decode, "json", "application/json"),
            ("HTML", found.page, "html", "text/html"),
        ):
            ui.button(f"Download {name}", on_click=_saver(write, f"comparison.{ending}", kind)).props(
                "outline no-caps"
            )
    heading(2, "Columns")
    table("Compared columns", FIELDS, [[_text(row[field]) for field in FIELDS] for row in rows])


def _saver(write: Callable[[], str], name: str, kind: str) -> Callable[[], Awaitable[None]]:
    """Return what writes the outcome when it is asked for, and sends it."""

    async def save() -> None:
        try:
            text = await run_sync(write)
        except DriftflowError as error:
            ui.notify(str(error), type="warning")
        else:
            ui.download.content(text, name, kind)

    return save


def _csv(found: Compared) -> str:
    return csv_text(FIELDS, [[row[field] for field in FIELDS] for row in found.rows()])


def _text(value: object) -> str:
    if value is None:
        return ""
    return number_text(value) if isinstance(value, float) else str(value)
