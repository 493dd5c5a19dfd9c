"""Models, their columns and windows, and how they stand."""

from dataclasses import replace

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from detectors.base import Kind
from service.api.common import Asked, Served, may
from service.models import WatchedModel
from service.problems import RESPONSES
from service.security import Right
from service.views.standing import Standing, standing_of
from state.columns import Role
from state.durations import Axis, format_span
from state.event_data import Instant, instant

router = APIRouter(tags=["models"], responses=RESPONSES, dependencies=[Depends(may(Right.READ))])


class ModelAnswer(BaseModel):
    """A model at a glance."""

    name: str
    version: str
    reference: str | None = Field(description="Version it was last told to be compared with; null: none.")
    last_window: Instant | None = Field(description="End of the last window there is a report on.")
    open_episodes: int
    drifting: list[str] = Field(description="Columns with an open drift, the most severe first.")
    severity: str | None = Field(description="The highest of those; null where nothing drifts.")
    violations: int = Field(description="Checks that are violated.")
    summary: str = Field(description="All of it in a sentence, as the pages say it.")
    columns: int


class ColumnAnswer(BaseModel):
    """One watched column; `formula`: what it is computed from, null where it stands in the records."""

    name: str
    kind: Kind
    role: Role
    formula: str | None


class WindowAnswer(BaseModel):
    """One kind of window."""

    name: str
    size: str
    slide: str


class ModelDetail(ModelAnswer):
    """A model with what is watched of it."""

    axis: Axis = Field(description="Whether times are milliseconds or row numbers.")
    zone: str
    features: list[ColumnAnswer]
    windows: list[WindowAnswer]


@router.get("/models")
def list_models(service: Served) -> list[ModelAnswer]:
    """List all models that are served."""
    answers = []
    for model in service.models.values():
        with service.store(model) as store:
            answers.append(_glance(standing_of(store, model), model))
    return answers


@router.get("/models/{model}")
def one_model(service: Served, asked: Asked) -> ModelDetail:
    """Show one model: its columns, its windows, and how it stands."""
    model = replace(asked.model, version=asked.version)
    with service.store(model) as store:
        found = _glance(standing_of(store, model), model)
    return ModelDetail(
        **found.model_dump(),
        axis=model.axis,
        zone=model.zone,
        features=[
            ColumnAnswer(name=c.name, kind=c.kind, role=c.role, formula=c.formula) for c in model.columns
        ],
        windows=[
            WindowAnswer(
                name=w.name, size=format_span(w.size, model.axis), slide=format_span(w.slide, model.axis)
            )
            for w in model.windows
        ],
    )


def _glance(standing: Standing, model: WatchedModel) -> ModelAnswer:
    last = standing.last_window
    return ModelAnswer(
        name=model.name,
        version=model.version,
        reference=standing.reference,
        last_window=None if last is None else instant(last, model.axis),
        open_episodes=standing.episodes,
        drifting=list(standing.drifting),
        severity=standing.severity or None,
        violations=standing.violations,
        summary=standing.told,
        columns=len(model.columns),
    )
