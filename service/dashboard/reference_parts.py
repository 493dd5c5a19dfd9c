"""Parts of the page of references: building one from a file, and two of them side by side."""

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, File, Request, Response, UploadFile
from nicegui import ui

from detectors.base import DriftflowError
from service.building import build_upload
from service.context import Service
from service.dashboard.charts import number_text
from service.dashboard.frame import feature_path, model_path
from service.dashboard.parts import Cell, Live, banner, heading, quiet, table
from service.dashboard.posted import answer_form
from service.jobs import Job, JobState
from service.models import WatchedModel
from service.problems import ProblemError
from service.security import Right
from service.views.loaded import LoadedReferences
from service.views.reference_pairs import Pair, pair_of
from state.stores.base import StoreError

router = APIRouter(include_in_schema=False)

TOLD = "told_of_reference"
"""Holds in the session why a file was not taken, until a page has said it."""

_LOOK_AGAIN_S = 0.5
_HEAD = ("column", "kind", "distance", "shift (sd)", "missing", "first", "second")
_DISTANCE = (
    "Distance, from 0 to 1: of numbers the largest gap between the shares of rows up to a value, of "
    "categories half the differences of their shares; as far as frozen bins tell."
)
_FORM = """<form method="post" action="{path}" enctype="multipart/form-data" class="files">
<label>Good data<input type="file" name="file" required></label>
<button>Build</button></form>"""


# The path of the page itself, which the limits of bodies and of requests know by its end.
@router.post("/models/{name}/references")
def start(request: Request, name: str, file: Annotated[UploadFile, File()]) -> Response:
    """Take a file, and go back to the page, which tells how far the building is."""
    page = model_path(name, "/references")

    def built(service: Service) -> str:
        return f"{page}?build={build_upload(service, request.scope, service.model(name).name, file).id}"

    refusal = "The key {!r} may not build references; that needs admin."
    return answer_form(request, built, page=page, right=Right.ADMIN, refusal=refusal, told=TOLD)


def build_form(service: Service, model: WatchedModel, request: Request) -> None:
    """Ask for a file, and tell how far the building of one that was sent is."""
    heading(2, "Build one from a file")
    told = request.session.pop(TOLD, None)
    if told is not None:
        banner(told, "high")
    job_id = request.query_params.get("build", "")
    if service.builds.find(job_id) is not None:

        def find() -> Job[str] | None:
            return service.builds.find(job_id)

        Live(find, find, _draw_build, every_s=_LOOK_AGAIN_S)
    size = service.upload_limits.file_bytes >> 20
    quiet(f"Records as the model logs them: CSV, JSON lines, Parquet or Arrow, up to {size:,} MiB.")
    ui.html(_FORM.format(path=model_path(model.name, "/references")), sanitize=False).classes("box")


def _draw_build(job: Job[str] | None) -> None:
    if job is None:
        quiet("What was built is in the list above.")
    elif job.state is JobState.FAILED:
        banner(job.error or "It could not be built.", "high")
    elif job.result is not None:
        banner(f"Built {job.result}; activate it below for windows to be compared with it.", "ok")
    else:
        banner("Waiting for others …" if job.state is JobState.WAITING else "Building …", "nothing")
        bar = ui.linear_progress(job.progress, show_value=False)
        bar.props["aria-label"] = "Progress"


class Comparison:
    """Two references to pick, and what differs between them."""

    def __init__(self, service: Service, references: LoadedReferences, model: WatchedModel) -> None:
        self._service, self._references, self._model = service, references, model
        self.first: str | None = None
        self.second: str | None = None

    def show(self, versions: list[str], active: str | None) -> None:
        """Show the pickers; the active one is compared with the newest other."""
        heading(2, "Compare two")
        self.first = active if active in versions else versions[-1]
        self.second = next(version for version in versions if version != self.first)
        with ui.element("div").classes("controls"):
            for label, name in (("First", "first"), ("Second", "second")):
                ui.select(versions, label=label, on_change=self._draw).bind_value(self, name)
        self._place = ui.column().classes("w-full items-stretch")
        ui.timer(0.0, self._draw, once=True)

    async def _draw(self) -> None:
        found, told = None, ""
        try:
            found = await run_sync(self._load)
        except (ProblemError, DriftflowError, StoreError) as error:
            told = str(error)
        self._place.clear()
        with self._place:
            if found is None:
                banner(told, "high")
            else:
                _draw_pair(found, self._model)

    def _load(self) -> Pair:
        with self._service.store(self._model) as store:
            first, second = (
                self._references.reference(store, self._model.name, str(version))
                for version in (self.first, self.second)
            )
        return pair_of(first, second)


def _draw_pair(found: Pair, model: WatchedModel) -> None:
    for which, names in (("first", found.only_first), ("second", found.only_second)):
        if names:
            quiet(f"Only in the {which}: {', '.join(names)}.")
    quiet(_DISTANCE)
    known = {column.name for column in model.columns}
    rows: list[list[Cell]] = [
        [
            (each.name, feature_path(model.name, each.name)) if each.name in known else each.name,
            each.kind,
            number_text(each.distance),
            number_text(each.shift),
            " → ".join(dict.fromkeys(number_text(share, "share") for share in each.missing)),
            each.first,
            each.second,
        ]
        for each in found.columns
    ]
    table("Two references", _HEAD, rows)
