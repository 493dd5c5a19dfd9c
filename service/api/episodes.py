"""Episodes: each drift from its opening to its end."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from service.api.common import Asked, End, Served, Start, may, moment
from service.models import WatchedModel
from service.problems import RESPONSES
from service.security import Right
from state.event_data import Instant, instant
from state.stores.episodes import StoredEpisode

router = APIRouter(tags=["episodes"], responses=RESPONSES, dependencies=[Depends(may(Right.READ))])


class EpisodeAnswer(BaseModel):
    """One episode as its last change left it."""

    id: str
    window: str
    feature: str
    check: str | None = Field(description="The check that was violated; null for a drift.")
    family: str = Field(description="drift, or the family of the check.")
    since: Instant = Field(description="Start of the run of windows that led to it.")
    opened: Instant
    updated: Instant
    open: bool
    severity: str | None = Field(description="The highest so far.")
    peak: float = Field(description="The largest effect so far.")
    windows: int
    reference: str


@router.get("/models/{model}/episodes")
def list_episodes(
    *,
    service: Served,
    asked: Asked,
    window: Annotated[str | None, Query(description="Only of this kind of window.")] = None,
    feature: Annotated[str | None, Query(description="Only of this column.")] = None,
    open_only: Annotated[bool, Query(alias="open", description="Only those that go on.")] = False,
    start: Start = None,
    end: End = None,
) -> list[EpisodeAnswer]:
    """List the episodes that were open at some time of a span, the one that opened last first."""
    with service.store(asked.model) as store:
        found = store.episodes(
            asked.model.name,
            model_version=asked.version,
            window=window,
            feature=feature,
            open_only=open_only,
            start=moment(start, asked.model, "start"),
            end=moment(end, asked.model, "end"),
        )
    return [episode_answer(episode, asked.model) for episode in reversed(found)]


def episode_answer(found: StoredEpisode, model: WatchedModel) -> EpisodeAnswer:
    """Write an episode with its times as the model's axis has them."""
    return EpisodeAnswer(
        id=found.id,
        window=found.window,
        feature=found.feature,
        check=found.check or None,
        family=found.family,
        since=instant(found.since, model.axis),
        opened=instant(found.opened, model.axis),
        updated=instant(found.updated, model.axis),
        open=found.is_open,
        severity=found.severity or None,
        peak=found.peak,
        windows=found.windows,
        reference=found.reference,
    )
