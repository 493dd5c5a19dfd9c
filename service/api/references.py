"""References: what windows are compared with, built from files and activated."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Path, Query, Request, UploadFile
from pydantic import BaseModel, Field

from service.api.common import Asked, Served, may
from service.building import build_upload
from service.jobs import Job, JobState
from service.models import WatchedModel
from service.problems import RESPONSES, ProblemError
from service.security import Right
from state.durations import Axis
from state.event_data import Instant, instant
from state.stores.base import ReferenceInfo

router = APIRouter(tags=["references"], responses=RESPONSES)

_READ = [Depends(may(Right.READ))]
_ADMIN = [Depends(may(Right.ADMIN))]

Version = Annotated[
    str, Path(max_length=100, description="Version of the reference.", examples=["397f28596107"])
]


class TakesOver(BaseModel):
    """From when on a reference counts; null from the beginning."""

    version: str
    start: Instant | None


class ReferenceAnswer(BaseModel):
    """A reference at a glance."""

    version: str
    active: bool = Field(description="Whether it was the last to be activated.")
    rows: int
    built: Instant
    start: Instant | None = Field(description="Smallest event time of its rows; null without times.")
    end: Instant | None
    source: str


class ReferenceList(BaseModel):
    """All references of a model, the oldest first, and which one counts when."""

    references: list[ReferenceAnswer]
    schedule: list[TakesOver]


class BuildAnswer(BaseModel):
    """How far the building of a reference is."""

    id: str
    state: JobState
    progress: float = Field(ge=0, le=1)
    error: str | None
    version: str | None = Field(description="What was built; null while it is not done.")


@router.get("/models/{model}/references", dependencies=_READ)
def list_references(*, service: Served, asked: Asked) -> ReferenceList:
    """List the references of a model, and when each takes over."""
    model = asked.model
    with service.store(model) as store:
        infos, activations = store.references(model.name), store.activations(model.name, asked.version)
    active = activations[-1].version if activations else None
    return ReferenceList(
        references=[_answer(info, active, model) for info in infos],
        schedule=[
            TakesOver(
                version=each.version,
                start=None if each.effective_from is None else instant(each.effective_from, model.axis),
            )
            for each in activations
        ],
    )


@router.post("/models/{model}/references", status_code=202, dependencies=_ADMIN)
def build_reference(
    *,
    service: Served,
    request: Request,
    asked: Asked,
    file: Annotated[UploadFile, File(description="Good data, such as the training set.")],
) -> BuildAnswer:
    """Build a reference from a file. The answer comes at once; ask for its progress."""
    return _build(build_upload(service, request.scope, asked.model.name, file))


@router.get("/models/{model}/references/builds/{job_id}", dependencies=_READ)
def one_build(
    *,
    service: Served,
    asked: Asked,
    job_id: Annotated[
        str,
        Path(
            max_length=100, description="What starting it has answered.", examples=["Yy0k3VwZk2m1yXoZrX8T1g"]
        ),
    ],
) -> BuildAnswer:
    """Say how far the building of a reference is."""
    found = service.builds.find(job_id)
    if found is None:
        raise ProblemError(404, f"Nothing of this id is being built for {asked.model.name}.")
    return _build(found)


@router.put("/models/{model}/references/{reference}/activation", dependencies=_ADMIN)
def activate_reference(
    *,
    service: Served,
    asked: Asked,
    reference: Version,
    start: Annotated[
        str | None,
        Query(description="Event time at which it takes over, a pane's start; by default the beginning."),
    ] = None,
) -> TakesOver:
    """Compare windows with a reference from now on; runs take it in when they start again."""
    told = service.needed_ports.activate(asked.model.name, reference, start)
    return TakesOver(version=reference, start=told)


def _answer(info: ReferenceInfo, active: str | None, model: WatchedModel) -> ReferenceAnswer:
    return ReferenceAnswer(
        version=info.version,
        active=info.version == active,
        rows=info.rows,
        built=instant(info.created_ms, Axis.MILLISECONDS),
        start=None if info.start_ms is None else instant(info.start_ms, model.axis),
        end=None if info.end_ms is None else instant(info.end_ms, model.axis),
        source=info.source,
    )


def _build(job: Job[str]) -> BuildAnswer:
    return BuildAnswer(id=job.id, state=job.state, progress=job.progress, error=job.error, version=job.result)
