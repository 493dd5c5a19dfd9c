"""Notes that somebody has seen an episode, for the API and for pages."""

from typing import NamedTuple

from service.context import Service
from service.models import WatchedModel
from service.problems import ProblemError
from state.stores.alerts import Acknowledgement
from state.stores.episodes import StoredEpisode


class Seen(NamedTuple):
    """An episode, who was the first to see it, and whether that was this time."""

    episode: StoredEpisode
    acknowledgement: Acknowledgement
    first: bool


def acknowledge(
    service: Service,
    model: WatchedModel,
    episode: str,
    *,
    by: str,
    version: str | None = None,
    note: str = "",
) -> Seen:
    """Store who has seen an episode of a version of a model, the configured one by default.

    Raises
    ------
    ProblemError
        There is no such episode: nothing is stored then.
    """
    with service.store(model) as store:
        known = store.episodes(model.name, model_version=version or model.version)
        found = next((each for each in known if each.id == episode), None)
        if found is None:
            raise ProblemError(
                404, f"There is no such episode; /v1/models/{model.name}/episodes lists those there are."
            )
        made = Acknowledgement(
            model=model.name, episode=episode, by=by, at_ms=round(service.clock() * 1000), note=note
        )
        if store.acknowledge(made):
            return Seen(found, made, first=True)
        # Somebody was faster, and theirs is what counts.
        (earlier,) = store.acknowledgements(model.name, [episode])
        return Seen(found, earlier, first=False)
