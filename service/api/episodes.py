"""Episodes: each drift from its opening to its end."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from service.acknowledging import acknowledge
from service.api.common import Asked, End, Served, Start, may, moment
from service.models import WatchedModel
from service.problems import RESPONSES
from service.security import Caller, Right
from state.durations import Axis
from state.event_data import Instant, instant
from state.stores.alerts import Acknowledgement
from state.stores.episodes import StoredEpisode

router = APIRouter(tags=["episodes"], responses=RESPONSES)

_READ = [Depends(may(Right.READ))]

LONGEST_NOTE = 500
"""Characters of a note."""


class AcknowledgementAnswer(BaseModel):
    """Who was the first to say that they have seen an episode."""

    by: str = Field(description="Name of the key.")
    at: Instant = Field(description="When, by the clock of the service.")
    note: str


class Note(BaseModel):
    """What somebody says about an episode that they have seen."""

    note: str = Field(default="", max_length=LONGEST_NOTE, examples=["a campaign, known since Monday"])


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
    acknowledged: AcknowledgementAnswer | None = Field(description="Null while nobody has seen it.")


@router.get("/models/{model}/episodes", dependencies=_READ)
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
        seen = {each.episode: each for each in store.acknowledgements(asked.model.name)} if found else {}
    return [episode_answer(each, seen.get(each.id), asked.model) for each in reversed(found)]


@router.post("/models/{model}/episodes/{episode_id}/acknowledge")
def acknowledge_episode(
    *,
    service: Served,
    asked: Asked,
    caller: Annotated[Caller, Depends(may(Right.WRITE))],
    episode_id: Annotated[
        str, Path(max_length=100, description="Its id.", examples=["574c5053f84eea0181fd76cab6304e9c"])
    ],
    said: Note | None = None,
) -> EpisodeAnswer:
    """Say that somebody has seen an episode, by the name of the key; the first who says so stays.

    Whoever would be told because nobody has seen it (`alerts.routes`) is not told then. Saying it again
    changes nothing.
    """
    note = "" if said is None else said.note
    found = acknowledge(service, asked.model, episode_id, by=caller.name, version=asked.version, note=note)
    return episode_answer(found.episode, found.acknowledgement, asked.model)


def episode_answer(found: StoredEpisode, seen: Acknowledgement | None, model: WatchedModel) -> EpisodeAnswer:
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
        acknowledged=None if seen is None else _acknowledged(seen),
    )


def _acknowledged(seen: Acknowledgement) -> AcknowledgementAnswer:
    return AcknowledgementAnswer(by=seen.by, at=instant(seen.at_ms, Axis.MILLISECONDS), note=seen.note)
