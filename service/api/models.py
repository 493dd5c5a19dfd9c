"""Models, their columns and windows, and how they stand."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from detectors.base import Kind
from service.api.common import Asked, Served, may
from service.models import WatchedModel
from service.problems import RESPONSES
from service.security import Right
from state.columns import Role
from state.durations import Axis, format_span
from state.event_data import Instant, instant
from state.events import EventType
from state.stores.base import Store

router = APIRouter(tags=["models"], responses=RESPONSES, dependencies=[Depends(may(Right.READ))])


class ModelAnswer(BaseModel):
    """A model at a glance."""

    name: str
    version: str
    reference: str | None = Field(description="Version it was last told to be compared with; null: none.")
    last_window: Instant | None = Field(description="End of the last window there is a report on.")
    open_episodes: int
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
            answers.append(glance(store, model, model.version))
    return answers


@router.get("/models/{model}")
def one_model(service: Served, asked: Asked) -> ModelDetail:
    """Show one model: its columns, its windows, and how it stands."""
    model = asked.model
    with service.store(model) as store:
        found = glance(store, model, asked.version)
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


def glance(store: Store, model: WatchedModel, version: str) -> ModelAnswer:
    """Say how a model version stands."""
    activations = store.activations(model.name, version)
    last = store.events(
        model.name, model_version=version, types=[EventType.REPORT], newest_first=True, limit=1
    )
    return ModelAnswer(
        name=model.name,
        version=version,
        reference=activations[-1].version if activations else None,
        last_window=instant(last[0].end, model.axis) if last else None,
        open_episodes=len(store.episodes(model.name, model_version=version, open_only=True)),
        columns=len(model.columns),
    )
