"""Events of a store as a page: some of them, and the cursor of what comes behind."""

from typing import Any

from service.api.common import About, moment
from service.context import Service
from service.problems import ProblemError
from state.stores.base import NotFoundError, StoredEvent


def page_of_events(
    service: Service,
    asked: About,
    *,
    start: str | None,
    end: str | None,
    limit: int,
    cursor: str | None,
    newest_first: bool = True,
    **wanted: Any,  # noqa: ANN401  # window, feature and types, as the store takes them
) -> tuple[list[StoredEvent], str | None]:
    """Return at most `limit` events, and the cursor of the next page; None where this is the last.

    Raises
    ------
    ProblemError
        A time cannot be read, or the event of the cursor is not kept any more.
    """
    try:
        with service.store(asked.model) as store:
            found = store.events(
                asked.model.name,
                model_version=asked.version,
                start=moment(start, asked.model, "start"),
                end=moment(end, asked.model, "end"),
                newest_first=newest_first,
                beyond=cursor,
                # One more than asked for tells whether there are others.
                limit=limit + 1,
                **wanted,
            )
    except NotFoundError as error:
        raise ProblemError(422, "cursor: its event is not kept any more; begin again without it.") from error
    return found[:limit], found[limit - 1].id if len(found) > limit else None
